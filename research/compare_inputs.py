"""Compare how a checkpoint may be shown a photo: sizes, several at once, mirrored, squashed or cropped. Writes a table beside
it."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import tyro

from catdog.checkpoint import CheckpointError, load_checkpoint
from catdog.classifier import Classifier, Prediction
from catdog.cli import program
from catdog.datasets import DataError, composites, read_folders
from catdog.datasets.cache import CachedPhoto, cache_photos
from catdog.datasets.made_up import made_up, made_up_both
from catdog.datasets.splits import without_duplicates
from catdog.device import DeviceError, choose_device
from catdog.files import CHECKPOINT
from catdog.measuring.figures import Rate
from catdog.measuring.metrics import auroc, two_way_log_losses
from catdog.measuring.tables import markdown_table, table_path
from catdog.transforms import Resize


@dataclass(frozen=True)
class Shown:
    """A way to show a photo."""

    sizes: tuple[int, ...]
    mirrored: bool = False
    resize: Resize = "whole"

    def __str__(self) -> str:
        sizes = " + ".join(map(str, self.sizes))
        return f"{self.resize} {sizes}{' and mirrored' if self.mirrored else ''}"


WAYS = [Shown((size,)) for size in (160, 192, 224, 256, 320)]
WAYS += [Shown((224,), resize="squash"), Shown((224,), resize="crop")]
WAYS += [Shown((224,), mirrored=True), Shown((192, 224, 256)), Shown((192, 224, 256), mirrored=True)]
WIDE = 1.45  # long side / short side
FAR = 0.3  # of the short side
SEED = 0
HEAD = (
    "input",
    "pets: two-way",
    "log loss",
    "wide: two-way",
    "far: two-way",
    "pets against negatives",
    "both against pets",
    "ms",
)


@dataclass
class Options:
    """Compare input sizes and shapes on the tuning photos of labeled folders."""

    data: tuple[Path, ...]
    """Labeled folders, as for train.py."""
    neither: tuple[Path, ...]
    """Folders of photos with neither a cat nor a dog."""
    checkpoint: Path = CHECKPOINT
    device: str = "auto"
    made: int = 150
    """Photos of each made-up kind."""


def main() -> int:
    options = tyro.cli(Options, prog=program())
    try:
        network, metadata = load_checkpoint(options.checkpoint)
        device = choose_device(options.device)
        found = read_folders(options.data, options.neither)
    except (DataError, CheckpointError, DeviceError) as error:
        print(f"{program()}: {error}", file=sys.stderr)
        return 2
    photos, _ = without_duplicates(photo for each in found for photo in each.photos)
    tuning, _ = cache_photos([photo for photo in photos if photo.part == "tuning"])
    pets = [cached for cached in tuning if sum(cached.photo.label) == 1]
    negatives = [cached for cached in tuning if sum(cached.photo.label) == 0]
    kinds = {
        "pets": pets,
        "wide": [cached for cached in pets if max(cached.size) >= WIDE * min(cached.size)],
        "far": far_pets(pets, negatives, options.made),
        "negatives": negatives,
        "both": made_up_both(tuning, SEED, options.made),
    }
    print(", ".join(f"{kind}: {len(group)}" for kind, group in kinds.items()))
    body = []
    for way in WAYS:
        classifier = Classifier(network, replace(metadata, resize=way.resize), device)
        started = time.perf_counter()
        answers = {
            kind: classifier.classify((cached.content for cached in group), sizes=way.sizes, mirrored=way.mirrored)
            for kind, group in kinds.items()
        }
        ms = 1000 * (time.perf_counter() - started) / sum(map(len, kinds.values()))
        logits = {kind: np.array([one.logits for one in of_kind]) for kind, of_kind in answers.items()}
        row = (
            str(way),
            two_way(logits["pets"], pets),
            f"{log_loss(answers['pets'], pets):.4f}",
            *(two_way(logits[kind], kinds[kind]) for kind in ("wide", "far")),
            f"{auroc(logits['pets'].max(1), logits['negatives'].max(1)):.4f}",
            f"{auroc(logits['both'].min(1), logits['pets'].min(1)):.4f}",
            f"{ms:.0f}",
        )
        print(*row, sep="  ", flush=True)
        body.append(row)
    counts = ", ".join(f"{len(group)} {kind}" for kind, group in kinds.items())
    table = markdown_table(HEAD, body) + (
        f"\n\nn: {counts}; log loss: two-way, of the calibrated probabilities; ms: for a photo, decoded, on the machine that "
        "made this table.\n"
    )
    table_path(options.checkpoint, "inputs").write_text(table, encoding="utf-8")
    return 0


def far_pets(pets: Sequence[CachedPhoto], negatives: Sequence[CachedPhoto], count: int) -> list[CachedPhoto]:
    """Small pets on photos without one."""
    rng = random.Random(SEED)
    cutouts = [cached for cached in pets if cached.photo.trimap is not None]
    made = []
    for _ in range(count if cutouts and negatives else 0):
        pet, base = rng.choice(cutouts), rng.choice(negatives)
        mask = pet.mask()
        assert mask is not None  # cut-outs have a trimap
        picture, _ = composites.paste(base.picture(), pet.picture(), mask, rng, FAR)
        made.append(made_up(pet, picture, pet.photo.label))
    return made


def log_loss(answers: Sequence[Prediction], group: Sequence[CachedPhoto]) -> float:
    probabilities = np.array([(one.cat, one.dog) for one in answers])
    return float(two_way_log_losses(probabilities, np.array([cached.photo.label for cached in group])).mean())


def two_way(logits: np.ndarray, group: Sequence[CachedPhoto]) -> str:
    """An empty cell where the folders hold no such photo."""
    if not group:
        return ""
    labels = np.array([cached.photo.label for cached in group])
    right = Rate(int((logits.argmax(1) == labels.argmax(1)).sum()), len(group))
    low, high = right.interval
    return f"{right.value:.2%} ({low:.1%} to {high:.1%})"


if __name__ == "__main__":
    sys.exit(main())
