"""The page draws evidence as catdog/render.py does, in colors that stay apart for color-blind eyes."""

from __future__ import annotations

import json
import shutil
import subprocess

import numpy as np
import pytest
from colorspacious import cspace_convert, deltaE
from demanded import skip

from catdog.render import COLORS, SATURATION, STRENGTH, UNSEEN, VEIL

APART = 25  # CAM02-UCS; about 1 is a difference that is just seen, and 10 one that is seen at a glance
KINDS = ("protanomaly", "deuteranomaly", "tritanomaly")
PAIRS = 3  # of colors to choose from


@pytest.fixture(scope="module")
def drawn(root):
    """What catdog/page/web/evidence.js exports."""
    node = shutil.which("node")
    if node is None:
        skip("needs node on the PATH")
    module = (root / "catdog" / "page" / "web" / "evidence.js").as_uri()
    script = f"import * as evidence from {json.dumps(module)}; console.log(JSON.stringify(evidence));"
    done = subprocess.run([node, "--input-type=module", "--eval", script], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def seen_as(color: np.ndarray, kind: str) -> np.ndarray:
    """sRGB in [0, 1] as someone with all of that deficiency sees it (Machado et al. 2009)."""
    space = {"name": "sRGB1+CVD", "cvd_type": kind, "severity": 100}
    return np.clip(cspace_convert(color, space, "sRGB1"), 0, 1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("pair", range(PAIRS))
@pytest.mark.parametrize("photo", [0.1, 0.5, 0.9], ids=["dark", "gray", "light"])
def test_cat_and_dog_stay_apart_over_any_photo(drawn, pair, kind, photo):
    cat, dog = (
        seen_as(np.array(drawn["PAIRS"][pair][label]) / 255 * STRENGTH + photo * (1 - STRENGTH), kind)
        for label in ("cat", "dog")
    )
    assert deltaE(cat, dog, input_space="sRGB1") > APART


def test_the_first_pair_and_the_look_are_those_of_every_other_picture(drawn):
    assert len(drawn["PAIRS"]) == PAIRS
    assert {label: tuple(drawn["PAIRS"][0][label]) for label in ("cat", "dog")} == COLORS
    assert (drawn["STRENGTH"], drawn["SATURATION"], drawn["VEIL"]) == (STRENGTH, SATURATION, VEIL)
    assert tuple(drawn["UNSEEN"]) == UNSEEN


def test_red_and_green_would_not_pass():
    red, green = (seen_as(np.array(color) / 255, "deuteranomaly") for color in ((200, 90, 60), (110, 130, 50)))
    assert deltaE(red, green, input_space="sRGB1") < APART
