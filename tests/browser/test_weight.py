"""What a visitor's browser fetches before the page can be used, from where, how much it moves, and what is fetched again."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from .visitor import WORDS, fill

pytestmark = pytest.mark.slow

REQUESTS = 25
BYTES = 250_000  # compressed, without photos, with all that an answer is shown with
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


def test_the_first_page_is_small_and_comes_from_here_alone(blank, address):
    page = blank()
    requests = []
    page.on("request", lambda request: requests.append(request))
    page.goto(address)
    page.get_by_role("button", name=WORDS["en"]["photo.choose"]).wait_for()
    page.locator("example-strip img").first.wait_for()
    page.wait_for_load_state("networkidle")
    names = [request.url.rpartition("/")[2] for request in requests]
    usable = names[: names.index("about.json") + 1]  # the examples are the last to come in; what follows waits for them
    assert len(usable) <= REQUESTS, usable
    sizes = [request.sizes() for request in requests if not request.url.endswith(".jpg")]
    assert sum(size["responseBodySize"] + size["responseHeadersSize"] for size in sizes) <= BYTES
    assert {urlsplit(request.url).netloc for request in requests} == {urlsplit(address).netloc}


@pytest.mark.parametrize(
    "viewport", [{"width": 390, "height": 664}, {"width": 1280, "height": 800}], ids=["phone", "laptop"]
)
def test_nothing_moves_while_the_page_comes_in_nor_when_an_answer_does(blank, address, root, viewport):
    page = blank(viewport=viewport)
    page.add_init_script(WATCH)
    page.goto(address)
    page.wait_for_load_state("networkidle")
    fill(page, root, "photo")
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
