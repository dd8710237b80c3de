"""What a training run starts from: photos and weights."""

from __future__ import annotations

import logging
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from catdog.checkpoint import CheckpointError, load_fitting, load_initial_weights
from catdog.datasets import PARTS, DataError, Photo, read_folders
from catdog.datasets.cache import CachedPhoto, cache_photos
from catdog.datasets.kinds import with_kinds
from catdog.datasets.layouts import LAYOUTS
from catdog.datasets.lists import read_excluded, read_labels
from catdog.datasets.splits import without_duplicates
from catdog.images import ImageError, one_line
from catdog.labels import LABELS, VERDICTS
from catdog.resnet import ResNet
from catdog.training.config import TrainConfig

DOWNLOAD_FOLDER = Path("data")

log = logging.getLogger(__name__)


@dataclass
class Found:
    """The photos of a run, by part, none of them opened yet."""

    by_part: dict[str, list[Photo]]
    folders: list[str]  # of every folder its name, layout and counts


@dataclass
class Photos:
    """The photos of a run, by part; those for training and tuning decoded once, held-out ones not before the end."""

    training: list[CachedPhoto]
    tuning: list[CachedPhoto]
    held_out: list[Photo]
    failed: list[tuple[Photo, ImageError]]
    folders: list[str]

    @property
    def real_negatives(self) -> bool:
        return any(cached.photo.label == (0, 0) for cached in self.training)


def find_photos(config: TrainConfig) -> Found:
    """Read the folders, drop duplicates, leave out and relabel what the options say: quick, beside reading every photo.

    Raises:
        DataError: for folders that cannot be used.
    """
    found = read_folders(config.data or (download_oxford(),), config.neither)
    for each in found:
        log.info(f"{one_line(each.folder)}: {each.summary()}")
        for sentence in each.unused:
            log.info(sentence)
    photos, copies = without_duplicates(photo for each in found for photo in each.photos)
    if copies:
        log.info(f"{len(copies)} copies of other photos are left out.")
    if config.exclude:
        is_excluded = read_excluded(config.exclude)
        kept = [photo for photo in photos if photo.part != "training" or not is_excluded(photo.path)]
        log.info(f"{len(photos) - len(kept)} training photos are left out, as {config.exclude} says.")
        photos = kept
    if config.relabel:
        label_of = read_labels(config.relabel)
        given = photos
        photos = [
            photo if photo.part == "held-out" else replace(photo, label=label_of(photo.path, photo.label))
            for photo in given
        ]
        changed = sum(new.label != old.label for new, old in zip(photos, given))
        log.info(f"{changed} training and tuning photos have another label, as {config.relabel} says.")
    if config.kinds:
        photos = with_kinds(photos, config.kinds)
    if config.loss == "cross-entropy":  # a softmax knows one pet a photo
        photos = [photo for photo in photos if sum(photo.label) == 1]
    by_part = {part: [photo for photo in photos if photo.part == part] for part in PARTS}
    check_labels(by_part)
    if config.dry_run:
        by_part = {part: some_of_each(group) for part, group in by_part.items()}
    return Found(by_part, [f"{one_line(each.folder.resolve().name)}: {each.summary()}" for each in found])


def read_photos(found: Found) -> Photos:
    """Read and decode every training and tuning photo.

    Raises:
        DataError: where none of a label is left.
    """
    training, failed = cache_photos(found.by_part["training"])
    tuning, failed_tuning = cache_photos(found.by_part["tuning"])
    readable = {
        part: [cached.photo for cached in group] for part, group in (("training", training), ("tuning", tuning))
    }
    check_labels(readable)
    for part, group in readable.items():
        counts = Counter(photo.verdict for photo in group)
        log.info(f"{part}: {', '.join(f'{count:,} {verdict}' for verdict, count in counts.items())}")
    return Photos(training, tuning, found.by_part["held-out"], failed + failed_tuning, found.folders)


def check_labels(by_part: Mapping[str, Sequence[Photo]]) -> None:
    """Both labels are needed to train, and to tune.

    Raises:
        DataError: where one of them is missing.
    """
    for part, way_out in (
        ("training", "both kinds are needed"),
        ("tuning", "give more photos, or put some under val/"),
    ):
        for index, label in enumerate(LABELS):
            if not any(photo.label[index] for photo in by_part[part]):
                raise DataError(f"There is no {label} among the {part} photos: {way_out}.")


def some_of_each(photos: Sequence[Photo], count: int = 40) -> list[Photo]:
    """The first few of each label, for a dry run."""
    kept: list[Photo] = []
    for label in VERDICTS:
        kept += [photo for photo in photos if photo.label == label][:count]
    return kept


def download_oxford() -> Path:
    """Oxford-IIIT Pet through torchvision, for a run without --data.

    Raises:
        DataError: where it cannot be downloaded.
    """
    from torchvision.datasets import OxfordIIITPet

    log.info(f"No --data was given: downloading Oxford-IIIT Pet (800 MB) into {DOWNLOAD_FOLDER}.")
    try:
        OxfordIIITPet(str(DOWNLOAD_FOLDER), download=True)
    except (OSError, RuntimeError) as error:  # URLError is an OSError; a wrong checksum a RuntimeError
        raise DataError(
            f"Oxford-IIIT Pet cannot be downloaded ({error}): give a folder of your own, --data DIR, with one of these "
            f"layouts:\n{LAYOUTS}"
        ) from error
    return DOWNLOAD_FOLDER


def initialize(network: ResNet, config: TrainConfig) -> None:
    """Starting weights as --init says.

    Raises:
        CheckpointError: where they cannot be had or do not fit.
    """
    if config.init == "none":
        return
    if config.init == "imagenet":
        missing, unexpected = load_fitting(network, imagenet_weights(config.arch), "ImageNet's weights")
    else:
        missing, unexpected = load_initial_weights(network, config.init)
    missing = [name for name in missing if not name.endswith("num_batches_tracked")]
    log.info(
        f"Starting weights: {config.init}. Missing: {', '.join(missing) or 'none'}; unused: {', '.join(unexpected) or 'none'}."
    )


def imagenet_weights(arch: str) -> dict[str, torch.Tensor]:
    """torchvision's DEFAULT weights, downloaded or from its cache.

    Raises:
        CheckpointError: where they cannot be downloaded, with the ways out.
    """
    from torchvision.models import get_model_weights

    try:
        weights = get_model_weights(arch)["DEFAULT"]
        return dict(weights.get_state_dict(progress=sys.stderr.isatty(), check_hash=True))
    except (OSError, RuntimeError) as error:
        raise CheckpointError(
            f"ImageNet's weights cannot be downloaded ({error}): use --init FILE with a file of {arch} weights, or "
            "--init none to do without them."
        ) from error
