"""The last layer, fitted once more after training, to photos as they are shown."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader

from catdog.datasets.samples import EvaluationSamples
from catdog.device import half_precision
from catdog.resnet import ResNet
from catdog.training.distributed import ignore_interrupt
from catdog.training.evaluation import BATCH

STEPS = 100  # of L-BFGS, at most


def refit_head(network: ResNet, samples: EvaluationSamples, device: torch.device, workers: int, pull: float) -> None:
    """Fit the head to whole photos, the stages before it left as they are.

    Augmentation teaches features, but a head trained with it answers photos that are cut, turned and put together. Once
    features are good, a last layer fitted to real ones is the cheaper half of the work (Kang et al. 2020, "Decoupling
    Representation and Classifier"; Kirichenko et al. 2023, "Last Layer Re-Training").

    Args:
        samples: the training photos.
        pull: how strongly weights are held near what training left: this much loss for each unit of squared distance.
    """
    inputs = pooled_features(network, samples, device, workers)
    targets = torch.tensor([cached.photo.label for cached in samples.photos], dtype=torch.float32)
    fit_linear(network.fc, inputs.to(device), targets.to(device), pull)


def fit_linear(layer: nn.Linear, inputs: Tensor, targets: Tensor, pull: float) -> None:
    """Fit a layer in place by binary cross-entropy, from where it is: a convex problem, solved by L-BFGS.

    Args:
        inputs: (n, layer.in_features).
        targets: (n, layer.out_features), each 0 or 1.
        pull: the weight of the squared distance from where it was; the bias is free.
    """
    before = layer.weight.detach().clone()
    optimizer = torch.optim.LBFGS(layer.parameters(), max_iter=STEPS, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(layer(inputs), targets)
        loss = loss + pull * (layer.weight - before).square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    layer.zero_grad()


@torch.no_grad()
def pooled_features(network: ResNet, samples: EvaluationSamples, device: torch.device, workers: int) -> Tensor:
    """What the head reads of photos: float32 (n, `fc.in_features`) on the CPU, in the samples' order."""
    network.eval()
    pooled = torch.zeros(len(samples.photos), network.fc.in_features)
    loader = DataLoader(
        samples, batch_sampler=samples.batches(BATCH), num_workers=workers, worker_init_fn=ignore_interrupt
    )
    for pictures, indices in loader:
        with half_precision(device):
            features = network.features(pictures.to(device, memory_format=torch.channels_last))
        pooled[indices] = features.float().mean((2, 3)).cpu()
    return pooled
