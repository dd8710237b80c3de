"""How much the page moves while it comes in, what it may load, and what a second visit fetches."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.slow

SHIFT = 0.02  # cumulative layout shift
WATCH = """
    window.shift = 0;
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value;
    }).observe({ type: "layout-shift", buffered: true });
"""
# Bytes that came over the line for each file of the page; 0 from the cache.
SENT = """() => Object.fromEntries(performance.getEntriesByType("resource")
    .filter(({ name }) => name.includes("/web/")).map(({ name, transferSize }) => [name, transferSize]))"""


@pytest.mark.parametrize(
    "viewport", [{"width": 390, "height": 664}, {"width": 1280, "height": 800}], ids=["phone", "laptop"]
)
def test_nothing_moves_while_the_page_comes_in(blank, address, viewport):
    page = blank(viewport=viewport)
    page.add_init_script(WATCH)
    page.goto(address)
    page.wait_for_load_state("networkidle")
    assert page.evaluate("window.shift") <= SHIFT


def test_the_policy_of_the_page_allows_no_inline_script_or_style(blank, address):
    policy = blank().goto(address).headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_a_second_visit_fetches_no_file_of_the_page_again(blank, address):
    page = blank()
    page.goto(address)
    page.wait_for_load_state("networkidle")
    page.reload()
    page.wait_for_load_state("networkidle")
    expect(page.locator("photo-tab")).to_be_visible()
    sizes = page.evaluate(SENT)
    assert sizes
    assert not any(sizes.values()), "they are in the browser's cache"
