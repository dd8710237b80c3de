"""Compare training recipes on a fixed small task, before hours are spent on one. Keeps its results in a table beside the
checkpoint."""

from __future__ import annotations

import csv
import sys
import tempfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
import tyro

from catdog.checkpoint import CheckpointError
from catdog.cli import log_to_terminal, program
from catdog.datasets import DataError
from catdog.datasets.cache import CachedPhoto
from catdog.datasets.made_up import made_up_both
from catdog.datasets.samples import EvaluationSamples
from catdog.device import DeviceError, choose_device, keep_memory
from catdog.files import CHECKPOINT
from catdog.measuring.metrics import auroc
from catdog.measuring.tables import markdown_table
from catdog.resnet import ARCHITECTURES
from catdog.training.config import RECIPES, OptionError, TrainConfig
from catdog.training.evaluation import logits_of
from catdog.training.loop import fit
from catdog.training.sources import Photos, find_photos, initialize, read_photos
from catdog.training.teacher import LITE, load_teacher

PART = 3  # one training photo in so many is used
PROXY = {"epochs": 2, "start_size": 128, "train_size": 128, "input_size": 160, "patience": 99}
MADE = 200  # made-up photos of both
VARIANTS: dict[str, dict] = {  # what each changes of the proxy
    "quick": {},
    "squash": {"resize": "squash"},
    "crop": {"resize": "crop"},
    "160 px": {"start_size": 160, "train_size": 160, "input_size": 192},
    "192 px": {"start_size": 192, "train_size": 192, "input_size": 224},
    "224 px": {"start_size": 224, "train_size": 224, "input_size": 256},
    "4 epochs": {"epochs": 4},
    "no EMA": {"ema": 0.0},
    "no stage frozen": {"frozen_stages": 0},
    "2 stages frozen": {"frozen_stages": 2},
    "3 stages frozen": {"frozen_stages": 3},
    "no photos put together": {"composite": 0.0},
    "half put together": {"composite": 0.5},
    "crops from 0.2": {"min_crop": 0.2},
    "crops from 0.6": {"min_crop": 0.6},
    "strong color": {"color": 0.7},
    "TrivialAugment": {"trivial": 0.5},
    "blotted rectangles": {"erase": 0.25},
    "far pets": {"far": 0.5},
    "darker photos": {"dark": 0.3},
    "frozen features": {"frozen_stages": 4},
    "place loss": {"place_loss": 0.2},
    "mixup": {"mixup": 0.2},
    "CutMix": {"cutmix": 1.0},
    "no augmentation": {"augment": False},
    "no label smoothing": {"label_smoothing": 0.0},
    "cosine": {"schedule": "cosine"},
    "half the rate": {"learning_rate": 5e-4},
    "twice the rate": {"learning_rate": 2e-3},
    "sources as they are": {"balance": 1.0},
    "teacher": {"teacher": LITE},
}
COLUMNS = ("variant", "seed", "two_way", "loss", "negatives", "both")
HEAD = ("variant", "seeds", "two-way", "loss", "pets against negatives", "both against pets")


@dataclass
class Options:
    """Train each variant on a third of the photos for two epochs at 128 px, and score it on the tuning photos."""

    data: tuple[Path, ...]
    """Labeled folders, as for train.py."""
    neither: tuple[Path, ...] = ()
    """Folders of photos with neither a cat nor a dog."""
    init: str = "imagenet"
    """Starting weights, as for train.py."""
    only: tuple[str, ...] = ()
    """Variants to run; without it, all that are not in the table yet."""
    seeds: tuple[int, ...] = field(default_factory=lambda: (0, 1))
    out: Path = CHECKPOINT.with_suffix("") / "recipes.csv"
    """Every run's result; the table is written beside it, `.md`."""
    device: str = "auto"
    bfloat16: bool = False
    """As for train.py."""
    workers: int = 2


def main() -> int:
    options = tyro.cli(Options, prog=program())
    log_to_terminal()
    if unknown := [name for name in options.only if name not in VARIANTS]:
        print(f"{program()}: there is no {', '.join(unknown)}: {', '.join(VARIANTS)}.", file=sys.stderr)
        return 2
    base = proxy(options.data, options.neither, options.init, options.bfloat16, options.workers)
    try:
        device = choose_device(options.device)
        photos = read_photos(find_photos(base))
        initialize(ARCHITECTURES[base.arch](), base)
        for name in options.only or VARIANTS:  # a teacher that cannot be had is told before minutes are spent
            load_teacher(VARIANTS[name].get("teacher", base.teacher))
    except (DataError, CheckpointError, DeviceError, OptionError) as error:
        print(f"{program()}: {error}", file=sys.stderr)
        return 2
    photos.training = list(filter(in_proxy, photos.training))
    print(f"One training photo in {PART}: {len(photos.training):,}")
    results = read(options.out)
    done = {(row["variant"], int(row["seed"])) for row in results}
    for seed in options.seeds:
        for name in options.only or VARIANTS:
            if (name, seed) in done:
                continue
            figures = score(replace(base, seed=seed, **VARIANTS[name]), photos, device)
            row = {"variant": name, "seed": seed} | {key: f"{value:.5f}" for key, value in figures.items()}
            print(*row.values(), sep="  ", flush=True)
            results.append(row)
            write(options.out, results)
    options.out.with_suffix(".md").write_text(table(results, photos.tuning), encoding="utf-8")
    return 0


def proxy(data: tuple[Path, ...], neither: tuple[Path, ...], init: str, bfloat16: bool, workers: int) -> TrainConfig:
    """The small task: the quick recipe, since what guards long runs shows nothing in two epochs, at 128 px."""
    return replace(RECIPES["quick"], data=data, neither=neither, init=init, bfloat16=bfloat16, workers=workers, **PROXY)


def in_proxy(cached: CachedPhoto) -> bool:
    """Whether a training photo is of the third that is used; by its name, so that it is the same one everywhere."""
    return zlib.crc32(cached.photo.path.name.encode()) // 10 % PART == 0  # the last digit splits the parts


def score(config: TrainConfig, photos: Photos, device: torch.device) -> dict[str, float]:
    """Train one variant; its figures on tuning photos."""
    torch.manual_seed(config.seed)
    network = ARCHITECTURES[config.arch]()
    initialize(network, config)
    with tempfile.TemporaryDirectory() as folder:
        state_path = Path(folder) / "state.resume"
        teacher = load_teacher(config.teacher)
        fitted = fit(network, config, photos.training, photos.tuning, device, state_path, teacher=teacher)
    groups = {
        "pet": [cached for cached in photos.tuning if sum(cached.photo.label) == 1],
        "negative": [cached for cached in photos.tuning if sum(cached.photo.label) == 0],
        "both": made_up_both(photos.tuning, 0, MADE),
    }
    preset = config.evaluation_preset()
    logits = {
        kind: logits_of(fitted.network, EvaluationSamples(group, preset), device, config.workers)[0].numpy()
        for kind, group in groups.items()
    }
    labels = np.array([cached.photo.label for cached in groups["pet"]])
    return {
        "two_way": float((logits["pet"].argmax(1) == labels.argmax(1)).mean()),
        "loss": fitted.progress.best_loss,
        "negatives": auroc(logits["pet"].max(1), logits["negative"].max(1)),
        "both": auroc(logits["both"].min(1), logits["pet"].min(1)),
    }


def read(path: Path) -> list[dict]:
    if not path.exists():
        return []
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write(path: Path, results: Sequence[dict]) -> None:
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(results)


def table(results: Sequence[dict], tuning: Sequence[CachedPhoto]) -> str:
    """A row a variant: the mean over its seeds, and of several the lowest and highest."""
    body = []
    for name in dict.fromkeys(row["variant"] for row in results):
        runs = [row for row in results if row["variant"] == name]
        cells = []
        for key, form in (("two_way", "{:.2%}"), ("loss", "{:.4f}"), ("negatives", "{:.4f}"), ("both", "{:.4f}")):
            values = np.array([float(row[key]) for row in runs])
            spread = f" ({form.format(values.min())} to {form.format(values.max())})" if len(runs) > 1 else ""
            cells.append(form.format(values.mean()) + spread)
        body.append((name, len(runs), *cells))
    pets = sum(sum(cached.photo.label) == 1 for cached in tuning)
    return markdown_table(HEAD, body) + f"\n\nTuning photos: {len(tuning):,}, of which {pets:,} of one pet.\n"


if __name__ == "__main__":
    keep_memory()
    sys.exit(main())
