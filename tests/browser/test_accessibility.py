"""The page by axe-core in every tab and state, for those who asked for less motion, and with the system's own colors."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from .visitor import LANGUAGES, TABS, WORDS, drag, drop, fill, tab

pytestmark = pytest.mark.slow

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def expect_accessible(page: Page) -> None:
    """Nothing serious or critical, in any shadow tree."""
    found = Axe().run(page, options={"runOnly": RULES}).response["violations"]
    serious = [each for each in found if each["impact"] in ("serious", "critical")]
    assert not [(each["id"], node["html"]) for each in serious for node in each["nodes"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", TABS)
def test_axe_finds_nothing_serious_empty_or_filled_in_either_language(open_page, root, name, scheme):
    page = open_page(f"#{name}", color_scheme=scheme, reduced_motion="reduce", viewport={"width": 390, "height": 800})
    expect_accessible(page)
    fill(page, root, name)
    for fold in page.locator(f"{name}-tab details:not([open]) > summary").all():
        if fold.is_visible():
            fold.click()
    expect_accessible(page)
    page.get_by_role("button", name=WORDS["en"]["words.other-language"]).click()
    expect(tab(page, name, "zh")).to_be_visible()
    page.set_viewport_size({"width": 1280, "height": 800})
    expect_accessible(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_notices_problems_and_the_hint(open_page, root, scheme):
    page = open_page(color_scheme=scheme, reduced_motion="reduce")
    drag(page, [root / "README.md"], "main", "dragEnter")
    expect(page.get_by_text(WORDS["en"]["app.drop"])).to_be_visible()
    expect_accessible(page)
    drop(page, [root / "README.md"], "main")
    expect(page.get_by_role("alert")).to_be_visible()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate("navigator.clipboard.writeText('a cat')")  # an empty clipboard pastes nothing at all
    page.keyboard.press("Control+V")
    expect(page.get_by_text(WORDS["en"]["app.nothing-pasted"])).to_be_visible()
    expect_accessible(page)


def test_the_page_has_one_heading_at_the_top_and_its_landmarks(open_page):
    page = open_page()
    for name in TABS:
        tab(page, name).click()
        expect(page.locator(f"{name}-tab").get_by_role("heading", level=1)).to_have_count(1)
    for landmark in ("banner", "navigation", "main", "contentinfo"):
        expect(page.get_by_role(landmark)).to_have_count(1)


def test_fingers_hit_every_control_of_the_page_around_the_tabs(open_page):
    page = open_page(viewport={"width": 320, "height": 640}, has_touch=True)
    for control in [
        *page.get_by_role("tab").all(),
        page.get_by_role("button", name=WORDS["en"]["words.other-language"]),
    ]:
        box = control.bounding_box()
        assert box["width"] >= 44 and box["height"] >= 44, control


def test_less_motion_is_respected(open_page):
    page = open_page(reduced_motion="reduce")
    longest = """() => {
        const below = (each) => [each, ...(each.shadowRoot ? all(each.shadowRoot) : [])];
        const all = (root) => [...root.querySelectorAll("*")].flatMap(below);
        const of = (each) => getComputedStyle(each).transitionDuration; // "" where it is in no rendered tree, as an unused slot's
        return Math.max(...all(document).flatMap((each) => of(each).split(",").filter(Boolean).map(parseFloat)));
    }"""
    for name in TABS:
        tab(page, name).click()
        page.locator(f"{name}-tab").wait_for()
        assert page.evaluate(longest) < 0.01, name


def test_the_chosen_tab_is_seen_in_the_system_s_own_colors(open_page):
    page = open_page(forced_colors="active")
    outline = "element => getComputedStyle(element).outlineStyle"
    assert [tab(page, name).evaluate(outline) for name in TABS[:2]] == ["solid", "none"]


def test_both_languages_are_marked_as_such(open_page):
    page = open_page()
    other = page.get_by_role("button", name=WORDS["en"]["words.other-language"])
    expect(other).to_have_attribute("lang", LANGUAGES["zh"])
