"""Folders -> labeled photos in three parts: training, tuning, held-out."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from catdog.datasets.contents import check_folder, files_in, outermost_without, pictures_under, subfolders
from catdog.datasets.kinds import with_kinds_beside
from catdog.datasets.photo import DataError, Found, Photo
from catdog.datasets.splits import part_by_hash, tuning_or_training
from catdog.images import one_line
from catdog.images.names import in_short
from catdog.labels import Label

CAT, DOG, BOTH, NEITHER = (1, 0), (0, 1), (1, 1), (0, 0)
CLASS_FOLDERS: dict[str, Label] = {
    **dict.fromkeys(("cat", "cats", "猫", "貓"), CAT),
    **dict.fromkeys(("dog", "dogs", "狗"), DOG),
    "both": BOTH,
    "neither": NEITHER,
}
SPLIT_FOLDERS = {
    **dict.fromkeys(("train", "training", "train_set", "training_set"), "training"),
    **dict.fromkeys(("val", "valid", "validation", "val_set", "validation_set"), "tuning"),
    **dict.fromkeys(("test", "test1", "testing", "test_set", "testing_set"), "held-out"),
}
MIN_BOTH_TO_TRAIN = 30  # fewer real photos with both are all needed to measure
KAGGLE_NAME = re.compile(r"(cat|dog)\.(\d+)\.jpe?g", re.IGNORECASE)
KAGGLE_TEST_NAME = re.compile(r"\d+\.jpe?g", re.IGNORECASE)
OXFORD_NAME = re.compile(r"(\w+)_\d+\.jpe?g", re.IGNORECASE)
OXFORD_LISTS = {"trainval.txt": tuning_or_training, "test.txt": lambda name: "held-out", "list.txt": part_by_hash}
OXFORD_SPECIES = {"1": CAT, "2": DOG}
OXFORD_CATS = """Abyssinian Bengal Birman Bombay British_Shorthair Egyptian_Mau Maine_Coon Persian Ragdoll Russian_Blue
    Siamese Sphynx"""
OXFORD_DOGS = """american_bulldog american_pit_bull_terrier basset_hound beagle boxer chihuahua english_cocker_spaniel
    english_setter german_shorthaired great_pyrenees havanese japanese_chin keeshond leonberger miniature_pinscher
    newfoundland pomeranian pug saint_bernard samoyed scottish_terrier shiba_inu staffordshire_bull_terrier
    wheaten_terrier yorkshire_terrier"""
OXFORD_BREEDS: dict[str, Label] = {
    **dict.fromkeys(OXFORD_CATS.split(), CAT),
    **dict.fromkeys(OXFORD_DOGS.split(), DOG),
}

LAYOUTS = """\
  Kaggle Dogs vs. Cats   DIR/cat.0.jpg, DIR/dog.0.jpg, ... or DIR/train/cat.0.jpg, ...
  class folders          DIR/cat/..., DIR/dog/..., and if you have them DIR/both/..., DIR/neither/...
  Oxford-IIIT Pet        DIR/images/Abyssinian_1.jpg, ..., DIR/annotations/list.txt, ..."""

Labeled = tuple[Path, Label, str | None]  # the part is that of a folder such as `val/`, None where the rule decides


def read_folders(data: Sequence[Path | str], neither: Sequence[Path | str] = ()) -> list[Found]:
    """Read labeled folders, each in one of the three layouts, and folders of negatives, and the kinds of their photos where a
    CSV beside a folder names them.

    Raises:
        DataError: for a folder that is missing, or in which no labeled photo is found; for a CSV of kinds that is none.
    """
    found = [recognize(Path(folder)) for folder in data]
    found += [negatives(Path(folder)) for folder in neither]
    return [with_kinds_beside(each) for each in found]


def recognize(folder: Path) -> Found:
    """Tell a labeled folder's layout, which is the one that most photos fit, and read it."""
    check_folder(folder)
    found = read(folder)
    if not found.photos:
        raise DataError(
            f"No labeled photo was found in {folder}{way_out(folder)}. It should have one of these layouts:\n{LAYOUTS}"
        )
    unused = unused_in(found)
    empty = {photo.path for photo in found.photos if is_empty(photo.path)}
    unused += [f"{one_line(path)} is empty and not used." for path in sorted(empty)]
    return replace(found, photos=[photo for photo in found.photos if photo.path not in empty], unused=unused)


def is_empty(path: Path) -> bool:
    try:
        return path.stat().st_size == 0
    except OSError:  # is told when it is read
        return False


def read(folder: Path) -> Found:
    return max((reader(folder) for reader in LAYOUT_READERS), key=lambda found: len(found.photos))


def kaggle(folder: Path) -> Found:
    """Kaggle Dogs vs. Cats, flat: `cat.0.jpg`, `dog.0.jpg`; its id's last digit decides the part."""

    def part_by_id(name: str) -> str:
        digit = int(name.split(".")[1]) % 10
        return "held-out" if digit == 7 else "tuning" if digit == 6 else "training"

    labeled: list[Labeled] = []
    unlabeled = []
    for place, split in places_in(folder):
        for path in files_in(place):
            if match := KAGGLE_NAME.fullmatch(path.name):
                labeled.append((path, CLASS_FOLDERS[match[1].lower()], split))
            elif KAGGLE_TEST_NAME.fullmatch(path.name):
                unlabeled.append(path)
    return Found(folder, "Kaggle Dogs vs. Cats", in_parts(labeled, "kaggle", part_by_id), unlabeled)


def class_folders(folder: Path) -> Found:
    """`cat/`, `dog/`, `both/`, `neither/`, perhaps under `train/`, `val/` and `test/`, which then fix the parts."""
    source = f"folders:{name_of(folder)}"
    labeled: list[Labeled] = []
    few_of_both: list[Photo] = []
    for place, split in places_in(folder):
        for class_folder in subfolders(place):
            label = CLASS_FOLDERS.get(class_folder.name.lower())
            if label is None:
                continue
            paths = pictures_under(class_folder)
            if label == BOTH and split is None and len(paths) < MIN_BOTH_TO_TRAIN:
                few_of_both += [Photo(path, label, source, "held-out") for path in paths]
            else:
                labeled += [(path, label, split) for path in paths]
    return Found(folder, "class folders", few_of_both + in_parts(labeled, source, part_by_hash))


def oxford(folder: Path) -> Found:
    """Oxford-IIIT Pet as torchvision's `OxfordIIITPet` leaves it (also one level up, `DIR/oxford-iiit-pet`): its lists give
    species and part; without them the breed in a photo's name gives the species."""
    if (folder / "oxford-iiit-pet").is_dir():
        folder = folder / "oxford-iiit-pet"
    for place, _ in places_in(folder):
        images = place / "images" if (place / "images").is_dir() else place
        photos = oxford_by_lists(images, place / "annotations") or oxford_by_names(images)
        if photos:
            return Found(place, "Oxford-IIIT Pet", photos)
    return Found(folder, "Oxford-IIIT Pet", [])


def oxford_by_lists(images: Path, annotations: Path) -> list[Photo]:
    """The photos that the two lists of the published split name; of `list.txt` where both are missing."""
    lists = [name for name in OXFORD_LISTS if (annotations / name).is_file()]
    photos = []
    for name in lists if lists == ["list.txt"] else [each for each in lists if each != "list.txt"]:
        for line in (annotations / name).read_text(encoding="utf-8-sig").splitlines():
            if not line.strip() or line.startswith("#"):
                continue
            try:
                stem, _breed, number, *_ = line.split()
                label = OXFORD_SPECIES[number]
            except (ValueError, KeyError) as error:
                raise DataError(
                    f"{annotations / name} has a line {in_short(repr(line))}: expected name, class, species (1 cat, 2 dog)."
                ) from error
            path, trimap = images / f"{stem}.jpg", annotations / "trimaps" / f"{stem}.png"
            if path.is_file():
                part = OXFORD_LISTS[name](path.name)
                photos.append(Photo(path, label, "oxford", part, trimap if trimap.is_file() else None))
    return photos


def oxford_by_names(images: Path) -> list[Photo]:
    photos = []
    for path in files_in(images):
        match = OXFORD_NAME.fullmatch(path.name)
        if match and match[1] in OXFORD_BREEDS:
            photos.append(Photo(path, OXFORD_BREEDS[match[1]], "oxford", part_by_hash(path.name)))
    return photos


def negatives(folder: Path) -> Found:
    """A plain folder of photos with neither a cat nor a dog, searched through its subfolders."""
    check_folder(folder)
    source = f"neither:{name_of(folder)}"
    photos = [Photo(path, NEITHER, source, part_by_hash(path.name)) for path in pictures_under(folder)]
    if not photos:
        raise DataError(f"There is no picture in {folder}: --neither takes a folder of photos without a cat or a dog.")
    return Found(folder, "negatives", photos)


LAYOUT_READERS: tuple[Callable[[Path], Found], ...] = (oxford, kaggle, class_folders)


def places_in(folder: Path) -> list[tuple[Path, str | None]]:
    """Where labels may stand, and the part that the place is for: the folder itself, `train/`, `val/` and `test/` in it,
    and a folder that stands alone in another, as archives and downloads leave it."""
    places: list[tuple[Path, str | None]] = []
    seen: set[Path] = set()  # a folder may hold links to itself

    def look_into(folder: Path, split: str | None) -> None:
        if (real := folder.resolve()) in seen:
            return
        seen.add(real)
        places.append((folder, split))
        inner = subfolders(folder)
        for each in inner:
            own = SPLIT_FOLDERS.get(each.name.lower())
            if own or (len(inner) == 1 and each.name.lower() not in CLASS_FOLDERS):
                look_into(each, own or split)

    look_into(folder, None)
    return places


def in_parts(labeled: Sequence[Labeled], source: str, part_by_rule: Callable[[str], str]) -> list[Photo]:
    """Photos under `val/` and `test/` belong there. The others' parts are the rule's; but where `val/` or `test/` has
    photos of its own, none is taken for it from `train/`."""
    have_own = {split for _, _, split in labeled}
    photos = []
    for path, label, split in labeled:
        part = split if split in ("tuning", "held-out") else part_by_rule(path.name)
        photos.append(Photo(path, label, source, "training" if split == "training" and part in have_own else part))
    return photos


def way_out(folder: Path) -> str:
    """What to do about a folder without a labeled photo, where its neighbors say so."""
    if name_of(folder).lower() in CLASS_FOLDERS:
        return f", whose name is a label: give the folder that it lies in, {folder.resolve().parent}"
    readable = [each for each in subfolders(folder) if os.access(each, os.R_OK | os.X_OK)]
    if fitting := [one_line(each) for each in readable if read(each).photos]:
        return f" itself: give {' '.join(fitting)} instead"
    return ""


def unused_in(found: Found) -> list[str]:
    """A sentence for every folder in which pictures were found and not used, with what would use them."""
    used = [*(photo.path for photo in found.photos), *found.unlabeled]
    pictures = [
        path for path in pictures_under(found.folder) if "annotations" not in path.relative_to(found.folder).parts
    ]
    return [
        f"{count} picture{'s are' if count > 1 else ' is'} not used in {one_line(place)}: {way_to_use(place, used)}."
        for place, count in outermost_without(used, pictures).items()
    ]


def way_to_use(place: Path, used: Sequence[Path]) -> str:
    if any(path.is_relative_to(place) for path in used):
        return "neither file name nor folder gives a label"
    if read(place).photos:
        return f"--data {one_line(place)} reads it"
    if place.name.lower() in SPLIT_FOLDERS:
        return f"sort it into {one_line(place / 'cat')} and {one_line(place / 'dog')}"
    return f"--neither {one_line(place)} reads it, if no cat and no dog is in it"


def name_of(folder: Path) -> str:
    return one_line(Path(os.path.abspath(folder)).name)
