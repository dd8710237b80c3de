"""Every tab with something in it, from the narrowest phone to the widest screen, and enlarged."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from .visitor import LANGUAGES, TABS, WORDS, fill, tab

pytestmark = pytest.mark.slow

WIDTHS = (320, 390, 640, 768, 1280, 3840)  # px; 640 is a laptop's page at 200%
# What reaches beyond the window, in every shadow tree; what a smaller place scrolls or cuts off by itself is fine.
BEYOND = """() => {
    const room = document.documentElement.clientWidth;
    const outer = (element) => element.assignedSlot ?? element.parentElement ?? element.getRootNode().host;
    const cut = (element) => {
        for (let place = outer(element); place && place !== document.body; place = outer(place)) {
            const { left, right } = place.getBoundingClientRect();
            if (getComputedStyle(place).overflowX !== "visible" && left > -1 && right < room + 1) return true;
        }
        return false;
    };
    const below = (each) => [each, ...(each.shadowRoot ? all(each.shadowRoot) : [])];
    const all = (root) => [...root.querySelectorAll("*")].flatMap(below);
    return all(document.body).filter((element) => {
        const { left, right, width } = element.getBoundingClientRect();
        return element.checkVisibility() && width > 1 && (left < -1 || right > room + 1) && !cut(element);
    }).slice(0, 5).map((element) => element.cloneNode().outerHTML.slice(0, 200));
}"""


@pytest.mark.parametrize("name", TABS)
def test_nothing_scrolls_sideways_at_any_width(open_page, root, name):
    page = open_page(f"#{name}", viewport={"width": 320, "height": 640})
    fill(page, root, name)
    for language in LANGUAGES:
        if page.locator("html").get_attribute("lang") != {"en": "en", "zh": "zh-CN"}[language]:
            page.get_by_role("button", name=WORDS["en"]["words.other-language"]).click()
            expect(tab(page, name, language)).to_be_visible()
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 640})
            page.evaluate("new Promise(requestAnimationFrame)")
            assert page.evaluate(BEYOND) == [], (language, width)
            assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_text_twice_as_large_stays_on_a_phone(open_page, root):
    page = open_page(viewport={"width": 390, "height": 664})
    fill(page, root, "photo")
    for name in TABS:
        tab(page, name).click()
        page.locator(f"{name}-tab").wait_for()
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        page.evaluate("new Promise(requestAnimationFrame)")
        assert page.evaluate(BEYOND) == [], name
