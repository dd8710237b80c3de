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
from catdog.measuring.localization import (
    IOU,
    Localization,
    MapsOf,
    alone,
    by_package,
    centerd_boxes,
    closed_form,
    corloc,
    fit_box_threshold,
    gaussian,
    localize,
    with_extent,
)
from catdog.measuring.metrics import mean_interval
from catdog.measuring.model_card import rows, table_path

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
            short(result.pointing),
            f"{off.k} of {off.n}",
            f"{result.energy:.1%}",
            short(result.corloc),
            interval(result.overlaps),
            f"{ms:.0f}",
        )
        print(*row, sep="  ", flush=True)
        body.append(row)
        return result

    own, double = classifier.metadata.box_threshold, 2 * classifier.metadata.input_size
    ours = measure("closed form", with_extent(classifier), threshold=own)
    measure(f"closed form, {double} px", with_extent(classifier, double), threshold=own)
    measure("closed form, its box from the map alone", alone(closed_form(classifier)))
    for method in CAM_METHODS:
        if method not in SLOW:
            measure(method, alone(by_package(classifier, method)))
    some = random.Random(0).sample(photos, min(options.slow, len(photos)))
    for method in SLOW if some else ():
        measure(method, alone(by_package(classifier, method)), some, SLOW_THRESHOLD)
    measure("a bump in the center", alone(gaussian))
    centerd = centerd_boxes(photos)
    for share in sorted({1.0, *best_of(centerd)}, reverse=True):
        name = "the whole photo" if share == 1 else f"a centerd box of {share:.2f} of each side"
        body.append((name, len(photos), "", "", "", short(corloc(centerd[share])), interval(centerd[share]), ""))
    pet = sum((photo_share(photo) for photo in photos), 0.0) / len(photos)
    taught = localize(trainval, with_extent(classifier), own)
    note = (
        f"The pet, with its border, covers {pet:.1%} of a photo. Overlap is intersection over union; *box found* counts "
        f"those of {IOU:g} and more. Each other map's box has the threshold that overlaps most on {len(fitting)} trainval "
        f"photos, but for the slow ones: {SLOW_THRESHOLD:g} of the peak. ms: for a photo from its bytes to the scored "
        f"map.\n\nThe closed form's boxes against centerd ones that are the best for the very photos. "
        f"{compared(ours.overlaps, centerd)} The same on the {len(trainval)} trainval photos with a trimap, whose labels "
        f"training knew. {compared(taught.overlaps, centerd_boxes(trainval))}"
    )
    print(note)
    table = f"{rows(HEAD, body)}\n\n{note}\n"
    table_path(options.checkpoint, "maps").write_text(table, encoding="utf-8")
    some = random.Random(1).sample(photos, min(options.faithful, len(photos)))
    if some:
        table = f"{perturbed(classifier, some)}\n\n{sanity(classifier, some)}\n"
        print(table)
        table_path(options.checkpoint, "faithful").write_text(table, encoding="utf-8")
    return 0


def best_of(centerd: dict[float, list[float]]) -> tuple[float, float]:
    """The centerd boxes that overlap the pets' most, and that find most pets: shares of both sides."""
    return (
        max(centerd, key=lambda share: np.mean(centerd[share])),
        max(centerd, key=lambda share: corloc(centerd[share]).value),
    )


def compared(overlaps: Sequence[float], centerd: dict[float, list[float]]) -> str:
    """Boxes against the best centerd ones, photo by photo."""
    nearest, finds = best_of(centerd)
    gained = interval(np.subtract(overlaps, centerd[nearest]))
    here, there = (np.array(each) >= IOU for each in (overlaps, centerd[finds]))
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
        body.append((name, len(photos), interval(deletion), interval(insertion)))
    return rows(("map", "n", "deletion (low is good)", "insertion (high is good)"), body)


def sanity(classifier: Classifier, photos: Sequence[CachedPhoto]) -> str:
    """How like the map stays when the weights are drawn anew, from the head down."""
    preset = classifier.metadata.preset()
    batches = [(preset(photo.picture())[None].to(classifier.device), photo.photo.label.index(1)) for photo in photos]
    body = [
        (f"down to {name}" if name != "head" else "the head", len(photos), interval(values))
        for name, network in randomized(classifier.network)
        for values in [likeness(classifier.network, network, batches)]
    ]
    return rows(("weights drawn anew", "n", "rank correlation with the map"), body)


def interval(values: Sequence[float]) -> str:
    mean, around = mean_interval(np.asarray(values))
    return f"{mean:.3f} ({around[0]:.3f} to {around[1]:.3f})" if around else f"{mean:.3f}"


def short(rate) -> str:
    low, high = rate.interval
    return f"{rate.value:.1%} ({low:.1%} to {high:.1%})"


def photo_share(photo: CachedPhoto) -> float:
    mask = photo.mask()
    return sum(mask.histogram()[1:]) / (mask.width * mask.height)


if __name__ == "__main__":
    sys.exit(main())
