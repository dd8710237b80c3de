"""The many tab in a real browser."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from catdog.batch.rows import COLUMNS

from .visitor import PATIENCE, WORDS, drop, panel, paste, tab, until

pytestmark = pytest.mark.slow

EVIL = "<img src=x onerror=window.harmed=1>.jpg"
SAYS = WORDS["en"]


@pytest.fixture
def many(open_page) -> Page:
    return open_page("#many")


@pytest.fixture
def handed_over(root, tmp_path) -> list[Path]:
    """A cat, a dog, neither, one that is broken with an evil name, and a zip with another dog."""
    examples = root / "examples"
    broken = tmp_path / EVIL
    broken.write_bytes(b"nothing")
    packed = tmp_path / "packed.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(examples / "dog-with-bicycle.jpg", "holiday/dog.jpg")
    names = ("cat-ginger-kitten.jpg", "dog-german-shepherd.jpg", "neither-coffee-cup.jpg")
    return [*(examples / name for name in names), broken, packed]


@pytest.fixture
def holiday(root, tmp_path) -> Path:
    """A folder with two photos, one of them in a folder of its own, and other files."""
    folder = tmp_path / "holiday"
    (folder / "deep").mkdir(parents=True)
    (folder / "notes.txt").write_text("no picture")
    (folder / "._a.jpg").write_text("what macOS adds")
    for place, name in (("a.jpg", "cat-chelsea.jpg"), ("deep/b.jpg", "neither-horses.jpg")):
        (folder / place).write_bytes((root / "examples" / name).read_bytes())
    return folder


@pytest.fixture
def small_photos(tmp_path) -> Callable[[int], list[Path]]:
    """So many different photos of 64 pixels."""

    def make(count: int) -> list[Path]:
        folder = tmp_path / "small"
        folder.mkdir()
        paths = [folder / f"{number:03}.jpg" for number in range(count)]
        for number, path in enumerate(paths):
            Image.new("RGB", (64, 48), (number % 256, number // 2, 90)).save(path)
        return paths

    return make


def choose(page: Page, paths: list[Path] | Path, which: str = "files") -> None:
    """Choose files or a folder with the tab's button."""
    given = [str(path) for path in paths] if isinstance(paths, list) else str(paths)
    page.set_input_files(f"many-tab input[name={which}]", given)


def cards(page: Page) -> Locator:
    return page.locator("many-tab photo-card")


def names(page: Page) -> list[str]:
    return [name.removesuffix("\n") for name in cards(page).locator(".name").all_text_contents()]


def expect_done(page: Page, count: int) -> None:
    """The run is over, and shows so many cards."""
    expect(page.locator("many-tab progress")).to_be_hidden(timeout=PATIENCE)
    expect(cards(page)).to_have_count(count)


def chip(page: Page, code: str, count: int) -> Locator:
    said = SAYS[f"many.count-{code}-one" if count == 1 else f"many.count-{code}"].replace("{count}", str(count))
    return page.locator("many-tab .chips label", has_text=said)


def asked(page: Page) -> list[str]:
    """What is asked of the engine from now on."""
    addresses: list[str] = []
    page.on("request", lambda request: request.method == "POST" and addresses.append(request.url.rsplit("/", 1)[-1]))
    return addresses


def press(page: Page, code: str) -> None:
    page.locator("many-tab").get_by_role("button", name=SAYS[code], exact=True).click()


def test_files_and_a_zip_become_cards_with_their_answers_and_a_broken_one_comes_last(many, handed_over):
    choose(many, handed_over)
    expect_done(many, 5)
    assert names(many) == [*(path.name for path in handed_over[:3]), "dog.jpg", EVIL]
    verdicts = [SAYS[f"many.{verdict}"] for verdict in ("cat", "dog", "neither", "dog")]
    expect(cards(many).locator(".verdict")).to_have_text(verdicts)
    expect(cards(many).nth(0)).to_contain_text("Cat >99%")
    expect(cards(many).nth(4)).to_contain_text(SAYS["problem.unknown-type"])
    assert many.evaluate("window.harmed") is None


def test_cards_stream_in_while_others_wait_and_progress_is_told(many, handed_over):
    held = []

    def hold(route) -> None:
        if len(held) == 2:
            route.continue_()
        else:
            held.append(route)

    many.route("**/engine/classify", hold)
    choose(many, handed_over)
    expect(cards(many)).to_have_count(3, timeout=PATIENCE)
    expect(panel(many, "many")).to_contain_text("3 of 5")
    assert many.locator("many-tab progress").evaluate("bar => [bar.value, bar.max]") == [3, 5]
    for route in held:
        route.continue_()
    expect_done(many, 5)


def test_thumbnails_are_small_upright_and_made_here(many, root, tmp_path):
    turned = tmp_path / "turned.jpg"
    picture = Image.new("RGB", (1200, 800), "red")
    picture.paste("blue", (0, 0, 1200, 400))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned a quarter to the right: blue is then at the right
    picture.save(turned, exif=exif)
    sent = asked(many)
    choose(many, [turned])
    expect(cards(many).locator("img")).to_be_visible(timeout=PATIENCE)
    until(
        many,
        "() => document.querySelector('catdog-app').renderRoot.querySelector('many-tab').renderRoot"
        ".querySelector('photo-card').renderRoot.querySelector('img').complete",
    )
    size, left, right = (
        cards(many)
        .locator("img")
        .evaluate("""(image) => {
        const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
        const context = canvas.getContext("2d");
        context.drawImage(image, 0, 0);
        const at = (x) => [...context.getImageData(x, canvas.height / 2, 1, 1).data].slice(0, 3);
        return [[canvas.width, canvas.height], at(20), at(canvas.width - 20)];
    }""")
    )
    assert size == [256, 256]
    assert left[0] > 200 > left[2] and right[2] > 200 > right[0]
    assert sent == ["classify"]


def test_counts_and_order_choose_what_is_shown_without_a_request(many, handed_over):
    choose(many, handed_over)
    expect_done(many, 5)
    sent = asked(many)
    chip(many, "dog", 2).click()
    assert names(many) == ["dog-german-shepherd.jpg", "dog.jpg"]
    chip(many, "unreadable", 1).click()
    assert names(many) == [EVIL]
    chip(many, "all", 5).click()
    many.select_option("many-tab [name=order]", "name")
    assert names(many) == [*sorted(path.name for path in handed_over[:3]), "dog.jpg", EVIL]
    many.select_option("many-tab [name=order]", "verdict")
    assert names(many)[:3] == ["cat-ginger-kitten.jpg", "dog-german-shepherd.jpg", "dog.jpg"]
    assert not sent


def test_counts_are_chosen_by_the_keyboard_and_arrows_go_from_card_to_card(many, handed_over):
    choose(many, handed_over)
    expect_done(many, 5)
    chip(many, "all", 5).locator("input").focus()
    many.keyboard.press("ArrowRight")
    expect(cards(many)).to_have_count(1)
    expect(cards(many)).to_contain_text("cat-ginger-kitten.jpg")
    many.keyboard.press("ArrowLeft")
    cards(many).nth(0).locator("button").focus()
    many.keyboard.press("ArrowRight")
    expect(cards(many).nth(1).locator("button")).to_be_focused()
    many.keyboard.press("End")
    expect(cards(many).nth(3).locator("button")).to_be_focused()


def test_the_table_is_the_one_that_predict_writes(many, handed_over):
    choose(many, handed_over)
    expect_done(many, 5)
    with many.expect_download() as download:
        press(many, "many.table")
    rows = list(csv.reader(io.StringIO(Path(download.value.path()).read_text(encoding="utf-8-sig"))))
    assert download.value.suggested_filename == "catdog.csv"
    assert tuple(rows[0]) == COLUMNS
    assert [row[0] for row in rows[1:]] == [*(path.name for path in handed_over[:4]), "packed.zip/holiday/dog.jpg"]
    assert [row[1] for row in rows[1:]] == ["cat", "dog", "neither", "", "dog"]
    assert rows[4][2:] == ["", "", SAYS["problem.unknown-type"]]
    assert float(rows[1][2]) > 0.99


def test_the_photos_come_back_sorted_into_folders(many, handed_over, holiday):
    choose(many, handed_over)
    choose(many, holiday, "folder")
    expect_done(many, 7)
    with many.expect_download() as download:
        press(many, "many.sorted")
    with zipfile.ZipFile(download.value.path()) as archive:
        assert archive.testzip() is None
        assert sorted(archive.namelist()) == sorted([
            "cat/cat-ginger-kitten.jpg", "cat/a.jpg", "dog/dog-german-shepherd.jpg", "dog/dog.jpg",
            "neither/neither-coffee-cup.jpg", "neither/b.jpg", f"unreadable/{EVIL}",
        ])  # fmt: skip
        assert archive.read("cat/cat-ginger-kitten.jpg") == handed_over[0].read_bytes()


def test_a_card_opens_large_with_its_evidence_and_arrows_go_on(many, handed_over):
    choose(many, handed_over)
    expect_done(many, 5)
    cards(many).nth(0).locator("button").click()
    large = many.locator("many-tab photo-lightbox")
    expect(large.locator("evidence-view .box")).to_be_visible(timeout=PATIENCE)
    expect(large).to_contain_text("1 of 4")
    expect(large.locator("verdict-panel")).to_contain_text(SAYS["verdict.says-cat-sure"])
    expect(large.get_by_role("button", name=SAYS["many.previous"])).to_be_disabled()
    many.keyboard.press("ArrowRight")
    expect(large.locator("verdict-panel")).to_contain_text(SAYS["verdict.says-dog-sure"])
    large.get_by_role("button", name=SAYS["many.next"]).click()
    expect(large).to_contain_text("neither-coffee-cup.jpg")
    many.keyboard.press("Escape")
    expect(large.locator("dialog")).to_be_hidden()
    expect(cards(many).nth(2).locator("button")).to_be_focused()


def test_a_swipe_goes_to_the_next_photo_and_a_scroll_does_not(open_page, handed_over):
    phone = open_page("#many", viewport={"width": 390, "height": 664}, has_touch=True, is_mobile=True)
    choose(phone, handed_over)
    expect_done(phone, 5)
    cards(phone).nth(0).locator("button").tap()
    large = phone.locator("many-tab photo-lightbox")
    expect(large.locator("evidence-view")).to_be_visible(timeout=PATIENCE)
    browser = phone.context.new_cdp_session(phone)

    def move(*points: tuple[int, int]) -> None:
        for index, (x, y) in enumerate(points):
            kind = "touchMove" if index else "touchStart"
            browser.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
        browser.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    move((200, 300), (205, 250), (210, 180))
    expect(large).to_contain_text("1 of 4")
    move((300, 300), (220, 302), (120, 305))
    expect(large).to_contain_text("2 of 4")
    move((100, 300), (180, 302), (280, 305))
    expect(large).to_contain_text("1 of 4")


def test_what_the_browser_cannot_draw_is_shown_once_it_is_opened(many, root, tmp_path):
    photo = tmp_path / "cat.tif"
    Image.open(root / "examples" / "cat-chelsea.jpg").save(photo)
    choose(many, [photo])
    expect_done(many, 1)
    expect(cards(many).locator(".picture")).to_have_text("TIF")
    cards(many).locator("button").click()
    view = many.locator("photo-lightbox evidence-view")
    expect(view.locator(".box")).to_be_visible(timeout=PATIENCE)
    assert view.evaluate("view => view.picture.naturalWidth") > 300


@pytest.mark.parametrize("place", [1, 3], ids=["a file", "in a zip"])
def test_a_photo_opens_in_the_photo_tab_and_many_is_found_again_as_it_was(many, handed_over, place):
    many.set_viewport_size({"width": 500, "height": 400})
    choose(many, handed_over)
    expect_done(many, 5)
    cards(many).nth(place).scroll_into_view_if_needed()
    before = many.evaluate("scrollY")
    assert before > 0
    cards(many).nth(place).locator("button").click()
    many.locator("photo-lightbox").get_by_role("button", name=SAYS["many.open"]).click()
    expect(tab(many, "photo")).to_have_attribute("aria-selected", "true")
    expect(panel(many, "photo")).to_contain_text(SAYS["verdict.says-dog-sure"], timeout=PATIENCE)
    many.go_back()
    expect(cards(many)).to_have_count(5)
    until(many, "before => Math.abs(scrollY - before) < 2", before)


def test_a_folder_is_answered_without_its_other_files_and_again_in_its_places(many, holiday, root):
    choose(many, holiday, "folder")
    expect_done(many, 2)
    assert names(many) == ["a.jpg", "b.jpg"]
    (holiday / "a.jpg").write_bytes((root / "examples" / "dog-with-bicycle.jpg").read_bytes())
    choose(many, holiday, "folder")
    expect_done(many, 2)
    expect(cards(many).locator(".verdict")).to_have_text([SAYS["many.dog"], SAYS["many.neither"]])


def test_folders_files_and_zips_may_be_dropped_anywhere(many, holiday, handed_over):
    drop(many, [holiday, *handed_over[3:]], "catdog-app")
    expect_done(many, 4)
    assert names(many) == ["a.jpg", "b.jpg", "dog.jpg", EVIL]


def test_a_picture_may_be_pasted(many, root):
    paste(many, root / "examples" / "cat-chelsea.jpg")
    expect_done(many, 1)
    expect(cards(many).locator(".verdict")).to_have_text(SAYS["many.cat"])


def test_photos_added_meanwhile_join_the_run_and_starting_over_empties_it(many, handed_over, small_photos):
    choose(many, small_photos(40))
    cards(many).first.wait_for(timeout=PATIENCE)
    choose(many, handed_over[1:2])
    expect_done(many, 41)
    assert names(many)[-1] == handed_over[1].name
    press(many, "many.clear")
    expect(cards(many)).to_have_count(0)
    expect(panel(many, "many")).to_contain_text(SAYS["many.invitation"])


def test_a_run_is_stopped_and_goes_on(many, small_photos):
    choose(many, small_photos(60))
    cards(many).nth(3).wait_for(timeout=PATIENCE)
    press(many, "many.stop")
    stopped = many.locator("many-tab #told")
    expect(stopped).to_contain_text("Stopped")
    before = stopped.inner_text()
    done = cards(many).count()
    assert done < 60
    sent = asked(many)
    many.wait_for_timeout(1000)  # for what might still come
    assert stopped.inner_text() == before and cards(many).count() == done and not sent
    press(many, "many.go-on")
    expect_done(many, 60)


def test_a_lost_connection_is_waited_for(many, handed_over):
    many.route("**/engine/classify", lambda route: route.abort("internetdisconnected"))
    choose(many, handed_over[:2])
    expect(panel(many, "many")).to_contain_text(SAYS["many.waiting-offline"], timeout=PATIENCE)
    many.unroute("**/engine/classify")
    expect_done(many, 2)
    expect(panel(many, "many")).not_to_contain_text(SAYS["many.waiting-offline"])
    expect(cards(many).locator(".verdict")).to_have_text([SAYS["many.cat"], SAYS["many.dog"]])


def test_a_busy_server_is_waited_for(many, handed_over):
    busy = {"status": 503, "content_type": "application/json", "body": '{"problem": "busy"}'}
    many.route("**/engine/classify", lambda route: route.fulfill(**busy))
    choose(many, handed_over[:1])
    expect(panel(many, "many")).to_contain_text(SAYS["many.waiting-busy"], timeout=PATIENCE)
    many.unroute("**/engine/classify")
    expect_done(many, 1)


def test_five_hundred_photos_stay_smooth_and_one_more_is_too_many(many, small_photos, handed_over, root):
    photos = small_photos(501)
    sent = asked(many)
    choose(many, photos)
    said = SAYS["many.too-many"].replace("{count}", "501").replace("{photos}", "500")
    expect(many.locator("many-tab [role=alert]")).to_contain_text(said)
    assert not sent
    answer = {"prediction": {"cat": 0.9, "dog": 0.2, "verdict": "cat", "logits": [2, -2]}, "size": [64, 48]}
    many.evaluate(  # answers come sooner than from any server
        """(answer) => {
            const { fetch } = window;
            window.fetch = (address, options) =>
                /classify$/.test(address) ? Promise.resolve(Response.json(answer)) : fetch(address, options);
        }""",
        answer,
    )
    browser = many.context.new_cdp_session(many)
    browser.send("Performance.enable", {"timeDomain": "threadTicks"})  # so that other programs do not count
    choose(many, photos[:500])
    expect_done(many, 500)
    many.select_option("many-tab [name=order]", "doubt")
    many.evaluate("scrollTo(0, document.body.scrollHeight)")
    expect(cards(many).last.locator("img")).to_be_visible(timeout=PATIENCE)
    made = many.evaluate("""() => [...document.querySelector("catdog-app").renderRoot.querySelector("many-tab").renderRoot
        .querySelectorAll("photo-card")].filter(({ photo }) => photo.thumbnail).length""")
    assert made < 250  # of the cards that nobody has seen none is made
    worked = {each["name"]: each["value"] for each in browser.send("Performance.getMetrics")["metrics"]}
    assert (
        worked["TaskDuration"] < 15
    )  # s; it takes some 5, and drawing all cards anew at each answer would take minutes
    choose(many, handed_over[:1])
    expect(many.locator("many-tab [role=alert]")).to_contain_text(said)


def test_a_file_that_is_too_large_is_a_card_and_is_not_sent(many, handed_over, tmp_path):
    large = tmp_path / "large.jpg"
    with large.open("wb") as file:
        file.truncate(50 * 2**20 + 1)
    sent = asked(many)
    choose(many, [handed_over[0], large])
    expect_done(many, 2)
    expect(cards(many).nth(1)).to_contain_text(SAYS["problem.too-large"])
    assert len(sent) == 1


def test_a_zip_that_is_refused_gets_a_sentence_and_the_page_goes_on(many, handed_over, tmp_path):
    nested = tmp_path / "nested.zip"
    with zipfile.ZipFile(nested, "w") as archive:
        archive.write(handed_over[-1], "inner.zip")
    choose(many, [nested, handed_over[0]])
    expect(many.locator("many-tab [role=alert]")).to_have_text(SAYS["zip.nested"].replace("{name}", "nested.zip"))
    expect_done(many, 1)
    choose(many, [handed_over[1]])
    expect_done(many, 2)
    expect(many.locator("many-tab [role=alert]")).to_be_empty()


def test_a_folder_without_photos_gets_a_sentence(many, tmp_path):
    folder = tmp_path / "empty"
    folder.mkdir()
    (folder / "notes.txt").write_text("no picture")
    choose(many, folder, "folder")
    expect(panel(many, "many")).to_contain_text(SAYS["many.none"])


def test_a_photo_that_is_gone_when_it_is_opened_says_so(many, holiday):
    choose(many, holiday, "folder")
    expect_done(many, 2)
    (holiday / "a.jpg").unlink()
    cards(many).nth(0).locator("button").click()
    expect(many.locator("photo-lightbox")).to_contain_text(SAYS["problem.gone"], timeout=PATIENCE)


def test_nothing_is_remembered_after_a_reload(many, handed_over):
    choose(many, handed_over[:1])
    expect_done(many, 1)
    many.reload()
    expect(panel(many, "many")).to_contain_text(SAYS["many.invitation"])
    assert many.evaluate("Object.keys(localStorage)") == []
