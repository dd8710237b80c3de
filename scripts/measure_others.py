"""What a checkpoint says of what it was never taught: pictures drawn here, and folders of drawings, toys or animals.
Writes a table beside it.

The model card's folders are made from two packages of Debian:

    cd /usr/share && mkdir -p /tmp/others/{"animals cut out","clip-art animals","clip-art pets"}
    find tuxpaint/stamps/animals -name "*.png" -not -path "*/cats/*" -not -path "*/dogs/*" \\
        -exec cp --parents {} "/tmp/others/animals cut out" ";"
    cd openclipart/png/animals
    cp -rL bugs amphibian dinosaurs birds fish mammals/{bears,horses,big_cats} "/tmp/others/clip-art animals"
    cp -rL mammals/{housecats,dogs} "/tmp/others/clip-art pets"
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np
import tyro
from PIL import Image, ImageDraw

from catdog import composites, load
from catdog.checkpoint import SHIPPED, CheckpointError
from catdog.classifier import Classifier, Prediction
from catdog.datasets import VERDICTS
from catdog.device import DeviceError
from catdog.images import Picture
from catdog.metrics import Rate
from catdog.model_card import rows, table_path

SEED = 0
SIDE = 320  # px
WORDS = ("every", "figure", "has", "a", "name", "place", "reason", "report", "page", "to", "stand", "on", "its", "own")
HEAD = ("what", "n", "neither", "cat", "dog", "both", "a pet with 0.9 or more")


@dataclass
class Options:
    """Count the verdicts on pictures drawn here and on every picture in the folders given."""

    folders: tuple[Path, ...] = ()
    """Folders without a cat or a dog in any picture, or, for drawn pets, with nothing else: a row each."""
    count: int = 100
    """Pictures drawn of each kind."""
    checkpoint: Path = SHIPPED
    device: str = "auto"


def main() -> int:
    options = tyro.cli(Options, prog="measure_others.py")
    kinds: dict[str, list[Picture]] = {name: drawn(draw, options.count) for name, draw in DRAWN.items()}
    try:
        classifier = load(options.checkpoint, options.device)
        for folder in options.folders:
            kinds[folder.name] = sorted(path for path in folder.rglob("*") if path.is_file())
            if not kinds[folder.name]:
                raise FileNotFoundError(f"There is no file in {folder}.")
    except (CheckpointError, DeviceError, FileNotFoundError) as error:
        print(f"measure_others.py: {error}", file=sys.stderr)
        return 2
    body = []
    for name, pictures in kinds.items():
        row = row_of(name, classifier, pictures)
        print(*row, sep="  ", flush=True)
        body.append(row)
    table_path(options.checkpoint, "others").write_text(rows(HEAD, body) + "\n", encoding="utf-8")
    return 0


def row_of(name: str, classifier: Classifier, pictures: list[Picture]) -> tuple:
    """Counts over the pictures that can be read."""
    answers = classifier.classify(pictures, errors="return")
    predictions = [answer for answer in answers if isinstance(answer, Prediction)]
    counts = Counter(prediction.verdict for prediction in predictions)
    sure = sum(max(prediction.cat, prediction.dog) >= 0.9 for prediction in predictions)
    neither = Rate(counts["neither"], len(predictions))
    low, high = neither.interval
    return (
        name,
        len(predictions),
        f"{neither.value:.1%} ({low:.1%} to {high:.1%})",
        *(counts[verdict] for verdict in VERDICTS.values() if verdict != "neither"),
        sure,
    )


def drawn(draw: Callable[[random.Random], Image.Image], count: int) -> list[Picture]:
    rng = random.Random(SEED)
    return [draw(rng) for _ in range(count)]


def page_of_text(rng: random.Random) -> Image.Image:
    """A screen full of words, dark on light or light on dark."""
    paper, ink = rng.sample([(250, 250, 248), (24, 26, 30)], 2)
    picture = Image.new("RGB", (SIDE * 4 // 3, SIDE), paper)
    pen = ImageDraw.Draw(picture)
    size = rng.randint(9, 24)
    for top in range(8, SIDE, round(size * 1.5)):
        line = " ".join(rng.choices(WORDS, k=rng.randint(2, 14)))
        pen.text((12, top), line, fill=ink, font_size=size)
    return picture


def shapes(rng: random.Random) -> Image.Image:
    """Overlapping ellipses, boxes and lines, as in a child's drawing program."""
    picture = Image.new("RGB", (SIDE, SIDE), color(rng))
    pen = ImageDraw.Draw(picture)
    for _ in range(rng.randint(3, 20)):
        left, top = rng.randrange(SIDE), rng.randrange(SIDE)
        box = (left, top, left + rng.randint(8, SIDE // 2), top + rng.randint(8, SIDE // 2))
        rng.choice([pen.ellipse, pen.rectangle])(box, fill=color(rng), outline=color(rng), width=rng.randint(1, 5))
        pen.line((*box[:2], *(rng.randrange(SIDE) for _ in range(2))), fill=color(rng), width=rng.randint(1, 8))
    return picture


def fur(rng: random.Random) -> Image.Image:
    """Short strokes in one direction: the texture of a coat, a carpet or a lawn, with no body."""
    ground = np.array(color(rng))
    picture = Image.new("RGB", (SIDE, SIDE), tuple(ground.tolist()))
    pen = ImageDraw.Draw(picture)
    across, down = rng.randint(-14, 14), rng.randint(4, 14)
    for _ in range(6000):
        left, top = rng.randrange(-10, SIDE), rng.randrange(-10, SIDE)
        shade = np.clip(ground + rng.gauss(0, 28), 0, 255).astype(int)
        end = left + across + rng.randint(-3, 3), top + down + rng.randint(-3, 3)
        pen.line((left, top, *end), fill=tuple(shade.tolist()), width=rng.randint(1, 2))
    return picture


def color(rng: random.Random) -> tuple[int, int, int]:
    return rng.randrange(256), rng.randrange(256), rng.randrange(256)


DRAWN = {
    "drawn: plain colours, gradients, noise": composites.plain_picture,
    "drawn: pages of text": page_of_text,
    "drawn: shapes": shapes,
    "drawn: fur without a body": fur,
}


if __name__ == "__main__":
    sys.exit(main())
