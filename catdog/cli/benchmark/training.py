"""For benchmark.py: how long each recipe takes to the accuracy that the tutorial's reaches, and what a step takes."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from catdog.classifier import Classifier
from catdog.cli.benchmark.options import Options
from catdog.cli.benchmark.server import environment
from catdog.datasets.cache import CachedPhoto
from catdog.device import has_fast_bfloat16, keep_memory
from catdog.measuring.timing import against, summary
from catdog.resnet import ARCHITECTURES
from catdog.training.config import RECIPES, TrainConfig
from catdog.training.loop import fit, train_step
from catdog.training.optimizers import freeze
from catdog.training.sources import find_photos, initialize, read_photos
from catdog.training.state import Progress, Run
from catdog.training.teacher import load_teacher
from catdog.transforms import STRIDE

TUTORIALS_SHARE = 0.75  # of the time that may be taken
STEP_ROUNDS = 3
STEPS, WARM_UP = 6, 2  # of a process


class Enough(Exception):
    """Ends a run after an epoch."""


@dataclass(frozen=True)
class Epoch:
    seconds: float  # since the run began
    two_way: float  # accuracy on the tuning photos
    images_per_second: float


def training(classifier: Classifier, options: Options) -> dict[str, dict[str, float]]:
    """Both recipes from the same weights, on the same photos held in memory in the same way, one after the other.

    The tutorial's runs until its time is up, or to its end; what counts is when it was at its best. Ours ends with the
    first epoch that is as good, and computes in bfloat16 where the CPU is faster in it. Accuracy is two-way, on the tuning
    photos; finding it out is part of the time.
    """
    shared = {"data": options.data, "neither": options.neither, "init": options.init, "workers": options.threads}
    ours, tutorial = (replace(RECIPES[name], **shared) for name in ("quick", "tutorial"))
    ours = replace(ours, bfloat16=has_fast_bfloat16())
    photos = read_photos(find_photos(ours))
    pets, tuning_pets = (
        [cached for cached in part if sum(cached.photo.label) == 1] for part in (photos.training, photos.tuning)
    )
    seconds = 60 * options.minutes
    started = time.monotonic()
    slow = run(tutorial, pets, tuning_pets, lambda epoch: epoch.seconds >= TUTORIALS_SHARE * seconds)
    best = max(slow, key=lambda epoch: epoch.two_way)
    left = seconds - (time.monotonic() - started)
    fast = run(
        ours, photos.training, photos.tuning, lambda epoch: epoch.two_way >= best.two_way or epoch.seconds >= left
    )
    figures = {}
    named = f"the quick recipe{' with --bfloat16' if ours.bfloat16 else ''}"
    for name, epochs, end in (("the tutorial's recipe", slow, best), (named, fast, fast[-1])):
        pace = sum(epoch.images_per_second for epoch in epochs) / len(epochs)
        name = f"{name}: {end.two_way:.2%} after {epochs.index(end) + 1} epochs of {len(epochs)}, {pace:.0f} images/s"
        figures[name] = {key: 1000 * end.seconds for key in ("median", "low", "high")}
        figures[name]["times"] = end.seconds / best.seconds
    return figures


def run(
    config: TrainConfig,
    photos: Sequence[CachedPhoto],
    tuning: Sequence[CachedPhoto],
    enough: Callable[[Epoch], bool],
) -> list[Epoch]:
    """Train to the end of the recipe, or of the first epoch that is enough."""
    epochs: list[Epoch] = []

    def note(progress: Progress) -> None:
        row = progress.curves[-1]
        epochs.append(Epoch(time.monotonic() - started, row["tuning_two_way"], row["images_per_second"]))
        print(config.recipe, epochs[-1], flush=True)
        if enough(epochs[-1]):
            raise Enough

    torch.manual_seed(config.seed)
    network = ARCHITECTURES[config.arch]()
    initialize(network, config)
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, suppress(Enough):
        fit(network, config, photos, tuning, torch.device("cpu"), Path(folder) / "state.resume", on_epoch=note)
    return epochs


def step(classifier: Classifier, options: Options) -> dict[str, dict[str, float]]:
    """A step of the default recipe, where freed memory goes back to the system and where it is kept, as train.py has it."""
    ways = {"a training step, freed memory given back": False, "freed memory kept": True}
    taken: dict[str, list[float]] = {name: [] for name in ways}
    losses = set()
    for _ in range(STEP_ROUNDS):
        for name, keep in ways.items():
            code = f"from catdog.cli.benchmark.training import steps; steps({keep})"
            command = [sys.executable, "-c", code]
            done = subprocess.run(command, env=environment(options), stdout=subprocess.PIPE, text=True, check=True)
            milliseconds, loss = done.stdout.split()[-2:]
            taken[name].append(float(milliseconds))
            losses.add(loss)
    if len(losses) > 1:
        raise AssertionError(f"The steps end with losses that differ: {', '.join(sorted(losses))}.")
    return against(next(iter(ways)), {name: summary(values) for name, values in taken.items()})


def steps(keep: bool) -> None:
    """Print the median of a step's milliseconds, and the last step's loss: the default recipe, noise for photos."""
    if keep:
        keep_memory()
    config = RECIPES["default"]
    torch.manual_seed(config.seed)
    network = ARCHITECTURES[config.arch]()
    run = Run(network, config, torch.device("cpu"), STEPS, "", load_teacher(config.teacher))
    freeze(network, config.frozen_stages, config.frozen_batch_norm)
    pictures = torch.randn(config.batch_size, 3, config.train_size, config.train_size)
    targets = torch.eye(2).repeat(config.batch_size // 2, 1)
    places = targets[:, :, None, None].expand(-1, -1, *[config.train_size // STRIDE] * 2)
    taken, loss = [], 0.0
    for _ in range(STEPS):
        started = time.perf_counter()
        loss, _ = train_step(run, pictures, targets, places)
        taken.append(1000 * (time.perf_counter() - started))
    print(statistics.median(taken[WARM_UP:]), loss)
