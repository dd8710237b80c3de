"""The many photos tab without a browser."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from base64 import b64decode
from urllib.request import urlopen

import gradio as gr
import pytest
import torch
from PIL import Image

from catdog.batch.rows import COLUMNS
from catdog.checkpoint import Metadata
from catdog.classifier import Classifier, Prediction
from catdog.images import ImageError
from catdog.page import gallery, many
from catdog.page.gallery import Answered, Entry

EVIL = '<img src=x onerror="alert(1)">.jpg'


@pytest.fixture(scope="module")
def classifier(tiny_network) -> Classifier:
    return Classifier(tiny_network, Metadata(input_size=32), torch.device("cpu"))


@pytest.fixture
def files(examples, tmp_path) -> list[tuple[str, str]]:
    """Two photos, a broken one with an evil name, and a zip with a photo and a broken one."""
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"nothing")
    packed = tmp_path / "packed.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(examples[2], "in/third.jpg")
        archive.writestr("in/broken.png", b"nothing")
    return [
        ("first.jpg", str(examples[0])),
        (EVIL, str(broken)),
        ("packed.zip", str(packed)),
        ("second.jpg", str(examples[1])),
    ]


def run(classifier, given) -> list[tuple]:
    return list(many.respond_to(classifier, lambda: many.entries_of(given)))


def test_every_photo_is_answered_in_order_and_a_broken_one_is_a_row(classifier, files, examples):
    steps = run(classifier, files)
    done = steps[-1][2]
    assert [each.entry.name for each in done] == [
        "first.jpg",
        EVIL,
        "packed.zip/in/third.jpg",
        "packed.zip/in/broken.png",
        "second.jpg",
    ]
    good = [each.answer for each in done if isinstance(each.answer, Prediction)]
    alone = classifier.classify([examples[0], examples[2], examples[1]])
    assert [each.verdict for each in good] == [each.verdict for each in alone]
    assert [each.logits for each in good] == [pytest.approx(each.logits, abs=1e-4) for each in alone]
    assert [each.answer.code for each in done if isinstance(each.answer, ImageError)] == ["unknown-type"] * 2


def test_progress_is_told_and_the_gallery_comes_at_the_end(classifier, files):
    steps = run(classifier, files)
    told = [re.search(r'max="(\d+)" value="(\d+)"', step[0]) for step in steps[:-1]]
    assert [match.groups() for match in told] == [("5", "0"), ("5", "4"), ("5", "5")]
    assert steps[-1][1].count("<li ") == 5
    assert steps[-1][3] is None  # the input is empty again


def test_names_are_escaped_wherever_they_are_shown(classifier, files):
    gallery = run(classifier, files)[-1][1]
    assert "<img src=x" not in gallery and "onerror=&quot;" in gallery
    assert str(files[1][1]) not in gallery


def test_thumbnails_are_small_and_need_no_file(classifier, files):
    done = run(classifier, files)[-1][2]
    thumbnails = [each.thumbnail for each in done if each.thumbnail]
    assert len(thumbnails) == 3
    for each in thumbnails:
        content = b64decode(each.removeprefix("data:image/webp;base64,"))
        assert len(content) < 8000
        assert max(Image.open(io.BytesIO(content)).size) == gallery.THUMBNAIL_SIDE


def test_the_table_has_the_columns_and_rows_of_predict(classifier, files):
    steps = run(classifier, files)
    address = re.search(r'href="(data:text/csv[^"]+)"', steps[-1][1])[1]
    with urlopen(address) as file:
        rows = list(csv.reader(io.StringIO(file.read().decode("utf-8-sig"))))
    assert tuple(rows[0]) == COLUMNS
    assert [row[0] for row in rows[1:]] == [each.entry.name for each in steps[-1][2]]
    assert rows[1][1] in ("cat", "dog", "both", "neither") and rows[1][4] == ""
    assert rows[2][1:4] == ["", "", ""] and "not a picture" in rows[2][4]


def test_doubt_is_largest_where_a_probability_is_a_half():
    def doubt(cat, dog):
        return gallery.doubt(Prediction(cat, dog, "cat", (0.0, 0.0)))

    assert doubt(1.0, 0.0) == 0 and doubt(0.5, 0.0) == 1 and doubt(0.99, 0.5) == 1
    assert doubt(0.9, 0.0) < doubt(0.7, 0.0)
    assert doubt(0.2, 0.0) == pytest.approx(gallery.DOUBTFUL) == pytest.approx(doubt(1.0, 0.8))


def test_more_photos_than_the_limit_get_a_sentence_and_no_work(classifier, examples, monkeypatch):
    monkeypatch.setattr(many, "MAX_PHOTOS", 2)
    [(status, gallery, done, _, _)] = run(classifier, [("a.jpg", str(examples[0]))] * 3)
    assert "many.too-many" in status and 'role="alert"' in status
    assert gallery == "" and done == []


def test_a_zip_that_is_refused_gets_a_sentence(classifier, tmp_path):
    path = tmp_path / "evil.zip"
    path.write_bytes(b"no zip")
    [(status, *_)] = run(classifier, [("evil.zip", str(path))])
    assert 'data-word="zip.damaged"' in status


@pytest.mark.parametrize("name", ["large.jpg", "large.zip"])
def test_the_note_in_the_place_of_a_file_too_large_to_be_sent_is_a_row(classifier, examples, tmp_path, name):
    note = tmp_path / name
    note.write_bytes(many.TOO_LARGE)
    done = run(classifier, [("first.jpg", str(examples[0])), (name, str(note))])[-1][2]
    assert isinstance(done[0].answer, Prediction)
    assert done[1].entry.name == name and done[1].answer.code == "too-large"


def test_the_browser_sends_the_note_that_is_known_here(root):
    assert many.TOO_LARGE.decode() in (root / "catdog" / "page" / "upload.js").read_text(encoding="utf-8")


def test_a_folders_other_files_are_left_out():
    given = [("a.jpg", "1"), ("Thumbs.db", "2"), ("._a.jpg", "3"), ("b.HEIC", "4"), ("movie.mp4", "5")]
    assert many.pictures_among(given) == [("a.jpg", "1"), ("b.HEIC", "4")]


def test_an_empty_folder_gets_a_sentence(classifier):
    assert "many.none" in run(classifier, [])[-1][0]


def test_no_more_than_a_few_photos_are_answered_after_the_visitor_stops(classifier, examples, monkeypatch):
    asked = []
    small = classifier.open(Image.new("RGB", (40, 40)))
    monkeypatch.setattr(many, "open_entry", lambda classifier, entry: asked.append(entry) or small)
    state = ["on"]
    entries = [Entry(str(number), "") for number in range(100)]
    steps = many.respond_to(classifier, lambda: entries, lambda: state[-1])
    next(steps)
    next(steps)
    state.append("stopped")
    status, gallery, done, _, _ = list(steps)[-1]
    assert len(asked) == len(done) <= 2 * many.AT_ONCE
    assert "many.stopped" in status and gallery.count("<li ") == len(done)


def test_a_run_whose_place_another_one_has_taken_says_nothing_more(classifier, examples):
    entries = [Entry(path.name, str(path)) for path in examples[:8]]
    state = ["on"]
    steps = many.respond_to(classifier, lambda: entries, lambda: state[-1])
    next(steps)
    state.append("replaced")
    assert list(steps) == [(gr.skip(),) * 5]


def test_a_spreadsheet_takes_no_name_for_a_formula_and_the_table_for_utf_8(classifier, examples):
    names = ["=cmd()+1.jpg", "-1.jpg", "@a.jpg", "猫.jpg", "a=b.jpg"]
    gallery = run(classifier, [(name, str(examples[0])) for name in names])[-1][1]
    with urlopen(re.search(r'href="(data:text/csv[^"]+)"', gallery)[1]) as file:
        content = file.read()
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    assert content.startswith(b"\xef\xbb\xbfpath,")
    assert [row[0] for row in rows[1:]] == ["'=cmd()+1.jpg", "'-1.jpg", "'@a.jpg", "猫.jpg", "a=b.jpg"]


def test_a_click_opens_the_photo_as_it_was_handed_over(classifier, files, examples):
    done = run(classifier, files)[-1][2]
    tabs, path, _ = many.opened(done, gr.EventData(None, {"index": 4}))
    assert tabs.selected == "photo" and path == str(examples[1])
    _, path, _ = many.opened(done, gr.EventData(None, {"index": 2}))
    with open(path, "rb") as file:
        assert file.read() == examples[2].read_bytes()


@pytest.mark.parametrize("kept", [0, 1], ids=["and its answer", "alone"])
def test_a_photo_that_has_been_deleted_meanwhile_gets_a_sentence(kept):
    done = [Answered(Entry("a.jpg", "/gone/a.jpg"), Prediction(1.0, 0.0, "cat", (0.0, 0.0)), "")] * kept
    _, _, status = many.opened(done, gr.EventData(None, {"index": 0}))
    assert "many.gone" in status
