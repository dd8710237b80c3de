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
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor
from torch.utils.data import DataLoader

from catdog.classifier import Classifier
from catdog.datasets import DataError, Photo
from catdog.datasets.cache import CachedPhoto
from catdog.datasets.samples import EvaluationSamples
from catdog.decision import percent, verdicts_of
from catdog.device import half_precision, to_device
from catdog.evidence import evidence_of, strongest_places
from catdog.files import replacing
from catdog.images import open_picture
from catdog.labels import LABELS
from catdog.measuring.report import card
from catdog.resnet import ResNet
from catdog.transforms import EvaluationPreset

FOLDS = 5
GENERAL_SIZE = 160  # px, of what general features are taken from: enough to tell what is odd, at half the time
SHOWN = 60  # photos on the contact sheet
NEIGHBOR = 5  # of a photo, whose distance says how odd it is: more than the copies that a folder may hold of one
ODD = 0.01  # of the photos may be odd; among the others being odder says nothing of a label
OWN_WEIGHT = 3  # of the network's own answer against the regressions together, or the distance
COLUMNS = ("path", "label", "probability", "likelier")


@dataclass(frozen=True)
class Suspect:
    """A photo, how probable its own label is to whoever doubts it most, and what the network, or else this one, says."""

    photo: Photo
    probability: float
    likelier: str


def find_suspects(
    classifier: Classifier, photos: Sequence[CachedPhoto], general: ResNet | None = None, seed: int = 0
) -> list[Suspect]:
    """Rank photos by how improbable their own label is: the self-confidence of confident learning (Northcutt et al. 2021).

    The network's own answer counts most: it alone knows photos that show neither, such as drawings, also where the folder
    holds none. But if it was trained on some of the photos it has learned their labels, wrong ones too. So two that have
    not been told a photo's label are asked as well: logistic regressions on the network's features and on those of
    `general`, fitted on four fifths of the photos, judge the other fifth, in turns. And a drawing of a cat may have been
    learned as a cat, but has no photos beside it: of the oddest hundredth, how far the NEIGHBOR-th nearest is in the network's
    features counts as well (Sun et al. 2022, "Out-of-Distribution Detection with Deep Nearest Neighbors"). What is
    improbable to all and odd comes first, by the mean logarithm of its ranks.

    Args:
        general: a network with weights that have not seen these labels, such as ImageNet's.

    Raises:
        DataError: with fewer than FOLDS photos of a label, or with one label alone.
    """
    names = np.array([cached.photo.verdict for cached in photos])
    counts = Counter(names)
    if len(counts) < 2 or min(counts.values()) < FOLDS:
        raise DataError(f"Suspects need two labels or more, with {FOLDS} photos of each: there are {dict(counts)}.")
    answers, own_features = answers_and_features(classifier, photos)
    features = [own_features]
    if general is not None:
        features.append(stage_features(general, photos, classifier.device))
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=500))
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    opinions = [
        np.asarray(cross_val_predict(model, each, names, cv=folds, method="predict_proba")) for each in features
    ]
    classes = sorted(counts)
    own = (np.arange(len(names)), [classes.index(name) for name in names])
    cat, dog = answers.T
    seen = {"cat": cat, "dog": dog, "both": np.minimum(cat, dog), "neither": 1 - np.maximum(cat, dog)}
    doubts = [np.select([names == name for name in seen], list(seen.values())), *(each[own] for each in opinions)]
    distances, _ = NearestNeighbors(n_neighbors=NEIGHBOR, metric="cosine").fit(own_features).kneighbors()
    ranks = np.log([rankdata(doubt) for doubt in doubts])
    oddness = np.log(np.minimum(rankdata(-distances[:, -1]), max(1, ODD * len(photos))))
    order = OWN_WEIGHT * ranks[0] + ranks[1:].mean(0) + oddness
    most = np.argmin(doubts, 0)  # who doubts a label most
    verdicts = np.array(verdicts_of(answers, classifier.metadata.present, classifier.metadata.both))
    said = np.array([verdicts, *(np.array(classes)[each.argmax(1)] for each in opinions)])
    likelier = np.where(verdicts != names, verdicts, np.take_along_axis(said, most[None], 0)[0])
    return [
        Suspect(photos[index].photo, float(doubts[most[index]][index]), str(likelier[index]))
        for index in np.argsort(order, kind="stable")
    ]


def answers_and_features(classifier: Classifier, photos: Sequence[CachedPhoto]) -> tuple[np.ndarray, np.ndarray]:
    """Calibrated probabilities (n, 2), and the last feature map's mean over all places (n, channels)."""

    def last(pictures: Tensor) -> list[Tensor]:
        features = classifier.network.features(pictures)
        evidence, logits = evidence_of(classifier.network, features)
        strongest = torch.from_numpy(strongest_places(evidence.cpu().numpy())).to(logits)
        return [logits[..., None, None], strongest[..., None, None], features]

    means = means_of(last, EvaluationSamples(photos, classifier.metadata.preset()), classifier.device)
    logits, strongest, features = np.split(means, (len(LABELS), 2 * len(LABELS)), 1)
    return classifier.probabilities(logits, strongest), features


def stage_features(network: ResNet, photos: Sequence[CachedPhoto], device: torch.device) -> np.ndarray:
    """The means over all places of what the second, third and fourth stage give: (n, their channels)."""
    network = to_device(network.eval(), device)

    def stages(pictures: Tensor) -> list[Tensor]:
        second = network.layer2(network.layer1(network.stem(pictures)))
        layer3_output = network.layer3(second)
        return [second, layer3_output, network.layer4(layer3_output)]

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
    with (
        replacing(path) as temporary,
        temporary.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file,  # not every name is UTF-8
    ):
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for each in suspects:
            writer.writerow((each.photo.path, each.photo.verdict, f"{each.probability:.4f}", each.likelier))
    cards = [
        card(open_picture(each.photo.path), said_of(number, each), each.photo.path.name)
        for number, each in enumerate(suspects[:SHOWN], 1)
    ]
    with replacing(path.with_suffix(".html")) as temporary:
        temporary.write_text(SHEET.format(cards="\n".join(cards)), encoding="utf-8")


def said_of(number: int, suspect: Suspect) -> str:
    return f"{number}. called {suspect.photo.verdict} ({percent(suspect.probability)}), rather {suspect.likelier}"


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
