"""Evidence maps: how many logits each place of the last feature map contributes to each label."""

from __future__ import annotations

import torch
from torch import Tensor

from catdog.resnet import ResNet


def evidence_and_logits(network: ResNet, batch: Tensor) -> tuple[Tensor, Tensor]:
    """Answer and maps in one forward pass, without hooks or gradients.

    For a network that ends in global average pooling and one linear layer, with the last stage's output A (C, h, w),
    the layer's weights W and bias b, logit[label] = mean(W[label] . A) + b[label], so every place's share of it is

        evidence[label] = W[label] . A / (h * w)

    (Zhou et al. 2016, "Learning Deep Features for Discriminative Localization", equation 2). Grad-CAM's gradients are
    the constant W / (h * w) here, and its map is the ReLU of this one (Selvaraju et al. 2017, section 3.1).

    Args:
        network: a ResNet whose last layer gives one logit a label.
        batch: normalised pictures (batch, 3, H, W), on the network's device.

    Returns:
        Evidence (batch, labels, h, w) and logits (batch, labels), both float32 and in logits;
        `evidence.sum((2, 3)) + bias == logits`.
    """
    features = network.features(batch)
    with torch.autocast(features.device.type, enabled=False):  # float32 also where the network runs in half precision
        features = features.float()
        weight, bias = network.fc.weight.float(), network.fc.bias.float()
        evidence = torch.einsum("lc,bchw->blhw", weight, features) / features[0, 0].numel()
        return evidence, evidence.sum((2, 3)) + bias
