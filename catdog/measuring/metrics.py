"""From logits, probabilities and labels to figures."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.stats import norm
from sklearn.metrics import roc_auc_score, roc_curve

from catdog.decision import two_way_of
from catdog.labels import VERDICTS, Label
from catdog.measuring.figures import Mean, ReliabilityBin

BINS = 15  # equal-width, of the calibration error (Guo et al. 2017)
Z95 = float(norm.ppf(0.975))  # of a two-sided 95% interval


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


def reliability_bins(probabilities: np.ndarray, labels: np.ndarray) -> tuple[ReliabilityBin, ...]:
    """The bins of the calibration error that are not empty."""
    bins = bins_of(probabilities)
    groups = [bins == index for index in np.unique(bins)]
    return tuple(
        ReliabilityBin(float(probabilities[group].mean()), int(labels[group].sum()), int(group.sum()))
        for group in groups
    )


def calibration_error_by_chance(probabilities: np.ndarray, trials: int = 400, seed: int = 0) -> float:
    """The mean calibration error of labels that are drawn with just these probabilities (n,): what n alone costs."""
    draws = np.random.default_rng(seed).random((trials, len(probabilities))) < probabilities
    return float(np.mean([calibration_error(probabilities, labels) for labels in draws]))


def mean_of(values: np.ndarray) -> Mean:
    """The mean of values (n,), its interval by the normal approximation."""
    mean = float(values.mean())
    if len(values) < 2:
        return Mean(mean, None)
    half = Z95 * float(values.std(ddof=1)) / math.sqrt(len(values))
    return Mean(mean, (mean - half, mean + half))


def roc(positives: np.ndarray, others: np.ndarray) -> tuple[tuple[float, float], ...]:
    """The corners of a score's ROC curve: shares of the others and of the positives that reach a threshold."""
    truth = np.concatenate([np.ones(len(positives)), np.zeros(len(others))])
    false, true, _ = roc_curve(truth, np.concatenate([positives, others]))
    return tuple((float(x), float(y)) for x, y in zip(false, true))


def auroc(positives: np.ndarray, others: np.ndarray) -> float:
    """Area under the ROC curve of a score: how often one of the positives is above one of the others."""
    truth = np.concatenate([np.ones(len(positives)), np.zeros(len(others))])
    return float(roc_auc_score(truth, np.concatenate([positives, others])))


def confusion(labels: Sequence[Label], verdicts: Sequence[str]) -> dict[str, dict[str, int]]:
    """Counts of verdicts, a row for each true verdict that occurs."""
    order = ("cat", "dog", "both", "neither")
    rows: dict[str, dict[str, int]] = {truth: {called: 0 for called in order} for truth in order}
    for label, verdict in zip(labels, verdicts):
        rows[VERDICTS[label]][verdict] += 1
    return {truth: row for truth, row in rows.items() if sum(row.values())}
