"""benchmark.py: ways take turns, wrong answers are refused, and figures come as a table and as JSON."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from folders import write_photos

from catdog.checkpoint import Metadata, save_checkpoint
from catdog.cli.benchmark.server import running
from catdog.measuring.timing import against, in_turns, require_same


def test_ways_take_turns_and_the_first_round_is_warm_up():
    calls: list[str] = []
    figures = in_turns({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, rounds=3)
    assert "".join(calls) == "abababab"
    assert all(each["low"] <= each["median"] <= each["high"] for each in figures.values())


def test_ratios_are_to_the_named_way():
    figures = against("b", {"a": {"median": 6.0}, "b": {"median": 2.0}})
    assert [each["times"] for each in figures.values()] == [3.0, 1.0]


def test_a_program_that_ends_before_its_page_is_there_is_no_measurement():
    with pytest.raises(RuntimeError, match="ended before"), running([sys.executable, "-c", "print('no')"]):
        pass


def test_an_unknown_part_is_told_with_those_there_are(script, capsys):
    assert script("benchmark", "--only", "photo,magic") == 2
    assert "photo, stages, folder, live, start, memory, step, browser, device, not magic" in capsys.readouterr().err


def test_who_gives_other_answers_is_not_measured():
    require_same("a", "logits", np.array([1.0, 2.0]), (1.0, 2.0005))
    with pytest.raises(AssertionError, match="a gives logits that differ by 0.01"):
        require_same("a", "logits", np.array([1.0, 2.0]), (1.0, 2.01))


@pytest.mark.slow
def test_one_photo_against_all_baselines_with_the_same_answers_and_maps(root, network18, tmp_path):
    path, out = tmp_path / "net.safetensors", tmp_path / "speed.json"
    save_checkpoint(path, network18, Metadata(input_size=64))
    command = [sys.executable, "scripts/benchmark.py", "--only", "photo", "--rounds", "2"]
    command += ["--against", "naive,tutorial,torchvision"]
    done = subprocess.run(
        [*command, "--checkpoint", path, "--json", out], cwd=root, capture_output=True, text=True, check=True
    )
    results = json.loads(out.read_text())
    assert len(results["photo"]) >= 4
    assert all(name in done.stdout for name in results["photo"])
    assert results["machine"]["threads"] == "2 threads" and "torch " in results["machine"]["versions"]


@pytest.mark.slow
def test_both_recipes_run_until_ours_is_as_good_as_the_tutorials_or_the_time_is_up(root, examples, tmp_path):
    photo_folder = write_photos(tmp_path / "photos", examples, (16, 4, 4), side=72)
    out = tmp_path / "training.json"
    command = [sys.executable, "scripts/benchmark.py", "--training", "--data", photo_folder, "--init", "none"]
    done = subprocess.run(
        [*command, "--minutes", "0.02", "--json", out], cwd=root, capture_output=True, text=True, check=True
    )
    tutorial, ours = json.loads(out.read_text())["training"].items()
    assert tutorial[0].startswith("the tutorial's recipe") and tutorial[1]["times"] == 1
    assert ours[0].startswith("the quick recipe") and ours[1]["times"] > 0
    assert "images/s" in done.stdout
