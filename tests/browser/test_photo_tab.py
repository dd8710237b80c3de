"""The photo tab in a real browser."""

from __future__ import annotations

import re
import socket
import zlib
from io import BytesIO
from pathlib import Path

import hostile
import pillow_heif
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from catdog.page import words

from .server import serve
from .visitor import drop

pytestmark = pytest.mark.slow

PATIENCE = 30_000  # ms, for an answer on a busy machine


@pytest.fixture
def page(blank, address):
    blank.goto(address)
    blank.wait_for_selector("#picture")
    return blank


def upload(page: Page, path: Path) -> None:
    page.set_input_files("#picture input[type=file]", str(path))


def verdict(page: Page):
    return page.locator("#answer .verdict")


def test_an_upload_is_answered_by_itself(page, root):
    upload(page, root / "examples" / "cat-ginger-kitten.jpg")
    expect(verdict(page)).to_have_text(words.VERDICT["cat"][0], timeout=PATIENCE)
    name = re.compile(f"^{words.VERDICT['cat'][0]}.*{words.COLOR['orange'][0]}")
    expect(page.locator("#answer canvas")).to_have_attribute("aria-label", name)
    expect(page.locator("#answer .announce")).to_have_text(re.compile(f"^{words.VERDICT['cat'][0]}"))


def test_a_second_upload_replaces_the_first_answer(page, root):
    upload(page, root / "examples" / "cat-ginger-kitten.jpg")
    expect(verdict(page)).to_have_text(words.VERDICT["cat"][0], timeout=PATIENCE)
    page.get_by_label("Remove Image").click()
    expect(page.locator("#answer .waiting")).to_be_visible(timeout=PATIENCE)
    upload(page, root / "examples" / "dog-german-shepherd.jpg")
    expect(verdict(page)).to_have_text(words.VERDICT["dog"][0], timeout=PATIENCE)


def test_a_photo_that_is_removed_leaves_no_problem(page, root):
    path = root / "examples" / "cat-ginger-kitten.jpg"
    for _ in range(10):
        upload(page, path)
        expect(verdict(page)).to_be_visible(timeout=PATIENCE)
        page.get_by_label("Remove Image").click()
        expect(page.locator("#answer .waiting")).to_be_visible(timeout=PATIENCE)
        page.wait_for_timeout(700)  # for what the removal has set off
        expect(page.locator("#answer .problem")).to_be_hidden()
        expect(page.locator("#answer .waiting")).to_be_visible()


@pytest.mark.parametrize("extension", ["jpg", "heic"])
def test_a_photo_that_is_dragged_from_a_folder_and_dropped_is_answered(page, root, tmp_path, extension):
    dragged = tmp_path / f"holiday.{extension}"
    Image.open(root / "examples" / "dog-german-shepherd.jpg").save(dragged)
    drop(page, [dragged], "#picture")
    expect(verdict(page)).to_have_text(words.VERDICT["dog"][0], timeout=PATIENCE)
    page.wait_for_function("document.querySelector('#picture img')?.naturalWidth > 100", timeout=PATIENCE)


def test_a_photo_that_is_dropped_on_another_is_answered_in_its_place(page, root):
    upload(page, root / "examples" / "cat-ginger-kitten.jpg")
    expect(verdict(page)).to_have_text(words.VERDICT["cat"][0], timeout=PATIENCE)
    drop(page, [root / "examples" / "dog-german-shepherd.jpg"], "#picture")
    expect(verdict(page)).to_have_text(words.VERDICT["dog"][0], timeout=PATIENCE)


def test_a_photo_without_an_extension_is_judged_by_what_it_holds(page, root, tmp_path):
    path = tmp_path / "IMG_0001"
    path.write_bytes((root / "examples" / "cat-chelsea.jpg").read_bytes())
    upload(page, path)
    expect(verdict(page)).to_have_text(words.VERDICT["cat"][0], timeout=PATIENCE)


def test_an_example_is_one_click(page):
    page.locator("button.gallery-item").nth(1).click()
    expect(verdict(page)).to_have_text(words.VERDICT["cat"][0], timeout=PATIENCE)


def test_the_camera_takes_a_picture(page):
    page.get_by_label("Capture from camera").click()
    page.get_by_text("Click to Access Webcam").click()
    page.wait_for_function("document.querySelector('video')?.videoWidth > 0")  # the camera takes a moment to start
    page.get_by_label("capture photo").click()
    expect(verdict(page)).to_be_visible(timeout=PATIENCE)


@pytest.mark.parametrize(
    ("error", "problem"), [("NotAllowedError", "refused"), ("NotFoundError", "no-camera"), ("NotReadableError", "busy")]
)
def test_a_camera_that_cannot_be_had_gets_a_sentence(browser, address, error, problem):
    page = browser.new_page()
    page.add_init_script(
        """const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
        window.refused = true;
        navigator.mediaDevices.getUserMedia = async (wanted) => {
            if (refused) throw new DOMException('', 'ERROR');
            return open(wanted);
        };""".replace("ERROR", error)
    )
    page.goto(address)
    page.get_by_label("Capture from camera").click()
    ask = page.locator("#picture [data-word-title='gradio.camera']")
    ask.click()
    expect(page.locator("#answer .problem")).to_have_text(words.CAMERA[problem][0])
    expect(page.locator("#answer .waiting")).to_be_hidden()
    page.get_by_label("Upload file").click()  # who leaves the camera is told no more of it
    expect(page.locator("#answer .waiting")).to_be_visible()
    page.get_by_label("Capture from camera").click()
    page.evaluate("refused = false")
    ask.click()
    expect(page.locator("#answer .problem")).to_be_hidden()
    expect(page.locator("#answer .waiting")).to_be_visible()
    page.close()


def test_without_https_the_camera_s_sentence_says_so(browser, address):
    page = browser.new_page()
    page.add_init_script("Object.defineProperty(Navigator.prototype, 'mediaDevices', { get: () => undefined });")
    page.goto(address)
    page.get_by_label("Capture from camera").click()
    page.locator("#picture [data-word-title='gradio.camera']").click()
    expect(page.locator("#answer .problem")).to_have_text(words.CAMERA["insecure"][0])
    page.close()


@pytest.mark.parametrize("way", ["button", "keys", "keys, over another photo"])
def test_a_picture_is_pasted(page, root, way):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    if "another" in way:
        upload(page, root / "examples" / "cat-ginger-kitten.jpg")
        expect(verdict(page)).to_have_text(words.VERDICT["cat"][0], timeout=PATIENCE)
    picture = Image.open(root / "examples" / "dog-german-shepherd.jpg")
    picture.thumbnail((300, 300))
    buffer = BytesIO()
    picture.save(buffer, "PNG")
    page.evaluate(
        """async bytes => navigator.clipboard.write([
            new ClipboardItem({"image/png": new Blob([new Uint8Array(bytes)], {type: "image/png"})})])""",
        list(buffer.getvalue()),
    )
    if way == "button":
        page.get_by_label("Paste from clipboard").first.click()
    else:
        page.keyboard.press("Control+v")
    expect(verdict(page)).to_have_text(words.VERDICT["dog"][0], timeout=PATIENCE)


@pytest.mark.parametrize("way", ["button", "keys"])
def test_a_clipboard_without_a_picture_gets_a_sentence(page, way):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate("navigator.clipboard.writeText('no picture')")
    if way == "button":
        page.get_by_label("Paste from clipboard").first.click()
    else:
        page.keyboard.press("Control+v")
    expect(page.locator("#answer .problem")).to_have_text(words.PASTE["nothing"][0], timeout=PATIENCE)


def test_an_answer_comes_back_after_a_clipboard_without_a_picture(page, root):
    upload(page, root / "examples" / "cat-ginger-kitten.jpg")
    expect(verdict(page)).to_be_visible(timeout=PATIENCE)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate("navigator.clipboard.writeText('no picture')")
    page.keyboard.press("Control+v")
    expect(page.locator("#answer .problem")).to_have_text(words.PASTE["nothing"][0], timeout=PATIENCE)
    expect(verdict(page)).to_be_visible(timeout=PATIENCE)
    expect(page.locator("#answer .problem")).to_be_hidden()


def test_a_clipboard_that_is_refused_gets_a_sentence(browser, address):
    page = browser.new_page()
    page.add_init_script("navigator.clipboard.read = async () => { throw new DOMException('', 'NotAllowedError'); };")
    failed = []
    page.on("pageerror", lambda error: failed.append(error))
    page.goto(address)
    page.get_by_label("Paste from clipboard").first.click(timeout=PATIENCE)
    expect(page.locator("#answer .problem")).to_have_text(words.PASTE["refused"][0], timeout=PATIENCE)
    assert not failed
    page.close()


def test_an_iphone_photo_is_answered_and_shown(page, root, tmp_path):
    path = tmp_path / "IMG_0001.HEIC"
    pillow_heif.from_pillow(Image.open(root / "examples" / "cat-chelsea.jpg")).save(path)
    upload(page, path)
    expect(verdict(page)).to_have_text(words.VERDICT["cat"][0], timeout=PATIENCE)
    page.wait_for_function("document.querySelector('#picture img')?.naturalWidth > 100", timeout=PATIENCE)


WRONG = {
    "notes.jpg": (b"no picture", "unknown-type"),
    "empty.jpg": (b"", "empty"),
    "300 megapixels.png": (hostile.png(20_000, 15_000, hostile.chunk(b"IDAT", zlib.compress(bytes(9)))), "too-large"),
    "cut off.png": (hostile.encoded("PNG")[:-40], "damaged"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_file_gets_a_sentence_and_the_page_goes_on(page, root, tmp_path, name):
    content, problem = WRONG[name]
    path = tmp_path / name
    path.write_bytes(content)
    upload(page, path)
    expect(page.locator("#answer .problem")).to_have_text(words.PROBLEM[problem][0], timeout=PATIENCE)
    page.wait_for_function("document.querySelector('#picture').offsetHeight < 200")  # no large empty box
    upload(page, root / "examples" / "cat-chelsea.jpg")
    expect(verdict(page)).to_have_text(words.VERDICT["cat"][0], timeout=PATIENCE)


@pytest.mark.parametrize("name", ["paper.pdf", "film.mp4", "notes.txt"])
def test_what_is_no_picture_by_its_name_is_not_even_sent(page, tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"%PDF-1.7")
    sent = []
    page.on("request", lambda request: sent.append(request.url) if "/upload" in request.url else None)
    upload(page, path)
    toast = page.locator("[data-testid=toast-text]")
    expect(toast).to_have_text(words.GRADIO["no-image"][0].format(names=name), timeout=PATIENCE)
    assert not sent


def test_words_begin_where_the_tabs_and_the_picture_do(page):
    places = ["#introduction h1", "[role=tablist]:visible", "#picture", "#limits p", "#answer .waiting", "#privacy p"]
    left = {place: page.locator(place).first.bounding_box()["x"] for place in places}
    answer = left.pop("#answer .waiting")
    assert max(left.values()) - min(left.values()) <= 1, left
    assert answer == page.locator("#answer").bounding_box()["x"]


def test_on_a_phone_the_footer_begins_with_a_word(browser, address):
    page = browser.new_page(viewport={"width": 360, "height": 800})
    page.goto(address)
    expect(page.locator("footer .settings")).to_be_visible(timeout=PATIENCE)
    assert not page.locator("footer").inner_text().startswith("·")
    page.close()


def test_it_goes_on_when_the_server_is_started_again_under_the_page(browser, root):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    with serve(root, "--port", port) as address:
        pages = [
            browser.new_page(locale=locale) for locale in ("en-GB", "zh-CN")
        ]  # in the order of the words' languages
        for place, page in enumerate(pages):
            page.goto(address)
            upload(page, root / "examples" / "cat-ginger-kitten.jpg")
            expect(verdict(page)).to_have_text(words.VERDICT["cat"][place], timeout=PATIENCE)
    lost = [page.get_by_text(words.GRADIO["lost"][place]) for place, page in enumerate(pages)]
    for place, page in enumerate(pages):
        page.get_by_label(words.GRADIO["remove"][place]).click()
        upload(page, root / "examples" / "dog-german-shepherd.jpg")
        expect(lost[place].first).to_be_visible(timeout=PATIENCE)
    with serve(root, "--port", port):
        for place, page in enumerate(pages):
            expect(lost[place]).to_have_count(0, timeout=PATIENCE)
            page.wait_for_selector("#picture")
            upload(page, root / "examples" / "dog-german-shepherd.jpg")
            expect(verdict(page)).to_have_text(words.VERDICT["dog"][place], timeout=PATIENCE)
            page.close()
