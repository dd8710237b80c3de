"""What makes the tables of the model card, on a few small photos."""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from catdog.datasets.cache import CachedPhoto
from catdog.datasets.made_up import made_up_both
from research import compare_inputs, compare_recipes, compare_scores


def test_other_things_get_a_row_each_with_every_picture_counted_once(script, folder, checkpoint):
    assert script("measure_others", "--folders", folder, "--count", 3, "--checkpoint", checkpoint) == 0
    lines = (checkpoint.with_suffix("") / "others.md").read_text().splitlines()[2:]
    table = {
        name: values for name, *values in ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    }
    assert table[folder.name][0] == "3"  # the broken one is no picture
    for n, neither, *others, _ in table.values():
        share = float(neither.split("%")[0]) / 100
        assert round(share * int(n)) + sum(map(int, others)) == int(n)


def test_a_folder_of_other_things_without_a_file_is_told(script, tmp_path, checkpoint, capsys):
    assert script("measure_others", "--folders", tmp_path, "--count", 1, "--checkpoint", checkpoint) == 2
    assert str(tmp_path) in capsys.readouterr().err


@pytest.fixture
def few_made_up(monkeypatch) -> None:
    """Photos of both are put together twelve at a time, where a script asks for hundreds."""

    def twelve(photos: Sequence[CachedPhoto], seed: int, count: int, *how: Any) -> list[CachedPhoto]:
        return made_up_both(photos, seed, 12, *how)

    for module in (compare_inputs, compare_recipes, compare_scores):
        monkeypatch.setattr(module, "made_up_both", twelve)


@pytest.mark.slow
def test_scores_are_compared_against_every_kind_of_other_thing(script, labeled, checkpoint, few_made_up):
    arguments = ["--data", labeled, "--others", labeled / "val" / "neither", "--checkpoint", checkpoint]
    assert script("compare_scores", *arguments) == 0
    pets, both = (checkpoint.with_suffix("") / "scores.md").read_text().split("\n\nn: ")[:2]
    rows = [line.strip("|").split("|") for line in pets.splitlines()]
    assert [cell.strip() for cell in rows[0]] == ["pets against", "tuning negatives", "neither"]
    assert all(0 <= float(cell) <= 1 for row in rows[2:] for cell in row[1:])
    assert "| both, where 1% of one pet is called both | side by side | at a half |" in both


@pytest.mark.slow
def test_a_closer_look_is_compared_with_the_first_on_the_same_photos(script, labeled, checkpoint, capsys):
    arguments = [
        "--data",
        labeled,
        "--neither",
        labeled / "val" / "neither",
        "--checkpoint",
        checkpoint,
        "--photos",
        10,
    ]
    assert script("measure_closer", *arguments) == 0
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in capsys.readouterr().out.splitlines()
        if "|" in line
    ]
    counts = {name: int(n) for name, n, *_ in rows[2:]}
    assert 0 < counts["all"] <= 10
    assert counts.get("in doubt", 0) <= counts["all"]
    assert all(cell.endswith("%") for row in rows[2:] for cell in row[2:4])
    assert all(float(cell) > 0 for row in rows[2:] for cell in row[4:])


@pytest.mark.slow
def test_ways_to_show_a_photo_are_compared_and_their_table_is_kept(script, labeled, checkpoint):
    arguments = ["--data", labeled, "--neither", labeled / "val" / "neither", "--checkpoint", checkpoint, "--made", 4]
    assert script("compare_inputs", *arguments) == 0
    table, counts = (checkpoint.with_suffix("") / "inputs.md").read_text().split("\n\nn: ")
    head, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    assert head[0] == "input" and counts.startswith("8 pets")
    assert {"whole 224", "crop 224", "whole 224 and mirrored", "whole 192 + 224 + 256"} < {row[0] for row in rows}
    assert all(len(row) == len(head) for row in rows)


@pytest.fixture
def labeled(tmp_path, examples) -> Path:
    """Class folders of small photos in all three parts, with animals and objects among the negatives."""
    for width, (part, count) in enumerate((("train", 12), ("val", 4), ("test", 3)), 72):  # no photo in two parts
        for kind in ("cat", "dog", "neither"):
            sources = [path for path in examples if path.name.startswith(kind)]
            place = tmp_path / "photos" / part / kind
            place.mkdir(parents=True)
            for index in range(count):
                name = f"{'animal' if index % 2 else 'object'}_{part}{index}.jpg"
                picture = Image.open(sources[index % len(sources)]).resize((width, 64 + index))
                picture.save(place / name)
    return tmp_path / "photos"


@pytest.mark.slow
def test_recipes_are_compared_once_and_their_table_is_kept(script, labeled, tmp_path, few_made_up):
    out = tmp_path / "recipes.csv"
    arguments = ["--data", labeled, "--init", "none", "--out", out, "--workers", 0, "--seeds", 0]
    assert script("compare_recipes", *arguments, "--only", "quick") == 0
    first = out.read_text().splitlines()
    assert script("compare_recipes", *arguments, "--only", "quick", "no EMA") == 0
    rows = list(csv.DictReader(out.open()))
    assert [row["variant"] for row in rows] == ["quick", "no EMA"]
    assert out.read_text().splitlines()[:2] == first  # not run again
    assert "| no EMA | 1 |" in out.with_suffix(".md").read_text()


def test_an_unknown_recipe_is_told_before_anything_is_trained(script, labeled, capsys):
    assert script("compare_recipes", "--data", labeled, "--only", "magic") == 2
    assert "magic" in capsys.readouterr().err


def test_a_teacher_that_is_not_there_is_told_before_anything_is_trained(script, labeled, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "efficientnet_lite_pytorch", None)
    out = tmp_path / "recipes.csv"
    assert script("compare_recipes", "--data", labeled, "--init", "none", "--out", out) == 2
    assert "pip install" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.slow
def test_what_is_left_out_of_training_is_judged_in_full(script, labeled, tmp_path):
    out = tmp_path / "left-out.md"
    arguments = ["--data", labeled, "--init", "none", "--out", out, "--workers", 0]
    assert script("leave_out", *arguments, "--groups", "animal") == 0
    everything, without = out.read_text().splitlines()[2:]
    assert everything.startswith("| nothing; held-out `animal` | 1 |")
    proxy = int(without.split("|")[2])
    assert without.startswith("| `animal` |") and 3 < proxy < 9  # a third of 6, with 2 of tuning and 1 held out


def test_a_group_that_nothing_belongs_to_is_told(script, labeled, capsys):
    assert script("leave_out", "--data", labeled, "--init", "none", "--groups", "unicorn") == 2
    assert "unicorn" in capsys.readouterr().err
