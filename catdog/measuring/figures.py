"""What was measured of a classifier: rates with their intervals, and all the figures that a checkpoint holds."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, NamedTuple, TypeVar

from pydantic import Field, PlainSerializer, TypeAdapter, ValidationError
from scipy.stats import binomtest

MOST = 10**9  # photos
FEW = 30  # photos, below which an interval says little


class FiguresError(ValueError):
    """Figures, or a record of a training, of another shape than this program's: one sentence that says where."""


@dataclass(frozen=True)
class Rate:
    """k of n, with the 95% Wilson interval (Wilson 1927)."""

    k: int
    n: int

    def __post_init__(self) -> None:
        if not 0 <= self.k <= self.n <= MOST:
            raise ValueError(f"k of n is no rate: they are counts, k at most n, n at most {MOST}")

    @property
    def value(self) -> float:
        return self.k / self.n if self.n else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        if not self.n:
            return math.nan, math.nan
        low, high = binomtest(self.k, self.n).proportion_ci(method="wilson")
        return float(low), float(high)

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.value:.2%} ({self.k} of {self.n}, 95% interval {low:.2%} to {high:.2%})"

    def to_dict(self) -> dict[str, float | int | list[float] | None]:
        if not self.n:  # JSON has no word for 0 / 0
            return {"value": None, "k": 0, "n": 0, "interval": None}
        return {"value": self.value, "k": self.k, "n": self.n, "interval": list(self.interval)}


StoredRate = Annotated[Rate, PlainSerializer(Rate.to_dict)]  # of its value and interval, only k and n are read again


@dataclass(frozen=True)
class Mean:
    """A mean with its 95% interval, which that of a single value does not have."""

    value: float
    interval: tuple[float, float] | None


class ReliabilityBin(NamedTuple):
    """Photos that were given about the same probability."""

    mean: float  # of their probabilities
    k: int  # that show the label
    n: int

    @property
    def rate(self) -> Rate:
        return Rate(self.k, self.n)


@dataclass(frozen=True)
class CalibrationFigures:
    """The calibration error of a label, beside what a perfectly calibrated classifier would show at this n."""

    value: float
    by_chance: float
    bins: tuple[ReliabilityBin, ...] = ()

    def __str__(self) -> str:
        return f"{self.value:.2%} (perfectly calibrated: {self.by_chance:.2%})"


@dataclass(frozen=True)
class PetFigures:
    """On photos of one pet."""

    n: int
    two_way_accuracy: StoredRate
    two_way_log_loss: Mean  # nats
    called_neither: StoredRate
    called_both: StoredRate
    calibration_error: dict[str, CalibrationFigures]  # by label


@dataclass(frozen=True)
class SourceFigures:
    """On photos of one pet from one source."""

    two_way_accuracy: StoredRate
    called_neither: StoredRate
    called_both: StoredRate | None = None  # early checkpoints do not say it


@dataclass(frozen=True)
class NegativeFigures:
    """On photos of neither."""

    n: int
    called_neither: StoredRate
    called_a_pet: Annotated[StoredRate, Field(alias="called_a_pet_at_0.9")]  # with a probability of 0.9 or more


@dataclass(frozen=True)
class BothFigures:
    """On photos of a cat and a dog."""

    n: int
    called_both: StoredRate


@dataclass(frozen=True)
class DetectionFigures:
    """Photos of one pet against negatives, by the larger probability."""

    auroc: float
    calibration_error: dict[str, CalibrationFigures]  # by label, on both kinds of photos
    roc: tuple[tuple[float, float], ...] = ()  # shares of the negatives and of the pets that reach a threshold


@dataclass(frozen=True)
class MapBaselines:
    """What looking at nothing scores."""

    center_on_pet: StoredRate
    box_found: dict[str, StoredRate]  # by the box's name


@dataclass(frozen=True)
class MapFigures:
    """Whether the evidence is on the pet, as its trimap has it."""

    n: int
    peak_on_pet: StoredRate
    peak_on_pet_off_center: StoredRate  # of the photos whose center is not on the pet
    energy_on_pet: float  # share of the positive evidence
    pet_area: float  # share of the photo
    box_found: StoredRate
    baselines: MapBaselines


@dataclass(frozen=True)
class KindFigures:
    """On photos of one kind of scene or animal that show the same."""

    kind: str
    label: str  # what they show: a verdict
    right: StoredRate
    called: dict[str, int]  # which verdicts they got


@dataclass(frozen=True)
class Mistake:
    """A photo that was called something else, and its probabilities."""

    name: str  # of the file
    label: str
    verdict: str
    cat: float
    dog: float


@dataclass(frozen=True)
class Figures:
    """Everything that is measured on labeled photos; what these photos do not allow is left out."""

    n: int
    counts: dict[str, int]  # photos by what they show
    few: tuple[str, ...]  # what too few photos show for a narrow interval
    verdict_accuracy: StoredRate
    confusion: dict[str, dict[str, int]]  # what photos show -> what they were called -> count
    worst_mistakes: tuple[Mistake, ...]
    pets: PetFigures | None = None
    pets_by_source: dict[str, SourceFigures] = field(default_factory=dict)
    negatives: NegativeFigures | None = None
    both: BothFigures | None = None
    pets_against_negatives: DetectionFigures | None = None
    maps: MapFigures | None = None
    made_up_both: dict[str, StoredRate] = field(default_factory=dict)  # called both, by how they were put together
    peaks_of_both: dict[str, StoredRate] = field(default_factory=dict)  # on its own pet, of made-up photos, by label
    kinds: tuple[KindFigures, ...] = ()  # the worst first

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it, in a checkpoint's metadata and in the files that evaluate.py writes."""
        return FIGURES.dump_python(self, mode="json", by_alias=True, exclude_defaults=True)

    @classmethod
    def from_dict(cls, held_out: Mapping[str, Any]) -> Figures | None:
        """The figures in a checkpoint's metadata; None where there are none.

        Raises:
            FiguresError: where they have another shape than this program's.
        """
        return read(FIGURES, held_out, "The checkpoint's figures")


FIGURES = TypeAdapter(Figures)


Read = TypeVar("Read")


def read(adapter: TypeAdapter[Read], values: Mapping[str, Any], what: str) -> Read | None:
    """Values as JSON has them -> a dataclass; None where there are none.

    Raises:
        FiguresError: where they have another shape.
    """
    if not values:
        return None
    try:
        return adapter.validate_json(json.dumps(values), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        message = first["msg"][0].lower() + first["msg"][1:]
        raise FiguresError(
            f"{what} cannot be read ({where}: {message}): it is another version's, or damaged; measure or train it anew."
        ) from error
