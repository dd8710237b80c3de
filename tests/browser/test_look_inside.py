"""The fold "Look inside" in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from catdog.page import look, words

pytestmark = pytest.mark.slow

PATIENCE = 180_000  # ms: other methods than ours take their time, the more so on a busy machine


@pytest.fixture(scope="module")
def opened(browser, address, root):
    """The page with an answered photo and the fold open."""
    page = browser.new_page(viewport={"width": 1200, "height": 1400})
    page.set_default_timeout(PATIENCE)
    page.goto(address)
    page.wait_for_selector("#picture")
    page.locator("#look summary").click()
    expect(page.locator("#look .nothing")).to_be_visible()
    page.set_input_files("#picture input[type=file]", str(root / "examples" / "dog-german-shepherd.jpg"))
    expect(page.locator("#look .inside")).to_be_visible(timeout=PATIENCE)
    yield page
    page.close()


def ask(page: Page, method: str, stage: int) -> None:
    page.locator("#look .method select").select_option(method)
    page.locator("#look .wish .stage select").select_option(str(stage))
    page.locator("#look .start").click()


def drawn(page: Page, selector: str) -> list[bool]:
    """Whether each canvas holds more than one color."""
    return page.locator(selector).evaluate_all(
        """canvases => canvases.map(canvas => new Set(
            new Uint32Array(canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.buffer)).size > 2)"""
    )


def test_four_stages_and_a_block_are_drawn_for_the_likelier_label(opened):
    assert opened.locator("#look section .label select").first.input_value() == "dog"
    assert drawn(opened, "#look .stages canvas") == [True] * 4
    assert drawn(opened, "#look .addition canvas") == [True] * 3
    names = opened.locator("#look canvas[role=img]").evaluate_all("all => all.slice(0, 4).map(each => each.ariaLabel)")
    assert len(set(names)) == 4 and all("LayerCAM" in name for name in names)


def test_of_labels_chosen_in_quick_succession_the_last_one_s_stages_are_shown(opened):
    label, took = opened.locator("#look section .label select").first, opened.locator("#look .took")
    asked = []
    opened.on("request", lambda request: asked.append(request.post_data) if "queue/join" in request.url else None)
    opened.evaluate("document.querySelector('#look .took').textContent = ''")
    label.select_option("cat")
    label.select_option("dog")
    while len(asked) < 2:  # the first is answered before the second is asked
        opened.wait_for_event("request")
    expect(took).not_to_have_text("", timeout=PATIENCE)
    assert label.input_value() == "dog"
    for canvas in opened.locator("#look .stages canvas").all():
        assert words.LABEL["dog"][0] in canvas.get_attribute("aria-label")


def test_a_method_shows_its_map_and_its_time(opened):
    ask(opened, "GradCAM", 4)
    outcome = opened.locator("#look .outcome")
    expect(outcome).to_contain_text(look.NAMES["GradCAM"], timeout=PATIENCE)
    assert drawn(opened, "#look .result canvas") == [True]
    opened.locator("#language").click()
    expect(outcome).to_contain_text("阶段 4")
    opened.locator("#language").click()


def test_a_slow_method_is_stopped(opened):
    ask(opened, "ScoreCAM", 4)
    progress = opened.locator("#look .progress output")
    expect(progress).to_be_visible()
    opened.locator("#look .stop").click()
    expect(opened.locator("#look .outcome")).to_have_text(words.LOOK["stopped"][0], timeout=PATIENCE)
    assert int(progress.text_content().rstrip("%")) < 90
    expect(opened.locator("#look .start")).to_be_enabled()


@pytest.mark.parametrize("by", ["upload", "example"])
def test_a_photo_that_is_removed_is_forgotten_and_its_slow_method_ends(opened, root, by):
    remove, nothing = opened.get_by_label("Remove Image"), opened.locator("#look .nothing")
    if remove.is_visible():  # another photo, whose answer and stages would be taken for the next one's
        remove.click()
        expect(nothing).to_be_visible(timeout=PATIENCE)
    for _ in range(2):  # what came of it depended on which of two requests went out first
        if by == "example":
            opened.locator("button.gallery-item").nth(1).click()
        else:
            opened.set_input_files("#picture input[type=file]", str(root / "examples" / "cat-chelsea.jpg"))
        expect(opened.locator("#answer .verdict")).to_be_visible(timeout=PATIENCE)
        expect(opened.locator("#look .inside")).to_be_visible(timeout=PATIENCE)
        ask(opened, "ScoreCAM", 1)
        expect(opened.locator("#look .progress")).to_be_visible()
        opened.wait_for_timeout(1200)
        remove.click()
        expect(nothing).to_be_visible(timeout=PATIENCE)
        opened.wait_for_timeout(2000)  # for what the end of the method sets off
        for gone in (".problem", ".inside", ".progress", ".result"):
            expect(opened.locator(f"#look {gone}")).to_be_hidden()
