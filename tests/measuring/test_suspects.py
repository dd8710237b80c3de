"""The order of suspects, from what the network says of photos and how alike it finds them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from catdog.checkpoint import Metadata
from catdog.classifier import Classifier
from catdog.datasets import Photo
from catdog.datasets.cache import CachedPhoto
from catdog.measuring import suspects

COUNT = 200  # of each label


@pytest.fixture
def ranked(tiny_network, monkeypatch):
    """Names in the order of suspicion, of cats whose features lie about one axis and dogs about another, for the network's
    probability of cat by name and the features of those that lie elsewhere."""

    classifier = Classifier(tiny_network, Metadata(), torch.device("cpu"))

    def rank(probability_of_cat: dict[str, float], elsewhere: dict[str, np.ndarray]) -> list[str]:
        generator = np.random.default_rng(0)
        photos, cat, features = [], [], []
        for label, axis in (("cat", 0), ("dog", 1)):
            for index in range(COUNT):
                name = f"{label}{index}"
                photos.append(CachedPhoto(Photo(Path(name), (1 - axis, axis), "mine", "all"), b"", (1, 1)))
                cat.append(probability_of_cat.get(name, generator.uniform(0.9, 1) if label == "cat" else 0.01))
                features.append(elsewhere.get(name, np.eye(8)[axis] + generator.normal(0, 0.05, 8)))
        dog = generator.uniform(0.9, 1, 2 * COUNT) * (np.arange(2 * COUNT) >= COUNT)
        answers = np.stack([cat, dog], 1), np.array(features)
        monkeypatch.setattr(suspects, "answers_and_features", lambda classifier, photos: answers)
        return [each.photo.path.name for each in suspects.find_suspects(classifier, photos)]

    return rank


def test_of_photos_that_the_network_doubts_alike_one_that_is_like_no_other_comes_first(ranked):
    drawing = np.eye(8)[0] + 3 * np.eye(8)[5]
    doubted = {f"cat{index}": 0.1 + index / 1000 for index in range(12)} | {"cat50": 0.105}
    assert ranked(doubted, {})[:2] == ["cat0", "cat1"]
    assert ranked(doubted, {"cat50": drawing})[0] == "cat50"


def test_an_odd_photo_that_the_network_does_not_doubt_stays_behind_a_wrong_label(ranked):
    drawing = np.eye(8)[0] + 3 * np.eye(8)[5]
    dog = np.eye(8)[1]
    assert ranked({"cat3": 0.001, "cat50": 0.99}, {"cat3": dog, "cat50": drawing})[0] == "cat3"
