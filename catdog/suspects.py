"""Photos whose label is probably wrong, most suspect first."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch.utils.data import DataLoader

from catdog.classifier import Classifier
from catdog.datasets import DataError, Photo
from catdog.device import half_precision
from catdog.html_report import card
from catdog.images import open_picture
from catdog.samples import CachedPhoto, EvaluationSamples

FOLDS = 5
SHOWN = 60  # photos on the contact sheet
COLUMNS = ("path", "label", "probability", "likelier")


@dataclass(frozen=True)
class Suspect:
    """A photo, how probable its own label is, and the label that is most probable."""

    photo: Photo
    probability: float
    likelier: str


def find_suspects(classifier: Classifier, photos: Sequence[CachedPhoto], seed: int = 0) -> list[Suspect]:
    """Rank photos by how improbable their own label is to a model that has not been told it.

    A logistic regression on the network's features, fitted on four fifths of the photos, judges the other fifth, in
    turns: the self-confidence of confident learning (Northcutt et al. 2021), from out-of-fold probabilities.

    Raises:
        DataError: with fewer than FOLDS photos of a label, or with one label alone.
    """
    names = np.array([cached.photo.verdict for cached in photos])
    counts = Counter(names)
    if len(counts) < 2 or min(counts.values()) < FOLDS:
        raise DataError(f"Suspects need two labels or more, with {FOLDS} photos of each: there are {dict(counts)}.")
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=500))
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    probabilities = cross_val_predict(model, features_of(classifier, photos), names, cv=folds, method="predict_proba")
    classes = sorted(counts)
    suspects = [
        Suspect(cached.photo, float(row[classes.index(name)]), classes[int(row.argmax())])
        for cached, name, row in zip(photos, names, probabilities)
    ]
    return sorted(suspects, key=lambda suspect: suspect.probability)


@torch.inference_mode()
def features_of(classifier: Classifier, photos: Sequence[CachedPhoto], workers: int = 2) -> np.ndarray:
    """The last feature map's mean over all places: (n, channels)."""
    samples = EvaluationSamples(photos, classifier.metadata.preset())
    features: dict[int, np.ndarray] = {}
    for pictures, indices in DataLoader(samples, batch_sampler=samples.batches(32), num_workers=workers):
        with half_precision(classifier.device):
            maps = classifier.network.features(pictures.to(classifier.device, memory_format=torch.channels_last))
        features |= zip(indices.tolist(), maps.float().mean((2, 3)).cpu().numpy())
    return np.stack([features[index] for index in range(len(photos))])


def write_suspects(path: Path, suspects: Sequence[Suspect]) -> None:
    """A CSV of all photos, and beside it a contact sheet of the first SHOWN, `.html`."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for each in suspects:
            writer.writerow((each.photo.path, each.photo.verdict, f"{each.probability:.4f}", each.likelier))
    cards = [
        card(open_picture(each.photo.path), said_of(number, each), each.photo.path.name)
        for number, each in enumerate(suspects[:SHOWN], 1)
    ]
    path.with_suffix(".html").write_text(SHEET.format(cards="\n".join(cards)), encoding="utf-8")


def said_of(number: int, suspect: Suspect) -> str:
    return f"{number}. called {suspect.photo.verdict} ({suspect.probability:.0%}), rather {suspect.likelier}"


SHEET = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>catdog: suspect labels</title>
<style>
body {{ font: 15px/1.4 system-ui, sans-serif; margin: 1.5rem; }}
main {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr)); gap: 1rem; }}
figure {{ margin: 0; break-inside: avoid; }} img {{ width: 100%; aspect-ratio: 4 / 3; object-fit: contain; }}
figcaption {{ font-size: .85rem; overflow-wrap: anywhere; }}
</style>
<h1>Labels that are probably wrong, most suspect first</h1>
<main>
{cards}
</main>
</html>
"""
