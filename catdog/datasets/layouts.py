"""Folders -> labeled photos in three parts: training, tuning, held-out."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from catdog.datasets.photo import DataError, Found, Photo
from catdog.datasets.splits import part_by_hash, tuning_or_training
from catdog.images import EXTENSIONS
from catdog.labels import Label

CLASS_FOLDERS: dict[str, Label] = {
    "cat": (1, 0),
    "cats": (1, 0),
    "dog": (0, 1),
    "dogs": (0, 1),
    "both": (1, 1),
    "neither": (0, 0),
}
SPLIT_FOLDERS = {"train": "training", "val": "tuning", "valid": "tuning", "validation": "tuning", "test": "held-out"}
KAGGLE_NAME = re.compile(r"(cat|dog)\.(\d+)\.jpe?g", re.IGNORECASE)
KAGGLE_TEST_NAME = re.compile(r"\d+\.jpe?g", re.IGNORECASE)
MIN_BOTH_TO_TRAIN = 30  # fewer real photos with both are all needed to measure

LAYOUTS = """\
  Kaggle Dogs vs. Cats   DIR/cat.0.jpg, DIR/dog.0.jpg, ... or DIR/train/cat.0.jpg, ...
  class folders          DIR/cat/..., DIR/dog/..., and if you have them DIR/both/..., DIR/neither/...
  Oxford-IIIT Pet        DIR/images/Abyssinian_1.jpg, ..., DIR/annotations/list.txt, ..."""


def read_folders(data: Sequence[Path | str], neither: Sequence[Path | str] = ()) -> list[Found]:
    """Read labeled folders, each in one of the three layouts, and folders of negatives.

    Raises:
        DataError: for a folder that is missing, or in which no labeled photo is found.
    """
    found = [recognize(Path(folder)) for folder in data]
    return found + [negatives(Path(folder)) for folder in neither]


def recognize(folder: Path) -> Found:
    """Tell a labeled folder's layout and read it."""
    if not folder.is_dir():
        raise DataError(f"There is no folder {folder}: check the path.")
    for reader in LAYOUT_READERS:
        found = reader(folder)
        if found is not None and found.photos:
            return found
    raise DataError(f"No labeled photo was found in {folder}. It should have one of these layouts:\n{LAYOUTS}")


def oxford(folder: Path) -> Found | None:
    """Oxford-IIIT Pet as torchvision's `OxfordIIITPet` leaves it (also one level up, `DIR/oxford-iiit-pet`)."""
    if (folder / "oxford-iiit-pet").is_dir():
        folder = folder / "oxford-iiit-pet"
    annotations = folder / "annotations"
    if not (annotations / "trainval.txt").is_file():
        return None
    photos = []
    for listing, held_out in (("trainval.txt", False), ("test.txt", True)):
        if not (annotations / listing).is_file():
            continue
        for line in (annotations / listing).read_text(encoding="utf-8").splitlines():
            if not line.strip() or line.startswith("#"):
                continue
            try:
                stem, _breed, species, *_ = line.split()  # species: 1 cat, 2 dog
            except ValueError as error:
                raise DataError(
                    f"{annotations / listing} has a line {line!r}: expected name, class, species."
                ) from error
            path = folder / "images" / f"{stem}.jpg"
            if not path.is_file():
                continue
            trimap = annotations / "trimaps" / f"{stem}.png"
            photos.append(
                Photo(
                    path,
                    label=(1, 0) if species == "1" else (0, 1),
                    source="oxford",
                    part="held-out" if held_out else tuning_or_training(path.name),
                    trimap=trimap if trimap.is_file() else None,
                )
            )
    return Found(folder, "Oxford-IIIT Pet", photos)


def kaggle(folder: Path) -> Found | None:
    """Kaggle Dogs vs. Cats, flat: `cat.0.jpg`, `dog.0.jpg`; its id's last digit decides the part."""
    train = folder / "train" if (folder / "train").is_dir() else folder
    photos = []
    for path in files_in(train):
        match = KAGGLE_NAME.fullmatch(path.name)
        if match:
            digit = int(match[2]) % 10
            part = "held-out" if digit == 7 else "tuning" if digit == 6 else "training"
            photos.append(Photo(path, CLASS_FOLDERS[match[1].lower()], "kaggle", part))
    if not photos:
        return None
    beside = [folder] if train == folder else [folder, folder / "test", folder / "test1"]
    unlabeled = [
        path for place in beside if place.is_dir() for path in files_in(place) if KAGGLE_TEST_NAME.fullmatch(path.name)
    ]
    return Found(folder, "Kaggle Dogs vs. Cats", photos, unlabeled)


def class_folders(folder: Path) -> Found | None:
    """`cat/`, `dog/`, `both/`, `neither/`, perhaps under `train/`, `val/` and `test/`, which then fix the parts."""
    places: list[tuple[Path, str | None]] = [(folder, None)]
    places += [
        (path, SPLIT_FOLDERS[path.name.lower()]) for path in subfolders(folder) if path.name.lower() in SPLIT_FOLDERS
    ]
    own_folder = {split for _, split in places}
    photos = []
    for place, split in places:
        for class_folder in subfolders(place):
            label = CLASS_FOLDERS.get(class_folder.name.lower())
            if label is None:
                continue
            paths = pictures_under(class_folder)
            for path in paths:
                if label == (1, 1) and len(paths) < MIN_BOTH_TO_TRAIN:
                    part = "held-out"
                elif split in ("tuning", "held-out"):
                    part = split
                else:
                    part = part_by_hash(path.name)
                    if split == "training" and part in own_folder:
                        part = "training"  # val/ or test/ stands beside train/: no need to take photos from it
                photos.append(Photo(path, label, f"folders:{folder.name}", part))
    return Found(folder, "class folders", photos)


def negatives(folder: Path) -> Found:
    """A plain folder of photos with neither a cat nor a dog, searched through its subfolders."""
    if not folder.is_dir():
        raise DataError(f"There is no folder {folder}: check the path.")
    photos = [Photo(path, (0, 0), f"neither:{folder.name}", part_by_hash(path.name)) for path in pictures_under(folder)]
    if not photos:
        raise DataError(f"There is no picture in {folder}: --neither takes a folder of photos without a cat or a dog.")
    return Found(folder, "negatives", photos)


LAYOUT_READERS = (oxford, kaggle, class_folders)


def subfolders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir())


def files_in(folder: Path) -> list[Path]:
    with os.scandir(folder) as entries:
        return sorted(Path(entry.path) for entry in entries if entry.is_file())


def pictures_under(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in EXTENSIONS and path.is_file())
