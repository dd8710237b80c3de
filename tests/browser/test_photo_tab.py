"""The photo tab in a real browser."""

from __future__ import annotations

import json
import re
import time
import zipfile
import zlib
from pathlib import Path

import hostile
import pillow_heif
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, Route, expect

from catdog.datasets import read_folders
from catdog.datasets.lists import read_labels

from .conftest import PHONE
from .server import free_port, serve
from .visitor import LANGUAGES, PATIENCE, WORDS, drop, paste, until

pytestmark = pytest.mark.slow

EXPLAIN = re.compile(r"/engine/explain")
CAT, DOG = "cat-ginger-kitten.jpg", "dog-german-shepherd.jpg"
SAYS = {"cat": re.compile("cat"), "dog": re.compile("dog")}


def says(code: str, language: str = "en", **values: object) -> str:
    return WORDS[language][code].format(**values)


def choose(page: Page, path: Path) -> None:
    page.set_input_files("photo-source input.choose", str(path))


def verdict(page: Page):
    return page.locator("photo-answer verdict-panel .sentence")


def chosen(page: Page, root: Path, name: str) -> None:
    """Choose an example photo as a file, and wait for its answer."""
    choose(page, root / "examples" / name)
    expect(verdict(page)).to_have_text(SAYS[name[:3]], timeout=PATIENCE)


def problem(page: Page):
    return page.locator("photo-tab .problem p")


def button(page: Page, code: str, **values: object):
    return page.get_by_role("button", name=says(code, **values), exact=True)


def test_a_photo_becomes_the_answer_on_a_phone_s_screen_without_scrolling(open_page, root):
    page = open_page(**PHONE)
    ways = page.locator("photo-source button")
    expect(ways).to_have_count(4)
    expect(ways.first).to_have_text(says("photo.take"))
    assert all(way.bounding_box()["height"] >= 44 for way in ways.all())
    for name in (CAT, DOG, "dog-with-bicycle.jpg"):
        chosen(page, root, name)
        bars = page.locator("tabs, [role=tablist]").first.bounding_box()
        picture = page.locator("photo-answer .frame evidence-view .frame").first.bounding_box()
        assert page.evaluate("scrollY") == 0
        assert verdict(page).bounding_box()["y"] > 0
        assert picture["y"] + picture["height"] <= bars["y"], name  # nor under the tabs at the foot
        assert picture["width"] > 200


def test_the_camera_button_of_a_computer_opens_the_live_tab_and_a_phone_s_takes_a_photo(open_page):
    page = open_page()
    button(page, "photo.camera").click()
    expect(page.locator("live-tab")).to_be_visible()
    phone = open_page(**PHONE)
    with phone.expect_file_chooser() as chooser:
        button(phone, "photo.take").tap()
    assert chooser.value.element.get_attribute("capture") == "environment"


def test_a_new_photo_replaces_the_old_answer_when_its_own_is_there_and_never_before(open_page, root):
    page = open_page()
    chosen(page, root, CAT)
    held: list[Route] = []
    page.route(EXPLAIN, lambda route: held.append(route))
    choose(page, root / "examples" / DOG)
    expect(page.locator("photo-answer .next")).to_be_visible()  # the new photo, small
    expect(page.locator("photo-tab .progress")).to_be_visible()
    expect(verdict(page)).to_have_text(SAYS["cat"])
    held[0].continue_()
    expect(verdict(page)).to_have_text(SAYS["dog"], timeout=PATIENCE)
    expect(page.locator("photo-answer .next, photo-tab .progress")).to_have_count(0)


def test_the_first_photo_is_seen_while_its_answer_is_on_its_way(open_page, root):
    page = open_page()
    page.route(EXPLAIN, lambda route: None)
    choose(page, root / "examples" / CAT)
    expect(page.locator("photo-answer .picture canvas.picture")).to_be_visible()
    expect(page.locator("photo-answer .waiting")).to_have_text(says("photo.looking"))


@pytest.mark.parametrize("lost", ["connection", "server"])
def test_what_fails_leaves_the_old_answer_and_can_be_tried_again(open_page, root, lost):
    page = open_page()
    chosen(page, root, CAT)
    page.route(EXPLAIN, lambda route: route.abort() if lost == "connection" else route.fulfill(status=500))
    choose(page, root / "examples" / DOG)
    expect(problem(page)).to_contain_text(says("problem.offline" if lost == "connection" else "problem.failed"))
    expect(verdict(page)).to_have_text(SAYS["cat"])
    page.unroute(EXPLAIN)
    button(page, "photo.again").click()
    expect(verdict(page)).to_have_text(SAYS["dog"], timeout=PATIENCE)
    expect(problem(page)).to_have_count(0)


def test_who_comes_while_all_are_busy_is_answered_in_a_while(open_page, root):
    page = open_page()
    turns = iter([503, 429])

    def busy(route: Route) -> None:
        status = next(turns, None)
        route.fulfill(status=status, json={"problem": "busy"}) if status else route.continue_()

    page.route(EXPLAIN, busy)
    chosen(page, root, CAT)
    expect(problem(page)).to_have_count(0)


def test_back_and_forward_walk_through_the_answers_of_this_visit(open_page, root):
    page = open_page()
    chosen(page, root, CAT)
    chosen(page, root, DOG)
    page.go_back()
    expect(verdict(page)).to_have_text(SAYS["cat"])
    page.go_back()
    expect(page.locator("demo-stage")).to_be_visible()
    page.go_forward()
    expect(verdict(page)).to_have_text(SAYS["cat"])
    page.go_forward()
    expect(verdict(page)).to_have_text(SAYS["dog"])


def test_back_from_another_tab_finds_the_answer_as_it_was(open_page, root):
    page = open_page()
    chosen(page, root, CAT)
    page.get_by_role("tab", name=says("app.accuracy")).click()
    expect(page.locator("accuracy-tab")).to_be_visible()
    page.go_back()
    expect(verdict(page)).to_have_text(SAYS["cat"])
    page.go_back()
    expect(page.locator("demo-stage")).to_be_visible()


def test_back_from_a_photo_that_another_tab_has_opened_leads_there(open_page):
    page = open_page("#many")
    page.evaluate(
        """async () => {
            const file = await (await fetch("examples/cat-ginger-kitten.jpg")).blob();
            const detail = { file, name: "cat.jpg" };
            document.querySelector("catdog-app").dispatchEvent(new CustomEvent("open-photo", { detail }));
        }"""
    )
    expect(verdict(page)).to_have_text(SAYS["cat"], timeout=PATIENCE)
    page.go_back()
    expect(page.locator("many-tab")).to_be_visible()
    page.go_forward()
    expect(verdict(page)).to_have_text(SAYS["cat"])
    expect(page.locator("many-tab")).to_be_hidden()


def test_a_reload_keeps_the_last_answer_and_a_new_window_begins_anew(open_page, root):
    page = open_page()
    chosen(page, root, CAT)
    chosen(page, root, DOG)
    until(
        page,
        """() => new Promise((resolve) => {
            const asked = indexedDB.open("catdog");
            asked.onsuccess = () => {
                const all = asked.result.transaction("last").objectStore("last").getAll();
                all.onsuccess = () => resolve(all.result.some(({ answer }) => answer.name.startsWith("dog")));
            };
        })""",
    )
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    expect(verdict(page)).to_have_text(SAYS["dog"], timeout=PATIENCE)
    assert not [url for url in asked if EXPLAIN.search(url)]  # nothing is sent again
    other = page.context.new_page()
    other.goto(page.url)
    expect(other.locator("demo-stage")).to_be_visible()
    expect(verdict(other)).to_have_count(0)


REFUSED = """for (const name of ["indexedDB", "sessionStorage", "localStorage"]) {
    Object.defineProperty(window, name, { get() { throw new DOMException("", "SecurityError"); } });
}"""


def test_where_storage_is_refused_the_page_goes_on_without(blank, address, root):
    page = blank()
    page.add_init_script(REFUSED)
    page.goto(address)
    page.wait_for_selector("photo-source")
    chosen(page, root, CAT)
    button(page, "correct.not-right").click()
    button(page, "correct.dog").click()
    expect(page.locator("not-right .thanks")).to_have_text(says("correct.not-kept"))
    expect(button(page, "correct.save", count=1)).to_be_visible()
    page.go_back()
    page.go_forward()
    expect(verdict(page)).to_have_text(SAYS["cat"])


def test_corrections_are_kept_and_saved_as_photos_that_training_reads(open_page, root, tmp_path):
    page = open_page()
    for name, label in ((CAT, "dog"), (DOG, "neither")):
        chosen(page, root, name)
        button(page, "correct.not-right").click()
        button(page, f"correct.{label}").click()
        expect(page.locator("not-right .thanks")).to_have_text(says("correct.thanks"))
    button(page, "correct.cat").click()  # a second thought replaces the first
    expect(button(page, "correct.save", count=2)).to_be_visible()
    page.reload()
    expect(verdict(page)).to_have_text(SAYS["dog"], timeout=PATIENCE)
    button(page, "correct.not-right").click()
    with page.expect_download() as saving:
        button(page, "correct.save", count=2).click()
    with zipfile.ZipFile(saving.value.path()) as saved:
        assert saved.testzip() is None
        saved.extractall(tmp_path)
    [found] = read_folders([tmp_path])
    assert {(photo.path.relative_to(tmp_path).as_posix(), photo.label) for photo in found.photos} == {
        (f"dog/{CAT}", (0, 1)),
        (f"cat/{DOG}", (1, 0)),
    }
    assert (tmp_path / "dog" / CAT).read_bytes() == (root / "examples" / CAT).read_bytes()
    label_of = read_labels(tmp_path / "labels.csv")
    assert label_of(tmp_path / "cat" / DOG, (0, 0)) == (1, 0)
    assert label_of(tmp_path / "dog" / CAT, (0, 0)) == (0, 1)
    button(page, "correct.forget").click()
    expect(button(page, "correct.save", count=2)).to_have_count(0)


def test_who_cannot_tell_is_thanked_and_nothing_is_kept(open_page, root):
    page = open_page()
    chosen(page, root, CAT)
    button(page, "correct.not-right").click()
    button(page, "correct.unknown").click()
    expect(page.locator("not-right .thanks")).to_have_text(says("correct.thanks-unknown"))
    expect(page.locator("not-right .fools li")).to_have_count(3)
    expect(button(page, "correct.save", count=1)).to_have_count(0)


def test_a_closer_look_asks_again_and_stays_with_its_answer_on_back_and_forward(open_page, root):
    page = open_page()
    chosen(page, root, "dog-with-bicycle.jpg")
    asked = []
    page.on("request", lambda request: asked.append(request.url) if EXPLAIN.search(request.url) else None)
    button(page, "correct.not-right").click()
    button(page, "correct.closer").click()
    expect(page.locator("not-right .closer")).to_have_text(re.compile("stays with its answer: A dog"), timeout=PATIENCE)
    assert len(asked) == 3
    page.go_back()
    page.go_forward()
    button(page, "correct.not-right").click()
    expect(page.locator("not-right .closer")).to_have_text(re.compile("stays with its answer: A dog"))


DRAWN = "(canvas) => canvas.toDataURL()"


def changed(page: Page, canvas: Locator, before: str) -> str:
    """What a canvas shows once it is another than before."""
    end = time.monotonic() + PATIENCE / 1000
    while (now := canvas.evaluate(DRAWN)) == before:
        assert time.monotonic() < end
        page.wait_for_timeout(50)
    return now


def test_a_finer_map_is_fetched_once_and_the_answer_stays(open_page, root):
    page = open_page()
    chosen(page, root, CAT)
    asked = []
    page.on("request", lambda request: asked.append(request.url) if EXPLAIN.search(request.url) else None)
    before = page.locator("photo-answer verdict-panel .percent").all_text_contents()
    page.locator("photo-answer details.more summary").click()
    finer = page.get_by_role("switch", name=says("photo.finer"))
    canvas = page.locator("photo-answer .frame evidence-view canvas.map").first
    coarse = canvas.evaluate(DRAWN)
    finer.check()
    fine = changed(page, canvas, coarse)
    finer.uncheck()
    assert changed(page, canvas, fine) == coarse
    finer.check()
    assert changed(page, canvas, coarse) == fine
    assert len(asked) == 1
    assert page.locator("photo-answer verdict-panel .percent").all_text_contents() == before


def test_the_answer_is_saved_and_copied_as_json(open_page, root):
    page = open_page()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    chosen(page, root, CAT)
    page.locator("photo-answer details.more summary").click()
    with page.expect_download() as saving:
        button(page, "photo.save-json").click()
    answer = json.loads(Path(saving.value.path()).read_text(encoding="utf-8"))
    assert answer["prediction"]["verdict"] == "cat"
    places = sum(sum(row) for row in answer["evidence"][0])
    assert places + answer["bias"][0] == pytest.approx(answer["prediction"]["logits"][0], abs=1e-3)
    button(page, "photo.copy-json").click()
    expect(page.get_by_text(says("photo.copied"))).to_be_visible()
    assert json.loads(page.evaluate("navigator.clipboard.readText()")) == answer


def test_a_card_to_share_shows_picture_verdict_and_bars(open_page, root):
    page = open_page()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    chosen(page, root, CAT)
    button(page, "share.share").click()
    dialog = page.get_by_role("dialog", name=says("share.title"))
    expect(dialog.get_by_role("img")).to_have_attribute("alt", re.compile("cat"))
    with page.expect_download() as saving:
        dialog.get_by_role("button", name=says("share.save")).click()
    card = Image.open(saving.value.path()).convert("RGB")
    assert card.width == 1080
    assert card.height > 1080 * 2 / 3
    foot = card.crop((0, card.height - 500, 1080, card.height))
    assert len(foot.getcolors(10**6)) > 20, "words and bars"
    assert (230, 120, 0) in {color for _, color in foot.getcolors(10**6)}, "the cat's bar"
    dialog.get_by_role("button", name=says("share.copy")).click()
    expect(page.get_by_text(says("share.copied"))).to_be_visible()
    expect(dialog).to_be_hidden()
    types = page.evaluate("navigator.clipboard.read().then((items) => items[0].types)")
    assert "image/png" in types


@pytest.mark.parametrize("extension", ["HEIC", "tiff"])
def test_a_photo_that_browsers_cannot_draw_is_answered_and_shown(open_page, root, tmp_path, extension):
    path = tmp_path / f"IMG_0001.{extension}"
    picture = Image.open(root / "examples" / "cat-chelsea.jpg")
    pillow_heif.from_pillow(picture).save(path) if extension == "HEIC" else picture.save(path)
    page = open_page()
    choose(page, path)
    expect(verdict(page)).to_have_text(SAYS["cat"], timeout=PATIENCE)
    shown = page.locator("photo-answer .frame evidence-view canvas.picture").first
    assert (
        shown.evaluate(
            """(canvas) => {
            const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            return new Set(data).size;
        }"""
        )
        > 50
    ), "a picture, not one color"


WRONG = {
    "notes.jpg": (b"no picture", "unknown-type"),
    "empty.jpg": (b"", "empty"),
    "300 megapixels.png": (hostile.png(20_000, 15_000, hostile.chunk(b"IDAT", zlib.compress(bytes(9)))), "too-large"),
    "cut off.png": (hostile.encoded("PNG")[:-40], "damaged"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_file_gets_a_sentence_and_the_page_goes_on(open_page, root, tmp_path, name):
    content, code = WRONG[name]
    path = tmp_path / name
    path.write_bytes(content)
    page = open_page()
    choose(page, path)
    expect(problem(page)).to_contain_text(says(f"problem.{code}"), timeout=PATIENCE)
    expect(problem(page)).to_contain_text(name)
    chosen(page, root, CAT)
    expect(problem(page)).to_have_count(0)


@pytest.mark.parametrize("name", ["paper.pdf", "film.mp4", "notes.txt"])
def test_what_is_no_picture_by_its_name_is_not_even_sent(open_page, tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"%PDF-1.7")
    page = open_page()
    sent = []
    page.on("request", lambda request: sent.append(request.post_data_buffer) if EXPLAIN.search(request.url) else None)
    choose(page, path)
    expect(problem(page)).to_contain_text(says("problem.unknown-type"))
    assert b"%PDF-1.7" not in sent


def test_on_a_phone_a_file_that_is_no_picture_is_told_where_one_looks(open_page, root, tmp_path):
    page = open_page(**PHONE)
    chosen(page, root, CAT)
    text = tmp_path / "text.jpg"
    text.write_text("no picture")
    choose(page, text)
    expect(problem(page)).to_be_in_viewport(ratio=1, timeout=PATIENCE)
    expect(verdict(page)).to_have_text(SAYS["cat"])  # the answer that was there stays


def test_the_paste_button_takes_a_picture_and_says_why_there_is_none(open_page, root):
    page = open_page()
    paste(page, root / "examples" / CAT)  # by keys
    expect(verdict(page)).to_have_text(SAYS["cat"], timeout=PATIENCE)
    page.go_back()
    expect(page.locator("demo-stage")).to_be_visible()
    button(page, "photo.paste").click()
    expect(verdict(page)).to_have_text(SAYS["cat"], timeout=PATIENCE)
    page.evaluate("() => { navigator.clipboard.read = async () => [new ClipboardItem({ 'text/plain': 'none' })]; }")
    button(page, "photo.paste").click()
    expect(page.get_by_text(says("photo.paste-nothing"))).to_be_visible()
    page.evaluate(
        "() => { navigator.clipboard.read = async () => { throw new DOMException('', 'NotAllowedError'); }; }"
    )
    button(page, "photo.paste").click()
    expect(page.get_by_text(says("photo.paste-refused"))).to_be_visible()
    expect(verdict(page)).to_have_text(SAYS["cat"])  # the answer has stayed


def test_a_photo_is_dropped_on_the_one_that_is_there(open_page, root):
    page = open_page()
    chosen(page, root, CAT)
    drop(page, [root / "examples" / DOG], page.locator("photo-answer evidence-view").first)
    expect(verdict(page)).to_have_text(SAYS["dog"], timeout=PATIENCE)


def test_an_example_is_answered_by_keys_and_the_focus_stays_on_it(open_page):
    page = open_page()
    page.wait_for_selector("example-strip button")
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate(
            "document.querySelector('catdog-app').shadowRoot.activeElement?.localName"
        ) == "photo-tab" and (page.locator("example-strip button:focus").count()):
            break
    page.keyboard.press("Enter")
    expect(verdict(page)).to_have_text(SAYS["cat"], timeout=PATIENCE)
    expect(page.locator("example-strip button[aria-pressed=true]")).to_be_focused()
    expect(page.locator("example-strip p")).to_contain_text("van der Walt")  # whose photo it is


def test_a_screen_reader_is_told_once(open_page, root):
    page = open_page()
    page.locator("photo-tab > [role=status], photo-tab [role=status].visually-hidden").first.evaluate(
        """(region) => {
            window.told = [];
            const tell = () => told.push(region.textContent.trim());
            new MutationObserver(tell).observe(region, { childList: true, characterData: true, subtree: true });
        }"""
    )
    chosen(page, root, CAT)
    expect(page.locator("photo-answer verdict-panel")).to_be_visible()
    told = [each for each in page.evaluate("told") if each]
    assert len(told) == 1
    assert "cat" in told[0].lower()


def test_before_the_first_photo_an_example_plays_and_waits_for_nobody(open_page, root):
    page = open_page()
    expect(page.locator("demo-stage verdict-panel .sentence")).to_be_visible(timeout=PATIENCE)
    canvas = page.locator("demo-stage canvas.map")
    until(page, "() => true")
    expect(canvas).to_be_visible()
    chosen(page, root, CAT)
    expect(page.locator("demo-stage")).to_have_count(0)


def test_it_goes_on_when_the_server_is_started_again_under_the_page(blank, root):
    port = free_port()
    pages = {language: blank(locale=locale) for language, locale in LANGUAGES.items()}
    with serve(root, port) as address:
        for page in pages.values():
            page.goto(address)
            page.wait_for_selector("photo-source")
            choose(page, root / "examples" / CAT)
            expect(verdict(page)).to_be_visible(timeout=PATIENCE)
    for language, page in pages.items():
        choose(page, root / "examples" / DOG)
        expect(problem(page)).to_contain_text(says("problem.offline", language), timeout=PATIENCE)
        expect(verdict(page)).to_have_text(WORDS[language]["verdict.says-cat-sure"])
    with serve(root, port):
        for language, page in pages.items():
            page.get_by_role("button", name=says("photo.again", language)).click()
            expect(verdict(page)).to_have_text(WORDS[language]["verdict.says-dog-sure"], timeout=PATIENCE)
