"""The bank of other pets that pets are told from: signatures of photos whose names tell breeds, a few of each breed."""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tyro

import catdog
from catdog.checkpoint import CheckpointError, digest_of_network
from catdog.cli import program
from catdog.datasets import DataError, Photo, read_folders
from catdog.labels import LABELS
from catdog.pets import BANK, Bank


@dataclass
class Options:
    """Write the bank of a checkpoint."""

    data: Path
    """The Oxford-IIIT Pet folder; its training photos are used."""
    checkpoint: Path | None = None
    """Without one, the checkpoint that is shipped."""
    out: Path = BANK
    of_breed: int = 6
    """Photos of each breed."""
    source: str = (
        "The Oxford-IIIT Pet Dataset (Parkhi, Vedaldi, Zisserman and Jawahar 2012), CC BY-SA 4.0, "
        "https://www.robots.ox.ac.uk/~vgg/data/pets/"
    )


def main() -> int:
    options = tyro.cli(Options, prog=program())
    try:
        classifier = catdog.load(options.checkpoint)
        photos = [photo for found in read_folders([options.data]) for photo in found.photos if photo.part == "training"]
    except (CheckpointError, DataError) as error:
        print(f"{program()}: {error}", file=sys.stderr)
        return 2
    chosen = [photo for of_one in by_breed(photos).values() for photo in of_one[: options.of_breed]]
    explanations = classifier.explain(photo.path for photo in chosen)
    signatures: dict[str, list[np.ndarray]] = {label: [] for label in LABELS}
    for photo, explanation in zip(chosen, explanations):
        if explanation.prediction.verdict == photo.verdict:
            signatures[photo.verdict].append(explanation.signature)
    cat, dog = (np.stack(signatures[label]) for label in LABELS)
    Bank(cat, dog, digest_of_network(classifier.network), options.source).save(options.out)
    print(f"{options.out}: {len(cat)} cats and {len(dog)} dogs, {options.out.stat().st_size / 1000:.0f} KB")
    return 0


def by_breed(photos: list[Photo]) -> dict[str, list[Photo]]:
    """Photos by the breed that their names begin with."""
    breeds = defaultdict(list)
    for photo in photos:
        breeds[breed_of(photo)].append(photo)
    return dict(breeds)


def breed_of(photo: Photo) -> str:
    return re.sub(r"_\d+$", "", photo.path.stem)


if __name__ == "__main__":
    sys.exit(main())
