"""Figures agree with the statistics packages and with sums done by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import expit, softmax
from sklearn.metrics import auc

from catdog.decision import Calibration, percent, probabilities_of, verdicts_of
from catdog.measuring.figures import Mean, Rate
from catdog.measuring.metrics import (
    auroc,
    calibration_error,
    calibration_error_by_chance,
    confusion,
    mean_of,
    reliability_bins,
    roc,
    two_way_log_losses,
    two_way_right,
)

CAT, DOG = (1, 0), (0, 1)


@pytest.mark.parametrize(("k", "n"), [(0, 1), (1, 1), (0, 50), (50, 50), (7, 13), (1013, 1023), (256, 263)])
def test_the_interval_is_wilson_s(k, n):
    share, z = k / n, 1.959964  # Wilson 1927
    center = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    expected = max(0.0, center - half), min(1.0, center + half)
    assert Rate(k, n).interval == pytest.approx(expected, abs=1e-6)
    assert Rate(k, n).value == k / n


def test_a_rate_of_nothing_is_not_a_number():
    assert math.isnan(Rate(0, 0).value)
    assert all(math.isnan(end) for end in Rate(0, 0).interval)


def test_a_rate_is_written_with_its_counts_and_interval():
    assert str(Rate(99, 100)) == "99.00% (99 of 100, 95% interval 94.55% to 99.82%)"
    assert Rate(99, 100).to_dict() == {"value": 0.99, "k": 99, "n": 100, "interval": list(Rate(99, 100).interval)}


def test_a_sigmoid_head_gives_two_probabilities_that_do_not_depend_on_each_other():
    logits, strongest = np.array([[2.0, -1.0], [0.0, 5.0]]), np.array([[9.0, 1.0], [3.0, 7.0]])
    cat = (logits[:, 0] + 0.2 * strongest[:, 0]) / 2 + 0.1
    dog = (logits[:, 1] + 0.1 * strongest[:, 1]) / 0.5 - 0.3
    scores = np.stack([cat, dog], 1)
    probabilities = probabilities_of(logits, strongest, Calibration("sigmoid", (2.0, 0.5), (0.1, -0.3), (0.2, 0.1)))
    np.testing.assert_allclose(probabilities, expit(scores), rtol=1e-12)


def test_a_softmax_head_gives_two_probabilities_that_add_up_to_one():
    logits = np.array([[2.0, -1.0], [0.0, 5.0], [3.0, 3.0]])
    probabilities = probabilities_of(logits, np.ones_like(logits), Calibration("softmax", (2.0, 2.0)))
    np.testing.assert_allclose(probabilities, softmax(logits / 2, axis=1), rtol=1e-12)


def test_enormous_logits_give_probabilities_without_a_warning():
    with np.errstate(all="raise"):
        probabilities = probabilities_of(np.array([[1e6, -1e6]]), np.zeros((1, 2)), Calibration())
    np.testing.assert_allclose(probabilities, [[1, 0]], atol=1e-12)


@pytest.mark.parametrize(
    ("cat", "dog", "verdict"),
    [
        (0.9, 0.1, "cat"),
        (0.1, 0.9, "dog"),
        (0.4, 0.1, "cat"),  # exactly present
        (0.39, 0.39, "neither"),
        (0.7, 0.9, "both"),  # exactly both
        (0.69, 0.9, "dog"),
        (0.5, 0.5, "cat"),
    ],
)
def test_the_verdict_follows_the_two_thresholds(cat, dog, verdict):
    assert verdicts_of(np.array([[cat, dog]]), present=0.4, both=0.7) == [verdict]


def test_neither_comes_before_both():
    assert verdicts_of(np.array([[0.5, 0.5]]), present=0.6, both=0.3) == ["neither"]


@pytest.mark.parametrize(
    ("cat", "dog", "label", "right"),
    [(0.6, 0.2, CAT, True), (0.6, 0.2, DOG, False), (0.1, 0.2, DOG, True), (0.1, 0.2, CAT, False)]
    + [(tie, tie, label, False) for tie in (0.0, 0.5, 1.0) for label in (CAT, DOG)],
)
def test_two_way_asks_which_is_larger_and_a_tie_is_wrong(cat, dog, label, right):
    assert two_way_right(np.array([[cat, dog]]), np.array([label])).tolist() == [right]


def test_the_two_way_log_loss_is_that_of_the_right_label_s_share():
    probabilities, labels = np.array([[0.9, 0.3], [0.9, 0.3]]), np.array([CAT, DOG])
    np.testing.assert_allclose(two_way_log_losses(probabilities, labels), [-math.log(0.75), -math.log(0.25)])


def test_the_two_way_log_loss_is_clipped_at_a_millionth():
    probabilities = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 1.0]])
    labels = np.array([DOG, CAT, CAT, DOG])
    expected = [-math.log(1e-6)] * 2 + [-math.log(1 - 1e-6)] * 2
    np.testing.assert_allclose(two_way_log_losses(probabilities, labels), expected, rtol=1e-9)


def test_the_two_way_log_loss_of_two_zeros_is_that_of_a_coin():
    np.testing.assert_allclose(two_way_log_losses(np.zeros((2, 2)), np.array([CAT, DOG])), math.log(2))


def test_the_calibration_error_is_the_mean_gap_of_fifteen_bins():
    # bin 1 of 15 holds 0.07 and 0.13: mean 0.1, half positive; the last one 0.95, 1 and 1: mean 59/60, all positive
    probabilities, labels = np.array([0.07, 0.13, 0.95, 1.0, 1.0]), np.array([1, 0, 1, 1, 1])
    assert calibration_error(probabilities, labels) == pytest.approx(2 / 5 * 0.4 + 3 / 5 / 60)


def test_neighboring_bins_do_not_cancel_each_other():
    assert calibration_error(np.array([0.49, 0.59]), np.array([1, 0])) == pytest.approx((0.51 + 0.59) / 2)
    assert calibration_error(np.array([0.49, 0.51]), np.array([1, 0])) == pytest.approx(0)


def test_what_a_perfectly_calibrated_model_shows_shrinks_with_the_number_of_photos():
    half = calibration_error_by_chance(np.full(100, 0.5))
    assert half == pytest.approx(0.05 * np.sqrt(2 / np.pi), rel=0.1)  # the mean of |k / n - 1 / 2|, k of n heads
    assert calibration_error_by_chance(np.full(400, 0.5)) == pytest.approx(half / 2, rel=0.1)
    assert calibration_error_by_chance(np.array([0.0, 1.0])) == 0


def test_a_calibrated_model_has_no_calibration_error():
    probabilities = np.repeat([0.25, 0.75], 4)
    assert calibration_error(probabilities, np.array([1, 0, 0, 0, 1, 1, 1, 0])) == pytest.approx(0)


def test_a_mean_comes_with_its_normal_interval():
    values = np.array([1.0, 2.0, 3.0, 6.0])
    mean = mean_of(values)
    half = 1.96 * math.sqrt(14 / 3) / 2
    assert mean.interval
    assert (mean.value, *mean.interval) == pytest.approx((3, 3 - half, 3 + half), rel=1e-4)
    assert mean_of(np.array([1.0])) == Mean(1, None)


@pytest.mark.parametrize(
    ("probability", "said"),
    [
        (0, "under 1%"),
        (0.0099, "under 1%"),
        (0.01, "1%"),
        (0.0101, "2%"),
        (0.29, "29%"),
        (0.494, "50%"),
        (0.506, "50%"),
        (0.57, "57%"),
        (0.986, "98%"),
        (0.99, "99%"),
        (0.9901, "over 99%"),
        (1, "over 99%"),
    ],
)
def test_a_percentage_is_rounded_towards_a_half(probability, said):
    assert percent(probability) == said


def test_the_confusion_counts_verdicts_by_the_true_one():
    labels = [CAT, CAT, DOG, (0, 0), (0, 0)]
    rows = confusion(labels, ["cat", "dog", "dog", "neither", "both"])
    assert rows == {
        "cat": {"cat": 1, "dog": 1, "both": 0, "neither": 0},
        "dog": {"cat": 0, "dog": 1, "both": 0, "neither": 0},
        "neither": {"cat": 0, "dog": 0, "both": 1, "neither": 1},
    }


def test_reliability_and_calibration_error_are_of_the_same_bins():
    generator = np.random.default_rng(0)
    p = generator.random(500) ** 2
    labels = (generator.random(500) < 0.8 * p).astype(int)
    bins = reliability_bins(p, labels)
    assert sum(each.n for each in bins) == 500
    assert all(0 <= each.mean <= 1 for each in bins)
    gaps = [abs(each.mean - each.rate.value) * each.n for each in bins]
    assert sum(gaps) / 500 == pytest.approx(calibration_error(p, labels))


def test_the_area_under_the_roc_curve_is_the_auroc():
    generator = np.random.default_rng(1)
    positives, others = generator.normal(1, 1, 80), generator.normal(0, 1, 50)
    x, y = zip(*roc(positives, others))
    assert (x[0], y[0], x[-1], y[-1]) == (0, 0, 1, 1)
    assert auc(x, y) == pytest.approx(auroc(positives, others))
