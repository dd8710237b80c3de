"""File names: which are pictures, which are hidden, and how a message shows one."""

from __future__ import annotations

import re
from pathlib import PurePath

EXTENSIONS = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".webp", ".gif", ".bmp", ".dib"}
    | {".tif", ".tiff", ".avif", ".heic", ".heif", ".hif"}
)
# What systems add beside photos, lower case: archives of macOS, thumbnails of Synology and Windows, Windows' settings.
# A folder of thumbnails has the photos' own names in it. macOS' ._cat.jpg and .DS_Store begin with a dot.
COMPANIONS = frozenset({"__macosx", "@eadir", "thumbs.db", "desktop.ini"})
# Control characters, line separators, marks that turn the direction of writing, bytes that are no UTF-8.
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


MAX_NAME = 100  # characters of a name that a message repeats


def is_hidden(name: str) -> bool:
    """Whether a file or folder is one that a person does not see or did not make: no photo, and nothing in it is one."""
    return (name.startswith(".") and name not in (".", "..")) or name.lower() in COMPANIONS


def is_picture(path: PurePath) -> bool:
    """Whether a file is taken for a picture by its name: its ending is one, and no part of its path is hidden."""
    return path.suffix.lower() in EXTENSIONS and not any(map(is_hidden, path.parts))


def one_line(name: object) -> str:
    """A name or path as a message shows it: whatever would break the line is escaped, as Python writes it."""
    return UNPRINTABLE.sub(lambda found: found[0].encode("unicode_escape").decode(), str(name))


def in_short(name: object) -> str:
    """The same, cut off where it is longer than a sentence can bear."""
    shown = one_line(str(name)[: 2 * MAX_NAME])
    return shown if len(shown) <= MAX_NAME else f"{shown[: MAX_NAME - 1]}…"
