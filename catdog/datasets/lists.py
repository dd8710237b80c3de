"""CSV files that name photos: those to leave out, and those with another label."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Callable
from pathlib import Path, PureWindowsPath
from typing import TypeVar

from catdog.datasets.photo import DataError
from catdog.images.names import in_short
from catdog.labels import VERDICTS, Label

DELIMITERS = ",;\t"  # spreadsheets write semicolons where the comma is the decimal sign
ESCAPED_BYTE = re.compile(r"\\u(dc[89a-f][0-9a-f])")  # how our CSV files write a byte of a file name that is no UTF-8

Entry = TypeVar("Entry")


def read_excluded(path: Path) -> Callable[[Path], bool]:
    """Which photos a CSV with a column `path` names: one of suspects, cut down to those that are wrong.

    An entry means every photo whose path ends in it, folder by folder: `cat/1.jpg` does not mean `dog/1.jpg`. It may be
    written as on Windows, `cat\\1.jpg`, and the columns may be parted by semicolons or tabs.

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
    entries: dict[tuple[str, ...], Entry] = {}
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            head = file.readline()
            file.seek(0)
            rows = csv.DictReader(file, delimiter=max(DELIMITERS, key=head.count))
            if "path" not in (rows.fieldnames or ()):  # a text of one line has no row that could miss it
                raise KeyError("path")
            for row in rows:
                if row["path"]:
                    entries |= dict.fromkeys(meanings_of(row["path"]), read(row))
    except UnicodeDecodeError as error:
        raise DataError(f"{wanted}, in UTF-8, which {path} is not: save it as CSV UTF-8.") from error
    except (OSError, KeyError, csv.Error) as error:
        raise DataError(f"{wanted}, which {path} is not ({in_short(repr(error))}).") from error

    def entry_of(photo: Path) -> Entry | None:
        parts = Path(os.path.abspath(photo)).parts
        return next((entries[parts[start:]] for start in range(len(parts)) if parts[start:] in entries), None)

    return entry_of


def meanings_of(entry: str) -> set[tuple[str, ...]]:
    """The ends of paths that an entry may stand for, folder by folder: as it is written; of a file whose name is no UTF-8;
    and as Windows writes paths, whose backslash may also be part of a name elsewhere."""
    written = {entry, ESCAPED_BYTE.sub(lambda found: chr(int(found[1], 16)), entry)}
    windows = {PureWindowsPath(each).relative_to(PureWindowsPath(each).anchor).as_posix() for each in written}
    paths = written | windows if "\\" in entry else written
    return {tuple(part for part in Path(os.path.normpath(each)).parts if part != "..") for each in paths}
