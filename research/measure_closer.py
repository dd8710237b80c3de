"""Whether *Look closer* on the page helps: tuning photos answered once, and with their mirror image and two enlarged places.

Prints a table: how often the verdict is right and the log loss of both labels, before and after, of all photos, of those in
doubt, and of single pets pasted small into scenes without one.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tyro
from PIL import Image

import catdog
from catdog.checkpoint import CheckpointError
from catdog.classifier import Classifier, Explanation, Prediction
from catdog.cli import program
from catdog.datasets import DataError, read_folders
from catdog.datasets.splits import without_duplicates
from catdog.decision import verdicts_of
from catdog.device import DeviceError, keep_memory
from catdog.files import CHECKPOINT
from catdog.images import ImageError, open_picture
from catdog.labels import VERDICTS, Label
from catdog.measuring.tables import markdown_table

SHARE = 0.5  # of the photo's short side, that of an enlarged square, as on the page
SURE = 1e-6  # as on the page
DOUBT = (0.2, 0.9)  # larger probability of a photo that is in doubt
LARGER = 3  # times that a scene is larger than the pet that is pasted into it


@dataclass
class Options:
    """Compare answers with those of a closer look."""

    data: tuple[Path, ...]
    """Labeled folders, as for train.py."""
    neither: tuple[Path, ...] = ()
    """Folders of photos with neither a cat nor a dog."""
    checkpoint: Path = CHECKPOINT
    photos: int = 500
    """How many tuning photos, drawn by chance; a fifth as many scenes are put together."""
    device: str = "auto"
    seed: int = 0


def main() -> int:
    options = tyro.cli(Options, prog=program())
    try:
        classifier = catdog.load(options.checkpoint, device=options.device)
        found = read_folders(options.data, options.neither)
    except (DataError, CheckpointError, DeviceError) as error:
        print(f"{program()}: {error}", file=sys.stderr)
        return 2
    photos, _ = without_duplicates(photo for each in found for photo in each.photos)
    tuning = [photo for photo in photos if photo.part == "tuning"]
    rng = random.Random(options.seed)
    rng.shuffle(tuning)
    pictures = [(picture, photo.label) for photo in tuning[: options.photos] for picture in readable(photo.path)]
    real = answers(classifier, pictures)
    largest = real[1].max(1)
    doubtful = (largest > DOUBT[0]) & (largest < DOUBT[1])
    groups = {
        "all": real,
        "in doubt": tuple(each[doubtful] for each in real),
        "small pets in scenes": answers(classifier, scenes(pictures, options.photos // 5, rng)),
    }
    head = ("tuning photos", "n", "right", "right, closer", "log loss", "log loss, closer")
    print(
        markdown_table(head, [(name, *figures(classifier, *group)) for name, group in groups.items() if len(group[0])])
    )
    return 0


def readable(path: Path) -> Iterator[Image.Image]:
    try:
        yield open_picture(path)
    except ImageError:
        return


def scenes(
    pictures: list[tuple[Image.Image, Label]], count: int, rng: random.Random
) -> list[tuple[Image.Image, Label]]:
    """Photos of one pet, each pasted whole into a photo of neither that was enlarged."""
    pets = [each for each in pictures if sum(each[1]) == 1]
    others = [picture for picture, label in pictures if sum(label) == 0]
    made = []
    for _ in range(count if others else 0):
        pet, label = rng.choice(pets)
        other = rng.choice(others)
        scene = other.resize((other.width * LARGER, other.height * LARGER))
        room = [max(0, scene.width - pet.width), max(0, scene.height - pet.height)]
        scene.paste(pet, (rng.randint(0, room[0]), rng.randint(0, room[1])))
        made.append((scene, label))
    return made


def answers(
    classifier: Classifier, pictures: list[tuple[Image.Image, Label]]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, and probabilities before and after the closer look, each (n, 2)."""
    rows = []
    for picture, label in pictures:
        [explanation] = classifier.explain([picture])
        mirrored, cat, dog = classifier.classify(
            [
                picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
                *(square(picture, explanation, each) for each in (0, 1)),
            ]
        )
        first = of(explanation.prediction)
        closer = np.mean([log_odds(first), log_odds(of(mirrored)), log_odds((cat.cat, dog.dog))], axis=0)
        rows.append((label, first, 1 / (1 + np.exp(-closer))))
    labels, before, after = (np.array(column, dtype=float).reshape(-1, 2) for column in zip(*rows))
    return labels, before, after


def square(picture: Image.Image, explanation: Explanation, label: int) -> Image.Image:
    """What is around the place that speaks most for a label."""
    evidence = explanation.evidence[label]
    row, column = np.unravel_index(evidence.argmax(), evidence.shape)
    left, top, right, bottom = explanation.view
    middle = (
        left + (column + 0.5) / evidence.shape[1] * (right - left),
        top + (row + 0.5) / evidence.shape[0] * (bottom - top),
    )
    side = SHARE * min(picture.size)
    x, y = (round(min(max(at - side / 2, 0), length - side)) for at, length in zip(middle, picture.size))
    return picture.crop((x, y, x + round(side), y + round(side)))


def of(prediction: Prediction) -> tuple[float, float]:
    return prediction.cat, prediction.dog


def log_odds(probabilities: tuple[float, float]) -> np.ndarray:
    p = np.clip(probabilities, SURE, 1 - SURE)
    return np.log(p / (1 - p))


def figures(classifier: Classifier, labels: np.ndarray, before: np.ndarray, after: np.ndarray) -> list[str]:
    """The cells of a row: n, how often each is right, and the log loss of each."""
    truth = [VERDICTS[(int(cat), int(dog))] for cat, dog in labels]
    metadata = classifier.metadata
    right, loss = [], []
    for probabilities in (before, after):
        verdicts = verdicts_of(probabilities, metadata.present, metadata.both)
        right.append(f"{np.mean([each == true for each, true in zip(verdicts, truth)]):.1%}")
        p = np.clip(probabilities, SURE, 1 - SURE)
        loss.append(f"{-np.mean(labels * np.log(p) + (1 - labels) * np.log(1 - p)):.3f}")
    return [str(len(labels)), *right, *loss]


if __name__ == "__main__":
    keep_memory()
    sys.exit(main())
