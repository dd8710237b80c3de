"""How a checkpoint came to be, as train.py and calibrate.py write it into its metadata."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from catdog.measuring.figures import read


@dataclass(frozen=True)
class PhotoCounts:
    """Photos by source and label, such as `kaggle cat`."""

    training: dict[str, int]
    tuning: dict[str, int]


@dataclass(frozen=True)
class EpochFigures:
    """How the epoch that was kept did on tuning photos."""

    epoch: int
    tuning_loss: float
    tuning_accuracy: float
    tuning_two_way: float


@dataclass(frozen=True)
class Recalibration:
    """What calibrate.py did later."""

    counts: dict[str, int]  # tuning photos by source and label
    commit: str | None


@dataclass(frozen=True)
class TrainingRecord:
    """One run of train.py, and those before it."""

    folders: tuple[str, ...]  # what each turned out to be
    init: str  # the starting weights: a file's name, imagenet or none
    counts: PhotoCounts
    options: dict[str, bool | int | float | str | None]
    torch: str
    commit: str | None
    epochs_run: int | None = None  # None, as the next two, for weights that came without a record
    best_epoch: int | None = None
    tuning: EpochFigures | None = None
    before: TrainingRecord | None = None  # the run that made the starting weights
    averaged: tuple[TrainingRecord, ...] = ()  # those whose weights were averaged with this one's
    calibrated: Recalibration | None = None

    @classmethod
    def from_dict(cls, training: Mapping[str, Any]) -> TrainingRecord | None:
        """The record in a checkpoint's metadata; None where there is none, as of weights that came without one.

        Raises:
            FiguresError: where it has another shape than this program's.
        """
        if "init" not in training:
            return None
        return read(RECORD, training, "The record of the checkpoint's training")

    def runs(self) -> list[TrainingRecord]:
        """The run that made a checkpoint, after those that made what it started from."""
        return [*self.before.runs(), self] if self.before else [self]

    def sources(self) -> set[str]:
        """Sources and labels of all photos that taught it, also those of runs before and of averaged ones."""
        names: set[str] = set()
        for run in self.runs():
            names |= set(run.counts.training).union(*(other.sources() for other in run.averaged))
        return names


RECORD = TypeAdapter(TrainingRecord)
