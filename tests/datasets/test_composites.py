"""Made-up photos hold what they should: both pets, one, or none."""

from __future__ import annotations

import random
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from catdog.datasets.composites import (
    SHORT_SIDE,
    least_hidden_place,
    paste,
    pet_mask,
    plain_picture,
    remove_pet,
    shuffle_patches,
    side_by_side,
    soft_rectangle,
)

SEEDS = range(30)
RED, BLUE = (255, 0, 0), (0, 0, 255)


def plain(color, size=(160, 120)) -> Image.Image:
    return Image.new("RGB", size, color)


def noise(size=(160, 120)) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), np.uint8))


def share(picture: Image.Image, color) -> float:
    """Share of the pixels that are near this color."""
    return float((np.abs(np.asarray(picture).astype(int) - color).max(2) < 60).mean())


@pytest.mark.parametrize(
    "make",
    [
        lambda rng: side_by_side(noise(), plain(BLUE), rng)[0],
        lambda rng: paste(noise(), plain(BLUE), soft_rectangle((160, 120)), rng, 0.5)[0],
        lambda rng: shuffle_patches(noise(), rng),
        lambda rng: remove_pet(noise(), soft_rectangle((160, 120)), rng),
        plain_picture,
    ],
    ids=["side_by_side", "paste", "shuffle_patches", "remove_pet", "plain_picture"],
)
def test_the_same_seed_makes_the_same_picture_and_another_one_another(make):
    pictures = [make(random.Random(seed)) for seed in (1, 1, 2, 3, 4)]
    assert pictures[0] == pictures[1]
    assert any(picture != pictures[0] for picture in pictures[2:])
    assert {picture.mode for picture in pictures} == {"RGB"}


@pytest.mark.parametrize("size", [(160, 160), (160, 120), (120, 160)])
def test_side_by_side_keeps_at_least_half_of_each_photo_s_length(size):
    for seed in SEEDS:
        picture = np.asarray(side_by_side(plain(RED, size), plain(BLUE, size), random.Random(seed))[0])
        if picture.shape[0] > SHORT_SIDE:
            picture, aspect = picture.swapaxes(0, 1), size[1] / size[0]
        else:
            aspect = size[0] / size[1]
        assert picture.shape[0] == SHORT_SIDE
        for channel in (0, 2):
            length = (picture[SHORT_SIDE // 2, :, channel] > 128).sum()
            assert length >= round(SHORT_SIDE * aspect) / 2


def test_side_by_side_comes_in_both_orders_and_directions():
    seen = set()
    for seed in SEEDS:
        picture, placed = side_by_side(plain(RED), plain(BLUE), random.Random(seed))
        assert placed.size == picture.size
        np.testing.assert_array_equal(np.asarray(placed) == 255, np.asarray(picture)[..., 2] > 128)
        seen.add((picture.height > SHORT_SIDE, picture.getpixel((0, 0))))
    assert seen == {(stacked, first) for stacked in (True, False) for first in (RED, BLUE)}


def test_a_mask_shows_the_pet_and_its_border():
    trimap = Image.fromarray(np.array([[1, 2, 3, 2]], np.uint8))
    assert np.asarray(pet_mask(trimap, (8, 1))).tolist() == [[255, 255, 0, 0, 255, 255, 0, 0]]


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (100, 60)])
def test_a_soft_rectangle_has_the_size_asked_for(size):
    assert soft_rectangle(size).size == size


def test_a_soft_rectangle_is_full_in_the_middle_and_fades_at_the_edge():
    mask = np.asarray(soft_rectangle((100, 60)))
    assert mask[30, 50] == 255
    assert mask[0].max() < 30 and mask[:, 0].max() < 30


def bright(seed: int, fraction: float) -> tuple[Image.Image, Image.Image]:
    mask = Image.new("L", (160, 120), 0)
    mask.paste(255, (40, 30, 120, 90))
    pet = plain((0, 200, 0))
    pet.paste(RED, (45, 35, 115, 85))
    return paste(plain((90, 90, 90), (300, 200)), pet, mask, random.Random(seed), fraction)


@pytest.mark.parametrize("fraction", [0.25, 0.5, 0.9])
def test_a_pasted_pet_has_the_size_asked_for(fraction):
    area = fraction * SHORT_SIDE * fraction * SHORT_SIDE * 60 / 80  # its longer side is 80 of its pixels, its other 60
    for seed in SEEDS:
        picture, placed = bright(seed, fraction)
        assert picture.size == placed.size == (384, SHORT_SIDE)
        gray = np.abs(np.asarray(picture).astype(int) - 90).max(2) <= 2
        assert 0.6 * area < (~gray).sum() < 1.2 * area  # up to an eighth of each side may lie outside
        assert gray[np.asarray(placed) == 0].all() and not gray[np.asarray(placed) > 127].any()


def test_a_pasted_pet_leaves_the_pictures_it_is_made_of_as_they_were():
    base, pet, mask = noise((256, 256)), noise(), soft_rectangle((160, 120))
    before = base.copy(), pet.copy(), mask.copy()
    paste(base, pet, mask, random.Random(0), 0.5)
    assert (base, pet, mask) == before


def test_a_pasted_pet_takes_on_some_of_the_light_around_it():
    pet = plain((120, 120, 120))
    mask = Image.new("L", pet.size, 255)
    light = [
        np.asarray(paste(plain(level, (256, 256)), pet, mask, random.Random(3), 0.5)[0])
        for level in ((40,) * 3, (230,) * 3)
    ]
    shown = [float(np.median(picture[(picture[..., 0] > 41) & (picture[..., 0] < 229)])) for picture in light]
    assert shown[0] < 110 and shown[1] > 130


@pytest.mark.parametrize("with_mask", [True, False], ids=["known", "unknown"])
def test_a_pasted_pet_hides_little_of_the_pet_below(with_mask):
    base = plain((0, 0, 0), (256, 256))
    base.paste(BLUE, (64, 64, 192, 192))
    base_mask = Image.new("L", (256, 256), 0)
    base_mask.paste(255, (64, 64, 192, 192))
    for seed in SEEDS:
        mask = Image.new("L", (100, 100), 255)
        known = base_mask if with_mask else None
        picture, _ = paste(base, plain(RED, (100, 100)), mask, random.Random(seed), 0.4, known)
        assert share(picture, BLUE) >= 0.55 * share(base, BLUE)


def test_a_place_that_hides_too_much_is_taken_only_where_there_is_no_better_one():
    pet = np.zeros((100, 100), bool)
    pet[:, :50] = True
    cutout = np.ones((60, 60), bool)
    for seed in SEEDS:
        left, top = least_hidden_place(pet, cutout, random.Random(seed), max_hidden=0.1)
        hidden = pet[max(0, top) : top + 60, max(0, left) : left + 60].sum() / pet.sum()
        assert hidden <= 0.25
    everywhere = np.ones((100, 100), bool)
    left, top = least_hidden_place(everywhere, cutout, random.Random(0), max_hidden=0.0)
    assert -60 < left < 100 and -60 < top < 100


def test_shuffled_patches_keep_the_colors_and_lose_the_shapes():
    picture = noise((252, 252))
    for seed in SEEDS:
        shuffled = shuffle_patches(picture, random.Random(seed))
        expected = picture.resize(shuffled.size)
        assert shuffled.histogram() == expected.histogram()
        assert (np.asarray(shuffled) == np.asarray(expected)).all(2).mean() < 0.1


def test_a_removed_pet_is_gone_and_the_rest_is_left():
    picture = plain((0, 120, 0))
    picture.paste(RED, (50, 30, 110, 80))
    mask = Image.new("L", picture.size, 0)
    mask.paste(255, (50, 30, 110, 80))
    for seed in SEEDS:
        assert remove_pet(picture, mask, random.Random(seed)) == plain((0, 120, 0))
    assert share(picture, RED) > 0.1


def test_a_pet_that_fills_its_photo_is_shuffled():
    picture = noise()
    removed = remove_pet(picture, Image.new("L", picture.size, 255), random.Random(0))
    assert removed == shuffle_patches(picture, random.Random(0))


def test_plain_pictures_are_walls_gradients_and_colored_or_gray_noise():
    kinds = Counter()
    for seed in range(200):
        picture = plain_picture(random.Random(seed))
        assert picture.size == (SHORT_SIDE, SHORT_SIDE)
        values = np.asarray(picture).astype(float)
        uneven = values - values.mean(0, keepdims=True) - values.mean(1, keepdims=True) + values.mean((0, 1))
        if uneven.std() < 20:  # a gradient varies along one side only
            kinds["smooth"] += 1
        else:
            kinds["gray noise" if np.ptp(values, axis=2).max() <= 2 else "colored noise"] += 1
    assert min(kinds[kind] for kind in ("smooth", "gray noise", "colored noise")) > 20
