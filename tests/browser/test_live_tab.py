"""The live tab in a real browser, with a camera that plays a film of a cat and a dog."""

from __future__ import annotations

import itertools
import json
import re
import shutil
from collections.abc import Callable
from typing import Any

import pytest
from demanded import skip
from playwright.sync_api import Locator, Page, expect

from .conftest import CAMERA, PHONE, QUIET
from .visitor import PATIENCE, WORDS, expect_focus_seen, panel, tab, until

pytestmark = pytest.mark.slow

EN = WORDS["en"]
FRAMES = "engine/frame"
VERDICTS = [words for code, words in EN.items() if code.startswith("verdict.says-")]
SERVER = """
    // A server that says what the test wants: probabilities, or {status, problem}. Each request notes how many frames the
    // camera had shown and how many requests were waiting.
    window.says = { cat: 1, dog: 0 };
    window.once = null;  // said instead, to one frame
    window.takes = 20;   // ms
    window.lasts = 0;    // frames of the film, at least
    window.sent = [];
    window.answered = [];
    window.film = 0;
    let waiting = 0;
    const request = HTMLVideoElement.prototype.requestVideoFrameCallback;
    HTMLVideoElement.prototype.requestVideoFrameCallback = function (callback) {
        return request.call(this, (...given) => (film++, callback(...given)));
    };
    const maps = (value) => Array(8).fill(Array(10).fill(value / 10));
    const answer = ({ cat, dog }) => ({
        prediction: { cat, dog, verdict: Math.max(cat, dog) < 0.5 ? "neither" : cat >= dog ? "cat" : "dog", logits: [0, 0] },
        evidence: [maps(cat), maps(dog)], bias: [0, 0], view: [0, 0, 384, 288], boxes: { cat: null, dog: null },
        size: [384, 288], thresholds: { both: 0.5, neither: 0.5 }, scale: 8,
    });
    const send = window.fetch;
    window.fetch = async (address, options) => {
        if (!String(address).includes("engine/frame")) return send(address, options);
        sent.push({ film, waiting: ++waiting, bytes: options.body.size, kind: options.body.type, at: performance.now() });
        const contrary = Boolean(window.once);
        const { status = 200, ...said } = window.once ?? (typeof says === "function" ? says() : says);
        window.once = null;
        const { film: seen } = sent.at(-1);
        await new Promise((resolve) => setTimeout(resolve, takes));
        while (film < seen + lasts) await new Promise((resolve) => setTimeout(resolve, 20));
        waiting--;
        answered.push({ at: performance.now(), contrary });
        if (status === 0) throw new TypeError("Failed to fetch");
        return new Response(JSON.stringify(said.problem ? said : answer(said)), { status });
    };
"""
SENTENCES = """
    // The sentences that were shown, each with its time, and the least that the cat's bar was.
    () => {
        window.sentences = [], window.least = 100;
        const look = () => {
            const panel = document.querySelector("catdog-app").shadowRoot.querySelector("live-tab").shadowRoot
                .querySelector("verdict-panel")?.shadowRoot;
            const sentence = panel?.querySelector(".sentence")?.textContent;
            if (!sentence) return;
            if (sentence !== sentences.at(-1)?.sentence) sentences.push({ sentence, at: performance.now() });
            least = Math.min(least, parseFloat(panel.querySelector(".cat .fill").style.width));
        };
        setInterval(look, 10);
    }
"""


def go_live(page: Page, address: str, script: str = SERVER) -> Page:
    """Open the live tab, by default with a server that says what the test wants."""
    page.add_init_script(script)
    page.goto(f"{address.rstrip('/')}/#live")
    expect(invitation(page)).to_be_visible(timeout=PATIENCE)
    return page


@pytest.fixture
def live(blank, address) -> Callable[..., Page]:
    """Opens the live tab; its keywords are those of a Playwright context."""

    def open_with(script: str = SERVER, **options: Any) -> Page:
        return go_live(blank(**options), address, script)

    return open_with


def invitation(page: Page) -> Locator:
    return panel(page, "live").locator("button.invitation")


def button(page: Page, name: str) -> Locator:
    return panel(page, "live").locator(f"button[name={name}]")


def sentence(page: Page) -> Locator:
    return panel(page, "live").locator("verdict-panel .sentence")


def start(page: Page) -> None:
    invitation(page).click()
    expect(sentence(page)).to_be_visible(timeout=PATIENCE)


def track(page: Page, expression: str = "track") -> Any:
    """Something of the camera's track, or null where there is none."""
    return page.evaluate(of_track(expression))


def of_track(expression: str) -> str:
    return f"""(given) => {{
        const live = document.querySelector("catdog-app").shadowRoot.querySelector("live-tab").shadowRoot;
        const video = live.querySelector("video") ?? live.querySelector("evidence-view")?.shadowRoot.querySelector("video");
        const track = video?.srcObject?.getVideoTracks()[0];
        return track ? {expression} : null;
    }}"""


def expect_stopped(page: Page, problem: str) -> None:
    """The camera is off, and a sentence says why."""
    expect(invitation(page)).to_contain_text(EN[f"live.{problem}"], timeout=PATIENCE)
    expect(panel(page, "live").locator("video")).to_have_count(0)
    asked = page.evaluate("sent.length")
    page.evaluate("() => new Promise((resolve) => setTimeout(resolve, 500))")  # some twelve of the film's frames
    assert page.evaluate("sent.length") == asked


def painted(page: Page) -> bool:
    """Whether the map has color anywhere."""
    return page.locator("live-tab canvas.map").evaluate(
        """(canvas) => {
            const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            return data.some((value, place) => place % 4 === 3 && value > 20);
        }"""
    )


# ---------------------------------------------------------------------------- by the server itself


def test_the_camera_is_answered_with_sentence_bars_map_and_pace_and_both_animals_are_told(live):
    page = live(script="")
    start(page)
    assert sentence(page).text_content() in VERDICTS
    assert painted(page)
    pattern = re.escape(EN["live.pace"]).replace(r"\{answers\}", r"[\d.]+").replace(r"\{milliseconds\}", r"\d+")
    expect(panel(page, "live").locator(".note")).to_have_text(re.compile(pattern), timeout=PATIENCE)
    for label in ("cat", "dog"):
        expect(panel(page, "live").locator(f"verdict-panel .{label} .percent")).to_have_text(re.compile(r"\d%"))
        expect(sentence(page)).to_contain_text(label, timeout=PATIENCE)


def test_two_visitors_are_answered_at_once(live):
    pages = [live(script=""), live(script="")]
    for page in pages:
        start(page)
    for page in pages:
        with page.expect_response(lambda response: FRAMES in response.url, timeout=PATIENCE) as answered:
            pass
        assert "prediction" in answered.value.json()


def test_a_kept_frame_becomes_a_photo_with_an_answer_and_the_camera_stops(live):
    page = live(script="")
    start(page)
    with page.expect_request("**/engine/explain*", timeout=PATIENCE) as asked:
        button(page, "keep").click()
    assert asked.value.method == "POST"
    expect(panel(page, "photo")).to_be_visible()
    expect(panel(page, "photo").locator("photo-answer verdict-panel .sentence").first).to_be_visible(timeout=PATIENCE)
    tab(page, "live").click()
    expect(invitation(page)).to_contain_text(EN["live.away"])


# ---------------------------------------------------------------------------- frames


def test_a_slow_server_makes_it_drop_frames_and_send_the_newest_never_two_at_once(live):
    page = live()
    page.evaluate("takes = 500, lasts = 8")
    start(page)
    until(page, "sent.length >= 7")
    sent = page.evaluate("sent")[3:]  # before the first answer it was not known to be slow
    assert max(each["waiting"] for each in sent) == 1
    for earlier, later in itertools.pairwise(sent):
        assert later["film"] - earlier["film"] > 5, "frames that came meanwhile are dropped"


def test_a_quick_server_has_the_next_frame_before_it_has_answered_and_never_a_third(live):
    page = live()
    page.evaluate("takes = 70")
    start(page)
    until(page, "sent.some((each) => each.waiting === 2) && sent.length >= 20")
    assert max(page.evaluate("sent.map((each) => each.waiting)")) == 2


def test_frames_are_small(live):
    page = live()
    start(page)
    until(page, "sent.length >= 10")
    for each in page.evaluate("sent"):
        assert each["kind"] in ("image/jpeg", "image/webp") and each["bytes"] < 45_000


# ---------------------------------------------------------------------------- what is said


def test_one_contrary_answer_turns_neither_sentence_nor_bars_and_lasting_ones_do(live):
    page = live()
    start(page)
    expect(sentence(page)).to_have_text(EN["verdict.says-cat-sure"])
    page.evaluate(SENTENCES)
    for _ in range(20):
        page.evaluate("once = { cat: 0, dog: 1 }, answered = [], sentences = [], least = 100")
        until(page, "answered.findIndex((each) => each.contrary) in answered.slice(0, -10)")
        answered = page.evaluate("answered.slice(answered.findIndex((each) => each.contrary))")
        if max(later["at"] - earlier["at"] for earlier, later in itertools.pairwise(answered)) < 200:
            break  # otherwise the machine is so busy that this answer stood for long
    else:
        skip("needs a machine with time for some ten frames a second")
    assert {each["sentence"] for each in page.evaluate("sentences")} == {EN["verdict.says-cat-sure"]}
    assert 20 < page.evaluate("least") < 100
    page.evaluate("says = { cat: 0, dog: 1 }")
    expect(sentence(page)).to_have_text(EN["verdict.says-dog-sure"])
    until(page, "least < 10")


def test_a_noisy_camera_changes_the_sentence_at_most_once_a_second(live):
    page = live()
    page.evaluate("""() => {
        let state = 7, until = 0, cat = 1, dog = 0;
        const random = () => (state = (state * 48271) % 2147483647) / 2147483647;
        says = () => {  // another scene every 0.1 to 0.9 seconds
            if (performance.now() > until) [cat, dog, until] = [random(), random(), performance.now() + 100 + 800 * random()];
            return { cat, dog };
        };
    }""")
    start(page)
    page.evaluate(SENTENCES)
    until(page, "sentences.length >= 6")
    times = [each["at"] for each in page.evaluate("sentences")][1:]  # the first had been there
    for earlier, later in itertools.pairwise(times):
        assert later - earlier > 950, "a second, and what the clock of the test is late"


def test_late_answers_are_shown_over_their_own_frame_with_the_film_beside_it(live):
    page = live()
    page.evaluate("takes = 900")
    start(page)
    expect(panel(page, "live").locator(".now video")).to_be_visible(timeout=PATIENCE)
    assert page.locator("live-tab evidence-view canvas.picture").count() == 1
    until(page, "film > 5")
    assert painted(page)
    page.evaluate("takes = 20")
    expect(panel(page, "live").locator("evidence-view video")).to_be_visible(timeout=PATIENCE)
    before = page.evaluate("film")
    until(page, f"film > {before + 20}")  # and it plays


# ---------------------------------------------------------------------------- when it stops, and goes on


def hide(page: Page, hidden: bool) -> None:
    page.evaluate(
        """(hidden) => {
            Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )


def test_the_camera_is_off_while_the_window_is_hidden_and_comes_back_by_itself(live):
    page = live()
    start(page)
    hide(page, True)
    expect_stopped(page, "away")
    hide(page, False)
    expect(sentence(page)).to_be_visible(timeout=PATIENCE)
    assert track(page, "track.readyState") == "live"


def test_the_camera_is_off_after_another_tab_of_the_page_until_a_touch(live):
    page = live()
    start(page)
    tab(page, "many").click()
    tab(page, "live").click()
    expect_stopped(page, "away")
    hide(page, True)
    hide(page, False)
    expect(invitation(page)).to_be_visible()
    start(page)


def test_it_stops_where_one_says_so(live):
    page = live()
    start(page)
    button(page, "stop").click()
    expect(invitation(page)).to_contain_text(EN["live.start"])
    assert track(page) is None


def test_with_the_keyboard_the_focus_goes_on(live):
    page = live()
    invitation(page).focus()
    page.keyboard.press("Enter")
    expect(sentence(page)).to_be_visible(timeout=PATIENCE)
    expect_focus_seen(button(page, "stop"))
    page.keyboard.press("Enter")
    expect(invitation(page)).to_be_focused()


# ---------------------------------------------------------------------------- which camera, and how it looks


def test_the_picture_is_a_mirror_on_a_computer_or_not_by_choice(live):
    page = live()
    start(page)
    picture = panel(page, "live").locator("evidence-view[mirrored]")
    expect(picture).to_have_count(1)
    button(page, "mirror").click()
    expect(picture).to_have_count(0)
    expect(button(page, "mirror")).to_have_attribute("aria-pressed", "false")


def test_a_phone_looks_away_from_its_visitor_first_and_the_other_camera_is_a_mirror(live):
    page = live(
        SERVER
        + """
        window.asked = [];
        const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
        navigator.mediaDevices.getUserMedia = async (wanted) => {
            const { facingMode } = wanted.video;
            asked.push(facingMode);
            const stream = await open(wanted);
            stream.getVideoTracks()[0].getSettings = () => ({ facingMode });
            return stream;
        };
        navigator.mediaDevices.enumerateDevices = async () => [{ kind: "videoinput" }, { kind: "videoinput" }];
        """,
        **PHONE,
    )
    start(page)
    picture = panel(page, "live").locator("evidence-view[mirrored]")
    expect(picture).to_have_count(0)
    button(page, "change").click()
    expect(picture).to_have_count(1)
    assert page.evaluate("asked") == ["environment", "user"]


def test_on_a_phone_the_picture_fills_the_width_under_the_sentence_with_the_buttons_below(live):
    page = live(**PHONE)
    start(page)
    picture, said = panel(page, "live").locator("evidence-view").bounding_box(), sentence(page).bounding_box()
    assert picture["x"] == 0 and picture["width"] == PHONE["viewport"]["width"]
    assert picture["y"] < said["y"] < said["y"] + said["height"] < picture["y"] + picture["height"]
    tabs = tab(page, "live").bounding_box()
    for each in panel(page, "live").locator(".buttons button").all():
        box = each.bounding_box()
        assert box["y"] > said["y"] + said["height"] and box["y"] + box["height"] < tabs["y"]
        assert box["width"] >= 44 and box["height"] >= 44
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_on_a_computer_with_two_cameras_the_other_one_is_taken(browser, address):
    two = browser.browser_type.launch(
        executable_path=shutil.which("chromium"),
        args=[*QUIET, "--use-fake-device-for-media-stream=device-count=2", CAMERA[1]],
    )
    page = go_live(two.new_page(locale="en-US"), address)
    start(page)
    seen = [track(page, "track.label")]
    for _ in range(2):
        button(page, "change").click()
        until(page, of_track("track.label !== given"), seen[-1])
        expect(panel(page, "live").locator("verdict-panel")).to_be_visible(timeout=PATIENCE)
        seen.append(track(page, "track.label"))
    assert seen[0] == seen[2] != seen[1]
    two.close()


def test_with_one_camera_there_is_no_other(live):
    page = live()
    start(page)
    expect(button(page, "change")).to_have_count(0)


# ---------------------------------------------------------------------------- what goes wrong


@pytest.mark.parametrize(
    ("error", "problem"),
    [("NotAllowedError", "refused"), ("NotFoundError", "none"), ("NotReadableError", "taken"), ("AbortError", "taken")],
)
def test_a_camera_that_cannot_be_had_gets_a_sentence_and_another_try(live, error, problem):
    page = live(f"""{SERVER}
        const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
        window.refuses = true;
        navigator.mediaDevices.getUserMedia = async (wanted) => {{
            if (refuses) throw new DOMException("", "{error}");
            return open(wanted);
        }};""")
    invitation(page).click()
    expect_stopped(page, problem)
    expect(invitation(page)).to_contain_text(EN["live.again"])
    page.evaluate("refuses = false")
    start(page)


def test_a_camera_that_the_visitor_refuses_gets_a_sentence(browser, address):
    """As the browser itself refuses it; the one of the other tests says yes to every question."""
    refusing = browser.browser_type.launch(
        executable_path=shutil.which("chromium"), args=[*QUIET, CAMERA[0], "--deny-permission-prompts"]
    )
    page = go_live(refusing.new_page(locale="en-US"), address)
    invitation(page).click()
    expect_stopped(page, "refused")
    refusing.close()


def test_a_page_that_is_not_secure_gets_a_sentence(live):
    page = live(f"{SERVER} Object.defineProperty(navigator, 'mediaDevices', {{ value: undefined }});")
    invitation(page).click()
    expect_stopped(page, "insecure")


def test_a_camera_that_is_unplugged_gets_a_sentence(live):
    """Chromium's fake device cannot be unplugged and `stop()` tells nobody, so the event is sent by hand."""
    page = live()
    start(page)
    track(page, "track.dispatchEvent(new Event('ended'))")
    expect_stopped(page, "unplugged")


def test_a_camera_that_the_system_pauses_gets_a_sentence_and_goes_on(live):
    page = live()
    start(page)
    page.evaluate("takes = 1e9")  # as no frame comes from a paused camera
    track(page, "track.dispatchEvent(new Event('mute'))")
    problem = panel(page, "live").locator(".problem")
    expect(problem).to_have_text(EN["live.paused"])
    expect(sentence(page)).to_have_count(0)
    track(page, "track.dispatchEvent(new Event('unmute'))")
    expect(problem).to_have_count(0)


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"status": 0}, "offline"),
        ({"status": 503, "problem": "busy"}, "busy"),
        ({"status": 408, "problem": "slow"}, "slow"),
        ({"status": 500, "problem": "failed"}, "failed"),
        ({"status": 400, "problem": "damaged"}, "failed"),
    ],
)
def test_while_there_are_no_answers_it_says_so_takes_back_what_it_said_and_goes_on_by_itself(live, said, problem):
    page = live()
    start(page)
    page.evaluate(f"says = {json.dumps(said)}")
    told = panel(page, "live").locator(".problem")
    expect(told).to_have_text(EN[f"live.{problem}"], timeout=PATIENCE)
    expect(sentence(page)).to_have_count(0)
    expect(page.locator("live-tab canvas.map:visible")).to_have_count(0)
    asked = page.evaluate("sent.length")
    page.evaluate("() => new Promise((resolve) => setTimeout(resolve, 1000))")
    assert page.evaluate("sent.length") - asked <= 3, "the server is left in peace"
    page.evaluate("says = { cat: 0, dog: 1 }")
    expect(told).to_have_count(0, timeout=PATIENCE)
    expect(sentence(page)).to_have_text(EN["verdict.says-dog-sure"])


def test_the_sentence_changes_its_language_with_the_page(live):
    page = live(locale="zh-CN")
    expect(invitation(page)).to_contain_text(WORDS["zh"]["live.privacy"])
    start(page)
    expect(sentence(page)).to_have_text(WORDS["zh"]["verdict.says-cat-sure"])
    page.get_by_role("button", name=WORDS["zh"]["words.other-language"]).click()
    expect(sentence(page)).to_have_text(EN["verdict.says-cat-sure"])
