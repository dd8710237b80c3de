"""How well pets of hard kinds are told that training did not see: a fifth of them left out of a short run in turns, then
answered by it. Prints a table, a row a kind."""

from __future__ import annotations

import sys
import zlib
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path

import tyro

from catdog.checkpoint import CheckpointError
from catdog.classifier import Classifier
from catdog.cli import log_to_terminal, program
from catdog.datasets import DataError
from catdog.datasets.cache import CachedPhoto, cache_photos
from catdog.device import DeviceError, choose_device, keep_memory
from catdog.measuring.figures import Rate
from catdog.measuring.tables import markdown_table
from catdog.resnet import ARCHITECTURES
from catdog.training.sources import find_photos, initialize, read_photos
from research.compare_recipes import in_proxy, proxy
from research.leave_out import trained
from research.measure_scenes import is_hard

FOLDS = 5
HEAD = ("kind", "n", "verdict right", "called neither", "the other label larger")


@dataclass
class Options:
    """Train five times on a third of the photos for two epochs at 128 px, each time without a fifth of the hard kinds."""

    data: tuple[Path, ...]
    """Labeled folders, as for train.py, with their kinds in CSVs beside them."""
    neither: tuple[Path, ...] = ()
    """Folders of photos with neither a cat nor a dog."""
    init: str = "imagenet"
    """Starting weights, as for train.py: none that have seen these photos."""
    device: str = "auto"
    bfloat16: bool = False
    """As for train.py."""
    workers: int = 2


def main() -> int:
    options = tyro.cli(Options, prog=program())
    log_to_terminal()
    config = proxy(options.data, options.neither, options.init, options.bfloat16, options.workers)
    try:
        device = choose_device(options.device)
        photos = read_photos(find_photos(config))
        initialize(ARCHITECTURES[config.arch](), config)
    except (DataError, CheckpointError, DeviceError) as error:
        print(f"{program()}: {error}", file=sys.stderr)
        return 2
    held_out, _ = cache_photos([photo for photo in photos.held_out if is_hard(photo.kind)])
    hard = [one for one in (*photos.training, *photos.tuning, *held_out) if is_pet_of_hard_kind(one)]
    answers: dict[str, list[tuple]] = defaultdict(list)  # by kind: what it shows, verdict, margin
    for fold in range(FOLDS):
        kept = replace(
            photos,
            training=[one for one in photos.training if in_proxy(one) and not in_fold(one, fold)],
            tuning=[one for one in photos.tuning if not in_fold(one, fold)],
        )
        classifier = trained(config, kept, device)
        left_out = [one for one in hard if in_fold(one, fold)]
        for kind, *rest in answered(classifier, left_out):
            answers[kind].append(tuple(rest))
        print(f"fold {fold + 1} of {FOLDS}: {len(left_out)} photos", flush=True)
    body = [row(kind, answers[kind]) for kind in sorted(answers)]
    for label in ("cat", "dog"):
        body.append(row(f"all of a {label}", [each for rows in answers.values() for each in rows if each[0] == label]))
    print(markdown_table(HEAD, body))
    return 0


def is_pet_of_hard_kind(one: CachedPhoto) -> bool:
    return is_hard(one.photo.kind) and sum(one.photo.label) == 1


def in_fold(one: CachedPhoto, fold: int) -> bool:
    """By its name, so that it is the same one everywhere; the last digit splits the parts, and the one before the third that
    is used."""
    return is_pet_of_hard_kind(one) and zlib.crc32(one.photo.path.name.encode()) // 100 % FOLDS == fold


def answered(classifier: Classifier, photos: list[CachedPhoto]) -> list[tuple]:
    """Kind, what it shows, the verdict, and the right label's probability less the other's."""
    found = classifier.classify(one.content for one in photos)
    return [
        (
            one.photo.kind,
            one.photo.verdict,
            each.verdict,
            (each.dog - each.cat) * (1 if one.photo.verdict == "dog" else -1),
        )
        for one, each in zip(photos, found)
    ]


def row(name: str, rows: list[tuple]) -> tuple:
    def rate(count: int) -> str:
        return str(Rate(count, len(rows)))

    right = sum(shows == verdict for shows, verdict, _ in rows)
    neither = sum(verdict == "neither" for _, verdict, _ in rows)
    return name, len(rows), rate(right), rate(neither), rate(sum(margin < 0 for *_, margin in rows))


if __name__ == "__main__":
    keep_memory()
    sys.exit(main())
