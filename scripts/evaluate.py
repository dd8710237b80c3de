"""Measure a checkpoint on labelled photos: accuracy, log loss, calibration, confusion, worst mistakes."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

sys.path.insert(0, str(Path(__file__).parent.parent))

import tyro
from tqdm import tqdm

from catdog import datasets, load
from catdog.checkpoint import CheckpointError
from catdog.datasets import DataError, some_seen
from catdog.device import DeviceError
from catdog.report import as_text, measure


@dataclass
class Options:
    """Measure a checkpoint on labelled photos.

    Of a folder that the checkpoint was trained on, the held-out part is scored; of any other, every photo.
    """

    data: tuple[Path, ...] = ()
    """Labelled folders: Kaggle Dogs vs. Cats, class folders (cat/, dog/, both/, neither/) or Oxford-IIIT Pet."""
    neither: tuple[Path, ...] = ()
    """Folders of photos with neither a cat nor a dog."""
    split: Literal["held-out", "tuning", "training", "all"] | None = None
    """Which part to score, instead of the rule above."""
    checkpoint: Path | None = None
    """The checkpoint; without it, the one that is shipped."""
    device: str = "auto"
    json: Path | None = None
    """A file to write the figures to."""


def main() -> int:
    options = tyro.cli(Options, prog="evaluate.py")
    try:
        if not options.data and not options.neither:
            raise DataError("Nothing to score: give labelled folders with --data DIR, negatives with --neither DIR.")
        classifier = load(options.checkpoint, options.device)
        photos = []
        for found in datasets.read_folders(options.data, options.neither):
            chosen, part = found.photos, options.split or "all"
            if options.split is None and some_seen(classifier.metadata.training.get("photos", ""), found.photos):
                part = "held-out"
            if part != "all":
                chosen = [photo for photo in found.photos if photo.part == part]
            print(f"{found.folder}: {found.summary()}; scored: {part} ({len(chosen):,})")
            photos += chosen
        photos, copies = datasets.without_duplicates(photos)
        if copies:
            print(f"{len(copies)} copies of other photos are left out.")
        if not photos:
            raise DataError("None of these photos belongs to the part to be scored: try --split all.")
        if options.json:
            options.json.open("a").close()  # a file that cannot be written is told now, not after minutes
    except (DataError, CheckpointError, DeviceError) as error:
        print(f"evaluate.py: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"evaluate.py: {error.filename} cannot be written: {error.strerror}.", file=sys.stderr)
        return 2

    figures, failed = measure(
        classifier, photos, lambda paths: tqdm(paths, unit="photo", disable=not sys.stderr.isatty())
    )
    for error in failed:
        print(f"Skipped: {error}", file=sys.stderr)
    if not figures:
        print("evaluate.py: none of the photos could be read.", file=sys.stderr)
        return 1
    print(as_text(figures))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
