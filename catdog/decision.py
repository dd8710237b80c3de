"""Logits -> calibrated probabilities -> a verdict."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from catdog.labels import Verdict

CLIP = 1e-6  # of the two-way probability


@dataclass(frozen=True)
class Calibration:
    """How logits become probabilities: each value for cat and for dog."""

    head: Literal["sigmoid", "softmax"] = "sigmoid"
    temperature: tuple[float, float] = (1.0, 1.0)
    offset: tuple[float, float] = (0.0, 0.0)
    top_weight: tuple[float, float] = (0.0, 0.0)  # weight of the strongest places, beside the mean that a logit is


def probabilities_of(logits: np.ndarray, strongest: np.ndarray, calibration: Calibration) -> np.ndarray:
    """Calibrated probabilities (n, 2) of cat and dog: sigmoids on their own (Platt 1999), or one softmax
    (Guo et al. 2017), of (logits + top_weight * strongest) / temperature + offset.

    Args:
        logits: (n, 2).
        strongest: (n, 2), what `evidence.strongest_places` gives: a small pet speaks loudly at few places.
    """
    scores = np.asarray(logits, np.float64) + np.asarray(calibration.top_weight) * np.asarray(strongest)
    scores = scores / np.asarray(calibration.temperature) + np.asarray(calibration.offset)
    if calibration.head == "softmax":
        scores = scores - scores[:, ::-1]  # the softmax of two is the sigmoid of their difference
    return 1 / (1 + np.exp(-np.clip(scores, -500, 500)))


def verdicts_of(probabilities: np.ndarray, present: float, both: float) -> list[Verdict]:
    """`neither` where the larger probability is below `present`; `both` where the smaller one reaches `both`."""
    answers: list[Verdict] = []
    for cat, dog in probabilities:
        if max(cat, dog) < present:
            answers.append("neither")
        elif min(cat, dog) >= both:
            answers.append("both")
        else:
            answers.append("cat" if cat >= dog else "dog")
    return answers


def two_way_of(probabilities: np.ndarray) -> np.ndarray:
    """Probabilities (n, 2) of cat and dog -> (n,), the probability that a photo of one pet shows the dog.

    That is dog / (cat + dog), a half where both are zero, clipped to [CLIP, 1 - CLIP]: no logarithm of it is infinite.
    """
    cat, dog = np.asarray(probabilities, np.float64).T
    total = cat + dog
    share = np.divide(dog, total, out=np.full_like(total, 0.5), where=total > 0)
    return np.clip(share, CLIP, 1 - CLIP)


def percent(probability: float) -> str:
    """A probability for people in whole percent, rounded towards doubt, which is a half: never 0% or 100%."""
    if probability > 0.99:
        return "over 99%"
    if probability < 0.01:
        return "under 1%"
    exact = round(100 * probability, 6)  # 100 * 0.57 is 56.99999999999999
    return f"{math.floor(exact) if exact > 50 else math.ceil(exact)}%"
