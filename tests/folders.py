"""For tests that train: folders of labeled photos, and options for a run of seconds."""

from __future__ import annotations

import sys
from pathlib import Path
from unittest.mock import patch

from PIL import Image

from catdog.cli.train import main

TINY = [
    "--init",
    "none",
    "--teacher",
    "none",
    "--epochs",
    "2",
    "--batch-size",
    "8",
    "--workers",
    "0",
    "--device",
    "cpu",
]
SMALL_INPUT = ["--train-size", "64", "--start-size", "64", "--input-size", "64"]


def train(*arguments: object) -> int:
    """`scripts/train.py` in this process: its exit status."""
    with patch.object(sys, "argv", ["train.py", *map(str, arguments)]):
        try:
            return main()
        except SystemExit as stop:
            return int(stop.code or 0)


def write_photos(folder: Path, examples: list[Path], counts: tuple[int, int, int], side: int) -> Path:
    """Class folders of square photos cut from the examples, so many a label in training, tuning and held-out."""
    for kind in ("cat", "dog", "neither"):
        sources = [path for path in examples if path.name.startswith(kind)]
        for offset, part, count in zip((0, 2, 4), ("train", "val", "test"), counts):
            place = folder / part / kind
            place.mkdir(parents=True)
            for index in range(count):
                picture = Image.open(sources[index % len(sources)])
                end = min(picture.size) - 8 * index
                picture.crop((offset, offset, end, end)).resize((side, side)).save(place / f"{part}{index}.jpg")
    return folder
