"""The evidence view: what the visitor turns acts in the browser, at once and without a request."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from playwright.sync_api import Page, expect

from catdog import load
from catdog.checkpoint import Metadata
from catdog.classifier import Classifier
from catdog.images import open_picture
from catdog.page import build, launch, words
from catdog.page.drawing import data_url
from catdog.render import overlay

pytestmark = pytest.mark.slow

PATIENCE = 30_000  # ms, for an answer on a busy machine


@pytest.fixture
def page(blank, address, root):
    blank.set_viewport_size({"width": 1200, "height": 1400})
    blank.goto(address)
    show(blank, root / "examples" / "both-side-by-side.jpg")
    return blank


def show(page: Page, path: Path) -> None:
    page.wait_for_selector("#picture")
    page.set_input_files("#picture input[type=file]", str(path))
    expect(page.locator("#answer .verdict")).to_be_visible(timeout=PATIENCE)
    painted(page)


def painted(page: Page) -> np.ndarray:
    """What the canvas holds, after the browser's next frame."""
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    url = page.locator("#answer canvas").evaluate("canvas => canvas.toDataURL('image/png')")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("RGB")).astype(int)


def choose(page: Page, choice: str) -> None:
    page.locator(f'#answer .choice input[value="{choice}"]').check(force=True)


def test_opacity_colors_choice_and_boxes_act_without_a_request(page):
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    seen = [painted(page)]

    def changed() -> None:
        seen.append(painted(page))
        assert any(np.abs(seen[-1] - earlier).max() > 20 for earlier in seen[-2:-1])

    page.locator("#answer .opacity input").fill("30")
    changed()
    page.locator("#answer .colors select").select_option(index=1)
    changed()
    page.locator("#answer .boxes input").check()
    changed()
    for choice in ("cat", "dog", "difference", "photo"):
        choose(page, choice)
        changed()
    assert not requests


def test_the_browser_draws_what_render_draws(page, root, tmp_path):
    path = tmp_path / "no larger than what is sent.png"
    open_picture(root / "examples" / "both-side-by-side.jpg").resize((600, 345)).save(path)
    before = page.locator("#answer canvas").evaluate("canvas => canvas.width")
    page.get_by_label("Remove Image").click()
    expect(page.locator("#answer .waiting")).to_be_visible(timeout=PATIENCE)
    show(page, path)
    page.wait_for_function(f"document.querySelector('#answer canvas').width != {before}")
    classifier = load(device="cpu")
    [explanation] = classifier.explain([path])
    sent = open_picture(data_url(open_picture(path)))
    expected = np.asarray(overlay(sent, explanation, classifier.metadata.evidence_scale)).astype(int)
    assert np.abs(painted(page) - expected).mean() < 0.5  # 1.0 would be bilinear
    assert np.abs(painted(page) - np.asarray(sent).astype(int)).mean() > 8  # and that is not the photo alone
    page.locator("#answer .boxes input").check()
    assert np.abs(painted(page) - expected).mean() > 0.5


def test_the_photo_alone_is_the_photo(page, root):
    choose(page, "photo")
    sent = open_picture(data_url(open_picture(root / "examples" / "both-side-by-side.jpg")))
    assert np.abs(painted(page) - np.asarray(sent).astype(int)).mean() < 1


def test_cat_and_dog_alone_color_their_own_half(page):
    """The dog sits on the left and the kitten on the right."""
    choose(page, "photo")
    plain = painted(page)

    def colored(choice: str) -> tuple[float, float]:
        choose(page, choice)
        red_minus_blue = (painted(page) - plain) @ [1, 0, -1]
        left, right = np.split(red_minus_blue, [plain.shape[1] // 2], axis=1)
        return left.min(), right.max()

    cat, dog, difference = colored("cat"), colored("dog"), colored("difference")
    assert dog[0] < -80 and difference[0] < -80  # blue on the left
    assert cat[0] > dog[0] + 40


def test_a_spot_is_told_in_words_under_the_pointer_and_by_arrow_keys(page):
    spot = page.locator("#answer .spot")
    expect(spot).to_have_text(words.PHOTO["spot-none"][0])
    canvas = page.locator("#answer canvas")
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 0.78 * box["width"], box["y"] + 0.55 * box["height"])  # the kitten's face
    expect(spot).to_contain_text("for a cat")
    page.mouse.move(5, 5)
    expect(spot).to_have_text(words.PHOTO["spot-none"][0])
    canvas.focus()
    page.keyboard.press("ArrowLeft")
    first = spot.text_content()
    page.keyboard.press("ArrowLeft")
    expect(spot).not_to_have_text(first)
    page.locator("#language").click()
    expect(spot).to_contain_text("这个位置")


def test_a_finer_map_is_asked_for_once_and_keeps_the_answer(page):
    answer = page.locator("#answer .percent").all_text_contents()
    usual = painted(page)
    page.locator("#answer .finer input").check()
    expect(page.locator("#answer .finer-note")).to_be_visible(timeout=PATIENCE)
    assert page.locator("#answer .percent").all_text_contents() == answer
    finer = painted(page)
    assert np.abs(finer - usual).max() > 20
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    page.locator("#answer .finer input").uncheck()
    page.wait_for_timeout(300)
    assert np.abs(painted(page) - usual).max() == 0
    page.locator("#answer .finer input").check()
    page.wait_for_timeout(300)
    assert np.abs(painted(page) - finer).max() == 0
    assert not [url for url in requests if not url.startswith("data:")]


def test_the_picture_and_the_answer_are_saved(page, tmp_path):
    choose(page, "dog")
    with page.expect_download() as download:
        page.locator("#answer .downloads .picture").click()
    assert download.value.suggested_filename == "catdog-both.png"
    download.value.save_as(tmp_path / "seen.png")
    saved = np.asarray(Image.open(tmp_path / "seen.png").convert("RGB")).astype(int)
    assert np.abs(saved - painted(page)).max() == 0
    with page.expect_download() as download:
        page.locator("#answer .downloads .json").click()
    download.value.save_as(tmp_path / "answer.json")
    answer = json.loads((tmp_path / "answer.json").read_text(encoding="utf-8"))
    assert answer["prediction"]["verdict"] == "both"
    assert set(answer) == {"prediction", "evidence", "bias", "view", "boxes", "size"}
    total = np.sum(answer["evidence"], axis=(1, 2)) + answer["bias"]
    assert total == pytest.approx(answer["prediction"]["logits"], abs=1e-3)


def test_what_the_network_did_not_see_is_gray_and_told(browser, network18, root):
    cropping = Classifier(network18, Metadata(input_size=64, resize="crop"), torch.device("cpu"))
    served = build(cropping)
    launch(served, server_name="127.0.0.1", prevent_thread_lock=True, quiet=True)
    page = browser.new_page(viewport={"width": 1200, "height": 1400})
    page.goto(served.local_url)
    show(page, root / "examples" / "both-side-by-side.jpg")
    corner = painted(page)[:10, :10]
    assert np.abs(corner - 128).mean() < 45
    expect(page.locator("#answer .unseen")).to_be_visible()
    box = page.locator("#answer canvas").bounding_box()
    page.mouse.move(box["x"] + 4, box["y"] + 4)
    expect(page.locator("#answer .spot")).to_have_text(words.PHOTO["spot-unseen"][0])
    page.close()
    served.close()
