"""The training loop: a step, an epoch, a fit with early stopping that can be stopped and resumed."""

from __future__ import annotations

import copy
import logging
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor
from torch.utils.data import DataLoader
from tqdm import tqdm

from catdog.datasets.cache import CachedPhoto
from catdog.device import half_precision, is_out_of_memory, release_memory
from catdog.resnet import ResNet
from catdog.training.config import OptionError, TrainConfig
from catdog.training.distributed import any_process, broadcast, ignore_interrupt, rank_and_world, stop_signals
from catdog.training.evaluation import evaluate_epoch
from catdog.training.losses import count_correct, label_loss, place_loss
from catdog.training.optimizers import freeze
from catdog.training.samples import TrainingBatches, TrainingSamples
from catdog.training.state import Progress, Run, photos_digest
from catdog.training.teacher import Teacher, classes_loss, distillation_loss

STATE_EVERY = 200  # steps between two saves of the resume state, besides the end of every epoch
DRY_RUN_STEPS = 2

log = logging.getLogger(__name__)


class Step(Protocol):
    """What `train_step` is: of a batch, or of a part of it."""

    def __call__(
        self, run: Run, pictures: Tensor, targets: Tensor, places: Tensor, share: float = 1.0, last: bool = True
    ) -> tuple[float, float]: ...


def in_parts(step: Step) -> Callable[[Run, Tensor, Tensor, Tensor], tuple[float, float]]:
    """Have a step compute its batch in parts once the whole has been too large for the memory, in halves, quarters, ...

    The parts' gradients add up to those of the whole, but for batch norm, whose statistics are each part's own.
    """

    @wraps(step)
    def step_in_parts(run: Run, pictures: Tensor, targets: Tensor, places: Tensor) -> tuple[float, float]:
        steps_before = run.progress.step
        while True:
            parts = list(zip(*(each.chunk(run.parts) for each in (pictures, targets, places))))
            try:
                results = [
                    step(run, *part, share=len(part[0]) / len(pictures), last=number == len(parts))
                    for number, part in enumerate(parts, start=1)
                ]
                return sum(loss for loss, _ in results), sum(correct for _, correct in results)
            except RuntimeError as error:
                too_large = is_out_of_memory(error) and run.progress.step == steps_before  # no weight has changed
                if not too_large or run.parts >= len(pictures) or run.world > 1:  # whose others do not know of parts
                    raise
            run.optimizer.zero_grad(set_to_none=True)  # a part may have been computed
            release_memory(run.device)
            run.parts *= 2
            log.warning(
                f"The memory is too small for a whole batch: from here on each is computed in {run.parts} parts, and "
                "batch norm sees a part at a time."
            )

    return step_in_parts


@in_parts
def train_step(
    run: Run, pictures: Tensor, targets: Tensor, places: Tensor, share: float = 1.0, last: bool = True
) -> tuple[float, float]:
    """Forward, loss, backward, step.

    Args:
        pictures, targets, places: a batch as TrainingSamples makes it: (batch, 3, H, W), (batch, 2), (batch, 2, h, w).
        share: 1, or which share of the whole batch this part is.
        last: False for a part after which others follow, whose gradients are added to its own.

    Returns:
        What was added to the batch's loss, and how many samples had every label right.
    """
    config = run.config
    pictures = pictures.to(run.device, non_blocking=True, memory_format=torch.channels_last)
    targets = targets.to(run.device, non_blocking=True)
    places = places.to(run.device, non_blocking=True)

    with half_precision(run.device, config.bfloat16):
        evidence, logits, predicted = run.model(pictures)
        features = run.teacher(pictures) if run.teacher else None  # (batch, channels, h, w), as is what is predicted

    loss = label_loss(logits, targets, config.loss, config.label_smoothing)
    if config.place_loss:
        loss = loss + config.place_loss * place_loss(evidence, places)
    if run.teacher and features is not None:
        loss = loss + config.teacher_weight * distillation_loss(predicted, features)
        if config.teacher_classes:
            loss = loss + config.teacher_classes * classes_loss(predicted, features, run.teacher)

    run.scaler.scale(share * loss).backward()

    if last:
        run.progress.step += 1
        run.scaler.step(run.optimizer)
        run.scaler.update()
        run.optimizer.zero_grad(set_to_none=True)
        if config.schedule != "step":  # which moves once an epoch
            run.scheduler.step()
        run.average.update_parameters(run.network)
    return share * loss.item(), count_correct(logits, targets, config.loss)


def train_epoch(run: Run, loader: DataLoader, steps: int, state_path: Path, stopped: Callable[[], bool]) -> float:
    """The rest of an epoch of so many steps, or less where the run is stopped: its images a second, over all processes."""
    config, progress = run.config, run.progress
    freeze(run.network, config.frozen_stages, config.frozen_batch_norm)
    bar = tqdm(
        loader,
        total=steps,
        initial=progress.step,
        desc=f"epoch {progress.epoch + 1}/{config.epochs}",
        unit="batch",
        disable=run.rank > 0 or not sys.stderr.isatty(),
        leave=False,
    )
    started, seen_before, rate = time.monotonic(), progress.seen, 0.0
    for pictures, targets, places in bar:
        pictures, targets = run.blend(pictures, targets)
        loss, correct = train_step(run, pictures, targets, places)
        progress.seen += len(targets)
        progress.loss_sum += loss * len(targets)
        progress.correct += correct
        rate = (progress.seen - seen_before) * run.world / (time.monotonic() - started)
        bar.set_postfix_str(
            f"loss {progress.loss_sum / progress.seen:.4f}, accuracy {progress.correct / progress.seen:.2%}, "
            f"{rate:.0f} images/s",
            refresh=False,
        )
        if any_process(stopped(), run.device) or (config.dry_run and progress.step == DRY_RUN_STEPS):
            break
        if progress.step % STATE_EVERY == 0:
            run.save(state_path)
    return rate


@dataclass
class Fitted:
    """The best epoch's network, the curves, and whether the run came to its own end."""

    network: ResNet
    progress: Progress
    finished: bool


def fit(
    network: ResNet,
    config: TrainConfig,
    training: Sequence[CachedPhoto],
    tuning: Sequence[CachedPhoto],
    device: torch.device,
    state_path: Path,
    on_epoch: Callable[[Progress], None] = lambda progress: None,
    teacher: Teacher | None = None,
) -> Fitted:
    """Train, keep the epoch with the lowest tuning loss, and go on from `state_path` where `config.resume` says so.

    Under `torchrun` every process calls this with the same arguments; the first one evaluates and saves.
    """
    rank, world = rank_and_world()
    batches = TrainingBatches(training, config.batch_size, config.seed, config.balance, rank, world)
    run = Run(network, config, device, len(batches), photos_digest(training, tuning), teacher)
    if config.resume:
        resume(run, state_path)
    progress = run.progress
    loader = DataLoader(
        TrainingSamples(
            training, config.training_preset(), config.composite, config.made_negative, config.scene, config.cover
        ),
        batch_sampler=batches,
        num_workers=config.workers,
        persistent_workers=config.workers > 0,
        pin_memory=device.type == "cuda",
        worker_init_fn=ignore_interrupt,
    )
    finished = True
    with stop_signals(rank == 0) as stopped:
        while progress.epoch < config.epochs and progress.epoch - 1 - progress.best_epoch < config.patience:
            batches.epoch, batches.first_step = progress.epoch, progress.step
            batches.shapes = config.shapes_at(progress.epoch)
            rate = train_epoch(run, loader, len(batches), state_path, stopped)
            if progress.step < len(batches) and not config.dry_run:  # stopped by hand: keep the place and the best
                run.save(state_path)
                finished = False
                break
            if config.schedule == "step":
                run.scheduler.step()

            figures = broadcast(evaluate_epoch(run.averaged, config, tuning, device) if rank == 0 else {})
            progress.end_epoch(figures, learning_rate=run.optimizer.param_groups[-1]["lr"], images_per_second=rate)
            if figures["tuning_loss"] < progress.best_loss:
                progress.best_loss, progress.best_epoch = figures["tuning_loss"], progress.epoch - 1
                run.best = copy.deepcopy(run.averaged.state_dict())
            run.save(state_path)
            if rank == 0:
                on_epoch(progress)
            if config.dry_run:
                break
            if any_process(stopped(), device) and progress.epoch < config.epochs:
                finished = False
                break
    network.load_state_dict(run.best)
    return Fitted(network.requires_grad_(True).eval(), progress, finished)


def resume(run: Run, state_path: Path) -> None:
    """Go on from the resume state, where there is one.

    Raises:
        OptionError: when the state cannot be used, or when not every process of the run finds it.
    """
    there = state_path.exists()
    if not any_process(there, run.device):
        return
    if any_process(not there, run.device):
        raise OptionError(f"{state_path} is not on every machine: put --out into a folder that they share.")
    run.load(state_path)
