"""The page's two languages in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from catdog.decision import percent
from catdog.page import MAX_FILE_SIZE, words

pytestmark = pytest.mark.slow

PATIENCE = 30_000  # ms, for an answer on a busy machine


@pytest.fixture
def open_page(browser, address):
    """The page in a browser of a given language."""
    contexts = []

    def open_in(language: str) -> Page:
        contexts.append(browser.new_context(locale=language))
        page = contexts[-1].new_page()
        page.goto(address)
        page.wait_for_selector("#picture")
        return page

    yield open_in
    for context in contexts:
        context.close()


def introduction(page: Page):
    return page.locator('[data-word="page.introduction"]')


@pytest.mark.parametrize(("language", "place"), [("zh", 1), ("zh-HK", 1), ("zh-Hans-CN", 1), ("en-GB", 0), ("fr", 0)])
def test_the_language_follows_the_browser(open_page, language, place):
    page = open_page(language)
    expect(introduction(page)).to_have_text(words.PAGE["introduction"][place])
    expect(page).to_have_title(words.PAGE["title"][place])
    expect(page.get_by_role("tab", name=words.PHOTO["tab"][place], exact=True)).to_be_visible()  # Gradio's part


def test_the_language_is_changed_on_the_page_and_kept(open_page, root):
    page = open_page("en-US")
    page.set_input_files("#picture input[type=file]", str(root / "examples" / "cat-ginger-kitten.jpg"))
    verdict = page.locator("#answer .verdict")
    expect(verdict).to_have_text(words.VERDICT["cat"][0], timeout=PATIENCE)
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    page.locator("#language").click()
    expect(verdict).to_have_text(words.VERDICT["cat"][1])
    expect(page.get_by_role("tab", name=words.PHOTO["tab"][1], exact=True)).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    assert not [url for url in requests if "/assets/" not in url]  # Gradio's own Chinese words are a file of its own
    for tab in (words.LIVE, words.GOOD):  # those that were never opened, too
        expect(page.get_by_role("tab", name=tab["tab"][1], exact=True)).to_be_visible()
    page.get_by_role("tab", name=words.MANY["tab"][1], exact=True).click()
    expect(page.locator("#many-files [data-word]")).to_have_text(words.MANY["drop"][1])
    page.locator("#language").click()
    expect(page.locator("#many-files [data-word]")).to_have_text(words.MANY["drop"][0])
    page.locator("#language").click()
    page.reload()
    expect(introduction(page)).to_have_text(words.PAGE["introduction"][1])


def test_percentages_round_towards_doubt_as_they_do_elsewhere(open_page):
    probabilities = [0, 0.004, 0.0099, 0.01, 0.014, 0.5, 0.666, 0.984, 0.99, 0.9901, 0.99999, 1]
    shown = open_page("en-GB").evaluate("probabilities => probabilities.map(catdog.percent)", probabilities)
    assert shown == [percent(probability) for probability in probabilities]


@pytest.mark.parametrize(("language", "place"), [("en-GB", 0), ("zh-CN", 1)])
@pytest.mark.parametrize("case", ["no-image", "too-large", "not-sent"])
def test_gradios_own_messages_follow_the_language(open_page, tmp_path, case, language, place):
    page = open_page(language)
    file = tmp_path / ("notes.txt" if case == "no-image" else "photo.jpg")
    with file.open("wb") as content:
        content.truncate(MAX_FILE_SIZE + 1 if case == "too-large" else 1)
    page.route("**/upload?**", lambda route: route.abort())
    page.set_input_files("#picture input[type=file]", str(file))
    values = {
        "no-image": {"names": file.name},
        "too-large": {"names": f'"{file.name}"', "megabytes": MAX_FILE_SIZE // 2**20},
        "not-sent": {},
    }[case]
    expect(page.get_by_test_id("toast-text")).to_have_text(words.GRADIO[case][place].format(**values))
    expect(page.locator(".toast-title")).to_have_text(words.GRADIO["error"][place])


def test_a_server_s_refusal_of_a_file_shows_none_of_its_words(open_page, root):
    page = open_page("zh-CN")
    page.route("**/upload?**", lambda route: route.fulfill(status=500, body="<b>oh</b>"))
    page.set_input_files("#picture input[type=file]", str(root / "examples" / "cat-chelsea.jpg"))
    expect(page.get_by_test_id("toast-text")).to_have_text(words.GRADIO["not-sent"][1])


def test_gradios_buttons_speak_the_visitors_language_whenever_it_changes(open_page, root):
    page = open_page("zh-CN")

    def expect_named(*names: str, place: int) -> None:
        for name in names:
            named = page.get_by_role("button", name=words.GRADIO[name][place], exact=True)
            expect(named.first).to_be_visible(timeout=PATIENCE)

    expect_named("upload", "capture", "paste", place=1)
    page.get_by_role("button", name=words.GRADIO["capture"][1]).click()
    expect(page.get_by_text(words.GRADIO["camera"][1])).to_be_visible()
    page.locator("#language").click()
    expect(page.get_by_text(words.GRADIO["camera"][0])).to_be_visible()
    expect_named("upload", "capture", "paste", place=0)
    page.get_by_role("button", name=words.GRADIO["upload"][0]).click()
    page.set_input_files("#picture input[type=file]", str(root / "examples" / "cat-chelsea.jpg"))
    expect_named("fullscreen", "remove", place=0)
    page.locator("#language").click()
    expect_named("fullscreen", "remove", place=1)
    page.get_by_role("button", name=words.GRADIO["fullscreen"][1], exact=True).click()
    expect_named("no-fullscreen", place=1)
    page.get_by_role("button", name=words.GRADIO["no-fullscreen"][1], exact=True).click()
    expect_named("fullscreen", place=1)
