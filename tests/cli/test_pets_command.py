"""catdog pets: teach a pet by photos, find it among others, and what goes wrong told in a sentence."""

from __future__ import annotations

import csv
import json

import pytest
from PIL import Image, ImageOps

CROPS = ((0, 0, 1, 1), (0.05, 0, 1, 0.95), (0, 0.05, 0.95, 1), (0.1, 0.1, 1, 1))  # shares of width and height


@pytest.fixture
def rex(root, tmp_path):
    """A folder with a few photos of one dog."""
    folder = tmp_path / "rex"
    folder.mkdir()
    with Image.open(root / "examples" / "dog-german-shepherd.jpg") as whole:
        for number, (left, top, right, bottom) in enumerate(CROPS):
            box = (left * whole.width, top * whole.height, right * whole.width, bottom * whole.height)
            photo = whole.crop(tuple(map(round, box)))
            (ImageOps.mirror(photo) if number % 2 else photo).save(folder / f"{number}.jpg")
    return folder


@pytest.fixture
def pets(script, tmp_path):
    """Runs `catdog pets COMMAND ...` with a file of its own."""

    def call(command, *arguments):
        return script("pets", command, *arguments, "--pets", tmp_path / "pets.json", "--device", "cpu")

    return call


def test_a_dog_is_taught_and_found_among_others(pets, rex, root, tmp_path, capsys):
    assert pets("teach", "Rex", rex) == 0
    assert capsys.readouterr().out == "Rex, a dog: 4 photos, 4 of them known by the others; more photos help\n"
    photo, other, cat, cup = (
        root / "examples" / f"{name}.jpg"
        for name in ("dog-german-shepherd", "dog-with-bicycle", "cat-ginger-kitten", "neither-coffee-cup")
    )
    assert pets("find", photo, other, cat, cup) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith(": Rex") and lines[1].endswith(": none that was taught")
    assert lines[2].endswith(": none that was taught") and lines[3].endswith("%)")
    table = tmp_path / "found.csv"
    (tmp_path / "text.jpg").write_text("no picture")
    assert pets("find", photo, other, tmp_path / "text.jpg", "--csv", table) == 1
    rows = list(csv.DictReader(table.open(encoding="utf-8")))
    assert [row["pet"] for row in rows] == ["Rex", "", ""] and rows[2]["error"]
    assert list(rows[0]) == ["path", "verdict", "cat", "dog", "error", "pet"]


def test_pets_are_shown_taught_more_and_forgotten(pets, rex, capsys):
    assert pets("teach", "Rex", rex / "0.jpg") == 0
    assert pets("teach", "Rex", rex / "1.jpg") == 0
    capsys.readouterr()
    assert pets("show") == 0
    assert capsys.readouterr().out.startswith("Rex, a dog: 2 photos, 2 of them known by the others")
    assert pets("forget", "Rex") == 0
    assert pets("show") == 0
    assert capsys.readouterr().out == ""
    assert pets("forget", "Rex") == 2
    assert "There is no pet Rex" in capsys.readouterr().err


def test_who_is_rejected_is_not_found_again(pets, rex, root, capsys):
    assert pets("teach", "Rex", rex) == 0
    photo, cup = (root / "examples" / f"{name}.jpg" for name in ("dog-german-shepherd", "neither-coffee-cup"))
    assert pets("reject", photo, cup) == 1
    out = capsys.readouterr().out
    assert f"{cup}: left out: it shows no pet\n" in out and "1 of 2 pictures taught who is none of them.\n" in out
    assert pets("find", photo) == 0
    assert capsys.readouterr().out.rstrip().endswith(": none that was taught")


def test_photos_that_cannot_teach_it_are_named(pets, rex, root, tmp_path, capsys):
    (tmp_path / "text.jpg").write_text("no picture")
    photos = [root / "examples" / "neither-coffee-cup.jpg", tmp_path / "text.jpg"]
    assert pets("teach", "Rex", rex, *photos) == 1
    out = capsys.readouterr().out
    assert f"{photos[0]}: left out: it shows no pet\n" in out and f"{photos[1]}: left out: " in out
    assert pets("teach", "Luna", *photos) == 2
    assert "No picture shows one cat or one dog that could be Luna" in capsys.readouterr().err
    assert [pet["name"] for pet in json.loads((tmp_path / "pets.json").read_bytes())["pets"]] == ["Rex"]


def test_what_is_missing_or_wrong_is_one_sentence(pets, rex, tmp_path, capsys):
    assert pets("find", rex) == 2
    assert "teach a pet first, with catdog pets teach NAME PHOTOS" in capsys.readouterr().err
    assert pets("teach", "Rex") == 2
    assert "No picture: give files, folders or patterns." in capsys.readouterr().err
    (tmp_path / "pets.json").write_text("{}")
    assert pets("find", rex) == 2
    error = capsys.readouterr().err
    assert "is no whole file of pets" in error and error.count("\n") == 1
