"""Overlays: one absolute scale, colors where the evidence is, and nothing where there is none."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from catdog.classifier import Explanation, Prediction
from catdog.render import COLORS, UNSEEN, overlay

SCALE = 10.0
GRAY = (120, 120, 120)


def painted(evidence: np.ndarray, view=(0, 0, 80, 60), boxes: dict | None = None, draw_boxes: bool = False):
    explanation = Explanation(
        Prediction(0.5, 0.5, "both", (0.0, 0.0)),
        evidence.astype(np.float32),
        np.zeros(2, np.float32),
        view,
        boxes or {"cat": None, "dog": None},
        np.zeros((2, 6, 8), np.float32),
        np.zeros(512, np.float32),
    )
    return np.asarray(overlay(Image.new("RGB", (80, 60), GRAY), explanation, SCALE, draw_boxes)).astype(int)


def cat_everywhere(value: float, shape: tuple[int, int] = (3, 4)) -> np.ndarray:
    return np.stack([np.full(shape, value), np.zeros(shape)])


def test_no_evidence_and_evidence_against_leave_the_photo_as_it_is():
    for value in (0.0, -3.0):
        assert (painted(np.full((2, 3, 4), value)) == GRAY).all()


@pytest.mark.parametrize("label", [0, 1])
def test_a_labels_evidence_has_its_color_where_it_is(label):
    evidence = np.zeros((2, 3, 4))
    evidence[label, 0, 0] = SCALE / 12
    picture = painted(evidence)
    color = np.array(list(COLORS.values())[label])
    shift = picture[0, 0] - GRAY
    assert np.dot(shift, color - GRAY) / (np.linalg.norm(shift) * np.linalg.norm(color - GRAY)) > 0.99
    assert (picture[-1, -1] == GRAY).all()


def test_half_the_evidence_has_half_the_strength_whatever_the_maps_own_maximum():
    full, half = (np.abs(painted(cat_everywhere(value / 12)) - GRAY).sum() for value in (SCALE, SCALE / 2))
    assert half == pytest.approx(full / 2, rel=0.02)


def test_the_same_evidence_a_place_looks_the_same_on_a_finer_map():
    coarse, fine = painted(np.full((2, 3, 4), SCALE / 24)), painted(np.full((2, 6, 8), SCALE / 96))
    assert np.abs(coarse - fine).max() <= 1


def test_what_the_network_did_not_see_is_grayed_and_has_no_evidence():
    picture = painted(cat_everywhere(SCALE / 9, (3, 3)), view=(10, 0, 70, 60))
    outside = picture[:, :10]
    assert (outside == outside[0, 0]).all()
    assert np.abs(outside[0, 0] - UNSEEN).max() <= 3
    assert np.abs(picture[30, 40] - GRAY).max() > 30


def test_boxes_are_drawn_when_asked_for_in_their_labels_color():
    boxes = {"cat": (20, 10, 60, 50), "dog": None}
    assert (painted(np.zeros((2, 3, 4)), boxes=boxes) == GRAY).all()
    picture = painted(np.zeros((2, 3, 4)), boxes=boxes, draw_boxes=True)
    assert (picture[10, 40] == COLORS["cat"]).all()
    assert (picture[30, 40] == GRAY).all()
