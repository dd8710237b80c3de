"""ImageNet's classes, and a network that knows them where torchvision has left its weights on this machine."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from catdog.resnet import ARCHITECTURES, Architecture, ResNet

CATS, DOGS = (
    slice(281, 286),
    slice(151, 269),
)  # of the 1,000 classes: cats without lynxes and lions, dogs without wolves


def imagenet_network(arch: Architecture) -> ResNet | None:
    """A network that has learned ImageNet's 1,000 classes and nothing else, in eval mode; its two labels are the mean cat and
    the mean dog of them, beside the mean of all. None where torchvision has not stored its weights here: nothing is downloaded.
    """
    from torchvision.models import get_model_weights

    path = Path(torch.hub.get_dir()) / "checkpoints" / Path(get_model_weights(arch)["DEFAULT"].url).name
    if not path.is_file():
        return None
    network = ARCHITECTURES[arch](num_classes=1000)
    network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    classes, network.fc = network.fc, nn.Linear(network.fc.in_features, 2)
    with torch.no_grad():
        for mine, theirs in ((network.fc.weight, classes.weight), (network.fc.bias, classes.bias)):
            mine.copy_(torch.stack([theirs[each].mean(0) for each in (CATS, DOGS)]) - theirs.mean(0))
    return network.eval()
