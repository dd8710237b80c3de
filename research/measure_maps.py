"""Measure the maps: whether they are on the pet, and whether they show what the network used. Writes tables beside the
checkpoint."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tyro
from scipy.stats import binomtest

from catdog import load
from catdog.cams import CAM_METHODS
from catdog.checkpoint import CheckpointError
from catdog.classifier import Classifier
from catdog.cli import program
from catdog.datasets import DataError, read_folders
from catdog.datasets.cache import CachedPhoto, cache_photos
from catdog.device import DeviceError
from catdog.files import CHECKPOINT
from catdog.measuring.faithfulness import deletion_and_insertion, edges, likeness, random_map, randomized
from catdog.measuring.figures import Rate
from catdog.measuring.localization import (
    MIN_IOU,
    Localization,
    MapsOf,
    box_from_map,
    by_package,
    centered_boxes,
    closed_form,
    corloc,
    fit_box_threshold,
    gaussian,
    localize,
    pet_boxes,
    pet_of,
    with_extent,
)
from catdog.measuring.metrics import mean_of
from catdog.measuring.tables import markdown_table, table_path

SLOW = ("ScoreCAM", "AblationCAM")  # half a minute a photo on two cores
SLOW_THRESHOLD = 0.1  # of their boxes, between what GradCAM and LayerCAM get: choosing it would take hours
FITTING = 60  # trainval photos that choose the threshold of the other maps' boxes
HEAD = (
    "map",
    "n",
    "peak on the pet",
    "where the center is not",
    "energy on the pet",
    "box found",
    "box and the pet's overlap",
    "ms",
)


@dataclass
class Options:
    """Measure the maps on the held-out photos of Oxford-IIIT Pet that have a trimap."""

    data: Path
    """Oxford-IIIT Pet."""
    checkpoint: Path = CHECKPOINT
    device: str = "auto"
    slow: int = 40
    """Photos, chosen by seed, on which the slow methods are measured; 0 leaves them out."""
    faithful: int = 30
    """Photos, chosen by seed, for deletion, insertion and the sanity check; 0 leaves them out."""


def main() -> int:
    options = tyro.cli(Options, prog=program())
    try:
        classifier = load(options.checkpoint, options.device)
        [found] = read_folders([options.data])
        with_trimap, _ = cache_photos([photo for photo in found.photos if photo.trimap])
        photos = [cached for cached in with_trimap if cached.photo.part == "held-out"]
        trainval = [cached for cached in with_trimap if cached.photo.part != "held-out"]
        if not photos or not trainval:
            raise DataError(f"The maps cannot be measured: {options.data} has no trimaps of trainval and test.")
        fitting = random.Random(0).sample(trainval, min(FITTING, len(trainval)))
    except (CheckpointError, DataError, DeviceError) as error:
        print(f"{program()}: {error}", file=sys.stderr)
        return 2
    body = []

    def measure(
        name: str, maps_of: MapsOf, photos: Sequence[CachedPhoto] = photos, threshold: float | None = None
    ) -> Localization:
        """Without a threshold of the box, the one that is best on photos that are not held out."""
        threshold = threshold or fit_box_threshold(fitting, maps_of)
        started = time.perf_counter()
        result = localize(photos, maps_of, threshold)
        ms = 1000 * (time.perf_counter() - started) / len(photos)
        off = result.pointing_off_center
        row = (
            name,
            len(photos),
            rate_text(result.pointing),
            f"{off.k} of {off.n}",
            f"{result.energy:.1%}",
            rate_text(result.corloc),
            mean_text(result.overlaps),
            f"{ms:.0f}",
        )
        print(*row, sep="  ", flush=True)
        body.append(row)
        return result

    own, double = classifier.metadata.box_threshold, 2 * classifier.metadata.input_size
    ours = measure("closed form", with_extent(classifier), threshold=own)
    measure(f"closed form, {double} px", with_extent(classifier, double), threshold=own)
    measure("closed form, its box from the map alone", box_from_map(closed_form(classifier)))
    for method in CAM_METHODS:
        if method not in SLOW:
            measure(method, box_from_map(by_package(classifier, method)))
    some = random.Random(0).sample(photos, min(options.slow, len(photos)))
    for method in SLOW if some else ():
        measure(method, box_from_map(by_package(classifier, method)), some, SLOW_THRESHOLD)
    measure("a bump in the center", box_from_map(gaussian))
    centered = centered_boxes(pet_boxes(photos))
    for share in sorted({1.0, *best_of(centered)}, reverse=True):
        name = "the whole photo" if share == 1 else f"a centered box of {share:.2f} of each side"
        body.append((name, len(photos), "", "", "", rate_text(corloc(centered[share])), mean_text(centered[share]), ""))
    pet = np.mean([pet_of(photo).mean() for photo in photos])
    taught = localize(trainval, with_extent(classifier), own)
    note = (
        f"The pet, with its border, covers {pet:.1%} of a photo. Overlap is intersection over union; *box found* counts "
        f"those of {MIN_IOU:g} and more. Each other map's box has the threshold that overlaps most on {len(fitting)} trainval "
        f"photos, but for the slow ones: {SLOW_THRESHOLD:g} of the peak. ms: for a photo from its bytes to the scored "
        f"map.\n\nThe closed form's boxes against centered ones that are the best for the very photos. "
        f"{compared(ours.overlaps, centered)} The same on the {len(trainval)} trainval photos with a trimap, whose labels "
        f"training knew. {compared(taught.overlaps, centered_boxes(pet_boxes(trainval)))}"
    )
    print(note)
    table = f"{markdown_table(HEAD, body)}\n\n{note}\n"
    table_path(options.checkpoint, "maps").write_text(table, encoding="utf-8")
    some = random.Random(1).sample(photos, min(options.faithful, len(photos)))
    if some:
        table = f"{perturbed(classifier, some)}\n\n{sanity(classifier, some)}\n"
        print(table)
        table_path(options.checkpoint, "faithful").write_text(table, encoding="utf-8")
    return 0


def best_of(centered: dict[float, list[float]]) -> tuple[float, float]:
    """The centered boxes that overlap the pets' most, and that find most pets: shares of both sides."""
    return (
        max(centered, key=lambda share: np.mean(centered[share])),
        max(centered, key=lambda share: corloc(centered[share]).value),
    )


def compared(overlaps: Sequence[float], centered: dict[float, list[float]]) -> str:
    """Boxes against the best centered ones, photo by photo."""
    nearest, finds = best_of(centered)
    gained = mean_text(np.subtract(overlaps, centered[nearest]))
    here, there = (np.array(each) >= MIN_IOU for each in (overlaps, centered[finds]))
    only, against = int((here & ~there).sum()), int((there & ~here).sum())
    chance = binomtest(only, max(only + against, 1)).pvalue
    return (
        f"Photo by photo, they overlap the pet's by {gained} more than that of {nearest:.2f} of each side, which overlaps "
        f"most; {only} pets are found by them alone, and {against} by that of {finds:.2f}, which finds most, alone "
        f"(McNemar's exact test: p = {chance:.2g})."
    )


def perturbed(classifier: Classifier, photos: Sequence[CachedPhoto]) -> str:
    """Deletion and insertion with the closed form and with maps that look at nothing."""
    maps = {"closed form": closed_form(classifier), "random": random_map, "center": gaussian, "edges": edges}
    body = []
    for name, map_of in maps.items():
        deletion, insertion = np.array([deletion_and_insertion(classifier, photo, map_of) for photo in photos]).T
        body.append((name, len(photos), mean_text(deletion), mean_text(insertion)))
    return markdown_table(("map", "n", "deletion (low is good)", "insertion (high is good)"), body)


def sanity(classifier: Classifier, photos: Sequence[CachedPhoto]) -> str:
    """How like the map stays when the weights are drawn anew, from the head down."""
    preset = classifier.metadata.preset()
    batches = [(preset(photo.picture())[None].to(classifier.device), photo.photo.label.index(1)) for photo in photos]
    body = [
        (f"down to {name}" if name != "head" else "the head", len(photos), mean_text(values))
        for name, network in randomized(classifier.network)
        for values in [likeness(classifier.network, network, batches)]
    ]
    return markdown_table(("weights drawn anew", "n", "rank correlation with the map"), body)


def mean_text(values: Sequence[float] | np.ndarray) -> str:
    mean = mean_of(np.asarray(values))
    if mean.interval is None:
        return f"{mean.value:.3f}"
    low, high = mean.interval
    return f"{mean.value:.3f} ({low:.3f} to {high:.3f})"


def rate_text(rate: Rate) -> str:
    low, high = rate.interval
    return f"{rate.value:.1%} ({low:.1%} to {high:.1%})"


if __name__ == "__main__":
    sys.exit(main())
