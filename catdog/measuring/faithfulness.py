"""Do the maps show what the network used? Take away what they point at, or the network's weights, and see."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from PIL import ImageFilter
from scipy.stats import spearmanr
from torch import Tensor, nn

from catdog.classifier import Classifier
from catdog.datasets.cache import CachedPhoto
from catdog.evidence import evidence_and_logits, fine_map, strongest_places
from catdog.measuring.localization import MapOf
from catdog.resnet import ResNet

STEPS = 16  # of a curve: shares of the photo from 0 to 1
BLUR = 12  # px at the network's input: what is left shows no pet


def deletion_and_insertion(classifier: Classifier, photo: CachedPhoto, map_of: MapOf) -> tuple[float, float]:
    """The label's mean probability while the photo vanishes, and while it appears, most important places first.

    Deletion blurs the photo place by place and should fall fast; insertion starts from the blurred photo and should rise
    fast (Petsiuk et al. 2018, RISE, section 4.2; blurred rather than gray, so that no new edges appear).
    """
    label = photo.photo.label.index(1)
    picture = photo.picture()
    preset = classifier.metadata.preset()
    sharp = preset(picture)
    size = (sharp.shape[2], sharp.shape[1])
    blurred = preset(picture.resize(size).filter(ImageFilter.GaussianBlur(BLUR)))
    order = np.argsort(-fine_map(map_of(photo, label), size).ravel(), kind="stable")
    rank = np.empty(order.size)
    rank[order] = np.arange(order.size) / order.size
    shares = np.linspace(0, 1, STEPS)
    first = torch.from_numpy(rank.reshape(size[::-1]) < shares[:, None, None])[:, None]  # (STEPS, 1, h, w)
    deleted = torch.where(first, blurred, sharp)
    inserted = torch.where(first, sharp, blurred)
    with torch.inference_mode():
        evidence, logits = evidence_and_logits(classifier.network, torch.cat([deleted, inserted]).to(classifier.device))
    strongest = strongest_places(evidence.cpu().numpy())
    probabilities = classifier.probabilities(logits.cpu().numpy(), strongest)[:, label]
    return float(probabilities[:STEPS].mean()), float(probabilities[STEPS:].mean())


def edges(photo: CachedPhoto, label: int) -> np.ndarray:
    """A baseline: where the photo has edges, whatever it shows."""
    picture = photo.picture().convert("L").resize((66, 66)).filter(ImageFilter.FIND_EDGES)
    picture = picture.crop((1, 1, 65, 65))  # Pillow leaves the outermost pixels as they were
    return np.asarray(picture.filter(ImageFilter.GaussianBlur(2)), dtype=np.float32)


def random_map(photo: CachedPhoto, label: int) -> np.ndarray:
    """A baseline: noise as coarse as a map."""
    return np.random.default_rng(len(photo.content)).random((7, 7), dtype=np.float32)


def randomized(network: ResNet, seed: int = 0) -> Iterator[tuple[str, ResNet]]:
    """The network with its weights drawn anew from the head down, one more stage each time (Adebayo et al. 2018)."""
    network = copy.deepcopy(network)
    stages = {
        "head": [network.fc],
        "stage 4": [network.layer4],
        "stage 3": [network.layer3],
        "stage 2": [network.layer2],
        "stage 1 and stem": [network.layer1, network.conv1, network.bn1],
    }
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for name, modules in stages.items():
            for stage in modules:
                for module in stage.modules():
                    if isinstance(module, (nn.Conv2d, nn.BatchNorm2d, nn.Linear)):
                        module.reset_parameters()
            yield name, network


@torch.inference_mode()
def likeness(one: ResNet, two: ResNet, batches: Sequence[tuple[Tensor, int]]) -> np.ndarray:
    """Spearman's rank correlation of two networks' maps for a label, for each picture (1, 3, h, w)."""
    values = []
    for batch, label in batches:
        first, second = (evidence_and_logits(network, batch)[0][0, label].flatten().cpu() for network in (one, two))
        correlation, _ = spearmanr(first, second)
        values.append(correlation)
    return np.nan_to_num(np.array(values))
