"""What a checkpoint says of what it was never taught: pictures drawn here, and folders of drawings, toys or animals.
Writes a table beside it.

The model card's folders are made from three packages of Debian:

    cd /usr/share && mkdir -p /tmp/others/{"animals cut out","things cut out","clip-art animals","clip-art pets"}
    find tuxpaint/stamps/animals -name "*.png" -not -path "*/cats/*" -not -path "*/dogs/*" \\
        -exec cp --parents {} "/tmp/others/animals cut out" ";"
    cp -r tuxpaint/stamps/{clothes,food,hobbies,household,plants,vehicles} "/tmp/others/things cut out"
    find "/tmp/others/things cut out" -type f -not -name "*.png" -delete
    cd openclipart/png/animals
    cp -rL bugs amphibian dinosaurs birds fish mammals/{bears,horses,big_cats} "/tmp/others/clip-art animals"
    cp -rL mammals/{housecats,dogs} "/tmp/others/clip-art pets"
    cd /tmp/others && python - <<END
    import re
    from pathlib import Path
    PARTS = {"animals": ("erase", "explore_farm_animals", "explore_world_animals"), "things, places, fish": ("categorization",),
             "cartoons": ("lang",)}
    PETS = {"erase-32", "explore_farm_animals-4", "explore_farm_animals-7", "lang-47", "lang-63"}
    for kind, files in PARTS.items():
        Path(kind).mkdir()
        for name in files:
            data = Path(f"/usr/share/gcompris-qt/rcc/{name}.rcc").read_bytes()
            for number, start in enumerate(match.start() for match in re.finditer(b"RIFF....WEBP", data, re.DOTALL)):
                end = start + 8 + int.from_bytes(data[start + 4 : start + 8], "little")
                if f"{name}-{number}" not in PETS:
                    Path(kind, f"{name}-{number}.webp").write_bytes(data[start:end])
    END
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tyro
from PIL import Image, ImageDraw

from catdog import load
from catdog.checkpoint import CheckpointError
from catdog.classifier import Classifier, Prediction
from catdog.cli import program
from catdog.datasets import composites
from catdog.device import DeviceError
from catdog.files import CHECKPOINT
from catdog.images import Picture
from catdog.labels import VERDICTS
from catdog.measuring.figures import Rate
from catdog.measuring.tables import markdown_table, table_path

SEED = 0
SIDE = 320  # px
COATS = ((58, 44, 36), (122, 84, 52), (176, 128, 78), (214, 190, 152), (236, 230, 220), (120, 118, 116), (34, 32, 32))
WORDS = ("every", "figure", "has", "a", "name", "place", "reason", "report", "page", "to", "stand", "on", "its", "own")
HEAD = ("what", "n", "neither", "cat", "dog", "both", "a pet with 0.9 or more")


@dataclass
class Options:
    """Count the verdicts on pictures drawn here and on every picture in the folders given."""

    folders: tuple[Path, ...] = ()
    """Folders without a cat or a dog in any picture, or, for drawn pets, with nothing else: a row each."""
    count: int = 100
    """Pictures drawn of each kind."""
    checkpoint: Path = CHECKPOINT
    device: str = "auto"


def main() -> int:
    options = tyro.cli(Options, prog=program())
    kinds: dict[str, Sequence[Picture]] = {name: drawn(draw, options.count) for name, draw in DRAWN.items()}
    try:
        classifier = load(options.checkpoint, options.device)
        for folder in options.folders:
            kinds[folder.name] = sorted(path for path in folder.rglob("*") if path.is_file())
            if not kinds[folder.name]:
                raise FileNotFoundError(f"There is no file in {folder}.")
    except (CheckpointError, DeviceError, FileNotFoundError) as error:
        print(f"{program()}: {error}", file=sys.stderr)
        return 2
    body = []
    for name, pictures in kinds.items():
        row = row_of(name, classifier, pictures)
        print(*row, sep="  ", flush=True)
        body.append(row)
    table_path(options.checkpoint, "others").write_text(markdown_table(HEAD, body) + "\n", encoding="utf-8")
    return 0


def row_of(name: str, classifier: Classifier, pictures: Sequence[Picture]) -> tuple[str | int, ...]:
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


def fur(rng: random.Random, ground: tuple[int, int, int] | None = None) -> Image.Image:
    """Short strokes in one direction: the texture of a coat, a carpet or a lawn, with no body."""
    ground = ground or color(rng)
    picture = Image.new("RGB", (SIDE, SIDE), ground)
    pen = ImageDraw.Draw(picture)
    across, down = rng.randint(-14, 14), rng.randint(4, 14)
    for _ in range(6000):
        left, top = rng.randrange(-10, SIDE), rng.randrange(-10, SIDE)
        shade = np.clip(np.array(ground) + rng.gauss(0, 28), 0, 255).astype(int)
        end = left + across + rng.randint(-3, 3), top + down + rng.randint(-3, 3)
        pen.line((left, top, *end), fill=tuple(shade.tolist()), width=rng.randint(1, 2))
    return picture


def fur_of(outline: Image.Image, rng: random.Random, picture: Image.Image) -> None:
    """Lay a coat in an animal's color on what an outline shows, 255 on 0."""
    picture.paste(fur(rng, rng.choice(COATS)), (0, 0), outline)


def plush(rng: random.Random) -> Image.Image:
    """A plush bear or rabbit before a plain wall: round head and belly, button eyes, a stitched mouth."""
    picture = Image.new("RGB", (SIDE, SIDE), color(rng))
    outline = Image.new("L", (SIDE, SIDE), 0)
    pen = ImageDraw.Draw(outline)
    middle, top, size = rng.randint(130, 190), rng.randint(80, 130), rng.randint(38, 62)  # of the head

    def ball(x: float, y: float, across: float, down: float) -> tuple[float, float, float, float]:
        return (
            middle + (x - across) * size,
            top + (y - down) * size,
            middle + (x + across) * size,
            top + (y + down) * size,
        )

    ears = (0.3, 0.9) if rng.random() < 0.5 else (0.42, 0.42)  # a rabbit's or a bear's
    for side in (-1, 1):
        pen.ellipse(ball(0.62 * side, -0.6 - ears[1] / 2, *ears), fill=255)
        pen.ellipse(ball(1.15 * side, 1.7, 0.4, 0.7), fill=255)
        pen.ellipse(ball(0.7 * side, 3.0, 0.5, 0.6), fill=255)
    pen.ellipse(ball(0, 2, 1.1, 1.3), fill=255)
    pen.ellipse(ball(0, 0, 1, 0.9), fill=255)
    fur_of(outline, rng, picture)
    pen = ImageDraw.Draw(picture)
    pen.ellipse(ball(0, 0.35, 0.45, 0.32), fill=(226, 208, 180))
    for side in (-1, 1):
        pen.ellipse(ball(0.38 * side, -0.2, 0.1, 0.1), fill=(20, 16, 14))
    pen.ellipse(ball(0, 0.22, 0.16, 0.11), fill=(20, 16, 14))
    pen.line((middle, top + 0.3 * size, middle, top + 0.55 * size), fill=(20, 16, 14), width=2)
    return picture


def in_a_fur_coat(rng: random.Random) -> Image.Image:
    """A person in a fur coat before a plain wall: a face with hair above a body of fur."""
    picture = Image.new("RGB", (SIDE, SIDE), color(rng))
    outline = Image.new("L", (SIDE, SIDE), 0)
    middle, width, shoulders = rng.randint(130, 190), rng.randint(70, 110), rng.randint(130, 160)
    body = [
        (middle - width // 2, shoulders),
        (middle + width // 2, shoulders),
        (middle + width, SIDE),
        (middle - width, SIDE),
    ]
    ImageDraw.Draw(outline).polygon(body, fill=255)
    ImageDraw.Draw(outline).ellipse(
        (middle - width // 2, shoulders - 22, middle + width // 2, shoulders + 22), fill=255
    )
    fur_of(outline, rng, picture)
    pen = ImageDraw.Draw(picture)
    skin = rng.choice([(240, 206, 178), (198, 144, 104), (112, 74, 52)])
    hair = rng.choice([(30, 24, 20), (96, 62, 34), (206, 176, 110), (150, 148, 146)])
    tall = rng.randint(44, 56)
    pen.ellipse((middle - 38, shoulders - 2 * tall - 16, middle + 38, shoulders - 10), fill=hair)
    pen.ellipse((middle - 28, shoulders - 2 * tall, middle + 28, shoulders - 4), fill=skin)
    for side in (-1, 1):
        eye = middle + 11 * side, shoulders - tall - 8
        pen.ellipse((eye[0] - 4, eye[1] - 3, eye[0] + 4, eye[1] + 3), fill=(40, 36, 34))
    pen.arc((middle - 10, shoulders - 44, middle + 10, shoulders - 24), 20, 160, fill=(150, 50, 50), width=3)
    return picture


def room(rng: random.Random) -> Image.Image:
    """An empty room: floor, walls, a window or a picture, a sofa or a bed, a lamp, a carpet."""
    picture = Image.new("RGB", (SIDE * 4 // 3, SIDE), color(rng))
    width, height = picture.size
    pen = ImageDraw.Draw(picture)
    horizon = rng.randint(height // 2, height * 3 // 4)
    pen.rectangle((0, horizon, width, height), fill=color(rng))
    left = rng.randint(20, width // 2)
    pen.rectangle(
        (left, 30, left + rng.randint(60, 140), rng.randint(90, horizon - 20)),
        fill=color(rng),
        outline=color(rng),
        width=6,
    )
    if rng.random() < 0.6:
        pen.ellipse(
            (rng.randint(0, width // 3), horizon + 30, rng.randint(width // 2, width), height - 8), fill=color(rng)
        )
    seat, left, right = color(rng), rng.randint(10, width // 3), rng.randint(width * 2 // 3, width - 10)
    pen.rounded_rectangle((left, horizon - 60, right, horizon + 40), 14, fill=seat)
    pen.rounded_rectangle(
        (left + 16, horizon - 4, right - 16, horizon + 30), 8, fill=tuple(min(255, c + 24) for c in seat)
    )
    for _ in range(rng.randint(0, 3)):
        cushion = rng.randint(left + 16, right - 50)
        pen.rounded_rectangle((cushion, horizon - 36, cushion + 40, horizon), 8, fill=color(rng))
    lamp = rng.choice([left - 4, right - 20])
    pen.line((lamp, horizon + 20, lamp, horizon - 110), fill=(60, 52, 46), width=4)
    pen.polygon(
        [(lamp - 24, horizon - 90), (lamp + 24, horizon - 90), (lamp + 12, horizon - 130), (lamp - 12, horizon - 130)],
        fill=color(rng),
    )
    return picture


def color(rng: random.Random) -> tuple[int, int, int]:
    return rng.randrange(256), rng.randrange(256), rng.randrange(256)


DRAWN = {
    "drawn: plain colors, gradients, noise": composites.plain_picture,
    "drawn: pages of text": page_of_text,
    "drawn: shapes": shapes,
    "drawn: fur without a body": fur,
    "drawn: plush bears and rabbits": plush,
    "drawn: people in fur coats": in_a_fur_coat,
    "drawn: empty rooms": room,
}


if __name__ == "__main__":
    sys.exit(main())
