"""Evidence maps: how many logits each place of the last feature map contributes to each label."""

from __future__ import annotations

import math

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from catdog.resnet import ResNet
from catdog.transforms import Box

STRONGEST = 1 / 8  # of all places
FINE = 112  # places a side, at least, before a box is drawn around a region
TINY = 1e-12  # what is divided by is no smaller


def evidence_and_logits(network: ResNet, batch: Tensor) -> tuple[Tensor, Tensor]:
    """Answer and maps in one forward pass, without hooks or gradients.

    For a network that ends in global average pooling and one linear layer, with the last stage's output A (C, h, w),
    the layer's weights W and bias b, logit[label] = mean(W[label] . A) + b[label], so every place's share of it is

        evidence[label] = W[label] . A / (h * w)

    (Zhou et al. 2016, "Learning Deep Features for Discriminative Localization", equation 2). Grad-CAM's gradients are
    the constant W / (h * w) here, and its map is the ReLU of this one (Selvaraju et al. 2017, section 3.1).

    Args:
        network: a ResNet whose last layer gives one logit a label.
        batch: normalized pictures (batch, 3, H, W), on the network's device.

    Returns:
        Evidence (batch, labels, h, w) and logits (batch, labels), both float32 and in logits;
        `evidence.sum((2, 3)) + bias == logits`.
    """
    return evidence_of(network, network.features(batch))


def evidence_of(network: ResNet, features: Tensor) -> tuple[Tensor, Tensor]:
    """The same from the last stage's output (batch, channels, h, w)."""
    with torch.autocast(features.device.type, enabled=False):  # float32 also where the network runs in half precision
        features = features.float()
        weight, bias = network.fc.weight.float(), network.fc.bias.float()
        evidence = torch.einsum("lc,bchw->blhw", weight, features) / features[0, 0].numel()
        return evidence, evidence.sum((2, 3)) + bias


def explain_batch(network: ResNet, batch: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """`evidence_and_logits`, and from the same pass how far what speaks for each label reaches, and what it looks like:
    `extent_of` and `signatures_of`."""
    layer3_output = network.layer3_output(batch)
    features = network.layer4(layer3_output)
    evidence, logits = evidence_of(network, features)
    return evidence, logits, extent_of(evidence, layer3_output), signatures_of(evidence, features)


def extent_of(evidence: Tensor, layer3_output: Tensor) -> Tensor:
    """Which places look more like those that speak for a label than like those that speak against it.

    Evidence is strongest where a pet is told from other things, on its face. What belongs to it looks alike to the third
    stage, on a grid twice as fine. So the mean look of the places that speak for the label and of those that speak against
    it, weighted by how much they do, are its prototypes in this picture (as in Chen et al. 2022, "Self-supervised
    Image-specific Prototype Exploration for Weakly Supervised Semantic Segmentation"), and a place belongs to the nearer
    one. Looks are compared by the Hellinger distance of their channels, which keeps a few large ones from deciding alone
    (Arandjelovic and Zisserman 2012, RootSIFT).

    Args:
        evidence: (batch, labels, h, w), in logits.
        layer3_output: the third stage's output (batch, C, 2h, 2w).

    Returns:
        float32 (batch, labels, 2h, 2w), above 0 where a place is nearer to what speaks for the label. Where no place speaks
        for it, 0 at most; where none speaks against it, what looks like it at all.
    """
    with torch.autocast(layer3_output.device.type, enabled=False):
        layer3_output = layer3_output.float()
        looks = (layer3_output / layer3_output.sum(1, keepdim=True).clamp(min=TINY)).sqrt()
        votes = functional.interpolate(evidence, looks.shape[2:], mode="bilinear", align_corners=False)

        def prototype(weights: Tensor) -> Tensor:
            total = weights.sum((2, 3)).clamp(min=TINY)
            return torch.einsum("blhw,bchw->blc", weights, looks) / total[..., None]

        own, other = prototype(votes.clamp(min=0)), prototype((-votes).clamp(min=0))
        nearer = torch.einsum("blc,bchw->blhw", own - other, looks)
        nearer = nearer - (own.square() - other.square()).sum(2)[..., None, None] / 2
        return torch.where(votes.amax((2, 3), keepdim=True) > 0, nearer, nearer.clamp(max=0))


def signatures_of(evidence: Tensor, features: Tensor) -> Tensor:
    """What a pet is recognized by: the last stage's features where the picture speaks for its label, and not the sofa's.

    Args:
        evidence: (batch, labels, h, w), in logits.
        features: the last stage's output (batch, channels, h, w).

    Returns:
        float32 (batch, labels, channels), the mean of the places, each weighted by the positive part of its evidence; zeros
        where no place speaks for a label.
    """
    with torch.autocast(features.device.type, enabled=False):
        weights = evidence.clamp(min=0)
        weights = weights / weights.sum((2, 3), keepdim=True).clamp(min=TINY)
        return torch.einsum("blhw,bchw->blc", weights, features.float())


def strongest_places(evidence: np.ndarray) -> np.ndarray:
    """What each logit, less its bias, would be if the whole photo looked like the eighth of it that speaks most for the
    label (top instances: Durand et al. 2017, WILDCAT, section 3.3).

    Args:
        evidence: (n, labels, h, w), in logits.

    Returns:
        (n, labels), in logits.
    """
    values = evidence.reshape(*evidence.shape[:2], -1)
    places = values.shape[2]
    count = max(1, round(places * STRONGEST))
    return np.partition(values, places - count)[..., places - count :].mean(2) * places


def fine_map(values: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A map (h, w), smoothly enlarged to a size (width, height): float32 (height, width).

    By bicubic interpolation. A bilinear surface is highest at a place's center, whichever neighbor speaks too, and a place
    is 32 pixels of the input wide. It may leave the map's range a little: next to places that speak against a label there
    would be some that seem to speak for it, so take the positive part first where that is what counts.
    """
    return np.asarray(Image.fromarray(values.astype(np.float32)).resize(size, Image.Resampling.BICUBIC))


def boxes_of(extent: np.ndarray, view: Box, threshold: float) -> list[Box | None]:
    """For each label the box around the region that holds its map's peak.

    The map is enlarged, and the connected region of at least `threshold` times the peak, around the peak, is taken
    (Zhou et al. 2016, section 3.3).

    Args:
        extent: (labels, h, w), `extent_of` or any other map.
        view: the part of the upright picture that the map covers, in pixels.
        threshold: share of the peak, in (0, 1).

    Returns:
        (left, top, right, bottom) in pixels of the upright picture, or None where no place is above 0.
    """
    from scipy import ndimage  # here: a prediction needs no boxes, and SciPy is slow to load

    labels, height, width = extent.shape
    times = math.ceil(FINE / min(height, width))
    fine = [fine_map(np.maximum(values, 0), (width * times, height * times)) for values in extent]
    left, top, right, bottom = view
    across, down = (right - left) / (width * times), (bottom - top) / (height * times)
    boxes: list[Box | None] = []
    for label in range(labels):
        peak = tuple(np.unravel_index(fine[label].argmax(), fine[label].shape))
        if fine[label][peak] <= 0:
            boxes.append(None)
            continue
        regions = np.zeros(fine[label].shape, np.int32)
        ndimage.label(fine[label] >= threshold * fine[label][peak], output=regions)
        region = regions == regions[peak]
        rows, columns = np.flatnonzero(region.any(1)), np.flatnonzero(region.any(0))
        boxes.append(
            (
                round(left + columns[0] * across),
                round(top + rows[0] * down),
                round(left + (columns[-1] + 1) * across),
                round(top + (rows[-1] + 1) * down),
            )
        )
    return boxes
