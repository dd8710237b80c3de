"""Every tab with something in it, on screens from the narrowest phone to the widest desk."""

from __future__ import annotations

import pytest

from research.screenshots import TABS

from .visitor import fill

pytestmark = pytest.mark.slow

# Gradio clips what is too wide, and then nothing scrolls: so every element is asked where it ends. What a smaller place
# scrolls by itself is fine.
BEYOND = """() => {
    const fits = ({ left, right }) => left > -1 && right < document.documentElement.clientWidth + 1;
    const scrolled = (element) => {
        for (let place = element.parentElement; place && place !== document.body; place = place.parentElement) {
            if (/auto|scroll/.test(getComputedStyle(place).overflowX) && fits(place.getBoundingClientRect())) return true;
        }
        return false;
    };
    const found = [...document.querySelectorAll("body *")].filter((element) =>
        element.checkVisibility() && !element.closest("[aria-hidden=true]") // as Gradio's tabs that it only measures
        && element.getBoundingClientRect().width > 1
        && !fits(element.getBoundingClientRect()) && !scrolled(element));
    return found.slice(0, 5).map((element) => element.cloneNode().outerHTML.slice(0, 200));
}"""


@pytest.mark.parametrize("tab", TABS)
def test_nothing_scrolls_sideways_at_any_width(browser, address, root, tab):
    page = browser.new_page(viewport={"width": 360, "height": 800}, locale="zh-CN")
    page.goto(address)
    fill(page, root, tab)
    for language in ("zh", "en"):
        page.evaluate("language => catdog.choose(language)", language)
        for width in (360, 390, 768, 3840):
            page.set_viewport_size({"width": width, "height": 800})
            for _ in range(20):  # Gradio lays its tabs out again some frames after a change
                page.wait_for_timeout(100)
                if not (beyond := page.evaluate(BEYOND)):
                    break
            assert beyond == [], (language, width)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()
