"""Deletion, insertion and the sanity check: properties that hold for every network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from catdog.checkpoint import Metadata
from catdog.classifier import Classifier
from catdog.datasets import Photo
from catdog.datasets.cache import CachedPhoto, cache_photos, encode
from catdog.measuring.faithfulness import deletion_and_insertion, edges, likeness, random_map, randomized


@pytest.fixture(scope="module")
def classifier(tiny_network) -> Classifier:
    return Classifier(tiny_network, Metadata(input_size=64), torch.device("cpu"))


@pytest.fixture(scope="module")
def photos(pets):
    return cache_photos([photo for photo in pets if sum(photo.label) == 1])[0]


def test_deleting_the_best_first_is_inserting_the_worst_first(classifier, photos):
    def upside_down(photo, label):
        return -random_map(photo, label)

    for photo in photos:
        deletion, insertion = deletion_and_insertion(classifier, photo, random_map)
        reverse_deletion, reverse_insertion = deletion_and_insertion(classifier, photo, upside_down)
        assert deletion == pytest.approx(reverse_insertion, abs=0.02)
        assert insertion == pytest.approx(reverse_deletion, abs=0.02)


def test_a_map_is_like_itself_and_unlike_that_of_other_weights(classifier, photos):
    preset = classifier.metadata.preset()
    batches = [(preset(photo.picture())[None], photo.photo.label.index(1)) for photo in photos]
    network = classifier.network
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    assert likeness(network, network, batches) == pytest.approx(1)
    found = {name: likeness(network, other, batches).mean() for name, other in randomized(network)}
    assert list(found) == ["head", "stage 4", "stage 3", "stage 2", "stage 1 and stem"]
    assert all(abs(value) < 0.9 for value in found.values())
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


def test_edges_are_where_the_photo_has_them(quadrants):
    content = encode(quadrants)
    values = edges(CachedPhoto(Photo(Path("q.jpg"), (1, 0), "test", "held-out"), content, quadrants.size), 0)
    across = np.zeros((64, 64), bool)
    across[29:35] = across[:, 29:35] = True
    assert values.shape == (64, 64)
    assert values[across].mean() > 5 * values[~across].mean()
