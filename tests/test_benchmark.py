"""benchmark.py: ways take turns, wrong answers are refused, and figures come as a table and as JSON."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from catdog.checkpoint import Metadata, save_checkpoint
from scripts.benchmark import against, in_turns, until_first_line


def test_ways_take_turns_and_the_first_round_is_warm_up():
    calls: list[str] = []
    figures = in_turns({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, rounds=3)
    assert "".join(calls) == "abababab"
    assert all(each["low"] <= each["median"] <= each["high"] for each in figures.values())


def test_ratios_are_to_the_named_way():
    figures = against("b", {"a": {"median": 6.0}, "b": {"median": 2.0}})
    assert [each["times"] for each in figures.values()] == [3.0, 1.0]


def test_a_program_that_ends_before_its_page_is_there_is_no_measurement():
    with pytest.raises(RuntimeError, match="ended before"):
        until_first_line([sys.executable, "-c", "print('no')"])


def test_an_unknown_part_is_told_with_those_there_are(root):
    done = subprocess.run(
        [sys.executable, "scripts/benchmark.py", "--only", "magic"], cwd=root, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "photo, stages, folder, live, start, memory" in done.stderr


@pytest.mark.slow
def test_one_photo_against_all_baselines_with_the_same_answers(root, network18, tmp_path):
    path, out = tmp_path / "net.safetensors", tmp_path / "speed.json"
    save_checkpoint(path, network18, Metadata(input_size=64))
    command = [sys.executable, "scripts/benchmark.py", "--only", "photo", "--rounds", "2"]
    done = subprocess.run(
        [*command, "--checkpoint", path, "--json", out], cwd=root, capture_output=True, text=True, check=True
    )
    figures = json.loads(out.read_text())["photo"]
    assert len(figures) >= 4
    assert all(name in done.stdout for name in figures)
