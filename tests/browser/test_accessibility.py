"""The page by axe-core, by keyboard, and for those who asked for less motion."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from catdog.page import words
from research.screenshots import TABS

from .visitor import fill

pytestmark = pytest.mark.slow

PATIENCE = 180_000  # ms, for an answer on a busy machine


@pytest.fixture
def open_page(browser, address):
    pages = []

    def open_with(**options) -> Page:
        pages.append(browser.new_page(**{"viewport": {"width": 1200, "height": 1000}} | options))
        pages[-1].goto(address)
        pages[-1].wait_for_selector("#picture")
        return pages[-1]

    yield open_with
    for page in pages:
        page.close()


def answered(page: Page, root: Path) -> Page:
    page.set_input_files("#picture input[type=file]", str(root / "examples" / "both-side-by-side.jpg"))
    expect(page.locator("#answer .verdict")).to_be_visible(timeout=PATIENCE)
    return page


@pytest.mark.parametrize(
    ("scheme", "width", "language"), [("light", 1200, "en-US"), ("dark", 360, "zh-CN")], ids=["light", "dark"]
)
@pytest.mark.parametrize("tab", TABS)
def test_axe_finds_nothing_serious_not_even_in_gradio_s_own_markup(open_page, root, tab, scheme, width, language):
    page = open_page(
        color_scheme=scheme, viewport={"width": width, "height": 900}, locale=language, reduced_motion="reduce"
    )
    fill(page, root, tab)
    rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
    violations = Axe().run(page, options={"runOnly": rules}).response["violations"]
    serious = [found for found in violations if found["impact"] in ("serious", "critical")]
    assert not [(found["id"], node["html"]) for found in serious for node in found["nodes"]]


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until an element has the focus, which is then seen."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            break
    expect(page.locator(selector).first).to_be_focused()
    outline = "getComputedStyle(document.activeElement)"
    assert (
        page.evaluate(f"{outline}.outlineStyle") != "none" and page.evaluate(f"parseFloat({outline}.outlineWidth)") >= 2
    )


def open_by_keyboard(page: Page, name: str) -> None:
    tab_to(page, "[role=tab]")
    tab = page.get_by_role("tab", name=name, exact=True)
    for _ in range(4):
        if tab.evaluate("tab => tab === document.activeElement"):
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(tab).to_have_attribute("aria-selected", "true")


def test_the_live_tab_is_used_by_keyboard_alone(open_page):
    page = open_page()
    open_by_keyboard(page, words.LIVE["tab"][0])
    tab_to(page, "#live [name=start]")
    page.keyboard.press("Enter")
    expect(page.locator("#live .verdict")).to_be_visible(timeout=PATIENCE)
    tab_to(page, "#live [name=mirror]")
    page.keyboard.press("Space")
    expect(page.locator("#live .stage.mirrored")).to_have_count(0)
    page.keyboard.press("Shift+Tab")  # over no button for another camera: there is one
    expect(page.locator("#live [name=start]")).to_be_focused()
    page.keyboard.press("Space")
    expect(page.locator("#live .stage")).to_be_hidden()


def test_the_many_tab_is_used_by_keyboard_alone(open_page, root):
    page = open_page()
    open_by_keyboard(page, words.MANY["tab"][0])
    with page.expect_file_chooser(timeout=PATIENCE) as chooser:
        tab_to(page, "#many-files button")
        page.keyboard.press("Enter")
    photos = ("cat-chelsea.jpg", "dog-german-shepherd.jpg")
    chooser.value.set_files([str(root / "examples" / name) for name in photos])
    shown = page.locator("#many .photos > li:visible")
    expect(shown).to_have_count(2, timeout=PATIENCE)
    tab_to(page, "#many [name=kind]")
    page.keyboard.press("ArrowDown")
    expect(shown).to_have_count(1)
    tab_to(page, "#many [name=doubtful]")
    page.keyboard.press("Space")
    expect(page.locator("#many .no-match")).to_be_visible()
    page.keyboard.press("Space")
    tab_to(page, "#many .download")
    with page.expect_download(timeout=PATIENCE) as download:
        page.keyboard.press("Enter")
    assert download.value.suggested_filename == "catdog.csv"
    tab_to(page, "#many button.photo")
    page.keyboard.press("Enter")
    expect(page.locator("#answer .verdict")).to_have_text(words.VERDICT["cat"][0], timeout=PATIENCE)


def test_the_good_tab_is_read_by_keyboard_alone(open_page):
    page = open_page(viewport={"width": 1200, "height": 500})
    open_by_keyboard(page, words.GOOD["tab"][0])
    expect(page.locator("#good-mistakes figure").first).to_be_visible(timeout=PATIENCE)
    page.keyboard.press("End")
    page.wait_for_function("scrollY > 0 && scrollY + innerHeight > document.documentElement.scrollHeight - 5")


def test_the_verdict_is_announced_and_the_picture_named(open_page, root):
    page = answered(open_page(), root)
    expect(page.get_by_role("status").filter(has_text=words.VERDICT["both"][0])).to_have_count(1)
    expect(page.get_by_role("img", name=words.VERDICT["both"][0])).to_be_visible()


def test_every_knob_is_reached_and_turned_by_keyboard(open_page, root):
    page = answered(open_page(), root)
    page.locator("#answer .choice input:checked").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("#answer .choice input:checked").get_attribute("value") == "cat"
    reached = []
    for _ in range(9):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate(
                "document.activeElement.closest('label')?.className || document.activeElement.className"
                " || document.activeElement.localName"
            )
        )
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none", reached[-1]
    assert reached == ["canvas", "opacity", "colors", "boxes", "finer", "picture", "json", "summary", "summary"]


def test_less_motion_is_respected_from_the_first_frame(browser, address):
    page = browser.new_page(reduced_motion="reduce")
    page.add_init_script("""
        longest = 0;  // s, of any element in any frame
        requestAnimationFrame(function look() {
            for (const element of document.querySelectorAll("*"))
                longest = Math.max(longest, ...getComputedStyle(element).transitionDuration.split(",").map(parseFloat));
            requestAnimationFrame(look);
        });
    """)
    page.goto(address)
    expect(page.locator("#picture")).to_be_visible()
    assert page.evaluate("longest") < 0.01
    page.close()
