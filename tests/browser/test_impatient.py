"""Visitors who click fifty times in a second: the page goes on, the last wish counts, and the server is left in peace."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import replace

import gradio as gr
import pytest
from playwright.sync_api import Page, expect

from catdog import load
from catdog.classifier import Classifier
from catdog.page import build, launch, look, photo, words
from research.screenshots import choose_tab

pytestmark = pytest.mark.slow

PATIENCE = 120_000  # ms, for an answer on a busy machine
CLICKS = 50
WITHIN = 1000  # ms
LAST = re.compile(r"/dog-german-shepherd\.jpg$")


@pytest.fixture(scope="module")
def served():
    """The page in this process, so that its queue and threads can be looked at; it sees little of a photo, to be fast."""
    shipped = load(device="cpu")
    page = build(Classifier(shipped.network, replace(shipped.metadata, input_size=128), shipped.device))
    launch(page, server_name="127.0.0.1", prevent_thread_lock=True, quiet=True)
    yield page
    page.close()


@pytest.fixture
def page(blank, served):
    blank.set_viewport_size({"width": 1200, "height": 1400})
    blank.add_init_script(
        """window.streams = [];
        const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
        navigator.mediaDevices.getUserMedia = async (wanted) => {
            streams.push(await open(wanted));
            return streams.at(-1);
        };"""
    )
    blank.goto(served.local_url)
    blank.wait_for_selector("#picture")
    return blank


def hammer(page: Page, selector: str) -> None:
    """Fifty clicks in a second, on the elements that a selector finds then, one after another."""
    page.evaluate(
        """([selector, clicks, within]) => new Promise(done => {
            let clicked = 0;
            const timer = setInterval(() => {
                const found = document.querySelectorAll(selector);
                found[clicked % found.length]?.click();
                if (++clicked < clicks) return;
                clearInterval(timer);
                done();
            }, within / clicks);
        })""",
        [selector, CLICKS, WITHIN],
    )


def threads_of_work() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name.startswith("ThreadPoolExecutor")}


def expect_peace(served: gr.Blocks, before: set[threading.Thread]) -> None:
    """Nothing waits on the server, nothing is computed."""
    queue, until = served._queue, time.monotonic() + PATIENCE / 1000
    while left := [len(queue), *filter(None, queue.active_jobs), *(threads_of_work() - before)]:
        if left == [0]:
            return
        assert time.monotonic() < until, left
        time.sleep(0.1)


def test_of_fifty_example_photos_the_last_one_is_answered(page, served):
    before = threads_of_work()
    expect(page.locator("#examples .gallery-item").first).to_be_visible(timeout=PATIENCE)
    hammer(page, ", ".join(f"#examples .gallery-item:nth-of-type({number})" for number in (3, 5, 10)))  # the fifth last
    for _ in range(2):  # and so it stays
        expect(page.locator("#picture img")).to_have_attribute("src", LAST, timeout=PATIENCE)
        expect(page.locator("#answer .verdict")).to_have_text(words.VERDICT["dog"][0], timeout=PATIENCE)
        expect_peace(served, before)


def test_a_photo_from_the_gallery_that_is_removed_before_its_answer_stays_removed(page, served, root, monkeypatch):
    asked, answered, answer_to = threading.Event(), threading.Event(), photo.answer_to

    def slow(*given):
        asked.set()
        time.sleep(3)
        answered.set()
        return answer_to(*given)

    monkeypatch.setattr(photo, "answer_to", slow)
    choose_tab(page, words.MANY["tab"][0])
    page.set_input_files("#many-files input[type=file]", str(root / "examples" / "cat-chelsea.jpg"))
    page.locator("#many button.photo").click(timeout=PATIENCE)
    assert asked.wait(30)
    page.get_by_label("Remove Image").click(timeout=PATIENCE)
    assert not answered.is_set()
    assert answered.wait(30)
    page.wait_for_timeout(2000)
    expect(page.locator("#answer .waiting")).to_be_visible()
    expect(page.locator("#answer .verdict")).to_be_hidden()


@pytest.fixture
def inside(page, root) -> Page:
    """The fold "Look inside" of a photo, a slow method chosen."""
    page.set_input_files("#picture input[type=file]", str(root / "examples" / "dog-german-shepherd.jpg"))
    page.locator("#look summary").click()
    expect(page.locator("#look .inside")).to_be_visible(timeout=PATIENCE)
    page.locator("#look .method select").select_option("ScoreCAM")
    return page


def expect_method(page: Page, method: str, stage: int) -> None:
    name = {"method": look.NAMES[method], "stage": stage, "label": words.LABEL["dog"][0]}
    expected = re.escape(words.LOOK["outcome"][0].format(**name, seconds="SECONDS")).replace("SECONDS", "[0-9.]+")
    expect(page.locator("#look .outcome")).to_have_text(re.compile(expected), timeout=PATIENCE)
    expect(page.locator("#look .start")).to_be_enabled()


def test_of_fifty_clicks_on_another_method_one_is_answered(inside, served):
    before, asked = threads_of_work(), []
    inside.locator("#look .wish .stage select").select_option("2")
    inside.on("request", lambda request: asked.append(request.url))
    hammer(inside, "#look .start")
    expect_method(inside, "ScoreCAM", 2)
    expect_peace(served, before)
    assert len([url for url in asked if "queue/join" in url]) == 1


def test_after_fifty_clicks_on_show_and_stop_nothing_is_left_and_the_next_method_is_answered(inside, served):
    before = threads_of_work()
    inside.locator("#look .wish .stage select").select_option("4")
    hammer(inside, "#look .start, #look .stop:not([hidden])")
    inside.evaluate("document.querySelector('#look .stop').click()")
    expect(inside.locator("#look .start")).to_be_enabled(timeout=PATIENCE)
    expect(inside.locator("#look .outcome")).to_have_text(words.LOOK["stopped"][0])
    expect_peace(served, before)
    inside.locator("#look .method select").select_option("GradCAM")
    inside.locator("#look .start").click()
    expect_method(inside, "GradCAM", 4)


def test_after_fifty_clicks_on_start_and_stop_no_camera_is_left_on_and_the_next_start_is_answered(page):
    asked, pending = [], set()
    page.on("request", lambda request: asked.append(request) or pending.add(request))
    page.on("requestfinished", lambda request: pending.discard(request))
    page.on("requestfailed", lambda request: pending.discard(request))
    page.get_by_role("tab", name=words.LIVE["tab"][0]).click(timeout=PATIENCE)
    start = page.locator("#live [name=start]")
    expect(start).to_have_text(words.LIVE["start"][0], timeout=PATIENCE)
    hammer(page, "#live [name=start]")
    expect(start).to_have_text(words.LIVE["start"][0])
    page.wait_for_function(
        f"streams.length == {CLICKS // 2} && streams.every(each => each.getTracks()[0].readyState == 'ended')",
        timeout=PATIENCE,
    )
    while frames := [request for request in pending if "component_server" in request.url]:
        page.wait_for_event("requestfinished", lambda request: request in frames, timeout=PATIENCE)
    asked.clear()
    start.click()
    expect(page.locator("#live .verdict")).to_be_visible(timeout=PATIENCE)
    assert page.evaluate("streams.filter(each => each.active).length") == 1
