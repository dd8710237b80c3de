"""What training minimizes: the loss of a batch, the loss of places, and how batches are blended."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F
from torchvision.transforms import v2

from catdog.training.config import TrainConfig


def label_loss(logits: Tensor, targets: Tensor, kind: str, smoothing: float) -> Tensor:
    """Mean loss of a batch: logits and targets (batch, 2).

    Binary cross-entropy on each label, or the plain softmax cross-entropy over cat and dog; labels smoothed as by
    Szegedy et al. 2016, section 7: towards one half, by `smoothing`.
    """
    if kind == "cross-entropy":
        return F.cross_entropy(logits, targets, label_smoothing=smoothing)
    return F.binary_cross_entropy_with_logits(logits, targets * (1 - smoothing) + smoothing / 2)


def place_loss(evidence: Tensor, places: Tensor) -> Tensor:
    """Asks that in photos put together the strongest place for a label lies in the photo that has it.

    For each label that one of the two photos has, softplus(a - b), where b is the largest value of the label's map on its
    photo and a the largest elsewhere, both as what the logit would be if every place said the same.

    Args:
        evidence: (batch, 2, h, w), in logits.
        places: (batch, 2, h, w), the share of each place that belongs to a photo with the label.

    Returns:
        The sum over photos and labels, divided by the batch's size.
    """
    values = (evidence * evidence[0, 0].numel()).flatten(2)
    places = places.flatten(2)
    most = places.amax(2, keepdim=True)
    own, foreign = places >= 0.75 * most, places < 0.05
    mixed = (most[..., 0] > 0.2) & foreign.any(2)  # (batch, 2)
    inside = values.masked_fill(~own, -torch.inf).amax(2)[mixed]
    outside = values.masked_fill(~foreign, -torch.inf).amax(2)[mixed]
    return F.softplus(outside - inside).sum() / len(evidence)


def mixing(config: TrainConfig) -> v2.Transform | None:
    """What blends a batch: mixup (Zhang et al. 2018), CutMix (Yun et al. 2019), either of them at random, or nothing."""
    ways = [v2.MixUp(alpha=config.mixup)] if config.mixup else []
    ways += [v2.CutMix(alpha=config.cutmix)] if config.cutmix else []
    return v2.RandomChoice(ways) if ways else None


def count_correct(logits: Tensor, targets: Tensor, kind: str) -> float:
    """How many samples of a batch have every label right."""
    if kind == "cross-entropy":
        return (logits.argmax(1) == targets.argmax(1)).sum().item()
    return ((logits > 0) == (targets > 0.5)).all(1).sum().item()
