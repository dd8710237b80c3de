"""Calibration finds the temperature, offset and thresholds that made-up logits were made with."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.special import expit

from catdog.datasets.cache import cache_photos
from catdog.datasets.samples import EvaluationSamples
from catdog.decision import probabilities_of
from catdog.evidence import evidence_and_logits
from catdog.training.calibration import fit_both, fit_calibration, fit_present, measure_evidence_scale
from catdog.transforms import EvaluationPreset

LOGITS = np.linspace(-6, 6, 41)


def labeled(probabilities: np.ndarray, copies: int = 500) -> tuple[np.ndarray, np.ndarray]:
    """Every logit many times over, with as many positives as its probability says: (index of the logit, label)."""
    positives = np.round(probabilities * copies).astype(int)
    index = np.repeat(np.arange(len(probabilities)), copies)
    return index, (np.tile(np.arange(copies), len(probabilities)) < positives[index]).astype(int)


@pytest.mark.parametrize(
    ("temperature", "offset"), [((1.0, 1.0), (0.0, 0.0)), ((2.5, 0.7), (0.4, -0.6)), ((0.5, 3.0), (-1.0, 1.0))]
)
def test_a_known_temperature_and_offset_are_recovered_for_each_label(temperature, offset):
    columns = [labeled(expit(LOGITS / t + o)) for t, o in zip(temperature, offset, strict=True)]
    logits = np.stack([LOGITS[index] for index, _ in columns], 1)
    labels = np.stack([label for _, label in columns], 1)
    found = fit_calibration(logits, np.zeros_like(logits), labels, "sigmoid")
    assert found.temperature == pytest.approx(temperature, rel=0.02)
    assert found.offset == pytest.approx(offset, abs=0.02)


def test_places_that_tell_more_than_the_mean_are_heeded():
    strongest = np.tile([-8.0, 0.0, 8.0], len(LOGITS))
    logits = np.repeat(LOGITS, 3)
    index, labels = labeled(expit((logits + 0.25 * strongest) / 1.5 + 0.5), copies=2000)
    pair = np.stack([logits[index]] * 2, 1), np.stack([strongest[index]] * 2, 1), np.stack([labels] * 2, 1)
    found = fit_calibration(*pair, "sigmoid")
    assert found.top_weight == pytest.approx((0.25, 0.25), rel=0.02)
    assert found.temperature == pytest.approx((1.5, 1.5), rel=0.02)
    assert found.offset == pytest.approx((0.5, 0.5), abs=0.02)


def test_photos_of_both_have_few_places_heeded_and_count_by_their_share_not_their_number():
    rng = np.random.default_rng(0)
    labels = np.array([[1, 0], [0, 1]] * 500)
    logits = np.where(labels == 1, 2.0, -2.0) + rng.normal(size=labels.shape)
    strongest = logits + rng.normal(scale=3, size=labels.shape)
    both = np.array([[2.0, -2.0], [-2.0, 2.0]] * 20), np.full((40, 2), 6.0)
    alone = fit_calibration(logits, strongest, labels, "sigmoid")
    found = fit_calibration(logits, strongest, labels, "sigmoid", both)
    more = fit_calibration(logits, strongest, labels, "sigmoid", tuple(np.tile(each, (10, 1)) for each in both))
    assert min(found.top_weight) > 2 * max(alone.top_weight)
    assert probabilities_of(*both, found).min() > 5 * probabilities_of(*both, alone).min()
    assert probabilities_of(*both, more) == pytest.approx(probabilities_of(*both, found), rel=0.01)


def test_a_softmax_gets_one_temperature_and_no_offset():
    index, dog = labeled(expit(LOGITS / 1.7))
    logits = np.stack([3 - LOGITS[index] / 2, 3 + LOGITS[index] / 2], 1)
    found = fit_calibration(logits, 3 * logits, np.stack([1 - dog, dog], 1), "softmax")
    assert found.temperature[0] == found.temperature[1] == pytest.approx(1.7, rel=0.02)
    assert found.offset == found.top_weight == (0.0, 0.0)


@pytest.mark.parametrize("head", ["sigmoid", "softmax"])
def test_logits_that_separate_the_photos_perfectly_get_a_finite_temperature(head):
    labels = np.array([[1, 0], [0, 1]] * 50)
    logits = np.where(labels == 1, 5.0, -5.0)
    found = fit_calibration(logits, 2 * logits, labels, head)
    assert all(0.1 < value < 20 for value in found.temperature)
    p = probabilities_of(logits, 2 * logits, found)[0, 0]
    assert p == pytest.approx(51 / 52, abs=2e-3)  # Platt's target for 50 of 50


def test_the_presence_threshold_stands_in_the_middle_between_pets_and_negatives():
    pets = np.array([[0.9, 0.1], [0.05, 0.95], [0.92, 0.3]])
    negatives = np.array([[0.7, 0.1], [0.0, 0.4], [0.2, 0.2]])
    assert fit_present(pets, negatives) == pytest.approx(0.8, abs=0.011)


def test_few_pets_may_be_called_neither():
    pets = np.array([[0.7, 0.0]] * 10 + [[0.99, 0.0]] * 990)
    negatives = np.array([[0.8, 0.0]] * 5 + [[0.1, 0.0]] * 5)
    assert fit_present(pets, negatives) > 0.8
    assert fit_present(pets, negatives, most=0.005) < 0.7


def test_no_verdict_names_a_pet_that_is_more_likely_not_there():
    pets = np.array([[0.3, 0.0]] * 10 + [[0.55, 0.0]] * 10)
    negatives = np.array([[0.1, 0.0]] * 10)
    assert 0.5 <= fit_present(pets, negatives) <= 0.55


def test_the_threshold_of_both_stands_in_the_middle_between_one_pet_and_two():
    pets = np.array([[0.9, 0.2], [0.1, 0.9]])
    both = np.array([[0.7, 0.6], [0.9, 0.8]])
    assert fit_both(pets, both) == pytest.approx(0.4, abs=0.011)


def test_few_photos_of_one_pet_may_be_called_both():
    pets = np.array([[0.9, 0.5], [0.9, 0.1]])
    both = np.array([[0.9, 0.3], [0.9, 0.3], [0.9, 0.7]])
    assert fit_both(pets, both) > 0.5
    assert fit_both(pets, both, most=0.5) <= 0.3


def test_the_evidence_scale_is_the_99th_percentile_of_what_speaks_for_each_pet(tiny_network, pets):
    cached, _ = cache_photos([photo for photo in pets if sum(photo.label) == 1])
    preset = EvaluationPreset(64)
    scale = measure_evidence_scale(tiny_network, EvaluationSamples(cached, preset), torch.device("cpu"), workers=0)
    values = []
    for photo in cached:
        evidence = evidence_and_logits(tiny_network, preset(photo.picture())[None])[0][0]
        values += [value * evidence[0].numel() for value in evidence[photo.photo.label.index(1)].flatten().tolist()]
    positive = sorted(value for value in values if value > 0)
    assert len({photo.size for photo in cached}) > 1
    assert scale == pytest.approx(float(np.percentile(positive, 99)), rel=1e-4)
    assert math.isfinite(scale) and scale > 0
