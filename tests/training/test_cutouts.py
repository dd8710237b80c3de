"""What a network sees of a pet is what is cut out."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image

import catdog
from catdog.checkpoint import load_checkpoint
from catdog.datasets import Photo
from catdog.datasets.cache import cache_photos
from catdog.training.cutouts import around_peak, strongest_place, with_extents
from catdog.transforms import EvaluationPreset

CPU = torch.device("cpu")


def test_the_shipped_network_cuts_pets_out_where_no_trimap_says_it_and_leaves_other_photos_alone(root):
    names = {"cat-ginger-kitten": (1, 0), "dog-german-shepherd": (0, 1), "neither-coffee-cup": (0, 0)}
    photos = [Photo(root / "examples" / f"{name}.jpg", label, "a", "training") for name, label in names.items()]
    cached, failed = cache_photos(photos)
    assert failed == []
    network, metadata = load_checkpoint(catdog.files.CHECKPOINT)
    found = with_extents(cached, network, EvaluationPreset(metadata.input_size, "whole"), CPU, workers=0)
    assert [one.photo for one in found] == photos
    for one in found[:2]:
        mask = np.asarray(one.cutout()) > 127
        assert 0.05 < mask.mean() < 0.95
        across, down = one.strongest
        assert mask[int(down * one.size[1]), int(across * one.size[0])], "the strongest place lies on the pet"
    assert found[2].cutout() is None and found[2].strongest is None
    wrong = [one.__class__(Photo(one.photo.path, (0, 1), "a", "training"), one.content, one.size) for one in cached[:1]]
    [unseen] = with_extents(wrong, network, EvaluationPreset(), CPU, workers=0)
    assert unseen.extent is None and unseen.strongest is None, "a dog that the network does not see"


def test_a_map_s_strongest_place_is_told_in_shares_of_the_picture():
    evidence = np.zeros((2, 4), np.float32)
    evidence[1, 3] = 1
    assert strongest_place(evidence) == (0.875, 0.75)


def test_only_what_hangs_together_with_the_peak_is_cut_out():
    extent = np.full((8, 8), -1.0, np.float32)
    extent[1:4, 1:4], extent[2, 2] = 1.0, 2.0
    extent[6, 6] = 1.5
    mask = np.asarray(around_peak(extent))
    assert isinstance(around_peak(extent), Image.Image) and mask.shape == (8, 8)
    assert mask[1:4, 1:4].min() == 255 and mask.sum() == 9 * 255
    assert around_peak(-np.ones((4, 4), np.float32)) is None
