"""Folders -> labelled photos in three parts: training, tuning, held-out."""

from __future__ import annotations

import base64
import csv
import hashlib
import os
import re
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from catdog.images import EXTENSIONS

Label = tuple[int, int]  # cat, dog: 1 where the photo shows one
Entry = TypeVar("Entry")
PARTS = ("training", "tuning", "held-out")
VERDICTS: dict[Label, str] = {(1, 0): "cat", (0, 1): "dog", (1, 1): "both", (0, 0): "neither"}
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
SHORT_DIGEST = 4  # bytes
MIN_BOTH_TO_TRAIN = 30  # fewer real photos with both are all needed to measure

LAYOUTS = """\
  Kaggle Dogs vs. Cats   DIR/cat.0.jpg, DIR/dog.0.jpg, ... or DIR/train/cat.0.jpg, ...
  class folders          DIR/cat/..., DIR/dog/..., and if you have them DIR/both/..., DIR/neither/...
  Oxford-IIIT Pet        DIR/images/Abyssinian_1.jpg, ..., DIR/annotations/list.txt, ..."""


class DataError(ValueError):
    """Folders that cannot be used: one sentence that says what is wrong and what to do."""


@dataclass(frozen=True)
class Photo:
    """A photo's file, its label and the part of the data that it belongs to."""

    path: Path
    label: Label
    source: str  # the folder it came from and its layout: photos of one source look alike
    part: str
    trimap: Path | None = None  # Oxford-IIIT Pet: 1 pet, 2 background, 3 border

    @property
    def verdict(self) -> str:
        return VERDICTS[self.label]


@dataclass(frozen=True)
class Found:
    """What a folder turned out to be, and the photos in it."""

    folder: Path
    layout: str
    photos: list[Photo]
    unlabelled: list[Path] = field(default_factory=list)

    def summary(self) -> str:
        """The layout and how many of each label."""
        counts = Counter(photo.verdict for photo in self.photos)
        parts = [f"{counts[verdict]:,} {verdict}" for verdict in VERDICTS.values() if counts[verdict]]
        if self.unlabelled:
            parts.append(f"{len(self.unlabelled):,} unlabelled")
        return f"{self.layout}, {', '.join(parts)}"


def read_folders(data: Sequence[Path | str], neither: Sequence[Path | str] = ()) -> list[Found]:
    """Read labelled folders, each in one of the three layouts, and folders of negatives.

    Raises:
        DataError: for a folder that is missing, or in which no labelled photo is found.
    """
    found = [recognise(Path(folder)) for folder in data]
    return found + [negatives(Path(folder)) for folder in neither]


def recognise(folder: Path) -> Found:
    """Tell a labelled folder's layout and read it."""
    if not folder.is_dir():
        raise DataError(f"There is no folder {folder}: check the path.")
    for reader in LAYOUT_READERS:
        found = reader(folder)
        if found is not None and found.photos:
            return found
    raise DataError(f"No labelled photo was found in {folder}. It should have one of these layouts:\n{LAYOUTS}")


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
    unlabelled = [
        path for place in beside if place.is_dir() for path in files_in(place) if KAGGLE_TEST_NAME.fullmatch(path.name)
    ]
    return Found(folder, "Kaggle Dogs vs. Cats", photos, unlabelled)


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


def part_by_hash(name: str) -> str:
    """A tenth held out, a tenth for tuning, the rest for training, by the file's name alone."""
    digit = name_hash(name)
    return "held-out" if digit == 0 else "tuning" if digit == 1 else "training"


def name_hash(name: str) -> int:
    """0 to 9, from the bytes that the file system has for a name."""
    return zlib.crc32(os.fsencode(name)) % 10


def tuning_or_training(name: str) -> str:
    return "tuning" if name_hash(name) == 1 else "training"


def subfolders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir())


def files_in(folder: Path) -> list[Path]:
    with os.scandir(folder) as entries:
        return sorted(Path(entry.path) for entry in entries if entry.is_file())


def pictures_under(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in EXTENSIONS and path.is_file())


def read_excluded(path: Path) -> Callable[[Path], bool]:
    """Which photos a CSV with a column `path` names: one of suspects, cut down to those that are wrong.

    An entry means every photo whose path ends in it, folder by folder: `cat/1.jpg` does not mean `dog/1.jpg`.

    Raises:
        DataError: for a file that is missing or is no such CSV.
    """
    entry_of = entries_of(path, lambda row: True, "--exclude takes a CSV with a column path")
    return lambda photo: entry_of(photo) is not None


def read_labels(path: Path) -> Callable[[Path, Label], Label]:
    """The labels that a CSV with the columns `path` and `label` gives photos; others keep the one they have.

    An entry means the same photos as in a file of `read_excluded`.

    Raises:
        DataError: for a file that is missing or is no such CSV.
    """
    labels = {verdict: label for label, verdict in VERDICTS.items()}
    wanted = f"--relabel takes a CSV with the columns path and label, each label one of {', '.join(labels)}"
    entry_of = entries_of(path, lambda row: labels[row["label"]], wanted)
    return lambda photo, label: entry_of(photo) or label


def entries_of(path: Path, read: Callable[[dict[str, str]], Entry], wanted: str) -> Callable[[Path], Entry | None]:
    """What `read` makes of a CSV's row for a photo, None for a photo that has none.

    Raises:
        DataError: for a file that is missing or is not what is wanted.
    """
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file)
            if "path" not in (rows.fieldnames or ()):  # a text of one line has no row that could miss it
                raise KeyError("path")
            entries = {folders_of(row["path"]): read(row) for row in rows if row["path"]}
    except (OSError, KeyError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{wanted}, which {path} is not ({error!r}).") from error

    def entry_of(photo: Path) -> Entry | None:
        parts = Path(os.path.abspath(photo)).parts
        return next((entries[parts[start:]] for start in range(len(parts)) if parts[start:] in entries), None)

    return entry_of


def folders_of(entry: str) -> tuple[str, ...]:
    """The end of a path that an entry stands for, folder by folder."""
    return tuple(part for part in Path(os.path.normpath(entry)).parts if part != "..")


def digest_of(path: Path) -> bytes | None:
    """SHA-256 of a file, None where it cannot be read: who opens it as a picture says so."""
    try:
        return hashlib.sha256(path.read_bytes()).digest()
    except OSError:
        return None


def without_duplicates(photos: Iterable[Photo]) -> tuple[list[Photo], list[Photo]]:
    """Drop every second copy of the same bytes: held-out wins, then tuning, then the one that came first.

    Returns:
        The photos kept, in their order, and the copies dropped.
    """
    photos = list(photos)
    by_size: dict[int, list[int]] = defaultdict(list)
    for index, photo in enumerate(photos):
        by_size[os.path.getsize(photo.path)].append(index)
    by_content: dict[bytes, list[int]] = defaultdict(list)
    for indices in by_size.values():
        if len(indices) > 1:
            for index in indices:
                if digest := digest_of(photos[index].path):
                    by_content[digest].append(index)
    dropped: set[int] = set()
    for copies in by_content.values():
        kept = max(copies, key=lambda index: (PARTS.index(photos[index].part), -index))
        dropped.update(index for index in copies if index != kept)
    return (
        [photo for index, photo in enumerate(photos) if index not in dropped],
        [photos[index] for index in sorted(dropped)],
    )


def short_digest(content: bytes) -> bytes:
    """Four bytes that stand for a photo: two of ten thousand photos share them once in a hundred times."""
    return hashlib.sha256(content).digest()[:SHORT_DIGEST]


def fingerprint(digests: Iterable[bytes]) -> str:
    """The photos that a checkpoint has seen, for its metadata: they are never scored as held-out."""
    return base64.b64encode(b"".join(sorted(set(digests)))).decode()


def digests_in(fingerprint: str) -> list[bytes]:
    joined = base64.b64decode(fingerprint)
    return [joined[start : start + SHORT_DIGEST] for start in range(0, len(joined), SHORT_DIGEST)]


def some_seen(seen: str, photos: Sequence[Photo]) -> bool:
    """Whether a fingerprint holds some of these photos, of those that are not held out.

    Of up to a thousand of them, evenly spread, two must be in it: one may be there by chance.
    """
    digests = set(digests_in(seen))
    candidates = [photo for photo in photos if photo.part != "held-out"]
    candidates = candidates[:: len(candidates) // 1000 + 1]
    found = sum((digest_of(photo.path) or b"")[:SHORT_DIGEST] in digests for photo in candidates)
    return found >= min(2, max(1, len(candidates)))
