"""predict.py, run as its users run it."""

from __future__ import annotations

import csv
import json
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from catdog import load


def test_a_folder_becomes_rows_and_a_broken_file_gets_its_error(script, folder, checkpoint):
    out = folder / "answers.csv"
    assert script("predict", folder, "--csv", out, "--checkpoint", checkpoint) == 1
    with open(out, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["path", "verdict", "cat", "dog", "error"]
    assert [Path(row["path"]).name for row in rows] == ["a.jpg", "b.jpg", "c.jpg", "d.jpg"]
    assert [bool(row["error"]) for row in rows] == [False, False, True, False]
    assert all(0 <= float(row["cat"]) <= 1 for row in rows if not row["error"])


def test_files_keep_the_order_given_and_patterns_are_expanded(script, folder, checkpoint):
    out = folder / "answers.json"
    paths = [folder / "d.jpg", folder / "[ab].jpg"]
    assert script("predict", *paths, "--json", out, "--checkpoint", checkpoint) == 0
    rows = json.loads(out.read_text(encoding="utf-8"))
    assert [Path(row["path"]).name for row in rows] == ["d.jpg", "a.jpg", "b.jpg"]
    assert rows[0]["error"] is None and set(rows[0]) == {"path", "verdict", "cat", "dog", "error"}


def test_pictures_may_be_shown_in_several_sizes_and_mirrored(script, folder, checkpoint):
    answers = []
    for number, views in enumerate(((), ("--mirrored",), ("--sizes", 64, 96, "--mirrored"))):
        out = folder / f"{number}.json"
        assert script("predict", folder / "a.jpg", "--json", out, "--checkpoint", checkpoint, *views) == 0
        answers.append(json.loads(out.read_text())[0]["cat"])
    [expected] = load(checkpoint, "cpu").classify([folder / "a.jpg"], sizes=(64, 96), mirrored=True)
    assert answers[2] == pytest.approx(expected.cat, abs=1e-6)
    assert len({round(answer, 5) for answer in answers}) == 3


def test_a_recursive_pattern_names_no_picture_twice_and_passes_over_empty_folders(script, folder, checkpoint):
    (folder / "more" / "empty").mkdir(parents=True)
    shutil.copy(folder / "a.jpg", folder / "more")
    out = folder / "answers.json"
    assert script("predict", folder / "**", "--json", out, "--checkpoint", checkpoint) == 1
    names = [Path(row["path"]).name for row in json.loads(out.read_text(encoding="utf-8"))]
    assert sorted(names) == ["a.jpg", "a.jpg", "b.jpg", "c.jpg", "d.jpg"]


def test_a_kaggle_submission_has_a_row_an_id_sorted_and_a_half_for_the_unreadable(
    script, tmp_path, examples, checkpoint
):
    for number in (10, 9, 2):
        shutil.copy(examples[0], tmp_path / f"{number}.jpg")
    (tmp_path / "3.jpg").write_bytes(b"broken")
    out = tmp_path / "submission.csv"
    assert script("predict", tmp_path, "--kaggle", out, "--checkpoint", checkpoint) == 1
    with open(out, newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert [row[0] for row in rows] == ["id", "2", "3", "9", "10"]
    assert rows[2][1] == "0.5" != rows[1][1]
    assert float(rows[1][1]) == pytest.approx(float(rows[3][1]), abs=1e-4)


def test_a_kaggle_submission_has_one_picture_an_id(script, tmp_path, examples, checkpoint, capsys):
    for part in ("one", "two"):
        (tmp_path / part).mkdir()
        shutil.copy(examples[0], tmp_path / part / "7.jpg")
    assert script("predict", tmp_path, "--kaggle", tmp_path / "out.csv", "--checkpoint", checkpoint) == 2
    assert "2 pictures have the number 7" in capsys.readouterr().err


@pytest.mark.slow
def test_a_closed_pipe_ends_predict_without_a_traceback(root, folder, checkpoint):
    command = [sys.executable, "scripts/predict.py", str(folder / "a.jpg"), "--checkpoint", str(checkpoint)]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 1


def test_without_a_file_the_answers_are_printed_rounded_towards_doubt(script, folder, checkpoint, capsys):
    assert script("predict", folder / "a.jpg", folder / "none.jpg", "--checkpoint", checkpoint) == 1
    first, second = capsys.readouterr().out.splitlines()
    assert "a.jpg: " in first and "100%" not in first
    assert "no file none.jpg" in second


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["a.jpg", "--csv", "x.csv", "--json", "x.json"], "exclude"),
        (["*.nothing"], "Nothing matches"),
        (["a.jpg", "--kaggle", "x.csv"], "1.jpg"),
        (["a.jpg", "--checkpoint", "none.safetensors"], "scripts/train.py"),
        (["a.jpg", "--csv", "no/such/folder/x.csv"], "x.csv"),
        (["a.jpg", "--ray", "nowhere"], "HOST:PORT"),
        (["a.jpg", "--sizes", "64", "100"], "--sizes has 100: it must be a multiple of 32."),
        (["--ray", "127.0.0.1:6379", "a.jpg"], "No picture to classify: give files, folders or patterns, before --ray"),
        ([], "No picture"),
    ],
)
def test_predict_tells_wrong_use_in_a_sentence(script, folder, checkpoint, monkeypatch, capsys, arguments, word):
    monkeypatch.chdir(folder)
    if "--checkpoint" not in arguments:
        arguments = [*arguments, "--checkpoint", checkpoint]
    assert script("predict", *arguments) == 2
    assert word in capsys.readouterr().err


def test_a_cluster_that_does_not_answer_is_told_and_no_file_is_begun(script, folder, checkpoint, capsys):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    out = folder / "answers.csv"
    assert script("predict", folder, "--csv", out, "--checkpoint", checkpoint, "--ray", address) == 2
    said = capsys.readouterr().err
    assert f"Nobody answers at {address}" in said and len(said.splitlines()) == 1
    assert not out.exists()


def test_without_ray_the_way_to_it_is_told(script, folder, checkpoint, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ray", None)
    assert script("predict", folder, "--checkpoint", checkpoint, "--ray", "auto") == 2
    assert "pip install 'ray[data]'" in capsys.readouterr().err
