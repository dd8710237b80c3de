"""Fitted on tuning photos after training: temperature, offset and top_weight, thresholds, evidence scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import torch
from scipy.optimize import minimize
from torch.utils.data import DataLoader

from catdog.checkpoint import Metadata
from catdog.classifier import Classifier
from catdog.datasets.cache import CachedPhoto
from catdog.datasets.made_up import made_up_both, made_up_negatives
from catdog.datasets.samples import EvaluationSamples
from catdog.decision import Calibration, probabilities_of
from catdog.device import half_precision
from catdog.evidence import evidence_and_logits
from catdog.measuring.localization import fit_box_threshold, with_extent
from catdog.resnet import ResNet
from catdog.training.config import TrainConfig
from catdog.training.distributed import ignore_interrupt
from catdog.training.evaluation import logits_of
from catdog.training.sources import Photos
from catdog.transforms import EvaluationPreset

THRESHOLDS = np.arange(0.05, 0.96, 0.01)
BOTH_SHARE = 0.01  # of all photos: what the made-up ones count for, however many there are
SCALE_PERCENTILE = 99  # of positive evidence on pets: the color scale's end
MAX_FINER = 300  # photos that the scale of a finer map is measured on, at four times the cost
MAX_TRIMAPS = 200  # photos that choose the boxes' threshold, tuning ones first


def calibrate(network: ResNet, config: TrainConfig, photos: Photos, device: torch.device) -> Metadata:
    """Calibration, thresholds and evidence scale, on tuning photos and on the weights as they will be saved.

    The boxes' threshold is chosen on training photos too: few tuning photos have a trimap.
    """
    network.half().float()  # the file holds float16: fit what will be loaded
    preset = config.evaluation_preset()
    head = "softmax" if config.loss == "cross-entropy" else "sigmoid"
    count = min(300, 2 * len(photos.tuning))

    def scores_of(cached: Sequence[CachedPhoto]) -> tuple[np.ndarray, np.ndarray]:
        logits, strongest = logits_of(network, EvaluationSamples(cached, preset), device, config.workers)
        return logits.numpy(), strongest.numpy()

    def scale_of(cached: Sequence[CachedPhoto], preset: EvaluationPreset) -> float:
        return measure_evidence_scale(network, EvaluationSamples(cached, preset), device, config.workers)

    tuning = list(photos.tuning)
    if head == "sigmoid" and not any(cached.photo.label == (0, 0) for cached in tuning):
        tuning += made_up_negatives(tuning, config.seed, count)
    labels = np.array([cached.photo.label for cached in tuning])
    scores = scores_of(tuning)
    made_up = scores_of(made_up_both(photos.tuning, config.seed, count)) if head == "sigmoid" else None
    calibration = fit_calibration(*scores, labels, head, made_up)
    probabilities = probabilities_of(*scores, calibration)
    pets, negatives = probabilities[labels.sum(1) == 1], probabilities[labels.sum(1) == 0]
    present, both = 0.5, 0.51  # of a softmax: the larger one, and never both
    if made_up is not None:
        present = fit_present(pets, negatives)
        both = fit_both(pets, probabilities_of(*made_up, calibration))
    single = [cached for cached in photos.tuning if sum(cached.photo.label) == 1]
    metadata = Metadata(
        architecture=config.arch,
        head=head,
        input_size=config.input_size,
        resize=config.resize,
        temperature=calibration.temperature,
        offset=calibration.offset,
        top_weight=calibration.top_weight,
        present=present,
        both=both,
        evidence_scale=scale_of(single, preset),
        finer_scale=scale_of(single[:: len(single) // MAX_FINER + 1], replace(preset, size=2 * preset.size)),
        real_negatives=photos.real_negatives,
    )
    with_trimaps = [cached for cached in single + photos.training if cached.photo.trimap][:MAX_TRIMAPS]
    if not with_trimaps:
        return metadata
    maps_of = with_extent(Classifier(network, metadata, device))
    return replace(metadata, box_threshold=fit_box_threshold(with_trimaps, maps_of))


def fit_calibration(
    logits: np.ndarray,
    strongest: np.ndarray,
    labels: np.ndarray,
    head: Literal["sigmoid", "softmax"],
    both: tuple[np.ndarray, np.ndarray] | None = None,
) -> Calibration:
    """Temperature, offset and top_weight, for cat and dog, with the lowest log loss (Platt 1999; Guo et al. 2017).

    A softmax has one temperature, no offset and no top_weight. Targets are drawn in a little, by Platt's (n + 1) / (n + 2), so
    that logits which separate the tuning photos perfectly get a finite temperature.

    Args:
        logits, strongest, labels: each (n, 2).
        both: logits and strongest, each (m, 2), of made-up photos of both. They count as `BOTH_SHARE` of all photos: without
            any, nothing tells how much to heed the few places where a second pet is seen.
    """
    weights = np.ones(len(labels))
    if both is not None:
        logits, strongest = np.concatenate([logits, both[0]]), np.concatenate([strongest, both[1]])
        share = BOTH_SHARE / (1 - BOTH_SHARE) * len(labels) / len(both[0])
        weights = np.concatenate([weights, np.full(len(both[0]), share)])
        labels = np.concatenate([labels, np.ones_like(both[0], labels.dtype)])
    labels = labels.astype(np.float64)
    positives = weights @ labels
    high, low = (positives + 1) / (positives + 2), 1 / (weights.sum() - positives + 2)
    targets = labels * high + (1 - labels) * low

    def unpack(values: np.ndarray) -> Calibration:
        if head == "softmax":
            temperature = float(np.exp(values[0]))
            return Calibration(head, (temperature, temperature))
        return Calibration(head, pair(np.exp(values[:2])), pair(values[2:4]), pair(values[4:]))

    def log_loss(values: np.ndarray) -> float:
        p = np.clip(probabilities_of(logits, strongest, unpack(values)), 1e-12, 1 - 1e-12)
        return -np.average((targets * np.log(p) + (1 - targets) * np.log(1 - p)).mean(1), weights=weights)

    return unpack(minimize(log_loss, np.zeros(1 if head == "softmax" else 6), method="BFGS").x)


def pair(values: np.ndarray) -> tuple[float, float]:
    cat, dog = values.tolist()
    return cat, dog


def fit_present(pets: np.ndarray, negatives: np.ndarray, most: float = 0.01) -> float:
    """The threshold on the larger probability that calls fewest negatives a pet, with at most a share `most` of pets called
    `neither`. It is at least a half, whatever that misses: where no pet is likelier there than not, none is named.

    Args:
        pets, negatives: calibrated probabilities (n, 2).
    """
    larger_pet, larger_negative = pets.max(1), negatives.max(1)
    missed = np.array([(larger_pet < t).mean() for t in THRESHOLDS])
    called_pets = np.array([(larger_negative >= t).mean() for t in THRESHOLDS])
    from_half = THRESHOLDS.round(2) >= 0.5
    allowed = from_half & (missed <= max(most, missed[from_half].min()))
    return middle_of_best(np.where(allowed, called_pets, np.inf))


def fit_both(pets: np.ndarray, both: np.ndarray, most: float = 0.0075) -> float:
    """The threshold on the smaller probability that finds most photos of both, with at most a share `most` of photos of
    one pet called `both`: those are far more common. Photos that a threshold was chosen on flatter it: three quarters of a
    percent there are to be one percent elsewhere."""
    smaller_pet, smaller_both = pets.min(1), both.min(1)
    called_both = np.array([(smaller_pet >= t).mean() for t in THRESHOLDS])
    missed = np.array([(smaller_both < t).mean() for t in THRESHOLDS])
    return middle_of_best(missed + len(both) * np.maximum(0, called_both - most))


def middle_of_best(errors: Sequence[float] | np.ndarray) -> float:
    """Of all thresholds with the lowest error, the middle one: the furthest from a mistake."""
    best = np.flatnonzero(np.isclose(errors, np.min(errors), atol=1e-9))
    return round(float(THRESHOLDS[best[len(best) // 2]]), 2)


@torch.inference_mode()
def measure_evidence_scale(network: ResNet, samples: EvaluationSamples, device: torch.device, workers: int) -> float:
    """The 99th percentile of positive evidence, times the number of places, for the label that each pet has.

    Multiplied by the number of places it is what the logit would be if the whole photo looked like this place, and so
    the same scale fits maps of any size.
    """
    network.eval()
    loader = DataLoader(
        samples, batch_sampler=samples.batches(32), num_workers=workers, worker_init_fn=ignore_interrupt
    )
    positive = []
    for pictures, indices in loader:
        with half_precision(device):
            evidence, _ = evidence_and_logits(network, pictures.to(device, memory_format=torch.channels_last))
        places = evidence.shape[2] * evidence.shape[3]
        for maps, index in zip(evidence.cpu(), indices.tolist()):
            label = samples.photos[index].photo.label
            values = maps[0 if label[0] else 1].flatten() * places
            positive.append(values[values > 0])
    values = torch.cat(positive).numpy()
    return float(np.percentile(values, SCALE_PERCENTILE)) if len(values) else 1.0
