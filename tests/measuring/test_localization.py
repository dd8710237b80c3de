"""Whether maps point at the pet: what counts as a hit, and that a map in the wrong place is none."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from catdog.datasets import Photo
from catdog.datasets.cache import CachedPhoto, cache_photos
from catdog.measuring.localization import (
    box_around,
    box_baselines,
    box_from_map,
    centered_boxes,
    corloc,
    fit_box_threshold,
    gaussian,
    iou,
    localize,
    peak_of,
    pet_boxes,
    point_at_both,
)

PET = (slice(10, 40), slice(60, 100))  # rows, columns of a 120x80 photo: right of the center


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> list[CachedPhoto]:
    """A dog on the right, with a trimap that has a border."""
    folder = tmp_path_factory.mktemp("photos")
    marks = np.full((80, 120), 2, np.uint8)
    marks[PET] = 3
    marks[14:36, 64:96] = 1
    Image.fromarray(marks).save(folder / "dog.png")
    Image.new("RGB", (120, 80), "gray").save(folder / "dog.jpg")
    cached, failed = cache_photos([Photo(folder / "dog.jpg", (0, 1), "oxford", "held-out", folder / "dog.png")])
    assert not failed
    return cached


def on_the_pet(photo: CachedPhoto, label: int) -> np.ndarray:
    assert label == 1
    values = np.full((80, 120), -0.5, np.float32)
    values[PET] = 1.0
    return values


def test_a_map_of_the_pet_points_at_it_holds_its_energy_and_finds_its_box(photos):
    result = localize(photos, box_from_map(on_the_pet), threshold=0.3)
    assert (result.pointing.k, result.pointing_off_center.k, result.corloc.k) == (1, 1, 1)
    assert result.energy == pytest.approx(1)
    assert 0.8 < result.overlaps[0] <= 1


def test_a_map_of_the_other_side_does_not(photos):
    result = localize(photos, box_from_map(lambda photo, label: on_the_pet(photo, label)[:, ::-1]), threshold=0.3)
    assert (result.pointing.k, result.corloc.k, result.energy) == (0, 0, 0)
    assert result.overlaps == [0]


def test_a_plain_map_holds_the_energy_of_the_pets_share_of_the_photo(photos):
    result = localize(photos, box_from_map(lambda photo, label: np.ones((5, 7), np.float32)), threshold=0.3)
    assert result.energy == pytest.approx(30 * 40 / (80 * 120))


def test_a_peak_lies_nearer_to_the_neighbor_that_speaks_too():
    values = np.zeros((4, 6), np.float32)
    values[1, 2] = 1
    row, column = peak_of(values, (60, 40))
    assert 14 <= row <= 15 and 24 <= column <= 25  # the middle of its place
    values[1, 3] = 0.9
    row, column = peak_of(values, (60, 40))
    assert 14 <= row <= 15 and 27 <= column <= 29
    assert peak_of(values.T, (40, 60)) == (column, row)


def test_the_center_misses_a_pet_that_is_not_there(photos):
    result = localize(photos, box_from_map(gaussian), threshold=0.5)
    assert (result.pointing.k, result.pointing_off_center.n) == (0, 1)


def test_the_threshold_whose_boxes_fit_best_is_chosen(photos):
    def halo(photo: CachedPhoto, label: int) -> np.ndarray:
        """Weak evidence around the pet that a low threshold would take in: its box would still overlap by a half."""
        values = np.zeros((80, 120), np.float32)
        values[7:43, 56:104] = 0.14
        return np.maximum(values, on_the_pet(photo, label))

    assert (
        localize(photos, box_from_map(halo), 0.02).corloc.value
        == localize(photos, box_from_map(halo), 0.15).corloc.value
        == 1
    )
    assert fit_box_threshold(photos, box_from_map(halo)) == 0.15


def test_the_baselines_are_the_whole_photo_and_the_best_centered_box(photos):
    baselines = box_baselines(pet_boxes(photos))
    assert len(baselines) == 2
    assert baselines["the whole photo"].value == 0


def test_a_larger_centered_box_overlaps_a_pet_in_the_corner_more_until_it_holds_it_all(photos):
    overlaps = {share: each for share, [each] in centered_boxes(pet_boxes(photos)).items()}
    assert overlaps[0.3] < overlaps[0.6] and overlaps[1.0] == pytest.approx(30 * 40 / (80 * 120))


def test_boxes_that_overlap_by_a_half_are_found():
    assert (corloc([0.49, 0.5, 0.9]).k, corloc([0.49, 0.5, 0.9]).n) == (2, 3)


@pytest.mark.parametrize(
    ("one", "two", "expected"),
    [
        ((0, 0, 10, 10), (0, 0, 10, 10), 1),
        ((0, 0, 10, 10), (5, 0, 15, 10), 1 / 3),
        ((0, 0, 10, 10), (10, 0, 20, 10), 0),
        ((0, 0, 10, 10), (2, 2, 4, 4), 0.04),
    ],
)
def test_overlap_is_intersection_over_union(one, two, expected):
    assert iou(one, two) == iou(two, one) == pytest.approx(expected)


def test_a_box_encloses_its_mask():
    mask = np.zeros((50, 70), bool)
    mask[PET] = True
    assert box_around(mask) == (60, 10, 70, 40)


@pytest.fixture(scope="module")
def red_cat_and_blue_dog(tmp_path_factory) -> list[CachedPhoto]:
    folder = tmp_path_factory.mktemp("both")
    photos = []
    for name, color, label in (("cat", "red", (1, 0)), ("dog", "blue", (0, 1))):
        picture, marks = Image.new("RGB", (120, 80), "gray"), np.full((80, 120), 2, np.uint8)
        picture.paste(color, (60, 10, 100, 40))
        marks[PET] = 1
        picture.save(folder / f"{name}.png")
        Image.fromarray(marks).save(folder / f"{name}-trimap.png")
        photos.append(Photo(folder / f"{name}.png", label, "oxford", "held-out", folder / f"{name}-trimap.png"))
    return cache_photos(photos)[0]


def redness_and_blueness(picture: Image.Image) -> np.ndarray:
    red, green, blue = np.moveaxis(np.asarray(picture, np.float32), 2, 0)
    return np.stack([red - green, blue - green])


def test_each_peak_on_its_own_pet_is_a_hit(red_cat_and_blue_dog):
    rates = point_at_both(red_cat_and_blue_dog, redness_and_blueness, 0.5, count=12, seed=0)
    assert {name: (rate.k, rate.n) for name, rate in rates.items()} == dict.fromkeys(
        ("cat", "dog", "both at once"), (12, 12)
    )


def test_maps_that_take_the_cat_for_the_dog_are_misses(red_cat_and_blue_dog):
    rates = point_at_both(
        red_cat_and_blue_dog, lambda picture: redness_and_blueness(picture)[::-1], 0.5, count=12, seed=0
    )
    assert [rate.k for rate in rates.values()] == [0, 0, 0]
