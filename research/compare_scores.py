"""Compare scores that might tell pets from everything else, and both from one, without another training. Writes a table
beside the checkpoint."""

from __future__ import annotations

import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import tyro
from sklearn.neighbors import NearestNeighbors
from torch.utils.data import DataLoader

from catdog import load
from catdog.checkpoint import CheckpointError
from catdog.classifier import Classifier
from catdog.cli import program
from catdog.datasets import DataError, Photo, read_folders
from catdog.datasets.cache import CachedPhoto, cache_photos
from catdog.datasets.made_up import WAYS, made_up_both
from catdog.datasets.samples import EvaluationSamples
from catdog.datasets.splits import without_duplicates
from catdog.decision import probabilities_of
from catdog.device import DeviceError, half_precision
from catdog.evidence import evidence_of, strongest_places
from catdog.files import CHECKPOINT
from catdog.measuring.metrics import auroc
from catdog.measuring.tables import markdown_table, table_path

NEIGHBORS = 20  # the distance is to the last of them (Sun et al. 2022, section 4)
KNOWN = 2000  # training photos of pets whose features are known
MADE = 200  # photos of both, in each way to put them together
FALSE_BOTH = 0.01
SEED = 0


@dataclass
class Options:
    """Areas under the curve of pets against negatives, on tuning photos and on folders of other things; shares of made-up
    photos of both that are found."""

    data: tuple[Path, ...]
    """Labeled folders, as for train.py."""
    neither: tuple[Path, ...] = ()
    """Folders of photos with neither a cat nor a dog."""
    others: tuple[Path, ...] = ()
    """Folders of pictures without a cat or a dog of kinds that training never saw: a column each."""
    checkpoint: Path = CHECKPOINT
    device: str = "auto"


def main() -> int:
    options = tyro.cli(Options, prog=program())
    try:
        classifier = load(options.checkpoint, options.device)
        found = read_folders(options.data, options.neither)
        others = {folder.name: pictures_in(folder) for folder in options.others}
    except (CheckpointError, DataError, DeviceError) as error:
        print(f"{program()}: {error}", file=sys.stderr)
        return 2
    photos, _ = without_duplicates(photo for each in found for photo in each.photos)
    pets = [photo for photo in photos if sum(photo.label) == 1]
    known = [photo for photo in pets if photo.part == "training"]
    known = random.Random(0).sample(known, min(KNOWN, len(known)))
    kinds = {
        "pets": [photo for photo in pets if photo.part == "tuning"],
        "tuning negatives": [photo for photo in photos if photo.part == "tuning" and photo.label == (0, 0)],
        **others,
    }
    known_features = look_at(classifier, cached(known)).features
    looks = {kind: look_at(classifier, cached(group)) for kind, group in kinds.items()}
    against = {kind: scores_against_pets(classifier, look, known_features) for kind, look in looks.items()}
    columns = [kind for kind in kinds if kind != "pets"]
    body = [
        (name, *(f"{auroc(against['pets'][name], against[kind][name]):.4f}" for kind in columns))
        for name in against["pets"]
    ]
    counts = ", ".join(f"{len(look.logits):,} {kind}" for kind, look in looks.items())
    table = markdown_table(("pets against", *columns), body) + f"\n\nn: {counts}.\n"
    table += "\n" + table_of_both(classifier, cached(kinds["pets"]), looks["pets"])
    print(table)
    table_path(options.checkpoint, "scores").write_text(table, encoding="utf-8")
    return 0


def pictures_in(folder: Path) -> list[Photo]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    if not paths:
        raise DataError(f"There is no file in {folder}.")
    return [Photo(path, (0, 0), folder.name, "held-out") for path in paths]


def cached(photos: Sequence[Photo]) -> list[CachedPhoto]:
    return cache_photos(photos)[0]


class Look(NamedTuple):
    """What the network makes of n photos."""

    features: np.ndarray  # (n, channels): the last stage's output, averaged over all places
    logits: np.ndarray  # (n, 2)
    strongest: np.ndarray  # (n, 2): see `strongest_places`
    largest: np.ndarray  # (n, 2): the largest evidence, times the number of places


@torch.inference_mode()
def look_at(classifier: Classifier, photos: Sequence[CachedPhoto]) -> Look:
    samples = EvaluationSamples(photos, classifier.metadata.preset())
    rows: dict[int, tuple[np.ndarray, ...]] = {}
    for pictures, indices in DataLoader(samples, batch_sampler=samples.batches(32), num_workers=2):
        with half_precision(classifier.device):
            features = classifier.network.features(pictures.to(classifier.device))
        evidence, logits = (each.cpu().numpy() for each in evidence_of(classifier.network, features))
        largest = evidence.max((2, 3)) * evidence[0, 0].size
        means = features.float().mean((2, 3)).cpu().numpy()
        rows |= zip(indices.tolist(), zip(means, logits, strongest_places(evidence), largest))
    return Look(*(np.stack(column) for column in zip(*(rows[index] for index in range(len(photos))))))


def scores_against_pets(classifier: Classifier, look: Look, known: np.ndarray) -> dict[str, np.ndarray]:
    """Several scores that are higher for pets than for anything else."""
    lengths = np.linalg.norm(look.features, axis=1)
    neighbors = NearestNeighbors(n_neighbors=min(NEIGHBORS, len(known))).fit(unit(known))
    distances, _ = neighbors.kneighbors(unit(look.features))
    return {
        "larger probability": probabilities_of(look.logits, look.strongest, classifier.metadata.calibration()).max(1),
        "larger logit (Hendrycks et al. 2022)": look.logits.max(1),
        "strongest eighth of the places (Durand et al. 2017)": look.strongest.max(1),
        "energy, summed over both labels (Liu et al. 2020; Wang et al. 2021)": np.logaddexp(0, look.logits).sum(1),
        "length of the features": lengths,
        f"nearness to the {NEIGHBORS}th of {len(known):,} training pets (Sun et al. 2022)": -distances[:, -1],
    }


def scores_for_both(classifier: Classifier, look: Look) -> dict[str, np.ndarray]:
    """Several scores that are higher where there is a cat and a dog than where there is one of them."""
    return {
        "smaller probability": probabilities_of(look.logits, look.strongest, classifier.metadata.calibration()).min(1),
        "smaller logit": look.logits.min(1),
        "strongest eighth of the places (Durand et al. 2017)": look.strongest.min(1),
        "strongest place": look.largest.min(1),
    }


def table_of_both(classifier: Classifier, pets: Sequence[CachedPhoto], look: Look) -> str:
    """How many made-up photos of both each score finds, where it calls `FALSE_BOTH` of photos of one pet both."""
    of_one = scores_for_both(classifier, look)
    made = {way: made_up_both(pets, SEED, MADE, make) for way, make in WAYS.items()}
    of_both = {way: scores_for_both(classifier, look_at(classifier, photos)) for way, photos in made.items()}
    body = [
        (name, *(f"{(of_both[way][name] > np.quantile(values, 1 - FALSE_BOTH)).mean():.1%}" for way in WAYS))
        for name, values in of_one.items()
    ]
    head = (f"both, where {FALSE_BOTH:.0%} of one pet is called both", *WAYS)
    return (
        markdown_table(head, body)
        + f"\n\nn: {len(pets):,} of one pet, {MADE} of both in each way, from tuning photos.\n"
    )


def unit(features: np.ndarray) -> np.ndarray:
    return features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-9)


if __name__ == "__main__":
    sys.exit(main())
