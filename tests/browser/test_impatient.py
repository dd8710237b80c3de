"""Visitors who click two hundred times in ten seconds: the page goes on, the last wish counts, nothing is left behind."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from .visitor import PATIENCE, WORDS, until

pytestmark = pytest.mark.slow

CLICKS = 200
WITHIN = 10_000  # ms
NAMES = {name: WORDS["en"][f"photo.example-{name}"] for name in ("cat-chelsea", "dog-german-shepherd")}
TAB = "document.querySelector('catdog-app').shadowRoot.querySelector('photo-tab')"
BUTTONS = f"[...{TAB}.shadowRoot.querySelector('example-strip').shadowRoot.querySelectorAll('button')]"


@pytest.fixture
def page(open_page) -> Page:
    page = open_page()
    page.wait_for_selector("example-strip button")
    return page


def watched(page: Page) -> tuple[set[str], list[int]]:
    """The photos that the page waits for, and the status of those that were answered."""
    pending: set = set()
    answered: list[int] = []
    asks = re.compile(r"/engine/explain")
    page.on("request", lambda request: pending.add(request) if asks.search(request.url) else None)
    page.on("requestfailed", lambda request: pending.discard(request))
    page.on("requestfinished", lambda request: pending.discard(request))
    page.on("response", lambda response: answered.append(response.status) if asks.search(response.url) else None)
    return pending, answered


def verdict(page: Page):
    return page.locator("photo-answer verdict-panel .sentence")


def test_of_two_hundred_examples_the_last_one_is_answered_and_no_work_is_left(page):
    pending, answered = watched(page)
    entries = page.evaluate("history.length")
    page.evaluate(
        f"""([clicks, within, name]) => new Promise((done) => {{
            const buttons = {BUTTONS};
            const last = buttons.findIndex((button) => button.querySelector("img").alt === name);
            let clicked = 0;
            const timer = setInterval(() => {{
                clicked++;
                buttons[clicked === clicks ? last : clicked % buttons.length].click();
                if (clicked < clicks) return;
                clearInterval(timer);
                done();
            }}, within / clicks);
        }})""",
        [CLICKS, WITHIN, NAMES["dog-german-shepherd"]],
    )
    expect(page.locator("example-strip button[aria-pressed=true] img")).to_have_attribute(
        "alt", NAMES["dog-german-shepherd"], timeout=PATIENCE
    )
    expect(verdict(page)).to_have_text(re.compile("dog"), timeout=PATIENCE)
    expect(page.locator("photo-tab .progress, photo-tab .problem")).to_have_count(0)
    while pending:
        page.wait_for_event("requestfinished", timeout=PATIENCE)
    new_entries = page.evaluate("history.length") - entries
    assert 1 <= new_entries <= len(answered)  # one for each answer that was seen, none for those that were given up
    assert len(answered) < CLICKS
    expect(verdict(page)).to_have_text(re.compile("dog"))  # and so it stays


def test_who_goes_back_and_forward_fifty_times_sees_the_answer_of_the_entry_where_that_ends(page):
    for name in ("cat-chelsea", "dog-german-shepherd"):
        page.locator("example-strip").get_by_role("button", name=NAMES[name], exact=True).click()
        expect(verdict(page)).to_have_text(re.compile(name[:3]), timeout=PATIENCE)
    page.evaluate(
        """async () => {
            for (let walked = 0; walked < 51; walked++) {
                const there = new Promise((resolve) => addEventListener("popstate", resolve, { once: true }));
                history.go(walked % 2 ? 1 : -1);
                await there; // but not until the answer is drawn
            }
        }"""
    )
    shown = f"({TAB}).answer?.id === history.state?.photo && !({TAB}).waiting"
    until(page, f"() => {shown}")
    expect(page.locator("photo-tab .problem")).to_have_count(0)
