"""What learns and how fast: optimizer, schedule, frozen stages, averaged weights."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler, OneCycleLR, StepLR
from torch.optim.swa_utils import get_ema_multi_avg_fn

from catdog.resnet import ResNet
from catdog.training.config import TrainConfig

Tensors = tuple[Tensor, ...] | list[Tensor]


def make_optimizer(network: ResNet, config: TrainConfig) -> torch.optim.Optimizer:
    """One group a stage, each earlier stage at `stage_decay` of the next one's rate; no decay on norms and biases."""
    stages = stages_of(network)
    groups = []
    for distance, stage in enumerate(reversed(stages[config.frozen_stages :])):
        rate = config.learning_rate * config.stage_decay ** max(0, distance - 1)  # the head and layer4 at the full rate
        parameters = [parameter for module in stage for parameter in module.parameters()]
        matrices = [parameter for parameter in parameters if parameter.ndim > 1]
        vectors = [parameter for parameter in parameters if parameter.ndim == 1]
        groups.append({"params": matrices, "lr": rate, "weight_decay": config.weight_decay})
        groups.append({"params": vectors, "lr": rate, "weight_decay": 0.0})
    groups = [group for group in reversed(groups) if group["params"]]
    if config.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=config.learning_rate, momentum=0.9, nesterov=True)
    return {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam}[config.optimizer](groups, lr=config.learning_rate)


def make_scheduler(optimizer: torch.optim.Optimizer, config: TrainConfig, steps_per_epoch: int) -> LRScheduler:
    """One-cycle (Smith 2018) and cosine move every step; StepLR divides by ten at each third of the epochs."""
    rates = [group["lr"] for group in optimizer.param_groups]
    total = config.epochs * steps_per_epoch
    if config.schedule == "one-cycle":
        return OneCycleLR(optimizer, rates, total_steps=total + 1, pct_start=config.warm_up, cycle_momentum=False)
    if config.schedule == "cosine":
        return CosineAnnealingLR(optimizer, total)
    return StepLR(optimizer, step_size=max(1, -(-config.epochs // 3)), gamma=0.1)


def stages_of(network: ResNet) -> list[list[nn.Module]]:
    """Stem with the first stage, three more stages, head."""
    return [
        [network.conv1, network.bn1, network.layer1],
        [network.layer2],
        [network.layer3],
        [network.layer4],
        [network.fc],
    ]


def freeze(network: ResNet, stages: int, batch_norm: bool) -> None:
    """Training mode, but for the first `stages` stages: no gradient, and batch norm as it was learned.

    With `batch_norm`, every batch norm keeps its running statistics, so that a sample's loss does not depend on the
    others in its batch.
    """
    network.train()
    for index, modules in enumerate(stages_of(network)):
        for module in modules:
            if index < stages:
                module.eval().requires_grad_(False)
    if batch_norm:
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()


def average_with_warm_up(decay: float) -> Callable[[Tensors, Tensors, Tensor | int], None]:
    """An exponential moving average that starts short, min(decay, (1 + n) / (10 + n)), to forget the first steps."""

    def average(averages: Tensors, currents: Tensors, updates: Tensor | int) -> None:
        n = int(updates)
        if averages[0].is_floating_point():
            get_ema_multi_avg_fn(min(decay, (1 + n) / (10 + n)))(averages, currents, updates)
        else:  # batch norm's counts of batches
            for old, new in zip(averages, currents):
                old.copy_(new)

    return average
