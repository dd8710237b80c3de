"""Compare scores that might tell pets from everything else, without another training. Writes a table beside the
checkpoint."""

from __future__ import annotations

import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np
import tyro
from sklearn.neighbors import NearestNeighbors

from catdog import datasets, load
from catdog.checkpoint import SHIPPED, CheckpointError
from catdog.classifier import Classifier
from catdog.datasets import DataError, Photo
from catdog.device import DeviceError
from catdog.metrics import auroc
from catdog.model_card import rows
from catdog.samples import CachedPhoto, cache_photos
from catdog.suspects import features_of

NEIGHBOURS = 20  # the distance is to the last of them (Sun et al. 2022, section 4)
KNOWN = 2000  # training photos of pets whose features are known


@dataclass
class Options:
    """Areas under the curve of pets against negatives, on tuning photos and on folders of other things."""

    data: tuple[Path, ...]
    """Labelled folders, as for train.py."""
    neither: tuple[Path, ...]
    """Folders of photos with neither a cat nor a dog."""
    others: tuple[Path, ...] = ()
    """Folders of pictures without a cat or a dog of kinds that training never saw: a column each."""
    checkpoint: Path = SHIPPED
    device: str = "auto"


def main() -> int:
    options = tyro.cli(Options, prog="compare_scores.py")
    try:
        classifier = load(options.checkpoint, options.device)
        found = datasets.read_folders(options.data, options.neither)
        others = {folder.name: pictures_in(folder) for folder in options.others}
    except (CheckpointError, DataError, DeviceError) as error:
        print(f"compare_scores.py: {error}", file=sys.stderr)
        return 2
    photos, _ = datasets.without_duplicates(photo for each in found for photo in each.photos)
    pets = [photo for photo in photos if sum(photo.label) == 1]
    known = [photo for photo in pets if photo.part == "training"]
    known = random.Random(0).sample(known, min(KNOWN, len(known)))
    kinds = {
        "pets": [photo for photo in pets if photo.part == "tuning"],
        "tuning negatives": [photo for photo in photos if photo.part == "tuning" and photo.label == (0, 0)],
        **others,
    }
    known_features = features_of(classifier, cached(known))
    features = {kind: features_of(classifier, cached(group)) for kind, group in kinds.items()}
    scores = {kind: scores_of(classifier, values, known_features) for kind, values in features.items()}
    columns = [kind for kind in kinds if kind != "pets"]
    body = [
        (name, *(f"{auroc(scores['pets'][name], scores[kind][name]):.4f}" for kind in columns))
        for name in scores["pets"]
    ]
    counts = ", ".join(f"{len(values):,} {kind}" for kind, values in features.items())
    table = rows(("pets against", *columns), body) + f"\n\nn: {counts}.\n"
    print(table)
    options.checkpoint.with_name("scores.md").write_text(table, encoding="utf-8")
    return 0


def pictures_in(folder: Path) -> list[Photo]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    if not paths:
        raise DataError(f"There is no file in {folder}.")
    return [Photo(path, (0, 0), folder.name, "held-out") for path in paths]


def cached(photos: Sequence[Photo]) -> list[CachedPhoto]:
    return cache_photos(photos)[0]


def scores_of(classifier: Classifier, features: np.ndarray, known: np.ndarray) -> dict[str, np.ndarray]:
    """Several scores that are higher for pets, from features (n, channels)."""
    weight, bias = classifier.network.fc.weight.float().cpu().numpy(), classifier.bias
    logits = features @ weight.T + bias
    lengths = np.linalg.norm(features, axis=1)
    neighbours = NearestNeighbors(n_neighbors=min(NEIGHBOURS, len(known))).fit(unit(known))
    distances, _ = neighbours.kneighbors(unit(features))
    return {
        "larger probability": classifier.probabilities(logits).max(1),
        "larger logit (Hendrycks et al. 2022)": logits.max(1),
        "energy, summed over both labels (Liu et al. 2020; Wang et al. 2021)": np.logaddexp(0, logits).sum(1),
        "length of the features": lengths,
        f"nearness to the {NEIGHBOURS}th of {len(known):,} training pets (Sun et al. 2022)": -distances[:, -1],
    }


def unit(features: np.ndarray) -> np.ndarray:
    return features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-9)


if __name__ == "__main__":
    sys.exit(main())
