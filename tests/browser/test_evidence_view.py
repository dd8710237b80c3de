"""The evidence view in a real browser, alone on a page: what is drawn, what is told, and that no number is changed."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from playwright.sync_api import Page, Route, expect

from catdog import load
from catdog.checkpoint import Metadata
from catdog.classifier import Classifier, Explanation
from catdog.images import open_picture
from catdog.render import overlay

from .conftest import PHONE

pytestmark = pytest.mark.slow

HERE = "http://localhost/"  # nobody is asked there: `Visitor.serve` answers
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'"
WINDOW = {"width": 1280, "height": 800}
KINDS = {".js": "text/javascript", ".json": "application/json", ".css": "text/css"}
SHOW = """async ({ explanation, finer, properties }) => {
    await (await import("/web/words.js")).startLanguage();
    await import("/web/elements/evidence-view.js");
    const { toPicture } = await import("/web/pictures.js");
    const { explanationOf } = await import("/web/engine/server.js");
    const view = document.createElement("evidence-view");
    document.querySelector("main").replaceChildren(view);
    view.readable = true;
    Object.assign(view, properties);
    view.picture = await toPicture(await (await fetch("photo")).blob());
    view.finer = finer && explanationOf(finer);
    view.explanation = explanationOf(explanation);
    await view.updateComplete;
    return view.shadowRoot.getAnimations().some((each) => each.effect.target.matches(".map"));
}"""
JUDGE = """async (properties) => {
    await (await import("/web/words.js")).startLanguage();
    await import("/web/elements/verdict-panel.js");
    const panel = Object.assign(document.createElement("verdict-panel"), properties);
    document.querySelector("main").replaceChildren(panel);
    await panel.updateComplete;
}"""
SIDE_BY_SIDE = "both-side-by-side.jpg"  # the dog sits on the left and the kitten on the right


@pytest.fixture(scope="module")
def classifier():
    return load(device="cpu")


class Visitor:
    """A page that holds nothing but an evidence view, under a policy as strict as the real page's."""

    def __init__(self, page: Page, root: Path) -> None:
        self.page = page
        self.root = root
        self.photo = root / "examples" / SIDE_BY_SIDE
        self.faded_in = False
        self.requests: list[str] = []
        self.answers: dict[str, Any] = {}
        page.route("**/*", self.serve)
        page.goto(HERE)
        self.view = page.locator("evidence-view")
        self.frame = self.view.locator(".frame")
        self.words = self.view.locator(".caption > p")

    def serve(self, route: Route) -> None:
        path = route.request.url.removeprefix(HERE)
        self.requests.append(path)
        if not path:
            page = '<!doctype html><meta name="viewport" content="width=device-width">'
            page += '<link rel="stylesheet" href="web/style.css"><main></main>'
            route.fulfill(body=page, content_type="text/html", headers={"Content-Security-Policy": POLICY})
        elif path in self.answers:
            route.fulfill(json=self.answers[path])
        else:
            file = self.photo if path == "photo" else self.root / "catdog" / "page" / path
            route.fulfill(body=file.read_bytes(), content_type=KINDS.get(file.suffix, "image/jpeg"))

    def show(
        self, classifier: Classifier, photo: Path | None = None, *, finer: int = 0, **properties: Any
    ) -> Explanation:
        """A photo with its evidence, and where `finer` is a size, with that of a look at that size."""
        self.photo = photo or self.root / "examples" / SIDE_BY_SIDE
        size = open_picture(self.photo).size
        [explanation] = classifier.explain([self.photo])
        values = {
            "explanation": answer(explanation, classifier.metadata, size),
            "finer": None,
            "properties": properties,
        }
        if finer:
            values["finer"] = answer(classifier.explain([self.photo], size=finer)[0], classifier.metadata, size)
        self.faded_in = self.page.evaluate(SHOW, values)
        return explanation

    def judge(self, **prediction: Any) -> None:
        """A verdict panel alone."""
        self.page.evaluate(JUDGE, {"prediction": prediction, "thresholds": {"neither": 0.51, "both": 0.29}})

    def set(self, **properties: Any) -> None:
        self.view.evaluate("(view, properties) => Object.assign(view, properties).updateComplete", properties)

    def saved(self, side: int = 4096) -> np.ndarray:
        url = self.view.evaluate("(view, side) => view.toCanvas(side).toDataURL('image/png')", side)
        return pixels(base64.b64decode(url.partition(",")[2]))

    def seen(self) -> np.ndarray:
        """What is on the screen, once evidence has faded in."""
        return pixels(self.view.locator(".layers").screenshot(animations="disabled"))

    def point(self, across: float, down: float) -> None:
        box = self.frame.bounding_box()
        self.page.mouse.move(box["x"] + across * box["width"], box["y"] + down * box["height"])


def answer(explanation: Explanation, metadata: Metadata, size: tuple[int, int]) -> dict[str, Any]:
    """As an engine gives it."""
    return {
        "prediction": asdict(explanation.prediction),
        "evidence": explanation.evidence.tolist(),
        "bias": explanation.bias.tolist(),
        "view": explanation.view,
        "boxes": explanation.boxes,
        "extent": explanation.extent.tolist(),
        "size": size,
        "thresholds": {"both": metadata.both, "neither": metadata.present},
        "scale": metadata.evidence_scale,
    }


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


@pytest.fixture(scope="module")
def visit(browser, root) -> Iterator[Callable[..., Visitor]]:
    """A visitor of some kind; each kind has one page for all tests, on which no script may fail or break the policy."""
    visitors: dict[str, Visitor] = {}
    wrong: list[str] = []

    def visit(**options: Any) -> Visitor:
        kind = str(options)
        if kind not in visitors:
            context = browser.new_context(
                **{"locale": "en-US", "reduced_motion": "reduce", "viewport": WINDOW} | options
            )
            page = context.new_page()
            page.on("pageerror", lambda error: wrong.append(str(error)))
            page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
            visitors[kind] = Visitor(page, root)
        visitors[kind].page.mouse.move(1279, 799)  # away from the picture
        return visitors[kind]

    yield visit
    for visitor in visitors.values():
        visitor.page.context.close()
    assert not wrong


@pytest.mark.parametrize("name", [SIDE_BY_SIDE, "cat-chelsea.jpg", "neither-horses.jpg"])
def test_the_browser_draws_what_render_draws(visit, classifier, root, name):
    picture = open_picture(root / "examples" / name)
    visitor = visit()
    style = f"width: {picture.width}px; --max-height: {picture.height}px"
    explanation = visitor.show(classifier, root / "examples" / name, boxes=False, style=style)
    expected = np.asarray(overlay(picture, explanation, classifier.metadata.evidence_scale)).astype(int)
    saved = np.abs(visitor.saved() - expected)
    assert (
        saved.mean() < 1 and saved.max() < 16
    )  # of 255: the browser rounds each layer, and draws lines between points
    seen = np.abs(visitor.seen() - expected)[12:-12, 12:-12]  # the corners are round
    assert seen.mean() < 1 and seen.max() < 16
    visitor.set(show="photo")
    assert np.abs(visitor.saved() - np.asarray(picture).astype(int)).mean() < 0.5


def test_show_opacity_colors_and_boxes_act_without_a_request(visit, classifier):
    visitor = visit()
    visitor.show(classifier, boxes=False)
    asked = len(visitor.requests)
    before = visitor.seen()
    for change in (
        {"opacity": 0.3},
        {"colors": 1},
        {"boxes": True},
        {"show": "cat"},
        {"show": "dog"},
        {"show": "photo"},
    ):
        visitor.set(**change)
        after = visitor.seen()
        assert np.abs(after - before).max() > 20, change
        before = after
    assert len(visitor.requests) == asked


def test_each_label_colors_its_own_half(visit, classifier):
    visitor = visit()
    visitor.show(classifier, boxes=False, show="photo")
    plain = visitor.saved()

    def warmth(show: str) -> tuple[float, float]:
        """The coldest point on the left, and the warmest on the right."""
        visitor.set(show=show)
        red_minus_blue = (visitor.saved() - plain) @ [1, 0, -1]
        left, right = np.split(red_minus_blue, [plain.shape[1] // 2], axis=1)
        return left.min(), right.max()

    cat, dog, difference = warmth("cat"), warmth("dog"), warmth("difference")
    assert dog[0] < -80 and difference[0] < -80
    assert cat[1] > dog[1] + 40 and difference[1] > dog[1] + 40


def test_boxes_with_names_stand_where_the_answer_says(visit, classifier):
    visitor = visit()
    explanation = visitor.show(classifier)
    frame = visitor.frame.bounding_box()
    across, down = frame["width"] / 974, frame["height"] / 560
    for label, name in (("cat", "Cat"), ("dog", "Dog")):
        box = visitor.view.locator(".box", has_text=name).bounding_box()
        left, top, right, bottom = explanation.boxes[label]
        expected = [frame["x"] + left * across, frame["y"] + top * down, (right - left) * across, (bottom - top) * down]
        assert [box[key] for key in ("x", "y", "width", "height")] == pytest.approx(expected, abs=1.5)
    visitor.set(boxes=False)
    expect(visitor.view.locator(".box")).to_have_count(0)


@pytest.mark.parametrize("scale", [1, 2, 3])
def test_a_photo_is_as_sharp_as_the_screen_and_no_larger_than_it_is(visit, classifier, scale):
    visitor = visit(device_scale_factor=scale)
    visitor.show(classifier, boxes=False, style="width: 420px")
    wide = visitor.frame.bounding_box()["width"]
    drawn = visitor.view.locator("canvas.picture").evaluate("canvas => canvas.width")
    assert drawn == pytest.approx(min(974, wide * scale), abs=1)
    # the same map, at any sharpness: its colors, averaged over the places of a coarse grid, stay
    seen = Image.fromarray(visitor.seen().astype(np.uint8)).resize((14, 8), Image.Resampling.BOX)
    saved = Image.fromarray(visitor.saved().astype(np.uint8)).resize((14, 8), Image.Resampling.BOX)
    assert np.abs(np.asarray(seen).astype(int) - np.asarray(saved)).mean() < 3


def test_wide_and_tall_photos_keep_their_shape_within_the_height_they_are_given(visit, classifier, root, tmp_path):
    visitor = visit()
    for size in ((1600, 200), (150, 900)):
        open_picture(root / "examples" / "cat-chelsea.jpg").resize(size).save(tmp_path / "shaped.jpg")
        visitor.show(classifier, tmp_path / "shaped.jpg")
        frame = visitor.frame.bounding_box()
        assert frame["width"] / frame["height"] == pytest.approx(size[0] / size[1], rel=0.02)
        assert frame["width"] <= 1280 and frame["height"] <= 0.8 * 800 + 1


def test_what_is_under_the_pointer_is_told_and_outlined(visit, classifier):
    visitor = visit()
    explanation = visitor.show(classifier)
    expect(visitor.words).to_have_text("Stronger color: more like a cat (orange) or a dog (blue) here.")
    visitor.point(0.78, 0.55)  # the kitten's face
    expect(visitor.words).to_have_text("Here: very cat-like, not dog-like")
    place, frame = visitor.view.locator(".place").bounding_box(), visitor.frame.bounding_box()
    assert place["width"] == pytest.approx(frame["width"] / explanation.evidence.shape[2], abs=1.5)
    visitor.point(0.55, 0.97)
    expect(visitor.words).to_have_text("Nothing cat- or dog-like here")
    visitor.page.mouse.move(5, 795)
    expect(visitor.view.locator(".place")).to_have_count(0)
    visitor.set(show="cat")
    expect(visitor.words).to_have_text("Stronger color: more like a cat here.")


def test_arrow_keys_walk_over_the_places_and_are_spoken(visit, classifier):
    visitor = visit(locale="zh-CN")
    explanation = visitor.show(classifier)
    expect(visitor.frame).to_have_accessible_name("有猫也有狗。 猫 >99%，狗 98%。 猫在右侧。 狗在中间。")
    visitor.page.keyboard.press("Tab")
    expect(visitor.frame).to_be_focused()
    columns = explanation.evidence.shape[2]
    visitor.page.keyboard.press("ArrowDown")
    for _ in range(columns):
        visitor.page.keyboard.press("ArrowRight")
    place, frame = visitor.view.locator(".place").bounding_box(), visitor.frame.bounding_box()
    assert place["x"] + place["width"] == pytest.approx(frame["x"] + frame["width"], abs=1.5)  # and no further
    spoken = visitor.view.locator("[role=status]").text_content()
    assert spoken == visitor.words.text_content() and spoken.startswith("这里")


def test_a_finger_reads_the_map_and_its_place_stays(visit, classifier):
    visitor = visit(**PHONE)
    visitor.show(classifier)
    box = visitor.frame.bounding_box()
    visitor.page.touchscreen.tap(box["x"] + 0.78 * box["width"], box["y"] + 0.55 * box["height"])
    expect(visitor.words).to_contain_text("very cat-like")
    expect(visitor.view.locator(".place")).to_be_visible()


def test_the_numbers_are_folded_away_and_add_up(visit, classifier):
    visitor = visit()
    explanation = visitor.show(classifier)
    expect(visitor.view.locator("table")).to_have_count(0)
    visitor.view.get_by_text("How to read this").click()
    expect(visitor.view.locator("tbody td")).to_have_count(8)
    cells = visitor.view.locator("tbody td").all_text_contents()
    numbers = np.array([float(cell.replace("−", "-")) for cell in cells[:6]]).reshape(3, 2)
    assert numbers[0] == pytest.approx(explanation.evidence.sum((1, 2)), abs=0.006)
    assert numbers[0] + numbers[1] == pytest.approx(numbers[2], abs=0.021)
    assert numbers[2] == pytest.approx(explanation.prediction.logits, abs=0.006)
    assert cells[6:] == [">99%", "98%"]


def test_evidence_shown_is_evidence_given(visit, classifier, root):
    """Through the engine, as JSON, to the last bit."""
    visitor = visit()
    path = root / "examples" / SIDE_BY_SIDE
    [explanation] = classifier.explain([path])
    visitor.answers = {
        "about.json": {"limits": {"megabytes": 50}},
        "engine/explain": answer(explanation, classifier.metadata, open_picture(path).size),
    }
    shown = visitor.page.evaluate(
        """async () => {
            const { engine } = await import("/web/engine/index.js");
            const { evidence, bias } = await engine.explain(new Blob(["photo"]));
            return { maps: [[...evidence.cat], [...evidence.dog]], bias };
        }"""
    )
    maps = np.array(shown["maps"], np.float32).reshape(explanation.evidence.shape)
    assert (maps == explanation.evidence).all()
    assert maps.sum((1, 2)) + shown["bias"] == pytest.approx(explanation.prediction.logits, abs=1e-4)


def test_a_frame_is_sent_small_and_comes_back_as_an_explanation(visit, classifier, root):
    visitor = visit()
    [explanation] = classifier.explain([root / "examples" / SIDE_BY_SIDE])
    visitor.answers = {"engine/frame": answer(explanation, classifier.metadata, (417, 240))}
    with visitor.page.expect_request("**/engine/frame") as asked:
        verdict = visitor.page.evaluate(
            """async () => {
                const { engine } = await import("/web/engine/index.js");
                const { toPicture } = await import("/web/pictures.js");
                const picture = await toPicture(await (await fetch("photo")).blob());
                return (await engine.frame(picture)).prediction.verdict;
            }"""
        )
    assert verdict == "both"
    sent = Image.open(io.BytesIO(asked.value.post_data_buffer))
    assert sent.format == "JPEG" and sent.size == (417, 240)
    assert len(asked.value.post_data_buffer) < 150_000


def test_a_finer_map_is_drawn_on_its_own_scale_and_the_answer_stays(visit, classifier):
    visitor = visit()
    visitor.show(classifier, boxes=False)
    usual, name = visitor.saved(), visitor.frame.get_attribute("aria-label")
    visitor.show(classifier, finer=448, boxes=False)
    finer = visitor.saved()
    assert np.abs(finer - usual).max() > 20
    expect(visitor.frame).to_have_accessible_name(name)
    visitor.view.evaluate(
        "view => { view.finer.scale *= 4; view.finer = { ...view.finer }; return view.updateComplete; }"
    )
    assert np.abs(visitor.saved() - finer).max() > 20
    visitor.set(finer=None)
    assert np.abs(visitor.saved() - usual).max() == 0


def test_what_the_network_did_not_see_is_gray_and_told(visit, network18, root):
    cropping = Classifier(network18, Metadata(input_size=64, resize="crop"), torch.device("cpu"))
    visitor = visit()
    visitor.show(cropping, show="photo")
    picture = np.asarray(open_picture(root / "examples" / SIDE_BY_SIDE)).astype(int)
    for shown in (visitor.saved(), visitor.seen()):
        height, width = shown.shape[:2]
        corner, middle = shown[: height // 20, : width // 20], shown[height // 2, width // 2]
        assert np.abs(corner - 128).mean() < 45
        assert np.abs(middle - picture[280, 487]).mean() < 20
    visitor.point(0.01, 0.5)
    expect(visitor.words).to_have_text("The network did not see this part")


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_evidence_fades_in_over_a_new_picture_alone_and_never_where_motion_is_unwelcome(visit, classifier, motion):
    visitor = visit(reduced_motion=motion)
    visitor.show(classifier)
    assert visitor.faded_in == (motion == "no-preference")
    visitor.page.wait_for_function("() => !document.querySelector('evidence-view').shadowRoot.getAnimations().length")
    again = """async (view) => {
        view.explanation = { ...view.explanation };
        await view.updateComplete;
        return view.shadowRoot.getAnimations().length;
    }"""
    assert visitor.view.evaluate(again) == 0


def test_full_screen_shows_the_map_alone_and_escape_leaves(visit, classifier):
    visitor = visit()
    visitor.show(classifier)
    for offered in (True, False):  # an iPhone has no full screen for pictures
        if not offered:
            visitor.page.evaluate("Object.defineProperty(document, 'fullscreenEnabled', { value: false })")
        visitor.view.evaluate("view => { view.onclick = () => view.fullScreen(); }")
        visitor.frame.click()
        expect(visitor.view.locator(".close")).to_be_visible()
        box = visitor.frame.bounding_box()
        assert box["width"] == pytest.approx(1280, abs=2) or box["height"] == pytest.approx(800, abs=2)
        expect(visitor.view.locator("canvas.map")).to_be_visible()
        visitor.view.evaluate("view => { view.onclick = null; }")
        if offered:
            visitor.view.locator(".close").click()  # Escape is the window's own there
        else:
            visitor.page.keyboard.press("Escape")
        expect(visitor.view.locator(".close")).to_be_hidden()
        expect(visitor.frame).to_be_visible()
    visitor.page.goto(HERE)


def test_pictures_come_upright_and_small_enough_and_what_is_no_picture_is_none(visit, tmp_path):
    turned = Image.new("RGB", (6000, 30), "red")
    exif = turned.getexif()
    exif[0x0112] = 6  # Orientation: a quarter turn
    turned.save(tmp_path / "turned.jpg", exif=exif)
    visitor = visit()
    sizes = visitor.page.evaluate(
        """async ([turned]) => {
            const { toPicture } = await import("/web/pictures.js");
            const read = (text) => toPicture(new Blob([Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))]));
            const picture = await read(turned);
            return [picture.width, picture.height, await read(btoa("no picture")), await read("")];
        }""",
        [base64.b64encode((tmp_path / "turned.jpg").read_bytes()).decode()],
    )
    assert sizes == [20, 4096, None, None]


def test_a_verdict_is_a_sentence_and_two_bars_with_the_thresholds_that_decided(visit):
    visitor = visit()
    visitor.judge(cat=0.35, dog=0.993, verdict="both")
    panel = visitor.page.locator("verdict-panel")
    expect(panel.get_by_role("heading")).to_have_text("A dog, perhaps a cat too.")
    for label, probability, tick, percent in (("cat", 0.35, 0.29, "35%"), ("dog", 0.993, 0.51, ">99%")):
        row = panel.locator(f".{label}")
        expect(row.locator(".percent")).to_have_text(percent)
        track, fill, mark = (row.locator(part).bounding_box() for part in (".track", ".fill", ".tick"))
        assert fill["width"] == pytest.approx(probability * track["width"], abs=1)
        assert mark["x"] + mark["width"] / 2 == pytest.approx(track["x"] + tick * track["width"], abs=1)
