"""CSV files name photos, to leave out or to give another label."""

from __future__ import annotations

import csv
import os

import pytest

from catdog.datasets import DataError
from catdog.datasets.lists import read_excluded, read_labels


def test_an_excluded_photo_is_known_by_the_end_of_its_path(tmp_path):
    excluded = tmp_path / "odd.csv"
    here = tmp_path.resolve()
    rows = ["path,why", "cat/1.jpg,a drawing", "../pets/dog/2.jpg,a cat", f"{here}/dog/3.jpg,none", "4.jpg,none", ","]
    excluded.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(rows).encode())  # as spreadsheets write it
    is_excluded = read_excluded(excluded)
    names = [
        "cat/1.jpg",
        "dog/1.jpg",
        "pets/dog/2.jpg",
        "cat/2.jpg",
        "dog/3.jpg",
        "more/dog/3.jpg",
        "cat/4.jpg",
        "14.jpg",
    ]
    left_out = [name for name in names if is_excluded(here / name)]
    assert left_out == ["cat/1.jpg", "pets/dog/2.jpg", "dog/3.jpg", "cat/4.jpg"]
    assert is_excluded(here / "runs" / ".." / "cat" / "1.jpg")


def test_a_relabeled_photo_has_the_label_of_its_row_and_others_keep_theirs(tmp_path):
    relabeled = tmp_path / "labels.csv"
    relabeled.write_text("path,label,why\ncat/1.jpg,both,a dog behind it\n2.jpg,neither,a drawing\n")
    label_of = read_labels(relabeled)
    assert label_of(tmp_path / "cat" / "1.jpg", (1, 0)) == (1, 1)
    assert label_of(tmp_path / "dog" / "2.jpg", (0, 1)) == (0, 0)
    assert label_of(tmp_path / "dog" / "1.jpg", (0, 1)) == (0, 1)


@pytest.mark.parametrize(
    ("read", "content"),
    [
        (read, content)
        for read in (read_excluded, read_labels)
        for content in (b"name\nx.jpg\n", b"dear sir\n", b"", b"\xff\xfe\x00", None)
    ]
    + [(read_labels, b"path\nx.jpg\n"), (read_labels, b"path,label\nx.jpg,wolf\n")],
)
def test_what_is_no_list_of_photos_is_refused(tmp_path, read, content):
    path = tmp_path / "odd.csv"
    if content is not None:
        path.write_bytes(content)
    wanted = {read_excluded: "a column path", read_labels: "path and label, each label one of cat, dog, both, neither"}
    with pytest.raises(DataError, match=wanted[read]):
        read(path)


def test_a_sentence_stays_short_whatever_a_list_holds(tmp_path):
    path = tmp_path / "odd.csv"
    path.write_text("path,label\nx.jpg," + "wolf\t" * 20_000 + "\n")
    with pytest.raises(DataError) as caught:
        read_labels(path)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    "text",
    [
        "path;why\ncat\\1.jpg;a drawing\n",
        "why\tpath\na drawing, perhaps\tcat/1.jpg\n",
        "\ufeffpath\r\n..\\pets\\cat\\1.jpg\r\n",
        "path\nC:\\pets\\cat\\1.jpg\n",
        'path,why\n"cat\\1.jpg","a; b; c"\n',
    ],
)
def test_a_list_may_be_written_by_windows_and_by_any_spreadsheet(tmp_path, text):
    (tmp_path / "odd.csv").write_text(text, encoding="utf-8")
    is_excluded = read_excluded(tmp_path / "odd.csv")
    assert is_excluded(tmp_path / "pets" / "cat" / "1.jpg")
    assert not is_excluded(tmp_path / "pets" / "dog" / "1.jpg")


def test_labels_may_stand_behind_semicolons(tmp_path):
    (tmp_path / "labels.csv").write_text("path;label\ncat\\1.jpg;both\n")
    assert read_labels(tmp_path / "labels.csv")(tmp_path / "cat" / "1.jpg", (1, 0)) == (1, 1)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
@pytest.mark.parametrize("name", [b"caf\xe9.jpg", "猫.jpg".encode(), b"two\nlines.jpg", b"back\\slash.jpg"])
def test_an_odd_name_in_a_list_of_ours_means_that_photo(tmp_path, name):
    photo = tmp_path / "cat" / os.fsdecode(name)
    listing = tmp_path / "odd.csv"
    with listing.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file:
        csv.writer(file).writerows([["path"], [photo]])
    listing.read_text(encoding="utf-8")  # valid for any other program
    assert read_excluded(listing)(photo)
    assert not read_excluded(listing)(tmp_path / "cat" / "caf.jpg")


def test_a_list_in_another_encoding_is_told_how_to_save_it(tmp_path):
    (tmp_path / "odd.csv").write_bytes("path\ncat/café.jpg\n".encode("cp1252"))
    with pytest.raises(DataError, match="save it as CSV UTF-8"):
        read_excluded(tmp_path / "odd.csv")
