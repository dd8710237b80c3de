"""How a network does on tuning photos: after every epoch, and for its calibration."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from catdog.datasets.cache import CachedPhoto
from catdog.datasets.samples import EvaluationSamples
from catdog.device import half_precision
from catdog.evidence import evidence_and_logits, strongest_places
from catdog.resnet import ResNet
from catdog.training.config import TrainConfig
from catdog.training.distributed import ignore_interrupt
from catdog.training.losses import count_correct, label_loss

BATCH = 32
DRY_RUN_BATCHES = 2


@torch.inference_mode()
def logits_of(
    network: ResNet, samples: EvaluationSamples, device: torch.device, workers: int, batch_size: int = BATCH
) -> tuple[Tensor, Tensor]:
    """Logits (n, 2) and what the strongest places say (n, 2), float32 on the CPU, in the samples' order."""
    training = network.training
    network.eval()
    logits = torch.zeros(len(samples.photos), network.fc.out_features)
    strongest = torch.zeros_like(logits)
    loader = DataLoader(
        samples, batch_sampler=samples.batches(batch_size), num_workers=workers, worker_init_fn=ignore_interrupt
    )
    for pictures, indices in loader:
        with half_precision(device):
            evidence, batch = evidence_and_logits(network, pictures.to(device, memory_format=torch.channels_last))
        logits[indices] = batch.cpu()
        strongest[indices] = torch.from_numpy(strongest_places(evidence.cpu().numpy()))
    network.train(training)
    return logits, strongest


def evaluate_epoch(
    network: ResNet, config: TrainConfig, tuning: Sequence[CachedPhoto], device: torch.device
) -> dict[str, float]:
    """Loss and accuracy on the tuning photos, without smoothing."""
    tuning = tuning[: DRY_RUN_BATCHES * BATCH] if config.dry_run else tuning
    logits, _ = logits_of(network, EvaluationSamples(tuning, config.evaluation_preset()), device, config.workers)
    targets = torch.tensor([cached.photo.label for cached in tuning], dtype=torch.float32)
    single = targets.sum(1) == 1
    two_way = (logits[single].argmax(1) == targets[single].argmax(1)).float().mean().item()
    return {
        "tuning_loss": label_loss(logits, targets, config.loss, smoothing=0.0).item(),
        "tuning_accuracy": count_correct(logits, targets, config.loss) / len(targets),
        "tuning_two_way": two_way,
    }
