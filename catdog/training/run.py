"""A training run, from folders of photos to a saved checkpoint with its model card."""

from __future__ import annotations

import csv
import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from catdog.checkpoint import Metadata, load_checkpoint, save_checkpoint
from catdog.classifier import Classifier
from catdog.datasets import Photo
from catdog.datasets.samples import EvaluationSamples
from catdog.device import choose_device, repeat_exactly, to_device
from catdog.files import writing_alone
from catdog.images import ImageError, one_line
from catdog.measuring.measure import measure
from catdog.measuring.model_card import model_card
from catdog.measuring.summary import as_text
from catdog.resnet import ARCHITECTURES, ResNet
from catdog.training.calibration import calibrate
from catdog.training.config import OptionError, TrainConfig
from catdog.training.cutouts import with_extents
from catdog.training.distributed import first_process_first, rank_and_world
from catdog.training.evaluation import BATCH, DRY_RUN_BATCHES, evaluate_epoch
from catdog.training.head import refit_head
from catdog.training.loop import Fitted, fit
from catdog.training.provenance import describe
from catdog.training.sources import Photos, find_photos, initialize, read_photos
from catdog.training.state import Progress
from catdog.training.teacher import Teacher, load_teacher
from catdog.transforms import EvaluationPreset

MIN_MADE_NEGATIVE = 0.25  # of the samples, where no real negative is given
MADE_UP, DRY_RUN_MADE_UP = 200, 2  # photos of both, of each way to make them up, that are measured
LOCK_SECONDS = 10  # a killed run's workers notice that within five

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """How a run ended."""

    saved: bool  # whether there is a checkpoint
    finished: bool  # False where it was stopped, and can be resumed
    skipped: int = 0  # photos that could not be read


@dataclass(frozen=True)
class Prepared:
    """All that a run starts from."""

    config: TrainConfig
    device: torch.device
    network: ResNet  # with its starting weights
    teacher: Teacher | None
    earlier: list[ResNet]  # whose weights are averaged with this run's
    photos: Photos


def train(config: TrainConfig) -> Outcome:
    """Train, calibrate, measure and save as the options say.

    Raises:
        DataError, CheckpointError, DeviceError, OptionError, OSError: before minutes are spent.
    """
    started = time.monotonic()
    prepared = prepare(config)
    fitted, tuning = fit_weights(prepared)
    rank, _ = rank_and_world()
    if rank > 0:
        return Outcome(False, fitted.finished)
    if tuning is None:
        log.warning(
            "No epoch came to a finite tuning loss: no checkpoint was written. After a stop, go on with --resume."
        )
        return Outcome(False, fitted.finished)
    metadata = calibrate_weights(prepared, fitted, tuning)
    save_checkpoint(config.out, fitted.network, metadata)  # before the figures, which take a while
    metadata, unreadable = measure_held_out(prepared, fitted, metadata)
    save_with_card(config, fitted, metadata)
    skipped = report_skipped(prepared.photos, unreadable)
    if state_path(config).exists():
        log.info(f"{state_path(config)} may be deleted, unless you mean to --resume.")
    log.info(f"Saved {config.out} after {(time.monotonic() - started) / 60:.1f} minutes.")
    return Outcome(True, fitted.finished, skipped)


def prepare(config: TrainConfig) -> Prepared:
    """Find the photos, get the starting weights and the teacher, then read the photos.

    What is quick to find out comes first: a wrong folder is told before weights are fetched, and weights that cannot be
    had before thousands of photos are decoded.
    """
    device = choose_device(config.device)
    repeat_exactly(device)
    torch.manual_seed(config.seed)
    network = ARCHITECTURES[config.arch]()
    if config.resume and not state_path(config).exists():
        log.info(f"There is nothing to resume at {state_path(config)}: starting from the beginning.")
    with first_process_first():
        found = find_photos(config) if config.data else None
        initialize(network, config)
        earlier = [load_checkpoint(path)[0] for path in config.average]
        if any(other.state_dict().keys() != network.state_dict().keys() for other in earlier):
            raise OptionError("--average takes checkpoints of the same --arch.")
        teacher = load_teacher(config.teacher if config.epochs else "none")
        if teacher and config.teacher_classes and teacher.classifier is None:
            raise OptionError(f"--teacher {config.teacher} has no classes to learn from: add --teacher-classes 0.")
        cuts_out = config.epochs and (config.scene or config.cover)
        cutter = load_checkpoint(config.cutouts)[0] if config.cutouts and cuts_out else None
        photos = read_photos(found or find_photos(config))  # without --data, 800 MB are downloaded first
    if cutter:
        preset = EvaluationPreset(config.train_size, "whole")  # outlines are rough at any size
        cut = with_extents(photos.training, to_device(cutter, device), preset, device, config.workers)
        photos = replace(photos, training=cut)
    if config.loss == "binary" and not photos.real_negatives:
        log.warning(
            "Warning: no photos without a pet were given, so `neither` is learned from made-up ones only and is worth "
            "little: give some with --neither DIR."
        )
        config = replace(config, made_negative=max(config.made_negative, MIN_MADE_NEGATIVE))
    return Prepared(config, device, network, teacher, earlier, photos)


def fit_weights(prepared: Prepared) -> tuple[Fitted, dict[str, float] | None]:
    """Fit the network, average its weights with those of earlier runs where the options name some, and fit its head once
    more where they say so.

    Returns:
        The fitted network, and its figures on tuning photos: None where no epoch was kept.
    """
    config, photos = prepared.config, prepared.photos

    def measured(step: str) -> dict[str, float]:
        figures = evaluate_epoch(fitted.network, config, photos.tuning, prepared.device)
        log.info(f"{step}: tuning loss {figures['tuning_loss']:.4f}.")
        return {"epoch": fitted.progress.best_epoch + 1} | figures

    if config.epochs:
        fitted = fit(
            prepared.network,
            config,
            photos.training,
            photos.tuning,
            prepared.device,
            state_path(config),
            on_epoch=lambda progress: report_epoch(progress, config),
            teacher=prepared.teacher,
        )
        progress = fitted.progress
        if progress.best_epoch < 0:
            return fitted, None
        log.info(f"Best epoch: {progress.best_epoch + 1}, tuning loss {progress.best_loss:.4f}.")
        tuning = progress.curves[progress.best_epoch]
    else:
        fitted = Fitted(to_device(prepared.network, prepared.device).eval(), Progress(), finished=True)
        tuning = measured("Nothing was trained") if rank_and_world()[0] == 0 else {}
    if rank_and_world()[0] > 0:
        return fitted, tuning
    if prepared.earlier:
        average_weights(fitted.network, prepared.earlier, config.average_weight)
        tuning = measured(f"Averaged with {len(prepared.earlier)} earlier")
    if config.refit_head:
        taught = photos.training[: DRY_RUN_BATCHES * BATCH] if config.dry_run else photos.training
        samples = EvaluationSamples(taught, config.evaluation_preset())
        refit_head(fitted.network, samples, prepared.device, config.workers, config.refit_head)
        tuning = measured("Head fitted once more")
    return fitted, tuning


def calibrate_weights(prepared: Prepared, fitted: Fitted, tuning: dict[str, float]) -> Metadata:
    """What is fitted to tuning photos after training, and how the checkpoint was made."""
    metadata = calibrate(fitted.network, prepared.config, prepared.photos, prepared.device)
    training = describe(prepared.config, prepared.photos) | {
        "epochs_run": fitted.progress.epoch,
        "best_epoch": fitted.progress.best_epoch + 1,
        "tuning": tuning,
        "finished": fitted.finished,
    }
    return replace(metadata, training=training)


def measure_held_out(
    prepared: Prepared, fitted: Fitted, metadata: Metadata
) -> tuple[Metadata, list[tuple[Photo, ImageError]]]:
    """The figures on held-out photos, which nothing has read until now, and why some of them cannot be read."""
    classifier = Classifier(fitted.network, metadata, prepared.device)
    made_up = DRY_RUN_MADE_UP if prepared.config.dry_run else MADE_UP
    figures, _, unreadable = measure(classifier, prepared.photos.held_out, made_up=made_up)
    if figures:
        metadata = replace(metadata, held_out=figures.to_dict())
        log.info(f"Held-out photos:\n{as_text(figures)}")
    return metadata, unreadable


def save_with_card(config: TrainConfig, fitted: Fitted, metadata: Metadata) -> None:
    """Save the checkpoint, and its model card beside it."""
    save_checkpoint(config.out, fitted.network, metadata)
    config.out.with_suffix(".md").write_text(model_card(metadata), encoding="utf-8")


def report_skipped(photos: Photos, unreadable: Sequence[tuple[Photo, ImageError]]) -> int:
    """Name the photos that could not be read, with their folders, and count them."""
    skipped = [*photos.failed, *unreadable]
    for photo, error in skipped:
        log.info(f"Skipped: {one_line(photo.path)}: {error}")
    if skipped:
        log.info(f"{len(skipped)} photo{'s' if len(skipped) > 1 else ''} could not be read.")
    return len(skipped)


def state_path(config: TrainConfig) -> Path:
    return config.out.with_suffix(".resume")


def average_weights(network: ResNet, others: Sequence[ResNet], weight: float = 1.0) -> None:
    """Give a network the mean of its weights and those of others, batch norm's statistics included.

    Networks that were fine-tuned from each other lie in one valley, and the middle of it generalizes better (Izmailov et
    al. 2018; Wortsman et al. 2022). With a small weight of the others, what was learned before comes back at little cost to
    what was learned last.

    Args:
        weight: What each of the others counts, where the network itself counts 1.
    """
    total = 1 + weight * len(others)
    theirs = [other.state_dict() for other in others]
    network.load_state_dict(
        {
            name: (value + weight * sum(other[name].to(value.device) for other in theirs)) / total
            if value.is_floating_point()
            else value
            for name, value in network.state_dict().items()
        }
    )


def report_epoch(progress: Progress, config: TrainConfig) -> None:
    """One line an epoch, and the curves as a table and a plot beside the checkpoint, under its name."""
    row = progress.curves[-1]
    log.info(
        f"epoch {row['epoch']}/{config.epochs}: training loss {row['training_loss']:.4f}, "
        f"accuracy {row['training_accuracy']:.2%}; tuning loss {row['tuning_loss']:.4f}, "
        f"accuracy {row['tuning_accuracy']:.2%}, two-way {row['tuning_two_way']:.2%}; "
        f"{row['images_per_second']:.0f} images/s"
    )
    with config.out.with_suffix(".curves.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(row))
        writer.writeheader()
        writer.writerows(progress.curves)
    from catdog.render import plot_curves

    plot_curves(progress.curves, config.out.with_suffix(".curves.png"))


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Keep a second run from writing the checkpoint, its resume state and its curves.

    Raises:
        OptionError: while another run does.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    try:
        with writing_alone(out, [out.with_suffix(".resume")], LOCK_SECONDS):
            yield
    except BlockingIOError as error:
        raise OptionError(f"Another training is writing {out}: wait for its end, or give another --out.") from error
