"""Where a run saves, what it may not overwrite, and what it says of itself."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest
import torch
from folders import SMALL_INPUT, TINY, train, write_photos

from catdog.cli.train import parse
from catdog.datasets import read_folders
from catdog.datasets.cache import cache_photo
from catdog.training import config, provenance, sources


@pytest.fixture(scope="module")
def folder(tmp_path_factory, examples) -> Path:
    return write_photos(tmp_path_factory.mktemp("photos"), examples, (6, 3, 3), side=40)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ([], "catdog-resnet18"),
        (["--recipe", "quick"], "catdog-resnet18"),
        (["--arch", "resnet50"], "catdog-resnet50"),
        (["--dry-run", "--arch=resnet34"], "dry-run"),
        (["--out", "mine.safetensors", "--dry-run"], None),
    ],
)
def test_without_out_a_run_saves_into_runs_and_a_dry_run_beside_it(arguments, name):
    assert parse(arguments).out == (Path("runs", f"{name}.safetensors") if name else Path("mine.safetensors"))


@pytest.fixture
def shipped(tmp_path, monkeypatch) -> Path:
    """The checkpoint that comes with the program, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "checkpoints" / "catdog-resnet18.safetensors"
    path.parent.mkdir()
    path.write_bytes(b"the shipped one")
    monkeypatch.setattr(config, "CHECKPOINT", path)
    (tmp_path / "link.safetensors").symlink_to(path)
    (tmp_path / "folder").symlink_to(path.parent)
    return path


@pytest.mark.parametrize(
    "written",
    [
        "checkpoints/catdog-resnet18.safetensors",
        "./checkpoints/../checkpoints/catdog-resnet18.safetensors",
        "{here}/checkpoints/catdog-resnet18.safetensors",
        "link.safetensors",
        "folder/catdog-resnet18.safetensors",
    ],
)
def test_a_dry_run_never_touches_the_shipped_checkpoint_however_its_path_is_written(folder, shipped, capsys, written):
    out = written.format(here=shipped.parent.parent)
    assert train("--data", folder, "--out", out, *TINY, *SMALL_INPUT, "--dry-run") == 2
    assert "would spoil" in capsys.readouterr().err
    assert shipped.read_bytes() == b"the shipped one" and os.listdir(shipped.parent) == [shipped.name]
    assert parse(["--out", out]).out == Path(out)  # a real run may refresh it


def test_more_processes_than_gpus_are_told_in_a_sentence(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    for name, value in {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "RANK": "0", "LOCAL_RANK": "0"}.items():
        monkeypatch.setenv(name, value)
    arguments = ["--data", folder, "--out", tmp_path / "net.safetensors", "--device", "cuda"]
    assert train(*arguments) == 2
    said = capsys.readouterr().err
    assert "2 processes on a machine with 1 GPU," in said and "--nproc-per-node=1" in said and said.count("\n") == 1
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert train(*arguments) == 2
    assert capsys.readouterr().err == ""  # said once


def test_the_folders_of_a_run_are_read_once(folder, tmp_path, monkeypatch):
    reads = []
    monkeypatch.setattr(sources, "read_folders", lambda *folders: reads.append(folders) or read_folders(*folders))
    assert train("--data", folder, "--out", tmp_path / "net.safetensors", *TINY, *SMALL_INPUT, "--dry-run") == 0
    assert len(reads) == 1


def test_ctrl_c_while_photos_are_read_ends_in_one_line_and_waits_for_no_more_of_them(
    folder, tmp_path, monkeypatch, capsys
):
    read = []

    def read_one(photo):
        read.append(photo)
        os.kill(os.getpid(), signal.SIGINT)
        return cache_photo(photo)

    monkeypatch.setattr("catdog.datasets.cache.cache_photo", read_one)
    monkeypatch.setattr("catdog.datasets.cache.ThreadPoolExecutor.map", one_after_the_other)
    assert train("--data", folder, "--out", tmp_path / "net.safetensors", *TINY) == 1
    said = capsys.readouterr().err
    assert said.startswith("train.py: stopped") and said.count("\n") == 1
    assert len(read) == 1


def one_after_the_other(pool, function, items):
    return (pool.submit(function, item).result() for item in items)


def git(folder: Path, *arguments: str) -> str:
    name = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    return subprocess.run(["git", *name, *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


def test_the_commit_is_that_of_the_package_s_own_repository_or_none(tmp_path, monkeypatch):
    commits = {}
    for name, inside, tracked in (
        ("its own", "", True),
        ("an environment in another", ".venv/site-packages", False),
        ("a copy in another", "vendor", True),
    ):
        repository = tmp_path / name
        code = repository / inside / "catdog" / "training" / "provenance.py"
        code.parent.mkdir(parents=True)
        code.write_text("")
        (repository / "file").write_text("")
        git(repository, "init")
        git(repository, "add", "." if tracked else "file")
        git(repository, "commit", "-m", "first")
        monkeypatch.setattr(provenance, "__file__", str(code))
        commits[name] = provenance.commit()
        if name == "its own":
            assert commits[name] == git(repository, "rev-parse", "--short", "HEAD").strip()
    assert [name for name, commit in commits.items() if commit] == ["its own"]
    monkeypatch.setattr(provenance, "__file__", str(tmp_path / "catdog" / "training" / "provenance.py"))
    assert provenance.commit() == ""
