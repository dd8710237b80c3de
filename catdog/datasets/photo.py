"""A labeled photo, and what a folder of them turned out to be."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from catdog.labels import VERDICTS, Label

PARTS = ("training", "tuning", "held-out")


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
    kind: str = ""  # of scene or animal, where a CSV names it

    @property
    def verdict(self) -> str:
        return VERDICTS[self.label]


@dataclass(frozen=True)
class Found:
    """What a folder turned out to be, and the photos in it."""

    folder: Path
    layout: str
    photos: list[Photo]
    unlabeled: list[Path] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)  # sentences: which pictures are left out, and how they can be used

    def summary(self) -> str:
        """The layout and how many of each label."""
        counts = Counter(photo.verdict for photo in self.photos)
        parts = [f"{counts[verdict]:,} {verdict}" for verdict in VERDICTS.values() if counts[verdict]]
        if self.unlabeled:
            parts.append(f"{len(self.unlabeled):,} unlabeled")
        return f"{self.layout}, {', '.join(parts)}"
