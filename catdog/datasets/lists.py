"""CSV files that name photos: those to leave out, and those with another label."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from catdog.datasets.photo import DataError
from catdog.labels import VERDICTS, Label

Entry = TypeVar("Entry")


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
