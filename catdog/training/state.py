"""All that changes while a network is trained, and its resume state on disk."""

from __future__ import annotations

import copy
import hashlib
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim.swa_utils import AveragedModel

from catdog.datasets.cache import CachedPhoto
from catdog.device import to_device
from catdog.evidence import evidence_of
from catdog.files import write_whole
from catdog.resnet import ResNet
from catdog.training.config import OptionError, TrainConfig
from catdog.training.distributed import rank_and_world
from catdog.training.losses import mixing
from catdog.training.optimizers import average_with_warm_up, freeze, make_optimizer, make_scheduler
from catdog.training.teacher import Teacher

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


class TrainingNetwork(nn.Module):
    """A network whose forward pass gives evidence (batch, 2, h, w), logits (batch, 2) and, for a teacher of so many
    channels, what it predicts of the teacher's features (batch, channels, h, w), by FitNets' regressor: a linear layer,
    the same at every place."""

    def __init__(self, network: ResNet, channels: int = 0) -> None:
        super().__init__()
        self.network = network
        self.regressor = nn.Conv2d(network.fc.in_features, channels, 1) if channels else None

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        features = self.network.features(pictures)
        predicted = None if self.regressor is None else self.regressor(features)
        return *evidence_of(self.network, features), predicted


class Run:
    """A network in training with all that belongs to it: optimizer, schedule, averaged weights, teacher, progress."""

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
        self.rank, self.world = rank_and_world()
        self.network = to_device(network, device)
        freeze(network, config.frozen_stages, config.frozen_batch_norm)
        self.teacher = to_device(teacher, device) if teacher else None
        model = to_device(TrainingNetwork(network, teacher.channels if teacher else 0), device)
        self.regressor = model.regressor
        self.model = DistributedDataParallel(model) if self.world > 1 else model
        self.average = AveragedModel(network, multi_avg_fn=average_with_warm_up(config.ema), use_buffers=True)
        self.optimizer = make_optimizer(network, config)
        if self.regressor is not None:
            head = {"lr": config.learning_rate, "weight_decay": config.weight_decay}
            self.optimizer.add_param_group({"params": list(self.regressor.parameters()), **head})
        self.scheduler = make_scheduler(self.optimizer, config, steps_per_epoch)
        self.mix = mixing(config)
        self.scaler = torch.amp.GradScaler(device.type, enabled=device.type == "cuda")
        self.best = copy.deepcopy(self.averaged.state_dict())
        self.progress = Progress()
        self.parts = 1  # of a batch, computed one after the other

    @property
    def averaged(self) -> ResNet:
        """The network with the averaged weights, which are the ones kept."""
        network = self.average.module
        assert isinstance(network, ResNet)
        return network

    def blend(self, pictures: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """A batch after mixup or CutMix, where the options ask for one; the same at the same step of a resumed run."""
        if self.mix is None:
            return pictures, targets
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(hash((self.config.seed, self.progress.epoch, self.progress.step, self.rank)))
            return self.mix(pictures, targets)

    def stateful(self) -> dict[str, Any]:
        """What has a state of its own, by the name under which it is saved."""
        parts = {
            "network": self.network,
            "average": self.average,
            "optimizer": self.optimizer,
            "scheduler": self.scheduler,
            "scaler": self.scaler,
        }
        return parts if self.regressor is None else parts | {"regressor": self.regressor}

    def save(self, path: Path) -> None:
        """Write the resume state behind its SHA-256, by way of a temporary file, in the first process only."""
        if self.rank > 0:
            return
        state: dict[str, Any] = {name: part.state_dict() for name, part in self.stateful().items()}
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
        if not self.stateful().keys() <= state.keys():
            raise unusable(path)
        for name, part in self.stateful().items():
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
        raise unusable(path)
    return torch.load(io.BytesIO(state), map_location="cpu", weights_only=True)


def unusable(path: Path) -> OptionError:
    return OptionError(
        f"{path} is damaged or of an earlier version of this program: delete it and start again without --resume."
    )


def photos_digest(*parts: Sequence[CachedPhoto]) -> str:
    """Of all photos with their labels and sources, in their order."""
    photos = [[(one.digest.hex(), one.photo.label, one.photo.source) for one in part] for part in parts]
    return hashlib.sha256(repr(photos).encode()).hexdigest()
