"""What a training run starts from: photos and weights."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from catdog.checkpoint import CheckpointError, load_fitting, load_initial_weights
from catdog.datasets import PARTS, DataError, Photo, read_folders
from catdog.datasets.cache import CachedPhoto, cache_photos
from catdog.datasets.layouts import LAYOUTS
from catdog.datasets.lists import read_excluded, read_labels
from catdog.datasets.splits import without_duplicates
from catdog.images import ImageError, one_line
from catdog.labels import LABELS, VERDICTS
from catdog.resnet import ResNet
from catdog.training.config import TrainConfig

DOWNLOAD_FOLDER = Path("data")


@dataclass
class Photos:
    """The photos of a run, decoded once, by part."""

    training: list[CachedPhoto]
    tuning: list[CachedPhoto]
    held_out: list[Photo]
    failed: list[ImageError]
    folders: list[str]  # of every folder its name, layout and counts


def gather(config: TrainConfig, say: Callable[[str], None]) -> Photos:
    """Read folders, drop duplicates, decode every training and tuning photo once."""
    data = config.data or (download_oxford(say),)
    found = read_folders(data, config.neither)
    for each in found:
        say(f"{one_line(each.folder)}: {each.summary()}")
        for sentence in each.unused:
            say(sentence)
    photos, copies = without_duplicates(photo for each in found for photo in each.photos)
    if copies:
        say(f"{len(copies)} copies of other photos are left out.")
    if config.exclude:
        is_excluded = read_excluded(config.exclude)
        kept = [photo for photo in photos if photo.part != "training" or not is_excluded(photo.path)]
        say(f"{len(photos) - len(kept)} training photos are left out, as {config.exclude} says.")
        photos = kept
    if config.relabel:
        label_of = read_labels(config.relabel)
        given = photos
        photos = [
            photo if photo.part == "held-out" else replace(photo, label=label_of(photo.path, photo.label))
            for photo in given
        ]
        changed = sum(new.label != old.label for new, old in zip(photos, given))
        say(f"{changed} training and tuning photos have another label, as {config.relabel} says.")
    if config.loss == "cross-entropy":  # a softmax knows one pet a photo
        photos = [photo for photo in photos if sum(photo.label) == 1]
    by_part = {part: [photo for photo in photos if photo.part == part] for part in PARTS}
    if config.dry_run:
        by_part = {part: some_of_each(group) for part, group in by_part.items()}
    training, failed = cache_photos(by_part["training"])
    tuning, failed_tuning = cache_photos(by_part["tuning"])
    for part, cached in (("training", training), ("tuning", tuning)):
        for index, label in enumerate(LABELS):
            if not any(one.photo.label[index] for one in cached):
                way_out = "give more photos, or put some under val/" if part == "tuning" else "both kinds are needed"
                raise DataError(f"There is no {label} among the {part} photos: {way_out}.")
        counts = Counter(one.photo.verdict for one in cached)
        say(f"{part}: {', '.join(f'{count:,} {verdict}' for verdict, count in counts.items())}")
    return Photos(
        training,
        tuning,
        by_part["held-out"],
        [error for _, error in failed + failed_tuning],
        [f"{one_line(each.folder.resolve().name)}: {each.summary()}" for each in found],
    )


def some_of_each(photos: Sequence[Photo], count: int = 40) -> list[Photo]:
    """The first few of each label, for a dry run."""
    kept: list[Photo] = []
    for label in VERDICTS:
        kept += [photo for photo in photos if photo.label == label][:count]
    return kept


def download_oxford(say: Callable[[str], None]) -> Path:
    """Oxford-IIIT Pet through torchvision, for a run without --data.

    Raises:
        DataError: where it cannot be downloaded.
    """
    from torchvision.datasets import OxfordIIITPet

    say(f"No --data was given: downloading Oxford-IIIT Pet (800 MB) into {DOWNLOAD_FOLDER}.")
    try:
        OxfordIIITPet(str(DOWNLOAD_FOLDER), download=True)
    except (OSError, RuntimeError) as error:  # URLError is an OSError; a wrong checksum a RuntimeError
        raise DataError(
            f"Oxford-IIIT Pet cannot be downloaded ({error}): give a folder of your own, --data DIR, with one of these "
            f"layouts:\n{LAYOUTS}"
        ) from error
    return DOWNLOAD_FOLDER


def initialize(network: ResNet, config: TrainConfig, say: Callable[[str], None]) -> None:
    """Starting weights as --init says."""
    if config.init == "none":
        return
    if config.init == "imagenet":
        missing, unexpected = load_fitting(network, imagenet_weights(config.arch), "ImageNet's weights")
    else:
        missing, unexpected = load_initial_weights(network, config.init)
    missing = [name for name in missing if not name.endswith("num_batches_tracked")]
    say(
        f"Starting weights: {config.init}. Missing: {', '.join(missing) or 'none'}; unused: {', '.join(unexpected) or 'none'}."
    )


def imagenet_weights(arch: str) -> dict[str, torch.Tensor]:
    """torchvision's DEFAULT weights, downloaded or from its cache.

    Raises:
        CheckpointError: where they cannot be downloaded, with the ways out.
    """
    from torchvision.models import get_model_weights

    try:
        return get_model_weights(arch).DEFAULT.get_state_dict(progress=sys.stderr.isatty(), check_hash=True)
    except (OSError, RuntimeError) as error:
        raise CheckpointError(
            f"ImageNet's weights cannot be downloaded ({error}): use --init FILE with a file of {arch} weights, or "
            "--init none to do without them."
        ) from error
