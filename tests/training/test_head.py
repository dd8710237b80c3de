"""The head fitted once more: the best linear layer for its features, no further from the trained one than asked."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from catdog.checkpoint import load_checkpoint
from catdog.datasets import Photo
from catdog.datasets.cache import cache_photos
from catdog.datasets.samples import EvaluationSamples
from catdog.files import CHECKPOINT
from catdog.training.evaluation import logits_of
from catdog.training.head import fit_linear, refit_head
from catdog.transforms import EvaluationPreset

CPU = torch.device("cpu")


@pytest.fixture
def problem() -> tuple[torch.Tensor, torch.Tensor]:
    """Features (400, 6) of photos, and labels (400, 2) drawn with the probabilities of a known layer."""
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(400, 6, generator=generator)
    logits = inputs @ torch.randn(6, 2, generator=generator) + 0.5
    return inputs, (torch.rand(400, 2, generator=generator) < logits.sigmoid()).float()


def loss_of(layer: nn.Linear, inputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return F.binary_cross_entropy_with_logits(layer(inputs), targets)


def test_without_a_pull_no_other_layer_has_a_lower_loss(problem):
    layer = nn.Linear(6, 2)
    fit_linear(layer, *problem, pull=0)
    gradients = torch.autograd.grad(loss_of(layer, *problem), list(layer.parameters()))
    assert max(gradient.abs().max() for gradient in gradients) < 1e-4


def test_a_strong_pull_leaves_the_weights_and_a_weak_one_leaves_less_loss(problem):
    trained = nn.Linear(6, 2)
    losses, distances = [loss_of(trained, *problem)], []
    for pull in (100.0, 0.1, 0.001):
        layer = nn.Linear(6, 2)
        layer.load_state_dict(trained.state_dict())
        fit_linear(layer, *problem, pull=pull)
        losses.append(loss_of(layer, *problem))
        distances.append((layer.weight - trained.weight).norm().item())
    assert distances[0] < 0.01 < distances[1] < distances[2]
    assert losses[0] > losses[1] > losses[2] > losses[3]


def test_only_the_head_of_a_network_moves_and_it_answers_the_photos_better(root):
    labels = {"cat-ginger-kitten": (1, 0), "dog-german-shepherd": (1, 0), "neither-coffee-cup": (0, 0)}  # a wrong one
    photos = [Photo(root / "examples" / f"{name}.jpg", label, "a", "training") for name, label in labels.items()]
    samples = EvaluationSamples(cache_photos(photos)[0], EvaluationPreset(128, "whole"))
    network, _ = load_checkpoint(CHECKPOINT)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    wrong, _ = logits_of(network, samples, CPU, workers=0)
    refit_head(network, samples, CPU, workers=0, pull=1e-4)
    learned, _ = logits_of(network, samples, CPU, workers=0)
    assert wrong[1].argmax() == 1 and wrong[1, 0] < 0 < learned[1, 0], "as it was told"
    moved = {name for name, value in network.state_dict().items() if not torch.equal(value, before[name])}
    assert moved == {"fc.weight", "fc.bias"}
