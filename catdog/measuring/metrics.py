"""From logits, probabilities and labels to figures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from catdog.decision import two_way_of
from catdog.labels import VERDICTS

BINS = 15  # equal-width, of the calibration error (Guo et al. 2017)
Z95 = 1.959964  # standard normal quantile of a two-sided 95% interval


@dataclass(frozen=True)
class Rate:
    """k of n with its 95% Wilson interval (Wilson 1927)."""

    k: int
    n: int

    @property
    def value(self) -> float:
        return self.k / self.n if self.n else float("nan")

    @property
    def interval(self) -> tuple[float, float]:
        if not self.n:
            return float("nan"), float("nan")
        spread = Z95**2 / self.n
        center = (self.value + spread / 2) / (1 + spread)
        half = Z95 / (1 + spread) * np.sqrt(self.value * (1 - self.value) / self.n + spread / (4 * self.n))
        return max(0.0, center - half), min(1.0, center + half)

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.value:.2%} ({self.k} of {self.n}, 95% interval {low:.2%} to {high:.2%})"

    def as_dict(self) -> dict[str, float | int | list[float]]:
        if not self.n:  # JSON has no word for 0 / 0
            return {"value": None, "k": 0, "n": 0, "interval": None}
        return {"value": self.value, "k": self.k, "n": self.n, "interval": list(self.interval)}


def two_way_right(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """For photos of one pet: whether that pet's probability is the larger one. A tie is wrong."""
    sign = np.where(labels[:, 0] == 1, 1, -1)
    return (probabilities[:, 0] - probabilities[:, 1]) * sign > 0


def two_way_log_losses(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Minus the logarithm of the right label's share, dog / (cat + dog) or cat / (cat + dog), a photo, in nats."""
    dog = two_way_of(probabilities)
    return -np.log(np.where(labels[:, 1] == 1, dog, 1 - dog))


def calibration_error(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Expected calibration error of one label: probabilities (n,) against labels (n,), 15 equal-width bins.

    The mean over bins, weighted by their counts, of |mean probability - share of positives| (Guo et al. 2017,
    equation 3).
    """
    gaps = np.bincount(bins_of(probabilities), weights=probabilities - labels, minlength=BINS)
    return float(np.abs(gaps).sum() / len(probabilities))


def bins_of(probabilities: np.ndarray) -> np.ndarray:
    return np.minimum((probabilities * BINS).astype(int), BINS - 1)


def reliability(probabilities: np.ndarray, labels: np.ndarray) -> list[tuple[float, Rate]]:
    """For each bin of the calibration error that is not empty, the mean probability and how many show the label."""
    bins = bins_of(probabilities)
    groups = [bins == index for index in np.unique(bins)]
    return [(float(probabilities[group].mean()), Rate(int(labels[group].sum()), int(group.sum()))) for group in groups]


def calibration_error_by_chance(probabilities: np.ndarray, trials: int = 400, seed: int = 0) -> float:
    """The mean calibration error of labels that are drawn with just these probabilities (n,): what n alone costs."""
    draws = np.random.default_rng(seed).random((trials, len(probabilities))) < probabilities
    return float(np.mean([calibration_error(probabilities, labels) for labels in draws]))


def mean_interval(values: np.ndarray) -> tuple[float, tuple[float, float] | None]:
    """Mean with its 95% interval by the normal approximation, which a single value does not have."""
    mean = float(values.mean())
    if len(values) < 2:
        return mean, None
    half = Z95 * float(values.std(ddof=1)) / np.sqrt(len(values))
    return mean, (mean - half, mean + half)


def roc(positives: np.ndarray, others: np.ndarray) -> list[tuple[float, float]]:
    """The corners of a score's ROC curve: shares of the others and of the positives that reach a threshold."""
    from sklearn.metrics import roc_curve

    truth = np.concatenate([np.ones(len(positives)), np.zeros(len(others))])
    false, true, _ = roc_curve(truth, np.concatenate([positives, others]))
    return [(float(x), float(y)) for x, y in zip(false, true)]


def auroc(positives: np.ndarray, others: np.ndarray) -> float:
    """Area under the ROC curve of a score: how often one of the positives is above one of the others."""
    from sklearn.metrics import roc_auc_score  # half a second, which nobody who only classifies should wait

    truth = np.concatenate([np.ones(len(positives)), np.zeros(len(others))])
    return float(roc_auc_score(truth, np.concatenate([positives, others])))


def confusion(labels: list[tuple[int, int]], verdicts: list[str]) -> dict[str, dict[str, int]]:
    """Counts of verdicts, a row for each true verdict that occurs."""
    order = ("cat", "dog", "both", "neither")
    rows = {truth: dict.fromkeys(order, 0) for truth in order}
    for label, verdict in zip(labels, verdicts):
        rows[VERDICTS[label]][verdict] += 1
    return {truth: row for truth, row in rows.items() if sum(row.values())}
