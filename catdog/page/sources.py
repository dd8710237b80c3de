"""What the sources of a checkpoint's photos are called on the page: known data sets by a code, all others by a number, for
the names of their folders are nobody else's business."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from catdog.labels import VERDICTS
from catdog.measuring.figures import Figures
from catdog.measuring.record import PhotoCounts, TrainingRecord

KNOWN = ("kaggle", "oxford")  # what the readers of these two data sets call them; the page has words for both


class Sources:
    """The sources of a checkpoint's photos, each under one name wherever it is shown."""

    def __init__(self, figures: Figures | None, record: TrainingRecord | None) -> None:
        names = {*(sources_shown(figures) if figures else ()), *(sources_in(record) if record else ())}
        self._numbers = {name: place for place, name in enumerate(sorted(names.difference(KNOWN)), 1)}

    def public(self, source: str) -> dict[str, Any]:
        """A code, and a number where it is not a known data set."""
        return {"code": source} if source in KNOWN else {"code": "other", "number": self._numbers[source]}

    def english(self, source: str) -> str:
        """For the model card, which is in English and knows what the two data sets allow by their names."""
        return source if source in KNOWN else f"other photos {self._numbers[source]}"

    def figures(self, figures: Figures) -> Figures:
        by_source = {self.english(source): each for source, each in figures.pets_by_source.items()}
        named = {source: self.english(source) for source in sources_shown(figures)}
        kinds = tuple(replace(each, kind=named.get(each.kind, each.kind)) for each in figures.kinds)
        return replace(figures, pets_by_source=by_source, kinds=kinds)

    def record(self, record: TrainingRecord) -> TrainingRecord:
        """A record, with those of the runs before it, as the model card may show it."""
        calibrated = record.calibrated
        return replace(
            record,
            folders=tuple(folder.rpartition(": ")[2] for folder in record.folders),  # "NAME: layout, counts"
            counts=PhotoCounts(self._counts(record.counts.training), self._counts(record.counts.tuning)),
            before=record.before and self.record(record.before),
            averaged=tuple(map(self.record, record.averaged)),
            calibrated=calibrated and replace(calibrated, counts=self._counts(calibrated.counts)),
        )

    def _counts(self, counts: Mapping[str, int]) -> dict[str, int]:
        return {" ".join((self.english(source), label)).strip(): counts[name] for name, source, label in split(counts)}


def sources_shown(figures: Figures) -> set[str]:
    """Every source in figures; photos without a kind are told by theirs."""
    of_folders = {each.kind for each in figures.kinds if each.kind.startswith(("folders:", "neither:"))}
    return of_folders.union(figures.pets_by_source)


def sources_in(record: TrainingRecord) -> set[str]:
    """Every source that a record names, also in the runs before it."""
    counts = {
        **record.counts.training,
        **record.counts.tuning,
        **(record.calibrated.counts if record.calibrated else {}),
    }
    earlier = [*record.averaged, *([record.before] if record.before else [])]
    return {source for _, source, _ in split(counts)}.union(*map(sources_in, earlier))


def split(names: Iterable[str]) -> list[tuple[str, str, str]]:
    """`kaggle cat` -> itself, the source and the label, which is empty where the name ends with none."""
    parts = [(name, *name.rpartition(" ")[::2]) for name in names]
    return [(name, source, label) if label in VERDICTS.values() else (name, name, "") for name, source, label in parts]
