"""A run over many photos that is killed goes on where it was."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from PIL import Image

from catdog.batch.journal import JournalError, run_of, with_journal
from catdog.checkpoint import Metadata, save_checkpoint
from catdog.classifier import Classifier
from catdog.resnet import resnet18


@pytest.fixture
def journal(tmp_path) -> Path:
    return tmp_path / "journal"


@pytest.fixture
def paths(tmp_path) -> list[str]:
    """Six files of their own."""
    return [photo(tmp_path / f"{index}.jpg") for index in range(6)]


def photo(path: Path, content: str = "a cat") -> str:
    path.write_text(content)
    return str(path)


def run(
    paths: list[str], journal: Path, stop_after: int | None = None, together: int = 1, broken: Sequence[str] = ()
) -> tuple[list[str], list[str]]:
    """The paths of the rows that came out, and those that had to be worked for."""
    worked: list[str] = []

    def rows_of(rest: list[str]):
        for path in rest:
            worked.append(path)
            yield {"path": path, "cat": 0.1 + len(path) / 3, "error": "ä" if path in broken else None}

    got = []
    for row in with_journal(rows_of, paths, journal, "of this checkpoint", together):
        assert row["cat"] == 0.1 + len(row["path"]) / 3
        got.append(row["path"])
        if len(got) == stop_after:
            break
    return got, worked


def test_what_is_done_is_not_done_again(paths, journal):
    assert run(paths, journal, stop_after=4)[0] == paths[:4]
    assert run(paths, journal) == (paths, paths[4:])
    assert run(paths, journal) == (paths, [])


def test_photos_whose_names_are_no_utf8_or_have_a_newline_are_known_again(journal, tmp_path):
    names = ["caf\udce9.jpg", "two\nlines.jpg", "猫.jpg", "last.jpg"]
    paths = [photo(tmp_path / name) for name in names]
    run(paths, journal, stop_after=3)
    assert run(paths, journal) == (paths, paths[3:])


def test_what_is_made_together_is_made_again_together(paths, journal):
    run(paths, journal, stop_after=5, together=4)
    assert run(paths, journal, together=4) == (paths, paths[4:])
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:4]))  # the first one is the run's
    assert run(paths, journal, together=4) == (paths, paths)
    assert run(paths, journal, together=4) == (paths, [])


@pytest.mark.parametrize(
    "damage", [lambda text: text[:-9], lambda text: text + b"{half", lambda text: text + b"\0\n[]\n7\n"]
)
def test_a_line_that_was_cut_off_is_done_again(paths, journal, damage):
    run(paths, journal, stop_after=4)
    journal.write_bytes(damage(journal.read_bytes()))
    got, worked = run(paths, journal)
    assert got == paths and 2 <= len(worked) <= 3
    assert run(paths, journal) == (paths, [])


def test_a_photo_that_came_between_is_answered_and_no_other(paths, journal, tmp_path):
    run(paths, journal)
    other = [*paths[:2], photo(tmp_path / "new.jpg"), *paths[2:]]
    assert run(other, journal) == (other, [other[2]])
    assert run(paths[:1], journal) == (paths[:1], [])


def test_another_photo_under_the_same_name_is_answered_anew(paths, journal, tmp_path, monkeypatch):
    run(paths, journal)
    photo(tmp_path / "1.jpg", "a dog, larger")
    os.utime(tmp_path / "2.jpg", ns=(1, 1))
    assert run(paths, journal) == (paths, paths[1:3])
    for place in ("here", "there"):  # the same relative path
        (tmp_path / place).mkdir()
        photo(tmp_path / place / "7.jpg")
        os.utime(tmp_path / place / "7.jpg", ns=(1, 1))
        monkeypatch.chdir(tmp_path / place)
        assert run(["7.jpg"], journal) == (["7.jpg"], ["7.jpg"])


def test_a_photo_that_could_not_be_read_is_tried_again(paths, journal):
    run(paths, journal, broken=paths[1:2])
    assert run(paths, journal) == (paths, paths[1:2])
    assert run(paths, journal) == (paths, [])
    journal.unlink()
    run(paths, journal, broken=paths[4:5], together=3)
    assert run(paths, journal, together=3) == (paths, paths[4:5])  # and not those beside it
    missing = [*paths, "missing.jpg"]
    assert run(missing, journal, broken=["missing.jpg"]) == (missing, ["missing.jpg"])


def test_the_journal_of_another_checkpoint_or_view_is_refused(tiny_network, paths, journal):
    def known_by(metadata: Metadata, **views) -> str:
        return run_of(Classifier(tiny_network, metadata, torch.device("cpu")), views)

    first = known_by(Metadata(), mirrored=False)
    assert first == known_by(Metadata(), mirrored=False)
    assert first != known_by(Metadata(present=0.4), mirrored=False)
    assert first != known_by(Metadata(), mirrored=True)

    run(paths, journal, stop_after=3)
    before = journal.read_bytes()
    with pytest.raises(JournalError, match="another checkpoint or other options"):
        list(with_journal(iter, paths, journal, "of another one"))
    assert journal.read_bytes() == before


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
    return [line for path in folder.glob(".*.part") for line in path.read_bytes().splitlines()[1:]]
