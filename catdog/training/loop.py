"""fit: the training loop, early stopping, resume."""

from __future__ import annotations

import copy
import hashlib
import io
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim.swa_utils import AveragedModel
from torch.utils.data import DataLoader
from tqdm import tqdm

from catdog.datasets.cache import CachedPhoto
from catdog.datasets.samples import EvaluationSamples
from catdog.device import half_precision, is_out_of_memory, release_memory, to_device
from catdog.evidence import evidence_and_logits, evidence_of, strongest_places
from catdog.files import write_whole
from catdog.resnet import ResNet
from catdog.training.config import OptionError, TrainConfig
from catdog.training.distributed import any_process, broadcast, ignore_interrupt, stop_signals
from catdog.training.losses import count_correct, label_loss, mixing, place_loss
from catdog.training.optimizers import average_with_warm_up, freeze, make_optimizer, make_scheduler
from catdog.training.samples import TrainingBatches, TrainingSamples
from catdog.training.teacher import Teacher, distillation_loss

STATE_EVERY = 200  # steps between two saves of the resume state, besides the end of every epoch
EVALUATION_BATCH = 32
DRY_RUN_STEPS = 2
DIGEST_SIZE = hashlib.sha256().digest_size  # bytes


@dataclass
class Progress:
    """Everything besides the weights that a resumed run must know."""

    epoch: int = 0
    step: int = 0  # in this epoch
    loss_sum: float = 0.0  # of this epoch's steps so far
    correct: float = 0.0
    seen: int = 0
    best_loss: float = float("inf")
    best_epoch: int = -1
    curves: list[dict[str, float]] = field(default_factory=list)

    def end_epoch(self, figures: dict[str, float], **more: float) -> None:
        """Add a row to the curves and start the next epoch's sums."""
        self.curves.append(
            {
                "epoch": self.epoch + 1,
                "training_loss": self.loss_sum / self.seen,
                "training_accuracy": self.correct / self.seen,
                **figures,
                **more,
            }
        )
        self.epoch += 1
        self.step = self.seen = 0
        self.loss_sum = self.correct = 0.0


@dataclass
class Fitted:
    """The best epoch's network, the curves, and whether the run came to its own end."""

    network: ResNet
    progress: Progress
    finished: bool


class TrainingNetwork(nn.Module):
    """A network whose forward pass gives evidence (batch, 2, h, w), logits (batch, 2) and, for a teacher of so many
    channels, a guess at its features (batch, channels, h, w): a linear layer's, the same at every place."""

    def __init__(self, network: ResNet, channels: int = 0) -> None:
        super().__init__()
        self.network = network
        self.guess = nn.Conv2d(network.fc.in_features, channels, 1) if channels else None

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        features = self.network.features(pictures)
        guess = None if self.guess is None else self.guess(features)
        return *evidence_of(self.network, features), guess


class Run:
    """All that changes while a network is trained, and its resume state on disk."""

    def __init__(
        self,
        network: ResNet,
        config: TrainConfig,
        device: torch.device,
        steps_per_epoch: int,
        photos: str,
        teacher: Teacher | None = None,
    ) -> None:
        self.config = config
        self.photos = photos  # a digest of all of them
        self.device = device
        self.rank, self.world = (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)
        self.network = to_device(network, device)
        freeze(network, config.frozen_stages, config.frozen_batch_norm)
        self.teacher = to_device(teacher, device) if teacher else None
        self.model = to_device(TrainingNetwork(network, teacher.channels if teacher else 0), device)
        self.guess = self.model.guess
        if self.world > 1:
            self.model = DistributedDataParallel(self.model)
        self.average = AveragedModel(network, multi_avg_fn=average_with_warm_up(config.ema), use_buffers=True)
        self.optimizer = make_optimizer(network, config)
        if self.guess is not None:
            head = {"lr": config.learning_rate, "weight_decay": config.weight_decay}
            self.optimizer.add_param_group({"params": list(self.guess.parameters()), **head})
        self.scheduler = make_scheduler(self.optimizer, config, steps_per_epoch)
        self.mix = mixing(config)
        self.scaler = torch.amp.GradScaler(device.type, enabled=device.type == "cuda")
        self.best = copy.deepcopy(self.average.module.state_dict())
        self.progress = Progress()
        self.divide_by = 1  # parts of a batch that are computed one after the other

    def step(self, pictures: Tensor, targets: Tensor, places: Tensor) -> tuple[float, float]:
        """One step of the optimizer: a batch of TrainingSamples -> the loss, and how many samples were right."""
        if self.mix is not None:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(hash((self.config.seed, self.progress.epoch, self.progress.step, self.rank)))
                pictures, targets = self.mix(pictures, targets)
        loss, correct = self.backward(pictures, targets, places)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.optimizer.zero_grad(set_to_none=True)
        if self.config.schedule != "step":
            self.scheduler.step()
        self.average.update_parameters(self.network)
        return loss, correct

    def backward(self, *batch: Tensor) -> tuple[float, float]:
        """A batch's gradients, as the sum over parts of it once the whole has been too large for the memory.

        They are those of the whole, but for batch norm, whose statistics are each part's own.
        """
        try:
            parts = list(zip(*(each.chunk(self.divide_by) for each in batch)))
            losses, correct = zip(*(self.backward_part(*part, len(part[0]) / len(batch[0])) for part in parts))
            return sum(losses), sum(correct)
        except RuntimeError as error:  # other processes of a run would not know that there are more parts
            if not is_out_of_memory(error) or self.world > 1 or self.divide_by >= len(batch[0]):
                raise
        self.optimizer.zero_grad(set_to_none=True)  # a part may have been computed
        release_memory(self.device)
        self.divide_by *= 2
        tqdm.write(
            f"The memory is too small for a whole batch: from here on each is computed in {self.divide_by} parts, and "
            "batch norm sees a part at a time.",
            file=sys.stderr,
        )
        return self.backward(*batch)

    def backward_part(self, pictures: Tensor, targets: Tensor, places: Tensor, share: float) -> tuple[float, float]:
        """Add the gradients of a share of a batch: what it adds to the batch's loss, and how many samples were right."""
        pictures = pictures.to(self.device, non_blocking=True, memory_format=torch.channels_last)
        targets = targets.to(self.device, non_blocking=True)
        with half_precision(self.device, self.config.bfloat16):
            evidence, logits, guess = self.model(pictures)
            taught = self.teacher(pictures) if self.teacher else None
        loss = label_loss(logits, targets, self.config.loss, self.config.label_smoothing)
        if self.config.place_loss:
            loss = loss + self.config.place_loss * place_loss(evidence, places.to(self.device, non_blocking=True))
        if taught is not None:
            loss = loss + self.config.teacher_weight * distillation_loss(guess, taught)
        self.scaler.scale(share * loss).backward()
        return share * loss.item(), count_correct(logits, targets, self.config.loss)

    def parts(self) -> dict[str, Any]:
        """What has a state of its own."""
        parts = {
            "network": self.network,
            "average": self.average,
            "optimizer": self.optimizer,
            "scheduler": self.scheduler,
            "scaler": self.scaler,
        }
        return parts if self.guess is None else parts | {"guess": self.guess}

    def save(self, path: Path) -> None:
        """Write the resume state behind its SHA-256, by way of a temporary file, in the first process only."""
        if self.rank > 0:
            return
        state = {name: part.state_dict() for name, part in self.parts().items()}
        state |= {"config": self.config.fixed(), "photos": self.photos}
        state |= {"best": self.best, "progress": asdict(self.progress)}
        buffer = io.BytesIO()  # to a file itself, torch.save would turn a full disk into a RuntimeError
        torch.save(state, buffer)
        write_whole(path, hashlib.sha256(buffer.getbuffer()).digest(), buffer.getbuffer())

    def load(self, path: Path) -> None:
        """Put everything back as it was.

        Raises:
            OptionError: when the state is damaged or belongs to another run.
        """
        state = read_state(path)
        options = self.config.fixed()
        theirs = TrainConfig().fixed() | state["config"]  # an option that came later had its default
        if changed := [name for name, value in options.items() if theirs[name] != value]:
            raise OptionError(
                f"{path} belongs to a run with another {', '.join(changed)}: use the same options, or leave --resume out."
            )
        if state["photos"] != self.photos:
            raise OptionError(f"{path} belongs to a run on other photos: give the same folders, or leave --resume out.")
        for name, part in self.parts().items():
            if state[name]:  # the scaler of a run on another device has none
                part.load_state_dict(state[name])
        self.best, self.progress = state["best"], Progress(**state["progress"])


def read_state(path: Path) -> dict[str, Any]:
    """A resume state, as Run.save wrote it.

    Raises:
        OptionError: when a byte of it is not what was written.
    """
    content = memoryview(path.read_bytes())
    digest, state = content[:DIGEST_SIZE], content[DIGEST_SIZE:]
    if hashlib.sha256(state).digest() != digest:
        raise OptionError(
            f"{path} is damaged or of an earlier version of this program: delete it and start again without --resume."
        )
    return torch.load(io.BytesIO(state), map_location="cpu", weights_only=True)


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
    rank, world = (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)
    batches = TrainingBatches(training, config.batch_size, config.seed, config.balance, rank, world)
    run = Run(network, config, device, len(batches), photos_digest(training, tuning), teacher)
    there = state_path.exists()
    if config.resume and any_process(there, device, world):
        if any_process(not there, device, world):
            raise OptionError(f"{state_path} is not on every machine: put --out into a folder that they share.")
        run.load(state_path)
    progress = run.progress
    loader = DataLoader(
        TrainingSamples(training, config.training_preset(), config.composite, config.made_negative),
        batch_sampler=batches,
        num_workers=config.workers,
        persistent_workers=config.workers > 0,
        pin_memory=device.type == "cuda",
        worker_init_fn=ignore_interrupt,
    )
    with stop_signals(rank == 0) as stopped:
        while progress.epoch < config.epochs and progress.epoch - 1 - progress.best_epoch < config.patience:
            batches.epoch, batches.first_step = progress.epoch, progress.step
            batches.shapes = config.shapes_at(progress.epoch)
            rate = train_epoch(run, loader, state_path, stopped)
            if progress.step < len(batches) and not config.dry_run:  # stopped by hand: keep the place and the best
                run.save(state_path)
                return Fitted(with_weights(network, run.best), progress, finished=False)
            if config.schedule == "step":
                run.scheduler.step()

            figures = evaluate_epoch(run.average.module, config, tuning, device) if rank == 0 else {}
            figures = broadcast(figures, world)
            progress.end_epoch(figures, learning_rate=run.optimizer.param_groups[-1]["lr"], images_per_second=rate)
            if figures["tuning_loss"] < progress.best_loss:
                progress.best_loss, progress.best_epoch = figures["tuning_loss"], progress.epoch - 1
                run.best = copy.deepcopy(run.average.module.state_dict())
            run.save(state_path)
            if rank == 0:
                on_epoch(progress)
            if config.dry_run:
                break
            if any_process(stopped(), device, world) and progress.epoch < config.epochs:
                return Fitted(with_weights(network, run.best), progress, finished=False)
        return Fitted(with_weights(network, run.best), progress, finished=True)


def train_epoch(run: Run, loader: DataLoader, state_path: Path, stopped: Callable[[], bool]) -> float:
    """The rest of an epoch, or less where the run is stopped: its images a second, over all processes."""
    config, progress = run.config, run.progress
    freeze(run.network, config.frozen_stages, config.frozen_batch_norm)
    bar = tqdm(
        loader,
        total=len(loader.batch_sampler),
        initial=progress.step,
        desc=f"epoch {progress.epoch + 1}/{config.epochs}",
        unit="batch",
        disable=run.rank > 0 or not sys.stderr.isatty(),
        leave=False,
    )
    started, seen_before, rate = time.monotonic(), progress.seen, 0.0
    for pictures, targets, places in bar:
        loss, correct = run.step(pictures, targets, places)
        progress.step += 1
        progress.seen += len(targets)
        progress.loss_sum += loss * len(targets)
        progress.correct += correct
        rate = (progress.seen - seen_before) * run.world / (time.monotonic() - started)
        bar.set_postfix_str(
            f"loss {progress.loss_sum / progress.seen:.4f}, accuracy {progress.correct / progress.seen:.2%}, "
            f"{rate:.0f} images/s",
            refresh=False,
        )
        if any_process(stopped(), run.device, run.world) or (config.dry_run and progress.step == DRY_RUN_STEPS):
            break
        if progress.step % STATE_EVERY == 0:
            run.save(state_path)
    return rate


@torch.inference_mode()
def logits_of(
    network: ResNet, samples: EvaluationSamples, device: torch.device, workers: int, batch_size: int = EVALUATION_BATCH
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
    tuning = tuning[: 2 * EVALUATION_BATCH] if config.dry_run else tuning
    logits, _ = logits_of(network, EvaluationSamples(tuning, config.evaluation_preset()), device, config.workers)
    targets = torch.tensor([cached.photo.label for cached in tuning], dtype=torch.float32)
    single = targets.sum(1) == 1
    two_way = (logits[single].argmax(1) == targets[single].argmax(1)).float().mean().item()
    return {
        "tuning_loss": label_loss(logits, targets, config.loss, smoothing=0.0).item(),
        "tuning_accuracy": count_correct(logits, targets, config.loss) / len(targets),
        "tuning_two_way": two_way,
    }


def photos_digest(*parts: Sequence[CachedPhoto]) -> str:
    """Of all photos with their labels and sources, in their order."""
    photos = [[(one.digest.hex(), one.photo.label, one.photo.source) for one in part] for part in parts]
    return hashlib.sha256(repr(photos).encode()).hexdigest()


def with_weights(network: ResNet, state: dict[str, Tensor]) -> ResNet:
    network.load_state_dict(state)
    return network.requires_grad_(True).eval()
