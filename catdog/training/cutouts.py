"""Where the pets of training photos are, as a trained network sees it: what is cut out where no trimap says it, and what is
covered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from PIL import Image
from scipy import ndimage
from torch.utils.data import DataLoader

from catdog.datasets.cache import CachedPhoto
from catdog.datasets.samples import EvaluationSamples
from catdog.device import half_precision
from catdog.evidence import explain_batch
from catdog.resnet import ResNet
from catdog.transforms import EvaluationPreset

BATCH = 32


@torch.inference_mode()
def with_extents(
    photos: Sequence[CachedPhoto], network: ResNet, preset: EvaluationPreset, device: torch.device, workers: int
) -> list[CachedPhoto]:
    """The same photos in their order; those of one pet with its extent and strongest place, where the network sees the pet.

    Args:
        network: of two labels, on `device`.
        preset: one that shows the whole photo.
    """
    network.eval()
    wanted = [index for index, one in enumerate(photos) if sum(one.photo.label) == 1]
    samples = EvaluationSamples([photos[index] for index in wanted], preset)
    loader = DataLoader(samples, batch_sampler=samples.batches(BATCH), num_workers=workers)
    found = list(photos)
    for pictures, indices in loader:
        with half_precision(device):
            evidence, logits, extent, _ = explain_batch(network, pictures.to(device))
        found_here = (indices, logits.cpu(), evidence.float().cpu().numpy(), extent.float().cpu().numpy())
        for index, values, places, maps in zip(*found_here):
            index = wanted[int(index)]
            label = 0 if photos[index].photo.label[0] else 1
            if values[label] > 0:  # who does not see the pet cannot cut it out
                peak = strongest_place(places[label])
                found[index] = replace(photos[index], extent=around_peak(maps[label]), strongest=peak)
    return found


def strongest_place(evidence: np.ndarray) -> tuple[float, float]:
    """The middle of the place with the most evidence of a map (h, w), as shares of width and height."""
    row, column = np.unravel_index(evidence.argmax(), evidence.shape)
    return float((column + 0.5) / evidence.shape[1]), float((row + 0.5) / evidence.shape[0])


def around_peak(extent: np.ndarray) -> Image.Image | None:
    """The connected part of a map (h, w) around its peak, 255 where it is at least half the peak; None where nothing is
    above 0."""
    peak = np.unravel_index(extent.argmax(), extent.shape)
    if extent[peak] <= 0:
        return None
    regions = np.zeros(extent.shape, np.int32)
    ndimage.label(extent > 0, output=regions)
    region = np.where(regions == regions[peak], extent / extent[peak], 0)
    return Image.fromarray((255 * np.minimum(1, 2 * region)).astype(np.uint8))
