"""The kinds of scene or animal that photos show, for figures by kind: CSV files with the columns path and kind."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from catdog.datasets.lists import entries_of
from catdog.datasets.photo import DataError, Found, Photo
from catdog.images.names import in_short

WANTED = "The kinds of photos are a CSV with the columns path and kind"


def with_kinds_beside(found: Found) -> Found:
    """A folder's photos with the kinds that the CSV beside it gives them: `scenes-kinds.csv` beside `scenes`.

    Raises:
        DataError: where that file is no such CSV, or names photos that are not in the folder.
    """
    folder = Path(os.path.abspath(found.folder))
    path = folder.with_name(f"{folder.name}-kinds.csv")
    if not path.is_file():
        return found
    photos, missing = given_kinds(found.photos, path)
    if missing:
        others = f" and {len(missing) - 1:,} more" if len(missing) > 1 else ""
        raise DataError(
            f"{path} names {in_short(missing[0])}{others}, not among the photos of {found.folder}: take such lines out."
        )
    return replace(found, photos=photos)


def with_kinds(photos: Sequence[Photo], path: Path) -> list[Photo]:
    """Photos of any folders with the kinds that a CSV gives them. Others keep the kind they have; the CSV may name more.

    Raises:
        DataError: for a file that is missing, is no such CSV, or names none of these photos.
    """
    given, missing = given_kinds(photos, path)
    if photos and not any(each.kind for each in given):
        raise DataError(
            f"{path} names none of these photos" + (f": its first is {in_short(missing[0])}." if missing else ".")
        )
    return given


def given_kinds(photos: Sequence[Photo], path: Path) -> tuple[list[Photo], list[str]]:
    """Photos with their kinds, and the CSV's entries that mean none of them. An entry means what it does for --exclude."""
    entries: list[str] = []

    def read(row: dict[str, str]) -> tuple[str, str]:
        entry = row["path"], (row["kind"] or "").strip()
        entries.append(entry[0])
        return entry

    entry_of = entries_of(path, read, WANTED)
    found = [entry_of(photo.path) for photo in photos]
    given = [replace(photo, kind=entry[1]) if entry else photo for photo, entry in zip(photos, found)]
    used = {entry[0] for entry in found if entry}
    return given, [entry for entry in entries if entry not in used]
