"""Name the kinds of the held-out and tuning photos that the checkpoint's figures are told by, from their files' names and the
CSV beside the scenes: checkpoints/kinds.csv, which --kinds takes."""

from __future__ import annotations

import csv
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import tyro

from catdog.cli import program
from catdog.datasets import DataError, Photo, read_folders

SCENES = [  # what a kind in the CSV beside the scenes says -> the kind that figures are told by
    ("Flickr8k scene", "people outdoors"),
    ("Flickr8k", "in action"),
    ("Caltech101 dalmatian", "dalmatians"),
    ("VOC.* scene", "streets, cars and trains"),
    ("VOC", "in scenes"),
    ("instagram/twitter", "snapshots"),
    ("cat flap", "infrared at a cat flap"),
    ("pets|web photo", "web photos"),
    ("both: natural", "in scenes"),
    ("both", "on plain backgrounds"),
    (r".*(hamster|guinea ?pig|degu|rat\b|ferret)", "hamsters, guinea pigs"),
    (".*rabbit", "rabbits"),
    (".*(tiger|lion|leopard|jaguar|cheetah|cougar|panther|caracal|wild cat)", "big cats"),
    (".*(fox|hyena|wolf|raccoon|panda|bear)", "foxes, bears, pandas"),
    (".*(bird|parrot|goose|eagle|hawk\\b|peacock|pigeon|rooster|flamingo|emu|ibis|vulture)", "birds"),
    (".*object|statues|food", "objects"),
    ("web (people|person)|animal people", "people"),
    (".*", "other animals"),
]
NEGATIVES = [  # how the name of a photo of neither begins -> the same
    ("animal_rabbit", "rabbits"),
    ("animal_lion", "big cats"),
    ("animal_bear", "foxes, bears, pandas"),
    ("animal_duck", "birds"),
    ("animal_spider|animal_fish", "fish, spiders"),
    ("animal|pacs_(horse|elephant|giraffe)", "farm and zoo animals"),
    ("caltech_Faces|pacs_person", "people"),
    ("caltech|pacs_guitar", "objects"),
    ("houses|pacs_house", "rooms, houses"),
    ("clothing", "clothes"),
    ("coco", "everyday scenes"),
]

ANIMALS = (
    "hamsters, guinea pigs",
    "rabbits",
    "big cats",
    "foxes, bears, pandas",
    "birds",
    "fish, spiders",
    "farm and zoo animals",
    "other animals",
)


@dataclass
class Options:
    """Write which kind each tuning and held-out photo shows."""

    scenes: Path
    """A labeled folder with the CSV of kinds beside it."""
    neither: Path
    """The folder of photos of neither."""
    out: Path = Path("checkpoints/kinds.csv")


def main() -> int:
    options = tyro.cli(Options, prog=program())
    try:
        scenes, negatives = read_folders([options.scenes], [options.neither])
    except DataError as error:
        print(f"{program()}: {error}", file=sys.stderr)
        return 2
    lines = [(name_of(photo), first(SCENES, photo.kind)) for photo in scenes.photos if photo.part != "training"]
    lines += [
        (name_of(photo), first(NEGATIVES, photo.path.name)) for photo in negatives.photos if photo.part != "training"
    ]
    with open(options.out, "w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([("path", "kind"), *sorted(lines)])
    print(f"Wrote {options.out}: {len(lines)} photos.")
    return 0


def name_of(photo: Photo) -> str:
    """The end of a photo's path that --kinds knows it by."""
    return "/".join(photo.path.parts[-2:])


def first(patterns: list[tuple[str, str]], text: str) -> str:
    """The kind of the first pattern that a text begins with."""
    return next(kind for pattern, kind in patterns if re.match(pattern, text, re.IGNORECASE))


if __name__ == "__main__":
    sys.exit(main())
