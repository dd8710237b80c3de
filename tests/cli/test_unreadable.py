"""Folders and files that one may not read are named and counted by every command, and its exit status is 1."""

from __future__ import annotations

import csv
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(os.name == "nt", reason="on Windows a folder cannot be unreadable to its owner")
NOBODY = 65534


@pytest.fixture
def script_without_privileges(script):
    """Runs a command as somebody else, where the tests run as root, who may read everything."""

    def call(*arguments: object, written: Sequence[Path] = ()) -> int:
        if os.geteuid():
            return script(*arguments)
        script(*arguments)  # imports what it needs, which somebody else may not read either
        for path in written:
            path.unlink(missing_ok=True)
        os.seteuid(NOBODY)
        try:
            return script(*arguments)
        finally:
            os.seteuid(0)

    return call


@pytest.fixture
def photos(examples, checkpoint) -> Iterator[Path]:
    """A cat and a dog, and of each a folder, a file, and a file in a folder that may be listed alone, none of them readable.
    A checkpoint lies beside them."""
    with tempfile.TemporaryDirectory() as place:
        os.chmod(place, 0o777)
        shutil.copy(checkpoint, Path(place, "net.safetensors"))
        folder = Path(place, "photos")
        closed: list[tuple[Path, int]] = []
        for kind in ("cat", "dog"):
            picture = next(path for path in examples if path.name.startswith(kind))
            for name in (f"{kind}-1.jpg", f"{kind}-2.jpg", f"locked-{kind}/3.jpg", f"listed-{kind}/4.jpg"):
                (folder / kind / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(picture, folder / kind / name)
            closed += [(folder / kind / f"{kind}-2.jpg", 0), (folder / kind / f"locked-{kind}", 0)]
            closed += [(folder / kind / f"listed-{kind}", 0o444)]
        for path, mode in closed:
            path.chmod(mode)
        yield folder
        for path, _ in closed:
            path.chmod(0o700)


NAMES = ("cat-2.jpg", "dog-2.jpg", "locked-cat", "locked-dog", "4.jpg")


def test_predict_gives_each_its_row(script_without_privileges, photos):
    out = photos.parent / "answers.csv"
    options = ["--csv", out, "--checkpoint", photos.parent / "net.safetensors"]
    assert script_without_privileges("predict", photos, *options, written=[out]) == 1
    with out.open(newline="", encoding="utf-8") as file:
        errors = {Path(row["path"]).name: row["error"] for row in csv.DictReader(file)}
    assert {name for name, error in errors.items() if error} == {*NAMES}
    assert errors["cat-1.jpg"] == errors["dog-1.jpg"] == ""
    assert "locked-cat is a folder that cannot be read" in errors["locked-cat"]


def test_evaluate_names_each(script_without_privileges, photos, capsys):
    options = ["--data", photos, "--checkpoint", photos.parent / "net.safetensors"]
    assert script_without_privileges("evaluate", *options) == 1
    said = capsys.readouterr().err
    assert all(name in said for name in NAMES) and said.count("Skipped: ") == 6


def test_calibrate_names_each(script_without_privileges, photos, capsys):
    for kind in ("cat", "dog"):  # enough to be fitted to
        content = (photos / kind / f"{kind}-1.jpg").read_bytes()
        for number in range(30):
            (photos / kind / f"more-{number}.jpg").write_bytes(content + bytes([number]))
    out = photos.parent / "out.safetensors"
    options = ["--data", photos, "--checkpoint", photos.parent / "net.safetensors", "--out", out, "--workers", 0]
    status = script_without_privileges("calibrate", *options, written=[out, out.with_suffix(".md")])
    said = capsys.readouterr().err
    assert status == 1 and all(name in said for name in NAMES), said
