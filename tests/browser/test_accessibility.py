"""The photo tab by axe-core, by keyboard, and for those who asked for less motion."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from catdog.page import words

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
def test_axe_finds_nothing_serious_not_even_in_gradio_s_own_markup(open_page, root, scheme, width, language):
    page = answered(
        open_page(
            color_scheme=scheme, viewport={"width": width, "height": 900}, locale=language, reduced_motion="reduce"
        ),
        root,
    )
    page.locator("#look summary").click()
    expect(page.locator("#look .inside")).to_be_visible(timeout=PATIENCE)
    page.locator("#answer details summary").click()
    rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
    violations = Axe().run(page, options={"runOnly": rules}).response["violations"]
    serious = [found for found in violations if found["impact"] in ("serious", "critical")]
    assert not [(found["id"], node["html"]) for found in serious for node in found["nodes"]]


def test_the_verdict_is_announced_and_the_picture_named(open_page, root):
    page = answered(open_page(), root)
    announced = page.get_by_role("status").filter(has_text=words.VERDICT["both"][0])
    assert announced.count() == 1
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


def test_less_motion_is_respected(open_page):
    page = open_page(reduced_motion="reduce")
    longest = page.evaluate(
        """Math.max(...[...document.querySelectorAll("*")].flatMap(element =>
            getComputedStyle(element).transitionDuration.split(",").map(parseFloat)))"""
    )
    assert longest < 0.01
