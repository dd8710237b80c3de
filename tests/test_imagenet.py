"""ImageNet's weights, where torchvision has stored them, and nowhere else."""

from __future__ import annotations

import socket

import pytest
import torch
import torchvision

from catdog.evidence import evidence_and_logits
from catdog.imagenet import imagenet_network


@pytest.fixture
def store(tmp_path, monkeypatch):
    """Where torchvision keeps what it has downloaded."""
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    return folder


def test_without_stored_weights_there_is_none_and_nothing_is_fetched(store, monkeypatch):
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("it asked the network"))
    assert imagenet_network("resnet18") is None


def test_cat_and_dog_are_the_means_of_their_classes_beside_the_mean_of_all(store):
    torch.manual_seed(0)
    theirs = torchvision.models.resnet18(num_classes=1000).eval()
    torch.save(theirs.state_dict(), store / "resnet18-f37072fd.pth")
    ours = imagenet_network("resnet18")
    picture = torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        logits = theirs(picture)[0]
        evidence, mine = evidence_and_logits(ours, picture)
    expected = torch.stack([logits[281:286].mean(), logits[151:269].mean()]) - logits.mean()
    torch.testing.assert_close(mine[0], expected, atol=1e-4, rtol=1e-4)
    assert evidence.shape == (1, 2, 2, 2)
