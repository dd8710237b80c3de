"""Photos whose label is probably wrong, most suspect first."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.stats import rankdata
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor
from torch.utils.data import DataLoader

from catdog.classifier import Classifier
from catdog.datasets import DataError, Photo
from catdog.device import half_precision, place
from catdog.html_report import card
from catdog.images import open_picture
from catdog.resnet import ResNet
from catdog.samples import CachedPhoto, EvaluationSamples
from catdog.transforms import EvaluationPreset

FOLDS = 5
GENERAL_SIZE = 160  # px, of what general features are taken from: enough to tell what is odd, at half the time
SHOWN = 60  # photos on the contact sheet
COLUMNS = ("path", "label", "probability", "likelier")


@dataclass(frozen=True)
class Suspect:
    """A photo, how probable its own label is, and the label that is most probable."""

    photo: Photo
    probability: float
    likelier: str


def find_suspects(
    classifier: Classifier, photos: Sequence[CachedPhoto], general: ResNet | None = None, seed: int = 0
) -> list[Suspect]:
    """Rank photos by how improbable their own label is to models that have not been told it.

    A logistic regression on the network's features, fitted on four fifths of the photos, judges the other fifth, in
    turns: the self-confidence of confident learning (Northcutt et al. 2021), from out-of-fold probabilities. A network
    that was trained on some of the photos has learnt their labels, wrong ones too, so a second regression asks the
    features of `general`, which has seen none; what both find improbable comes first, by the mean logarithm of its ranks.

    Args:
        general: a network with weights that have not seen these labels, such as ImageNet's.

    Raises:
        DataError: with fewer than FOLDS photos of a label, or with one label alone.
    """
    names = np.array([cached.photo.verdict for cached in photos])
    counts = Counter(names)
    if len(counts) < 2 or min(counts.values()) < FOLDS:
        raise DataError(f"Suspects need two labels or more, with {FOLDS} photos of each: there are {dict(counts)}.")
    features = [features_of(classifier, photos)]
    if general is not None:
        features.append(stage_features(general, photos, classifier.device))
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=500))
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    opinions = [cross_val_predict(model, each, names, cv=folds, method="predict_proba") for each in features]
    classes = sorted(counts)
    own = [classes.index(name) for name in names]
    order = np.mean([np.log(rankdata(opinion[np.arange(len(own)), own])) for opinion in opinions], 0)
    joint = np.exp(np.mean(np.log(np.maximum(opinions, 1e-12)), 0))
    joint /= joint.sum(1, keepdims=True)
    return [
        Suspect(photos[index].photo, float(joint[index, own[index]]), classes[int(joint[index].argmax())])
        for index in np.argsort(order, kind="stable")
    ]


def features_of(classifier: Classifier, photos: Sequence[CachedPhoto]) -> np.ndarray:
    """The last feature map's mean over all places: (n, channels)."""

    def last(pictures: Tensor) -> list[Tensor]:
        return [classifier.network.features(pictures)]

    return means_of(last, EvaluationSamples(photos, classifier.metadata.preset()), classifier.device)


def stage_features(network: ResNet, photos: Sequence[CachedPhoto], device: torch.device) -> np.ndarray:
    """The means over all places of what the second, third and fourth stage give: (n, their channels)."""
    network = place(network.eval(), device)

    def stages(pictures: Tensor) -> list[Tensor]:
        second = network.layer2(network.layer1(network.stem(pictures)))
        third = network.layer3(second)
        return [second, third, network.layer4(third)]

    return means_of(stages, EvaluationSamples(photos, EvaluationPreset(GENERAL_SIZE, "squash")), device)


@torch.inference_mode()
def means_of(
    maps_of: Callable[[Tensor], list[Tensor]], samples: EvaluationSamples, device: torch.device, workers: int = 2
) -> np.ndarray:
    """Feature maps' means over all places, side by side: (n, all their channels), in the samples' order."""
    means: dict[int, np.ndarray] = {}
    for pictures, indices in DataLoader(samples, batch_sampler=samples.batches(32), num_workers=workers):
        with half_precision(device):
            maps = maps_of(pictures.to(device, memory_format=torch.channels_last))
        batch = torch.cat([each.float().mean((2, 3)) for each in maps], 1)
        means |= zip(indices.tolist(), batch.cpu().numpy())
    return np.stack([means[index] for index in range(len(samples.photos))])


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
