"""The live tab in a real browser, with a camera that plays a film of a cat and a dog."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import time

import pytest
from playwright.sync_api import Page, expect

from catdog.page import words

from .conftest import CAMERA, QUIET

pytestmark = pytest.mark.slow

PATIENCE = 120_000  # ms, for an answer on a busy machine
FRAMES = "component_server"


def go_live(page: Page, address: str, script: str = "") -> Page:
    """Open the page and its live tab."""
    page.add_init_script(script)
    page.goto(address)
    page.get_by_role("tab", name=words.LIVE["tab"][0]).click(timeout=PATIENCE)
    expect(start_button(page)).to_have_text(words.LIVE["start"][0], timeout=PATIENCE)
    return page


@pytest.fixture
def live(blank, address) -> Page:
    return go_live(blank, address)


def start_button(page: Page):
    return page.locator("#live [name=start]")


def start(page: Page) -> None:
    start_button(page).click()
    expect(page.locator("#live .verdict")).to_be_visible(timeout=PATIENCE)


def expect_stopped(page: Page, problem: str) -> None:
    expect(page.locator("#live .problem")).to_have_text(words.CAMERA[problem][0], timeout=PATIENCE)
    assert page.evaluate("document.querySelector('#live video').srcObject") is None
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(1000)
    assert not [url for url in asked if FRAMES in url]


def painted(page: Page) -> bool:
    """Whether the map has color anywhere."""
    return page.evaluate(
        """() => {
            const canvas = document.querySelector("#live canvas");
            const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            return data.some((value, place) => place % 4 === 3 && value > 20);
        }"""
    )


def test_the_camera_is_answered_with_verdict_bars_map_and_pace(live):
    start(live)
    assert live.locator("#live .verdict").text_content() in [english for english, _ in words.VERDICT.values()]
    expect(live.locator("#live .pace")).to_contain_text("Answers a second", timeout=PATIENCE)
    assert painted(live)
    assert all(live.locator(f"#live .number.{label}").text_content() for label in ("cat", "dog"))


def test_both_animals_of_the_film_are_told(live):
    start(live)
    for label in ("cat", "dog"):
        expect(live.locator("#live .verdict")).to_have_text(words.VERDICT[label][0], timeout=PATIENCE)


WATCHED = """
    // An answer takes some time more. The frame that was shown last before each request is counted.
    window.sent = [];
    let frames = 0, waiting = 0;
    const request = HTMLVideoElement.prototype.requestVideoFrameCallback;
    HTMLVideoElement.prototype.requestVideoFrameCallback = function (callback) {
        return request.call(this, (...given) => (frames++, callback(...given)));
    };
    const send = window.fetch;
    window.fetch = async (address, options) => {
        if (!String(address.url ?? address).includes("component_server")) return send(address, options);
        sent.push({ frame: frames, waiting: ++waiting });
        const answer = await send(address, options);
        await new Promise((resolve) => setTimeout(resolve, MORE));
        waiting--;
        return answer;
    };
"""


def test_a_slow_server_makes_it_drop_frames_and_send_the_newest_never_two_at_once(blank, address):
    page = go_live(blank, address, f"const MORE = 2000; {WATCHED}")
    start(page)
    page.wait_for_function("sent.length >= 3", timeout=PATIENCE)
    sent = page.evaluate("sent")
    assert max(each["waiting"] for each in sent) == 1
    for earlier, later in itertools.pairwise(sent):
        assert later["frame"] - earlier["frame"] > 5, "frames that came meanwhile are dropped"


def test_a_quick_server_has_the_next_frame_before_it_has_answered_and_never_a_third(blank, address):
    page = go_live(blank, address, f"const MORE = 0; {WATCHED}")
    start(page)
    page.wait_for_function("sent.some((each) => each.waiting === 2) && sent.length >= 20", timeout=PATIENCE)
    assert max(page.evaluate("sent.map((each) => each.waiting)")) == 2


def test_frames_are_small(live):
    start(live)
    with live.expect_request(lambda request: FRAMES in request.url, timeout=PATIENCE) as asked:
        pass
    assert len(asked.value.post_data) < 60_000


def answer_of(verdict: str, cat: float, dog: float) -> str:
    evidence = {"cat": [cat] * 4, "dog": [dog] * 4}
    view = {"view": [0, 0, 1, 1], "shape": [2, 2]}
    return json.dumps({"verdict": verdict, "cat": cat, "dog": dog, "evidence": evidence, **view})


def test_one_contrary_answer_turns_neither_verdict_nor_bars_and_lasting_ones_do(live):
    said = {"now": answer_of("cat", 1.0, 0.0), "once": None}

    def answer(route):
        body, said["once"] = said["once"] or said["now"], None
        time.sleep(0.05)
        route.fulfill(status=200, content_type="application/json", body=body)

    live.route(f"**/{FRAMES}**", answer)
    start(live)
    verdict, bar = live.locator("#live .verdict"), live.locator("#live .fill.cat")
    expect(verdict).to_have_text(words.VERDICT["cat"][0])
    live.evaluate(
        """() => {
            window.verdicts = new Set(), window.least = 100;
            const look = () => {
                verdicts.add(document.querySelector("#live .verdict").textContent);
                least = Math.min(least, parseFloat(document.querySelector("#live .fill.cat").style.width));
            };
            new MutationObserver(look).observe(
                document.querySelector("#live"), { subtree: true, childList: true, attributes: true, characterData: true });
        }"""
    )
    said["once"] = answer_of("dog", 0.0, 1.0)
    for _ in range(4):
        live.wait_for_event("requestfinished", lambda request: FRAMES in request.url, timeout=PATIENCE)
    assert said["once"] is None
    assert live.evaluate("[...verdicts]") == [words.VERDICT["cat"][0]]
    assert 20 < live.evaluate("least") < 100
    said["now"] = answer_of("dog", 0.0, 1.0)
    expect(verdict).to_have_text(words.VERDICT["dog"][0], timeout=PATIENCE)
    expect(bar).to_have_attribute("style", re.compile(r"width: [0-9]\."), timeout=PATIENCE)


def test_it_stops_when_the_browsers_tab_is_hidden(live):
    start(live)
    live.evaluate(
        """() => {
            Object.defineProperty(document, "hidden", { get: () => true });
            document.dispatchEvent(new Event("visibilitychange"));
        }"""
    )
    expect_stopped(live, "hidden")


def test_it_stops_when_another_tab_of_the_page_is_opened(live):
    start(live)
    live.get_by_role("tab", name=words.PHOTO["tab"][0], exact=True).click()
    expect_stopped(live, "hidden")


def test_start_becomes_stop_and_stops(live):
    start(live)
    expect(start_button(live)).to_have_text(words.LIVE["stop"][0])
    start_button(live).click()
    expect(start_button(live)).to_have_text(words.LIVE["start"][0])
    expect(live.locator("#live .stage")).to_be_hidden()
    assert live.evaluate("document.querySelector('#live video').srcObject") is None


def test_the_picture_is_a_mirror_for_the_front_camera_only_and_by_choice(live):
    stage = live.locator("#live .stage.mirrored")
    expect(stage).to_have_count(1)
    live.locator("#live [name=turn]").click()
    expect(stage).to_have_count(0)
    live.locator("#live [name=mirror]").check()
    expect(stage).to_have_count(1)


def test_the_camera_on_the_other_side_of_a_phone_is_asked_for(blank, address):
    page = go_live(
        blank,
        address,
        """window.asked = [];
        const devices = navigator.mediaDevices, open = devices.getUserMedia.bind(devices);
        devices.getUserMedia = async (wanted) => {
            asked.push(wanted.video.facingMode);
            const stream = await open(wanted);
            stream.getVideoTracks()[0].getSettings = () => ({ facingMode: wanted.video.facingMode });
            return stream;
        };
        devices.enumerateDevices = async () => [{ kind: "videoinput" }, { kind: "videoinput" }];""",
    )
    start(page)
    page.locator("#live [name=turn]").click()
    expect(page.locator("#live .verdict")).to_be_visible(timeout=PATIENCE)
    assert page.evaluate("asked") == ["user", "environment"]


def test_on_a_computer_with_two_cameras_the_other_one_is_taken(browser, address):
    two = browser.browser_type.launch(
        executable_path=shutil.which("chromium"),
        args=[*QUIET, "--use-fake-device-for-media-stream=device-count=2", CAMERA[1]],
    )
    page = go_live(two.new_page(locale="en"), address)
    camera = "document.querySelector('#live video').srcObject?.getVideoTracks()[0].label"
    seen = []
    start(page)
    for _ in range(3):
        seen.append(page.evaluate(camera))
        page.locator("#live [name=turn]").click()
        page.wait_for_function(f"{camera} && {camera} !== {seen[-1]!r}", timeout=PATIENCE)
    assert seen[0] == seen[2] != seen[1]
    two.close()


def test_with_one_camera_there_is_no_other(live):
    start(live)
    expect(live.locator("#live [name=turn]")).to_be_hidden()


@pytest.mark.parametrize(
    ("error", "problem"), [("NotAllowedError", "refused"), ("NotFoundError", "no-camera"), ("NotReadableError", "busy")]
)
def test_a_camera_that_cannot_be_had_gets_a_sentence(blank, address, error, problem):
    refuse = f"navigator.mediaDevices.getUserMedia = async () => {{ throw new DOMException('', '{error}'); }};"
    page = go_live(blank, address, refuse)
    start_button(page).click()
    expect_stopped(page, problem)
    expect(start_button(page)).to_have_text(words.LIVE["start"][0])


def test_a_camera_that_the_visitor_refuses_gets_a_sentence(browser, address):
    """As the browser itself refuses it; the one of the other tests says yes to every question."""
    refusing = browser.browser_type.launch(
        executable_path=shutil.which("chromium"), args=[*QUIET, CAMERA[0], "--deny-permission-prompts"]
    )
    page = go_live(refusing.new_page(locale="en"), address)
    start_button(page).click()
    expect_stopped(page, "refused")
    refusing.close()


def test_a_camera_that_is_unplugged_gets_a_sentence(live):
    """Chromium's fake device cannot be unplugged and `stop()` tells nobody, so the event is sent by hand."""
    start(live)
    live.evaluate(
        "document.querySelector('#live video').srcObject.getVideoTracks()[0].dispatchEvent(new Event('ended'))"
    )
    expect_stopped(live, "unplugged")


def test_two_visitors_are_answered_at_once(browser, live, address):
    second = go_live(browser.new_page(locale="en"), address)
    start(live)
    start(second)
    for page in (live, second):
        answer = page.wait_for_event("response", lambda response: FRAMES in response.url, timeout=PATIENCE)
        assert "verdict" in answer.json()
    second.close()


def test_while_the_server_does_not_answer_it_says_so_and_then_goes_on_by_itself(live):
    errors = []
    live.on("pageerror", lambda error: errors.append(error))
    start(live)
    live.route(f"**/{FRAMES}**", lambda route: route.abort())
    problem = live.locator("#live .problem")
    expect(problem).to_have_text(words.LIVE["lost"][0], timeout=PATIENCE)
    for answer in (".said", ".pace"):  # is true no longer
        expect(live.locator(f"#live {answer}")).to_be_hidden()
    assert not painted(live)
    live.unroute_all()
    expect(problem).to_be_hidden(timeout=PATIENCE)
    assert "verdict" in live.wait_for_event("response", lambda each: FRAMES in each.url, timeout=PATIENCE).json()
    assert not errors
