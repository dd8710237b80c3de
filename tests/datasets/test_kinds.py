"""Kinds of scene or animal, from a CSV beside a folder or for several folders."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from catdog.datasets import DataError, read_folders
from catdog.datasets.kinds import with_kinds


@pytest.fixture
def scenes(tmp_path, examples) -> Path:
    """Class folders of the examples, one photo in each."""
    for label in ("cat", "dog", "neither"):
        (tmp_path / "scenes" / label).mkdir(parents=True)
        shutil.copy(
            next(path for path in examples if path.name.startswith(label)), tmp_path / "scenes" / label / "1.jpg"
        )
    return tmp_path / "scenes"


def test_a_csv_beside_a_folder_names_the_kinds_of_its_photos(scenes):
    scenes.with_name("scenes-kinds.csv").write_text("path,kind\nscenes/cat/1.jpg,a street\ndog/1.jpg, snow \n")
    [found] = read_folders([scenes])
    assert {photo.verdict: photo.kind for photo in found.photos} == {"cat": "a street", "dog": "snow", "neither": ""}


def test_a_csv_beside_a_folder_of_negatives_is_read_too_and_a_slash_at_the_end_changes_nothing(scenes):
    scenes.with_name("scenes-kinds.csv").write_text("path;kind\ncat/1.jpg;a street\n")
    [found] = read_folders([], [f"{scenes}/"])
    assert sorted(photo.kind for photo in found.photos) == ["", "", "a street"]


def test_one_csv_for_several_folders_may_name_more_than_is_given_and_wins_over_the_one_beside(scenes, tmp_path):
    scenes.with_name("scenes-kinds.csv").write_text("path,kind\ncat/1.jpg,a street\ndog/1.jpg,snow\n")
    kinds = tmp_path / "kinds.csv"
    kinds.write_text("path,kind\ncat/1.jpg,a roof\nelsewhere/2.jpg,sand\n")
    photos = with_kinds(read_folders([scenes])[0].photos, kinds)
    assert {photo.verdict: photo.kind for photo in photos} == {"cat": "a roof", "dog": "snow", "neither": ""}


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("path,sort\ncat/1.jpg,a street\n", "a CSV with the columns path and kind, which .*scenes-kinds.csv is not"),
        ("photo,kind\ncat/1.jpg,a street\n", "a CSV with the columns path and kind"),
        ("", "a CSV with the columns path and kind"),
        (
            "path,kind\ncat/1.jpg,a\ncat/2.jpg,b\ncat/3.jpg,b\n",
            r"scenes-kinds.csv names cat/2.jpg and 1 more, not among the",
        ),
        (
            "path,kind\ncat/2.jpg,b\n",
            r"scenes-kinds.csv names cat/2.jpg, not among the photos of .*take such lines out",
        ),
    ],
)
def test_a_csv_of_kinds_that_is_none_or_names_missing_photos_is_told_in_a_sentence(scenes, content, why):
    scenes.with_name("scenes-kinds.csv").write_text(content)
    with pytest.raises(DataError, match=why) as error:
        read_folders([scenes])
    assert "\n" not in str(error.value)


def test_a_csv_for_several_folders_that_names_none_of_their_photos_is_told(scenes, tmp_path):
    (tmp_path / "kinds.csv").write_text("path,kind\nelsewhere/2.jpg,sand\n")
    with pytest.raises(DataError, match=r"kinds.csv names none of these photos: its first is elsewhere/2.jpg"):
        with_kinds(read_folders([scenes])[0].photos, tmp_path / "kinds.csv")
