"""Compare how a checkpoint may be shown a photo: sizes, whole, squashed or cropped. Writes a table beside it."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np
import tyro

from catdog import composites, datasets
from catdog.checkpoint import SHIPPED, CheckpointError, load_checkpoint
from catdog.datasets import DataError
from catdog.device import DeviceError, choose_device, place
from catdog.metrics import Rate, auroc
from catdog.model_card import rows
from catdog.samples import CachedPhoto, EvaluationSamples, cache_photos, made_up, made_up_both
from catdog.training import logits_of
from catdog.transforms import EvaluationPreset

PRESETS = [EvaluationPreset(size) for size in (160, 192, 224, 256)]
PRESETS += [EvaluationPreset(224, "squash"), EvaluationPreset(224, "crop")]
WIDE = 1.45  # long side / short side
FAR = 0.3  # of the short side
MADE = 150  # photos of each made-up kind
SEED = 0
HEAD = ("input", "pets: two-way", "wide: two-way", "far: two-way", "pets against negatives", "both against pets", "ms")


@dataclass
class Options:
    """Compare input sizes and shapes on the tuning photos of labelled folders."""

    data: tuple[Path, ...]
    """Labelled folders, as for train.py."""
    neither: tuple[Path, ...]
    """Folders of photos with neither a cat nor a dog."""
    checkpoint: Path = SHIPPED
    device: str = "auto"
    workers: int = 2


def main() -> int:
    options = tyro.cli(Options, prog="compare_inputs.py")
    try:
        network, _ = load_checkpoint(options.checkpoint)
        device = choose_device(options.device)
        found = datasets.read_folders(options.data, options.neither)
    except (DataError, CheckpointError, DeviceError) as error:
        print(f"compare_inputs.py: {error}", file=sys.stderr)
        return 2
    place(network, device)
    photos, _ = datasets.without_duplicates(photo for each in found for photo in each.photos)
    tuning, _ = cache_photos([photo for photo in photos if photo.part == "tuning"])
    pets = [cached for cached in tuning if sum(cached.photo.label) == 1]
    negatives = [cached for cached in tuning if sum(cached.photo.label) == 0]
    kinds = {
        "pets": pets,
        "wide": [cached for cached in pets if max(cached.size) >= WIDE * min(cached.size)],
        "far": far_pets(pets, negatives),
        "negatives": negatives,
        "both": made_up_both(tuning, SEED, MADE),
    }
    print(", ".join(f"{kind}: {len(group)}" for kind, group in kinds.items()))
    body = []
    for preset in PRESETS:
        started = time.perf_counter()
        logits = {
            kind: logits_of(network, EvaluationSamples(group, preset), device, options.workers)[0].numpy()
            for kind, group in kinds.items()
        }
        ms = 1000 * (time.perf_counter() - started) / sum(map(len, kinds.values()))
        row = (
            f"{preset.resize} {preset.size}",
            *(two_way(logits[kind], kinds[kind]) for kind in ("pets", "wide", "far")),
            f"{auroc(logits['pets'].max(1), logits['negatives'].max(1)):.4f}",
            f"{auroc(logits['both'].min(1), logits['pets'].min(1)):.4f}",
            f"{ms:.0f}",
        )
        print(*row, sep="  ", flush=True)
        body.append(row)
    counts = ", ".join(f"{len(group)} {kind}" for kind, group in kinds.items())
    table = rows(HEAD, body) + f"\n\nn: {counts}; ms: for a photo, decoded, on the machine that made this table.\n"
    options.checkpoint.with_name("inputs.md").write_text(table, encoding="utf-8")
    return 0


def far_pets(pets: Sequence[CachedPhoto], negatives: Sequence[CachedPhoto]) -> list[CachedPhoto]:
    """Small pets on photos without one."""
    rng = random.Random(SEED)
    cutouts = [cached for cached in pets if cached.photo.trimap is not None]
    made = []
    for _ in range(MADE if cutouts and negatives else 0):
        pet, base = rng.choice(cutouts), rng.choice(negatives)
        picture, _ = composites.paste(base.picture(), pet.picture(), pet.mask(), rng, FAR)
        made.append(made_up(pet, picture, pet.photo.label))
    return made


def two_way(logits: np.ndarray, group: Sequence[CachedPhoto]) -> str:
    labels = np.array([cached.photo.label for cached in group])
    right = Rate(int((logits.argmax(1) == labels.argmax(1)).sum()), len(group))
    low, high = right.interval
    return f"{right.value:.2%} ({low:.1%} to {high:.1%})"


if __name__ == "__main__":
    sys.exit(main())
