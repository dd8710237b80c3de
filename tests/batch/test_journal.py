"""A run over many photos that is killed goes on where it was."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from PIL import Image

from catdog.batch.journal import journal_beside, with_journal
from catdog.checkpoint import Metadata, save_checkpoint
from catdog.classifier import Classifier
from catdog.resnet import resnet18

PATHS = [f"{index}.jpg" for index in range(6)]


@pytest.fixture
def journal(tmp_path) -> Path:
    return tmp_path / "journal"


def run(
    paths: list[str], journal: Path, stop_after: int | None = None, together: int = 1
) -> tuple[list[str], list[str]]:
    """The paths of the rows that came out, and those that had to be worked for."""
    worked: list[str] = []

    def rows_of(rest: list[str]):
        for path in rest:
            worked.append(path)
            yield {"path": path, "cat": 0.1 + len(path) / 3, "error": "ä"}

    got = []
    for row in with_journal(rows_of, paths, journal, together):
        assert row == {"path": row["path"], "cat": 0.1 + len(row["path"]) / 3, "error": "ä"}
        got.append(row["path"])
        if len(got) == stop_after:
            break
    return got, worked


def test_what_is_done_is_not_done_again(journal):
    assert run(PATHS, journal, stop_after=4)[0] == PATHS[:4]
    assert run(PATHS, journal) == (PATHS, PATHS[4:])
    assert run(PATHS, journal) == (PATHS, [])


def test_paths_that_are_no_utf8_or_have_a_newline_are_known_again(journal):
    paths = ["caf\udce9.jpg", "two\nlines.jpg", "猫.jpg", "last.jpg"]
    run(paths, journal, stop_after=3)
    assert run(paths, journal) == (paths, paths[3:])


def test_what_is_made_together_is_made_again_together(journal):
    run(PATHS, journal, stop_after=5, together=4)
    assert run(PATHS, journal, together=4) == (PATHS, PATHS[4:])
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:3]))
    assert run(PATHS, journal, together=4) == (PATHS, PATHS)
    assert run(PATHS, journal, together=4) == (PATHS, [])


@pytest.mark.parametrize(
    "damage", [lambda text: text[:-9], lambda text: text + b"{half", lambda text: text + b"\0\n[]\n7\n"]
)
def test_a_line_that_was_cut_off_is_done_again(journal, damage):
    run(PATHS, journal, stop_after=4)
    journal.write_bytes(damage(journal.read_bytes()))
    got, worked = run(PATHS, journal)
    assert got == PATHS and 2 <= len(worked) <= 3
    assert run(PATHS, journal) == (PATHS, [])


def test_other_paths_are_answered_anew_from_where_they_differ(journal):
    run(PATHS, journal)
    other = [*PATHS[:2], "new.jpg", *PATHS[2:]]
    assert run(other, journal) == (other, other[2:])
    assert run(PATHS[:1], journal) == (PATHS[:1], [])


def test_another_checkpoint_or_view_has_another_journal(tiny_network, tmp_path):
    target = tmp_path / "answers.csv"

    def journal(metadata: Metadata, **views) -> Path:
        return journal_beside(target, Classifier(tiny_network, metadata, torch.device("cpu")), views)

    first = journal(Metadata(), mirrored=False)
    assert first == journal(Metadata(), mirrored=False)
    assert first != journal(Metadata(present=0.4), mirrored=False)
    assert first != journal(Metadata(), mirrored=True)


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize(("kind", "kills"), [("csv", (0, 0.5)), ("json", (0.5,)), ("kaggle", (0.5,))])
def test_predict_killed_and_started_again_gives_the_same_file(script, root, examples, tmp_path, kind, kills):
    """Killed when a share of the rows is there, 0 for the first. CATDOG_PHOTOS says of how many photos; 1000 without it."""
    count = int(os.environ.get("CATDOG_PHOTOS", "1000"))
    save_checkpoint(tmp_path / "net.safetensors", resnet18(), Metadata(input_size=32))
    small, photos = tmp_path / "small", tmp_path / "photos"
    small.mkdir()
    photos.mkdir()
    for path in examples:
        Image.open(path).resize((96, 64)).save(small / path.name)
    for index in range(count):
        (photos / f"{index}.jpg").symlink_to(small / examples[index % len(examples)].name)

    unbroken, broken = tmp_path / "unbroken", tmp_path / "broken"
    options = [str(photos), "--checkpoint", str(tmp_path / "net.safetensors"), "--device", "cpu", f"--{kind}"]
    assert script("predict", *options, unbroken) == 0
    lines = []
    threads = {"OMP_NUM_THREADS": str(torch.get_num_threads())}  # a sum's last digits depend on how many there are
    for share in kills:
        wanted = max(1, int(share * count))  # rows in the journal when the kill comes
        command = [sys.executable, "scripts/predict.py", *options, str(broken)]
        with subprocess.Popen(command, cwd=root, stderr=subprocess.DEVNULL, env=os.environ | threads) as process:
            while process.poll() is None and len(lines := rows_in_journals(tmp_path)) < wanted:
                time.sleep(0.02)
            process.kill()
        assert process.returncode == -signal.SIGKILL
    assert len(lines) >= count // 2
    assert script("predict", *options, broken) == 0
    assert broken.read_bytes() == unbroken.read_bytes()
    assert not list(tmp_path.glob(".*.part"))
    if kind == "csv":
        with broken.open(newline="", encoding="utf-8") as file:
            assert len(list(csv.DictReader(file))) == count


def rows_in_journals(folder: Path) -> list[bytes]:
    return [line for path in folder.glob(".*.part") for line in path.read_bytes().splitlines()]
