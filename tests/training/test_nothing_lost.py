"""Training is killed at any moment, its disk is full or gone, it is started twice: no work is lost, none is mixed up."""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from filelock import FileLock
from folders import SMALL_INPUT, TINY, write_photos
from folders import train as run_training
from safetensors.torch import load_file

from catdog.resnet import ARCHITECTURES, ResidualBlock, ResNet
from catdog.training import loop, run
from catdog.training.state import read_state


@pytest.fixture(scope="module")
def folder(tmp_path_factory, examples) -> Path:
    """Class folders of small photos cut from the examples."""
    return write_photos(tmp_path_factory.mktemp("photos"), examples, (6, 3, 3), side=40)


def train(folder: Path, out: Path, *more: object) -> int:
    """`scripts/train.py` in this process: its exit status. The resume state is saved after every step."""
    torch.set_num_threads(1)
    loop.STATE_EVERY = 1
    return run_training("--data", folder, "--out", out, *TINY, *SMALL_INPUT, *more)


def train_and_exit(folder: Path, out: Path, *more: object) -> None:
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    ARCHITECTURES["resnet18"] = lambda: ResNet(ResidualBlock, (1, 1, 1, 1), 2)  # for quicker steps and saves
    rename = os.replace
    os.replace = lambda *paths: (time.sleep(0.05), rename(*paths))  # a save lasts as long as on a slow disk
    sys.exit(train(folder, out, *more))


def contents(checkpoint: Path) -> dict[str, torch.Tensor]:
    """The weights of the best epoch and those after the last step."""
    last = read_state(checkpoint.with_suffix(".resume"))["network"]
    return load_file(checkpoint) | {f"last {name}": tensor for name, tensor in last.items()}


@pytest.fixture
def out(tmp_path, monkeypatch) -> Path:
    monkeypatch.setattr(loop, "STATE_EVERY", 1)
    return tmp_path / "run" / "net.safetensors"


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows has no kill -9 and no forkserver")
@pytest.mark.timeout(3600)
def test_training_killed_at_any_moment_ends_with_the_weights_of_an_unbroken_run(folder, tmp_path):
    """CATDOG_KILLS says how many kills; 5 without it. Every other one is meant for a save, and most of those fall into one."""
    kills = int(os.environ.get("CATDOG_KILLS", "5"))
    rng = random.Random(int(os.environ.get("CATDOG_SEED", "0")))
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["catdog.training.run", "matplotlib.pyplot", "sklearn.metrics"])

    def begun(out: Path, *more: object) -> multiprocessing.Process:
        process = context.Process(target=train_and_exit, args=(folder, out, *more))
        process.start()
        return process

    unbroken = tmp_path / "unbroken" / "net.safetensors"
    started = time.monotonic()
    process = begun(unbroken)
    process.join()
    lasts = time.monotonic() - started
    assert process.exitcode == 0
    expected = contents(unbroken)

    left, number = kills, 0
    meant_for_a_save = in_a_save = 0
    while left:
        out = tmp_path / str(number) / "net.safetensors"
        number += 1
        process = begun(out)
        while left:
            wait_for_a_save(process, out.parent, rng) if left % 2 else process.join(rng.uniform(0, lasts))
            if process.exitcode is not None:
                break
            process.kill()
            process.join()
            if process.exitcode == 0:  # it ended just before
                break
            assert process.exitcode == -signal.SIGKILL
            meant_for_a_save += left % 2
            in_a_save += left % 2 and any(out.parent.glob("*.tmp"))
            left -= 1
            process = begun(out, "--resume")
        process.join()
        assert process.exitcode == 0
        found = contents(out)
        assert found.keys() == expected.keys()
        assert all(torch.equal(found[name], expected[name]) for name in expected)
        assert not list(out.parent.glob("*.tmp")) and not list(out.parent.glob(".*.tmp"))
        shutil.rmtree(out.parent)
    assert in_a_save > meant_for_a_save / 2


def wait_for_a_save(process: multiprocessing.Process, folder: Path, rng: random.Random) -> None:
    """Until the n-th file is being written, or the process ends."""
    seen: set[tuple[str, int]] = set()
    wanted = rng.randint(1, 8)
    while process.is_alive() and len(seen) < wanted:
        for path in folder.glob("*.tmp"):
            with suppress(FileNotFoundError):
                seen.add((path.name, path.stat().st_ino))
        time.sleep(0.0005)


@pytest.mark.slow
def test_a_second_training_with_the_same_out_is_refused(folder, out, monkeypatch, capsys):
    monkeypatch.setattr(run, "LOCK_SECONDS", 0.1)
    out.parent.mkdir()
    holder = "import sys, filelock; lock = filelock.FileLock(sys.argv[1]); lock.acquire(); print('held', flush=True); input()"
    command = [sys.executable, "-c", holder, str(out.with_name(f".{out.name}.lock"))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        assert train(folder, out, "--dry-run") == 2
        said = capsys.readouterr().err
        assert "Another training is writing" in said and len(said.splitlines()) == 1
        process.kill()
    assert train(folder, out, "--dry-run") == 0


def test_a_training_holds_its_lock_until_its_end(folder, out, monkeypatch):
    locked = []
    real = loop.label_loss

    def label_loss(*arguments, **options):
        lock = FileLock(out.with_name(f".{out.name}.lock"), is_singleton=False)
        try:
            lock.acquire(timeout=0)
        except TimeoutError:
            locked.append(True)
        return real(*arguments, **options)

    monkeypatch.setattr(loop, "label_loss", label_loss)
    assert train(folder, out, "--dry-run") == 0
    assert locked
    FileLock(out.with_name(f".{out.name}.lock")).acquire(timeout=0).__exit__(None, None, None)


def test_what_a_killed_run_left_half_written_is_removed(folder, out):
    out.parent.mkdir()
    halves = [out.with_name(f".{out.name}.17.tmp"), out.with_name(f".{out.stem}.resume.17.tmp")]
    other = out.with_name(".other.resume.17.tmp")
    for path in (*halves, other):
        path.write_bytes(b"half")
    assert train(folder, out, "--dry-run") == 0
    assert other.exists() and not any(path.exists() for path in halves)


def sentence(capsys: pytest.CaptureFixture[str]) -> str:
    said = capsys.readouterr().err.strip()
    assert said.startswith("train.py: ") and len(said.splitlines()) == 1 and said.endswith("."), said
    return said


def test_a_folder_that_is_removed_while_training_ends_in_a_sentence(folder, out, monkeypatch, capsys):
    real = loop.label_loss

    def label_loss(*arguments, **options):
        shutil.rmtree(out.parent, ignore_errors=True)
        return real(*arguments, **options)

    monkeypatch.setattr(loop, "label_loss", label_loss)
    assert train(folder, out) == 2
    assert "No such file" in sentence(capsys)


def test_a_folder_that_cannot_be_made_ends_in_a_sentence_before_training(folder, tmp_path, capsys):
    (tmp_path / "file").write_bytes(b"")
    assert train(folder, tmp_path / "file" / "net.safetensors", "--dry-run") == 2
    sentence(capsys)


@pytest.mark.skipif(os.name == "nt", reason="on Windows a folder cannot be read-only")
def test_a_read_only_folder_ends_in_a_sentence(folder, out, monkeypatch, capsys):
    monkeypatch.setattr(run, "LOCK_SECONDS", 0.1)
    place = Path("/proc/self")  # read-only for root too
    if not place.is_dir():
        place = out.parent
        place.mkdir(mode=0o500)
    assert train(folder, place / out.name, "--dry-run") == 2
    sentence(capsys)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no limit of a file's size")
@pytest.mark.parametrize("megabytes", [1, 30])
def test_a_disk_that_fills_up_ends_in_a_sentence_and_keeps_what_was_there(folder, out, capsys, megabytes):
    """The system itself refuses to write on: at 1 MB the resume state is cut off, at 30 MB it is as well, later."""
    import resource

    out.parent.mkdir()
    out.write_bytes(b"an earlier checkpoint")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (megabytes * 2**20, before[1]))
        status = train(folder, out)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert status == 2
    assert "File too large" in sentence(capsys)
    assert out.read_bytes() == b"an earlier checkpoint"
    assert not list(out.parent.glob("*.tmp"))
