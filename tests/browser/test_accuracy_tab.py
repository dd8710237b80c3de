"""The accuracy tab in a real browser."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Locator, Page, expect

from catdog.checkpoint import load_checkpoint
from catdog.page.figures import figures_of

from .conftest import PHONE
from .visitor import PATIENCE, WORDS, panel, tab

pytestmark = pytest.mark.slow

EN, ZH = WORDS["en"], WORDS["zh"]


@pytest.fixture(scope="module")
def figures() -> dict:
    return json.loads(json.dumps(figures_of(load_checkpoint()[1])))


@pytest.fixture
def opened(open_page) -> Locator:
    return shown(open_page("#accuracy"))


def shown(page: Page) -> Locator:
    accuracy = panel(page, "accuracy")
    expect(accuracy.locator(".fools")).to_be_visible(timeout=PATIENCE)
    return accuracy


@pytest.fixture
def told(blank, address):
    """Opens the tab with other figures than the checkpoint's."""

    def open_with(figures: dict) -> Locator:
        page = blank()
        page.route("**/figures.json", lambda route: route.fulfill(json=figures))
        page.goto(f"{address.rstrip('/')}/#accuracy")
        return shown(page)

    return open_with


def sentence(code: str, words: dict[str, str] = EN, **values: object) -> str:
    return words[f"accuracy.{code}"].format(**values)


def test_the_first_sentences_are_the_checkpoint_s_figures_in_whole_photos(opened, figures):
    one = figures["measured"]["simple"]["one-pet"]
    sentences = opened.locator(".simple p")
    expect(sentences.first).to_have_text(sentence("one-pet-count", of=100, right=round(100 * one["value"])))
    expect(sentences).to_have_count(3)
    dots = opened.locator(".simple .dots").first
    expect(dots.locator("circle.right")).to_have_count(round(100 * one["value"]))
    expect(dots.locator("circle")).to_have_count(100)


def test_kinds_come_worst_first_and_those_of_few_photos_last(opened, figures):
    kinds = figures["measured"]["kinds"]
    ordered = sorted(kinds, key=lambda each: (each["n"] < figures["enough"], each["value"]))
    names = opened.locator(".kinds .kind").all_text_contents()
    assert names == [EN[f"figure.kind-{each['kind']}"] for each in ordered]


def test_what_fools_it_can_be_tried(opened):
    page = opened.page
    opened.locator(".fools button").nth(1).click()
    expect(tab(page, "photo")).to_have_attribute("aria-selected", "true")
    answer = panel(page, "photo").locator("verdict-panel")
    expect(answer).to_be_visible(timeout=PATIENCE)


def test_experts_open_a_fold_in_which_every_figure_stands_with_its_counts(opened, figures):
    fold = opened.locator("details.experts")
    expect(fold.locator(".rates").first).to_be_hidden()
    fold.locator("summary").first.click()
    measured = figures["measured"]
    rows = fold.locator(".rates li:not([aria-hidden])")
    expect(rows).to_have_count(len(measured["right"]) + len(measured["wrong"]))
    for row, rate in zip(rows.all(), measured["right"] + measured["wrong"]):
        expect(row).to_contain_text(f"{100 * rate['value']:.1f}%")
        expect(row).to_contain_text(f"{rate['k']:,} of {rate['n']:,}")
    cells = fold.locator(".confusion tbody td")
    counts = [f"{count:,}" for row in measured["confusion"].values() for count in row.values()]
    expect(cells).to_have_text(counts)


def test_charts_say_what_they_show(opened, figures):
    opened.locator("details.experts > summary").click()
    plots = opened.get_by_role("img")
    expect(plots).to_have_count(3)
    false, found = figures["measured"]["detection"]["decided"]
    expect(plots.last).to_have_attribute("aria-label", re.compile(f"{100 * found:.1f}%.*{100 * false:.1f}%"))


def test_the_curve_uses_its_plot(opened):
    """In a plot from 0 to 100% both ways, all of it would be in one corner."""
    opened.locator("details.experts > summary").click()
    spread = opened.locator(".curve").evaluate(
        """curve => {
            const places = curve.getAttribute("points").split(" ").map((point) => point.split(",").map(Number));
            const inner = places.filter(([x, y]) => x > 0 && x < 260 && y > 0 && y < 260);
            return [0, 1].map((axis) => {
                const values = inner.map((place) => place[axis]);
                return (Math.max(...values) - Math.min(...values)) / 260;
            });
        }"""
    )
    assert min(spread) > 0.4


def test_the_model_card_is_shown_as_text(opened):
    opened.locator("details.experts > summary").click()
    opened.get_by_text(EN["accuracy.card"]).click()
    card = opened.locator(".card")
    expect(card.locator("h4").filter(has_text="What it may be used for")).to_be_visible()
    assert "`" not in card.inner_text() and "---" not in card.inner_text()


def test_no_folder_s_own_name_is_on_the_page(opened):
    text = opened.evaluate("tab => tab.shadowRoot.textContent")
    assert "folders:" not in text and "neither:neither" not in text
    assert EN["figure.source-kaggle"] in text and EN["figure.source-other"].format(number=1) in text


def test_it_speaks_the_visitor_s_language(open_page, figures):
    accuracy = shown(open_page("#accuracy", locale="zh-CN"))
    one = figures["measured"]["simple"]["one-pet"]
    expect(accuracy.locator(".simple p").first).to_have_text(
        sentence("one-pet-count", ZH, of=100, right=round(100 * one["value"]))
    )


def test_a_phone_shows_all_of_it_without_scrolling_sideways(open_page):
    page = open_page("#accuracy", **PHONE)
    accuracy = shown(page)
    accuracy.locator("details.experts > summary").click()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    sizes = accuracy.locator(".plot text").evaluate_all("all => all.map((text) => text.getBoundingClientRect().height)")
    assert min(sizes) >= 12  # px: still read on a phone


def test_a_checkpoint_that_was_not_measured_says_so(told, figures):
    accuracy = told({**figures, "measured": None, "card": None})
    expect(accuracy.locator(".lead")).to_have_text(EN["accuracy.none"])
    expect(accuracy.locator(".simple, .kinds")).to_have_count(0)
    accuracy.locator("details.experts > summary").click()
    expect(accuracy.get_by_text(EN["accuracy.made"])).to_be_visible()


def test_a_softmax_says_that_it_has_no_word_for_both_or_neither(told, figures):
    accuracy = told({**figures, "made": {**figures["made"], "head": "softmax"}})
    expect(accuracy.get_by_text(EN["accuracy.softmax"])).to_be_visible()
    thresholds = accuracy.locator(".numbers").get_by_text("0.51")  # of a verdict that it cannot give
    expect(thresholds).to_have_count(0)


def test_too_few_photos_are_called_too_few(told, figures):
    few = {"k": 2, "n": 3, "value": 2 / 3, "interval": [0.2, 0.94]}
    simple = {"one-pet": few, "neither": None, "both": None}
    accuracy = told({**figures, "measured": {**figures["measured"], "simple": simple}})
    expect(accuracy.locator(".simple p")).to_have_text([sentence("one-pet-few", of=3, right=2)])


def test_strange_words_of_a_checkpoint_are_text(told, figures):
    strange = "<img src=x onerror=alert(1)>"
    card = [{"heading": strange}, {"text": f"`{strange}`"}, {"head": [strange], "rows": [[strange]]}]
    accuracy = told({**figures, "card": card, "made": {**figures["made"], "commit": strange}})
    accuracy.locator("details.experts > summary").click()
    accuracy.get_by_text(EN["accuracy.card"]).click()
    expect(accuracy.locator(".card code")).to_have_text(strange)
    expect(accuracy.locator("img[src=x]")).to_have_count(0)


def test_figures_that_do_not_arrive_are_asked_for_again(blank, address):
    page = blank()
    page.route("**/figures.json", lambda route: route.abort())
    page.goto(f"{address.rstrip('/')}/#accuracy")
    accuracy = panel(page, "accuracy")
    expect(accuracy.get_by_role("alert")).to_have_text(EN["accuracy.lost"])
    page.unroute("**/figures.json")
    accuracy.get_by_role("button", name=EN["accuracy.again"]).click()
    shown(page)
