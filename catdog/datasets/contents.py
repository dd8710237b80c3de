"""What lies in a folder: its files, folders and pictures, without hidden ones."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from catdog.datasets.photo import DataError
from catdog.images import is_hidden, is_picture

ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar")


def check_folder(folder: Path) -> None:
    """
    Raises:
        DataError: for what is no folder.
    """
    if folder.is_dir():
        return
    if not folder.exists():
        raise DataError(f"There is no folder {folder}: check the path.")
    if folder.suffix.lower() in ARCHIVES:
        raise DataError(f"{folder} is an archive: unpack it, and give the folder that comes out.")
    raise DataError(f"{folder} is a file: give the folder of the photos.")


def subfolders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir() and not is_hidden(path.name))


def files_in(folder: Path) -> list[Path]:
    with os.scandir(folder) as entries:
        return sorted(Path(entry.path) for entry in entries if entry.is_file() and not is_hidden(entry.name))


def pictures_under(folder: Path) -> list[Path]:
    """All pictures in a folder and the folders in it, by their names' endings, sorted.

    A folder that cannot be read stands for what may be in it: it is named and counted as a picture that cannot be read.
    """
    unreadable: list[Path] = []
    found = []
    for place, inner, names in os.walk(folder, onerror=lambda error: unreadable.append(Path(error.filename))):
        inner[:] = [name for name in inner if not is_hidden(name)]
        found += [Path(place, name) for name in names if is_picture(Path(name))]
    return sorted([*unreadable, *filter(may_be_file, found)])


def may_be_file(path: Path) -> bool:
    """Whether a path is a file, as far as one may know."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except OSError as error:  # a link to nothing is none
        return isinstance(error, PermissionError)


def outermost_without(used: Sequence[Path], pictures: Iterable[Path]) -> Counter[Path]:
    """Of pictures that are not used the number by folder: each counts for the outermost folder around it that holds no used
    one, or for the folder that it lies in with used ones."""
    around_used = {place for path in used for place in path.parents}
    unused = sorted({*pictures} - {*used})
    return Counter(
        next((place for place in reversed(path.parents) if place not in around_used), path.parent) for path in unused
    )
