"""The cat's and the dog's colors stay apart for color-blind eyes."""

from __future__ import annotations

import numpy as np
import pytest
from colorspacious import cspace_convert, deltaE

from catdog.page.drawing import PAIRS
from catdog.render import COLORS, STRENGTH

APART = 25  # CAM02-UCS; about 1 is a difference that is just seen, and 10 one that is seen at a glance
KINDS = ("protanomaly", "deuteranomaly", "tritanomaly")


def seen_as(color: np.ndarray, kind: str) -> np.ndarray:
    """sRGB in [0, 1] as someone with all of that deficiency sees it (Machado et al. 2009)."""
    space = {"name": "sRGB1+CVD", "cvd_type": kind, "severity": 100}
    return np.clip(cspace_convert(color, space, "sRGB1"), 0, 1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair['cat']['name']}-{pair['dog']['name']}")
@pytest.mark.parametrize("photo", [0.1, 0.5, 0.9], ids=["dark", "gray", "light"])
def test_cat_and_dog_stay_apart_over_any_photo(pair, kind, photo):
    cat, dog = (
        seen_as(np.array(pair[label]["rgb"]) / 255 * STRENGTH + photo * (1 - STRENGTH), kind)
        for label in ("cat", "dog")
    )
    assert deltaE(cat, dog, input_space="sRGB1") > APART


def test_the_first_pair_is_that_of_every_other_picture():
    assert {label: PAIRS[0][label]["rgb"] for label in ("cat", "dog")} == COLORS


def test_red_and_green_would_not_pass():
    red, green = (seen_as(np.array(color) / 255, "deuteranomaly") for color in ((200, 90, 60), (110, 130, 50)))
    assert deltaE(red, green, input_space="sRGB1") < APART
