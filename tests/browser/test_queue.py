"""The page when others are before you, in a real browser."""

from __future__ import annotations

import re

import pytest
from held import held_page
from playwright.sync_api import expect

from catdog.page import words

pytestmark = pytest.mark.slow

PATIENCE = 60_000  # ms


def test_a_visitor_sees_the_place_in_the_queue_and_beyond_its_end_a_sentence(
    browser, tiny_network, examples, monkeypatch
):
    with held_page(tiny_network, monkeypatch, waiting=1) as (classifier, port):
        visitors = [browser.new_page(locale=locale) for locale in ("en-GB", "zh-CN", "zh-CN")]
        for visitor in visitors:
            visitor.goto(f"http://127.0.0.1:{port}")
            visitor.wait_for_selector("#picture")
        first, second, third = visitors
        answers = [visitor.locator("#answer") for visitor in visitors]

        first.set_input_files("#picture input[type=file]", str(examples[0]))
        expect(answers[0]).to_contain_text(words.PAGE["processing"][0], timeout=PATIENCE)
        second.set_input_files("#picture input[type=file]", str(examples[0]))
        place = words.PAGE["queue"][1].format(place=1, waiting=1)
        expect(answers[1]).to_contain_text(place, timeout=PATIENCE)
        third.set_input_files("#picture input[type=file]", str(examples[0]))
        expect(third.get_by_test_id("toast-text")).to_have_text(words.PAGE["busy"][1], timeout=PATIENCE)
        expect(answers[2].locator(".problem")).to_have_text(words.PROBLEM["unanswered"][1], timeout=PATIENCE)
        expect(answers[2].locator(".problem")).to_be_visible()

        classifier.go.set()
        for answer in answers[:2]:
            expect(answer.locator(".verdict")).to_have_text(re.compile("."), timeout=PATIENCE)
            expect(answer).not_to_contain_text("|", timeout=PATIENCE)
        for visitor in visitors:
            visitor.close()


def test_two_visitors_at_once_get_their_own_answers(browser, address, root):
    """Both photos are sent before either is answered: the way back of the first is held until the second has asked."""
    asked, visitors = [], []
    for _ in range(2):
        context = browser.new_context(locale="en")
        visitors.append(context.new_page())
        visitors[-1].on("request", lambda request: asked.append(request) if "queue/join" in request.url else None)
        visitors[-1].goto(address)
        visitors[-1].wait_for_selector("#picture")
    photos = {"cat": "cat-ginger-kitten.jpg", "dog": "dog-german-shepherd.jpg"}
    held = []
    visitors[0].route("**/queue/data?**", lambda route: held.append(route))
    for visitor, name in zip(visitors, photos.values()):
        with visitor.expect_request("**/queue/data?**", timeout=PATIENCE):
            visitor.set_input_files("#picture input[type=file]", str(root / "examples" / name))
    expect(visitors[1].locator("#answer .verdict")).to_have_text(words.VERDICT["dog"][0], timeout=PATIENCE)
    expect(visitors[0].locator("#answer .waiting")).to_be_visible()
    assert held and len(asked) == 2
    for route in held:
        route.continue_()
    for visitor, (verdict, name) in zip(visitors, photos.items()):
        expect(visitor.locator("#answer .verdict")).to_have_text(words.VERDICT[verdict][0], timeout=PATIENCE)
        expect(visitor.locator("#picture img")).to_have_attribute("src", re.compile(f"/{name}$"), timeout=PATIENCE)
        visitor.context.close()
