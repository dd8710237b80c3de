"""The many photos tab, and the how-good tab, in a real browser."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from catdog.batch.rows import COLUMNS
from catdog.page import MAX_FILE_SIZE, words
from research.screenshots import choose_tab

from .visitor import drop

pytestmark = pytest.mark.slow

PATIENCE = 120_000  # ms, for an answer on a busy machine
EVIL = "<img src=x onerror=window.harmed=1>.jpg"
SHOWN = "#many .photos > li:visible"


@pytest.fixture
def many(blank, address) -> Page:
    blank.goto(address)
    blank.get_by_role("tab", name=words.MANY["tab"][0]).click(timeout=PATIENCE)
    blank.wait_for_selector("#many-files", timeout=PATIENCE)
    return blank


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
    """A folder with two photos, one of them in a folder of its own, and another file."""
    folder = tmp_path / "holiday"
    (folder / "deep").mkdir(parents=True)
    (folder / "notes.txt").write_text("no picture")
    for place, name in (("a.jpg", "cat-chelsea.jpg"), ("deep/b.jpg", "neither-horses.jpg")):
        (folder / place).write_bytes((root / "examples" / name).read_bytes())
    return folder


def hand_over(page: Page, paths: list[Path], count: int) -> None:
    page.set_input_files("#many-files input[type=file]", [str(path) for path in paths])
    expect(page.locator(SHOWN)).to_have_count(count, timeout=PATIENCE)


def names(page: Page) -> list[str]:
    return page.locator(SHOWN).locator(".name").all_text_contents()


def test_files_and_a_zip_become_a_gallery_with_a_row_for_a_broken_one(many, handed_over):
    hand_over(many, handed_over, 5)
    expected = [path.name for path in handed_over[:4]] + ["packed.zip/holiday/dog.jpg"]
    assert names(many) == expected
    verdicts = many.locator(SHOWN).locator(".verdict").all_text_contents()
    assert verdicts == [words.VERDICT[verdict][0] for verdict in ("cat", "dog", "neither", "dog")]
    expect(many.locator("#many .why")).to_have_text(words.PROBLEM["unknown-type"][0])
    assert many.evaluate("window.harmed") is None


@pytest.mark.parametrize("chosen", ["files", "dropped files", "a folder"])
def test_a_file_that_is_too_large_is_a_row_and_the_others_are_answered(many, handed_over, tmp_path, chosen):
    folder = tmp_path / "holiday"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(handed_over[0].read_bytes())
    with (folder / "b.jpg").open("wb") as file:
        file.truncate(MAX_FILE_SIZE + 1)
    if chosen == "files":
        hand_over(many, sorted(folder.iterdir()), 2)
    elif chosen == "dropped files":
        drop(many, sorted(folder.iterdir()), "#many-files")
        expect(many.locator(SHOWN)).to_have_count(2, timeout=PATIENCE)
    else:
        with many.expect_file_chooser(timeout=PATIENCE) as chooser:
            many.locator("#many-folder").click()
        chooser.value.set_files(str(folder))
        expect(many.locator(SHOWN)).to_have_count(2, timeout=PATIENCE)
    assert sorted(names(many)) == ["a.jpg", "b.jpg"]
    expect(many.locator("#many .verdict")).to_have_text(words.VERDICT["cat"][0])
    expect(many.locator("#many .why")).to_have_text(words.PROBLEM["too-large"][0])


def test_filters_and_order_need_no_request(many, handed_over):
    hand_over(many, handed_over, 5)
    asked = []
    many.on("request", lambda request: asked.append(request.url))
    many.select_option("#many [name=kind]", "dog")
    assert names(many) == ["dog-german-shepherd.jpg", "packed.zip/holiday/dog.jpg"]
    many.select_option("#many [name=kind]", "")
    many.select_option("#many [name=order]", "doubt")
    doubts = [float(each) for each in many.locator(SHOWN).evaluate_all("cells => cells.map(c => c.dataset.doubt)")]
    assert doubts == sorted(doubts, reverse=True)
    many.select_option("#many [name=order]", "verdict")
    kinds = many.locator(SHOWN).evaluate_all("cells => cells.map(c => c.dataset.kind)")
    assert kinds == sorted(kinds)
    many.check("#many [name=doubtful]")
    assert all(float(each) >= 0.4 for each in many.locator(SHOWN).evaluate_all("c => c.map(e => e.dataset.doubt)"))
    assert not asked


def test_the_table_is_downloaded(many, handed_over):
    hand_over(many, handed_over, 5)
    with many.expect_download() as download:
        many.locator("#many .download").click()
    rows = list(csv.reader(io.StringIO(Path(download.value.path()).read_text(encoding="utf-8-sig"))))
    assert download.value.suggested_filename == "catdog.csv"
    assert tuple(rows[0]) == COLUMNS
    assert [row[0] for row in rows[1:]] == names(many)
    assert [row[1] for row in rows[1:]] == ["cat", "dog", "neither", "", "dog"]


@pytest.mark.parametrize("place", [1, -1], ids=["a file", "in a zip"])
def test_a_click_opens_the_photo_in_the_photo_tab(many, handed_over, place):
    hand_over(many, handed_over, 5)
    many.locator("#many button.photo").nth(place).click()
    expect(many.locator("#answer .verdict")).to_have_text(words.VERDICT["dog"][0], timeout=PATIENCE)
    expect(many.locator("#answer .verdict")).to_be_visible()
    many.wait_for_function("document.querySelector('#picture img')?.naturalWidth > 100", timeout=PATIENCE)


def test_a_folder_is_answered_without_its_other_files(many, holiday):
    with many.expect_file_chooser(timeout=PATIENCE) as chooser:
        many.locator("#many-folder").click()
    chooser.value.set_files(str(holiday))
    expect(many.locator(SHOWN)).to_have_count(2, timeout=PATIENCE)
    assert sorted(names(many)) == ["a.jpg", "b.jpg"]


def test_a_zip_of_zips_gets_a_sentence_and_the_page_goes_on(many, handed_over, tmp_path):
    nested = tmp_path / "nested.zip"
    with zipfile.ZipFile(nested, "w") as archive:
        archive.write(handed_over[-1], "inner.zip")
    many.set_input_files("#many-files input[type=file]", str(nested))
    expect(many.locator("#many-status .problem")).to_have_text(words.ZIP["nested"][0], timeout=PATIENCE)
    hand_over(many, handed_over[:1], 1)


def test_stop_ends_the_work_and_shows_what_is_done(many, root):
    examples = sorted((root / "examples").glob("*.jpg"))
    many.set_input_files("#many-files input[type=file]", [str(path) for path in examples * 6])
    many.locator("button#many-stop:enabled").click(timeout=PATIENCE)
    expect(many.locator("#many-status")).to_contain_text("Stopped after", timeout=PATIENCE)
    assert many.locator(SHOWN).count() < 6 * len(examples)
    before = many.locator("#many-status").inner_text()
    many.wait_for_timeout(2000)
    assert many.locator("#many-status").inner_text() == before


@pytest.mark.parametrize("more", ["a file", "a folder"])
def test_photos_that_are_added_while_others_are_answered_take_their_place(many, root, tmp_path, more):
    """Of files, Gradio sends the earlier ones again with those that are added."""
    first = tmp_path / "first"
    first.mkdir()
    for number in range(60):
        (first / f"{number:02}.jpg").write_bytes((root / "examples" / "cat-chelsea.jpg").read_bytes())
    folder = tmp_path / "more"
    folder.mkdir()
    (folder / "dog.jpg").write_bytes((root / "examples" / "dog-german-shepherd.jpg").read_bytes())
    packed = tmp_path / "packed.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for path in sorted(first.iterdir()):
            archive.write(path, path.name)
    many.set_input_files("#many-files input[type=file]", str(packed))
    many.locator("button#many-stop:enabled").wait_for(timeout=PATIENCE)
    if more == "a file":
        many.set_input_files("#many-files input[type=file]", str(folder / "dog.jpg"))
    else:
        with many.expect_file_chooser(timeout=PATIENCE) as chooser:
            many.locator("#many-folder").click()
        chooser.value.set_files(str(folder))
    count = 61 if more == "a file" else 1
    expect(many.locator("#many-status")).to_contain_text(str(count), timeout=PATIENCE)
    expect(many.locator(SHOWN)).to_have_count(count, timeout=PATIENCE)
    before = many.locator("#many-status").inner_text()
    many.wait_for_timeout(3000)  # for whatever the first run would still say
    assert many.locator("#many-status").inner_text() == before
    many.locator("#many button.photo").nth(count - 1).click()
    expect(many.locator("#answer .verdict")).to_have_text(words.VERDICT["dog"][0], timeout=PATIENCE)


def test_a_folder_that_is_dropped_is_answered_without_its_other_files(many, root, holiday):
    alone = root / "examples" / "dog-german-shepherd.jpg"
    drop(many, [holiday, alone], "#many-files")
    expect(many.locator(SHOWN)).to_have_count(3, timeout=PATIENCE)
    assert sorted(names(many)) == ["a.jpg", "b.jpg", alone.name]


def test_nobody_is_told_a_code_of_gradio_s(many, root, tmp_path):
    for name in ("cat-chelsea.jpg", "neither-horses.jpg"):
        (tmp_path / name).write_bytes((root / "examples" / name).read_bytes())
    with many.expect_file_chooser(timeout=PATIENCE) as chooser:
        many.locator("#many-folder").click()
    chooser.value.set_files(str(tmp_path))
    expect(many.locator(SHOWN)).to_have_count(2, timeout=PATIENCE)
    told = many.locator("[role=status]", has_text=words.GRADIO["complete"][0])
    expect(told).to_have_count(1, timeout=PATIENCE)
    assert many.locator("[role=status]", has_text="common.").count() == 0


def open_tab(page: Page, name: str) -> None:
    page.wait_for_selector("#language", timeout=PATIENCE)
    choose_tab(page, name)


def test_how_good_it_is_shows_figures_and_only_examples(many, root):
    open_tab(many, words.GOOD["tab"][0])
    expect(many.locator("#good .rate").first).to_be_visible(timeout=PATIENCE)
    expect(many.locator("#good-mistakes figure").first).to_be_visible(timeout=PATIENCE)
    expect(many.locator("#good .confusion tbody td")).to_have_count(16)


def test_tables_name_their_rows_at_the_left(many):
    open_tab(many, words.GOOD["tab"][0])
    rows = many.locator("#good tbody th, #good-origin tbody th")
    expect(rows.first).to_be_visible(timeout=PATIENCE)
    assert set(rows.evaluate_all("cells => cells.map(cell => getComputedStyle(cell).textAlign)")) == {"left"}
