"""A training run, from folders of photos to a saved checkpoint with its model card."""

from __future__ import annotations

import csv
import glob
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from filelock import FileLock, Timeout

from catdog.checkpoint import (
    CheckpointError,
    Metadata,
    is_pickled,
    load_checkpoint,
    load_safetensors,
    save_checkpoint,
)
from catdog.classifier import Classifier
from catdog.datasets import DataError, read_folders
from catdog.datasets.cache import CachedPhoto
from catdog.datasets.made_up import made_up_both, made_up_negatives
from catdog.datasets.samples import EvaluationSamples
from catdog.datasets.splits import digests_in, fingerprint, short_digest
from catdog.decision import probabilities_of
from catdog.device import DeviceError, choose_device, is_out_of_memory, repeat_exactly
from catdog.measuring.figures import as_text, measure
from catdog.measuring.localization import fit_box_threshold, with_extent
from catdog.measuring.model_card import model_card
from catdog.resnet import ARCHITECTURES, ResNet
from catdog.training.calibration import fit_both, fit_calibration, fit_present, measure_evidence_scale
from catdog.training.config import OptionError, TrainConfig
from catdog.training.loop import DRY_RUN_STEPS, Progress, evaluate_epoch, fit, logits_of
from catdog.training.sources import Photos, gather, initialize
from catdog.training.teacher import load_teacher

MAX_TRIMAPS = 200  # photos that choose the boxes' threshold, tuning ones first
MIN_MADE_NEGATIVE = 0.25  # of the samples, where no real negative is given
LOCK_SECONDS = 10  # a killed run's workers notice that within five
LISTS = ("exclude", "relabel")  # options that take a file which names photos


def start(config: TrainConfig) -> int:
    """Train and return the exit status: 0 done, 1 some photos failed or the run was stopped, 2 wrong use."""
    first = True
    try:
        if int(os.environ.get("WORLD_SIZE", "1")) > 1:  # set by torchrun
            dist.init_process_group("nccl" if choose_device(config.device).type == "cuda" else "gloo")
            first = dist.get_rank() == 0
        with locked(config.out) if first else nullcontext():
            return 0 if train(config, say=lambda line: print(line, flush=True) if first else None) else 1
    except KeyboardInterrupt:  # outside the loop, which stops by itself
        print("train.py: stopped; go on with --resume if training had begun.", file=sys.stderr)
        return 1
    except (DataError, CheckpointError, DeviceError, OptionError) as error:
        if first:
            print(f"train.py: {error}", file=sys.stderr)
        return 2
    except RuntimeError as error:
        if is_out_of_memory(error):
            print("train.py: The memory is too small: take a smaller --batch-size or --train-size.", file=sys.stderr)
            return 2
        if not another_ended(error):
            raise
        print("train.py: another process of this run ended: go on with --resume.", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"train.py: {error.filename or config.out} cannot be used: {error.strerror}.", file=sys.stderr)
        return 2
    finally:
        if dist.is_initialized():
            dist.destroy_process_group()


def another_ended(error: RuntimeError) -> bool:
    """Whether what processes under torchrun do together failed, as it does when one of them is no longer there."""
    return dist.is_initialized() and (isinstance(error, dist.DistError) or "gloo" in str(error))


def locked(out: Path) -> AbstractContextManager:
    """Hold a file beside the checkpoint locked, so that no second run writes to it, and remove what a killed run left.

    The system lets go of the lock when the process ends, however it ends.

    Raises:
        OptionError: while another run holds it.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    try:
        lock = FileLock(out.with_name(f".{out.name}.lock")).acquire(timeout=LOCK_SECONDS)
    except Timeout as error:
        raise OptionError(f"Another training is writing {out}: wait for its end, or give another --out.") from error
    for path in (out, out.with_suffix(".resume")):
        for left in out.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
            left.unlink(missing_ok=True)
    return lock


def train(config: TrainConfig, say: Callable[[str], None] = print) -> bool:
    """Train, calibrate and save as the options say.

    Returns:
        Whether every photo could be read and the run came to its end.

    Raises:
        DataError, CheckpointError, DeviceError, OptionError, OSError: before minutes are spent.
    """
    started = time.monotonic()
    device = choose_device(config.device)
    repeat_exactly(device)
    torch.manual_seed(config.seed)
    network = ARCHITECTURES[config.arch]()
    state_path = config.out.with_suffix(".resume")
    if config.resume and not state_path.exists():
        say(f"There is nothing to resume at {state_path}: starting from the beginning.")
    first = not dist.is_initialized() or dist.get_rank() == 0
    if not first:  # what has to be downloaded is downloaded once
        dist.barrier()
    if config.data:  # a folder that is none of photos is told before weights are fetched
        read_folders(config.data, config.neither)
    initialize(network, config, say)
    others = [load_checkpoint(path)[0] for path in config.average]
    teacher = load_teacher(config.teacher)
    photos = gather(config, say)
    if first and dist.is_initialized():
        dist.barrier()
    real_negatives = any(cached.photo.label == (0, 0) for cached in photos.training)
    if config.loss == "binary" and not real_negatives:
        say(
            "Warning: no photos without a pet were given, so `neither` is learnt from made-up ones only and is worth "
            "little: give some with --neither DIR."
        )
        config = replace(config, made_negative=max(config.made_negative, MIN_MADE_NEGATIVE))

    fitted = fit(
        network,
        config,
        photos.training,
        photos.tuning,
        device,
        state_path,
        on_epoch=lambda progress: report_epoch(progress, config, say),
        teacher=teacher,
    )
    if not first:
        return fitted.finished
    if fitted.progress.best_epoch < 0:
        say("No epoch came to a finite tuning loss: no checkpoint was written. After a stop, go on with --resume.")
        return False
    say(f"Best epoch: {fitted.progress.best_epoch + 1}, tuning loss {fitted.progress.best_loss:.4f}.")
    tuning = fitted.progress.curves[fitted.progress.best_epoch]
    if others:
        average_weights(fitted.network, others)
        tuning = {"epoch": tuning["epoch"], **evaluate_epoch(fitted.network, config, photos.tuning, device)}
        say(f"Averaged with {len(others)} earlier: tuning loss {tuning['tuning_loss']:.4f}.")
    metadata = finish(fitted.network, config, photos, device, real_negatives)
    metadata = replace(
        metadata,
        training={
            **metadata.training,
            "epochs_run": fitted.progress.epoch,
            "best_epoch": fitted.progress.best_epoch + 1,
            "tuning": tuning,
            "finished": fitted.finished,
        },
    )
    save_checkpoint(config.out, fitted.network, metadata)  # before the figures, which take a while
    made_up = {"made_up": DRY_RUN_STEPS} if config.dry_run else {}
    figures, _, unreadable = measure(Classifier(fitted.network, metadata, device), photos.held_out, **made_up)
    if figures:
        metadata = replace(metadata, held_out=figures)
        say(f"Held-out photos:\n{as_text(metadata.held_out)}")
    save_checkpoint(config.out, fitted.network, metadata)
    card = config.out.with_suffix(".md")
    card.write_text(model_card(metadata), encoding="utf-8")
    photos.failed += unreadable
    say(f"{state_path} may be deleted, unless you mean to --resume.")
    say(f"Saved {config.out} after {(time.monotonic() - started) / 60:.1f} minutes.")
    for error in photos.failed:
        say(f"Skipped: {error}")
    if photos.failed:
        say(f"{len(photos.failed)} photo{'s' if len(photos.failed) > 1 else ''} could not be read.")
    if not fitted.finished:
        say("Stopped before the end: go on with --resume.")
    return fitted.finished and not photos.failed


def average_weights(network: ResNet, others: Sequence[ResNet]) -> None:
    """Give a network the mean of its weights and those of others, batch norm's statistics included.

    Networks that were fine-tuned from each other lie in one valley, and the middle of it generalizes better (Izmailov et
    al. 2018; Wortsman et al. 2022).

    Raises:
        OptionError: where the others are of another architecture.
    """
    own = network.state_dict()
    theirs = [other.state_dict() for other in others]
    if any(own.keys() != other.keys() for other in theirs):
        raise OptionError("--average takes checkpoints of the same --arch.")
    network.load_state_dict(
        {
            name: torch.stack([value, *(other[name].to(value.device) for other in theirs)]).mean(0)
            if value.is_floating_point()
            else value
            for name, value in own.items()
        }
    )


def report_epoch(progress: Progress, config: TrainConfig, say: Callable[[str], None]) -> None:
    """One line an epoch, and the curves as a table and a plot beside the checkpoint."""
    row = progress.curves[-1]
    say(
        f"epoch {row['epoch']}/{config.epochs}: training loss {row['training_loss']:.4f}, "
        f"accuracy {row['training_accuracy']:.2%}; tuning loss {row['tuning_loss']:.4f}, "
        f"accuracy {row['tuning_accuracy']:.2%}, two-way {row['tuning_two_way']:.2%}; "
        f"{row['images_per_second']:.0f} images/s"
    )
    stem = curves_stem(config)
    with open(f"{stem}.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(row))
        writer.writeheader()
        writer.writerows(progress.curves)
    from catdog.render import plot_curves

    plot_curves(progress.curves, Path(f"{stem}.png"))


def curves_stem(config: TrainConfig) -> Path:
    return config.out.with_name("curves")


def finish(
    network: ResNet, config: TrainConfig, photos: Photos, device: torch.device, real_negatives: bool
) -> Metadata:
    """Calibration, thresholds and evidence scale, on tuning photos and on the weights as they will be saved.

    The boxes' threshold is chosen on training photos too: few tuning photos have a trimap.
    """
    network.half().float()  # the file holds float16: fit what will be loaded
    preset = config.evaluation_preset()
    head = "softmax" if config.loss == "cross-entropy" else "sigmoid"
    count = min(300, 2 * len(photos.tuning))

    def scores_of(cached: list[CachedPhoto]) -> tuple[np.ndarray, np.ndarray]:
        logits, strongest = logits_of(network, EvaluationSamples(cached, preset), device, config.workers)
        return logits.numpy(), strongest.numpy()

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
    scale = measure_evidence_scale(network, EvaluationSamples(single, preset), device, config.workers)
    metadata = Metadata(
        architecture=config.arch,
        head=calibration.head,
        input_size=config.input_size,
        resize=config.resize,
        temperature=calibration.temperature,
        offset=calibration.offset,
        top_weight=calibration.top_weight,
        present=present,
        both=both,
        evidence_scale=scale,
        real_negatives=real_negatives,
        training=describe(config, photos),
    )
    with_trimaps = [cached for cached in single + photos.training if cached.photo.trimap][:MAX_TRIMAPS]
    if not with_trimaps:
        return metadata
    return replace(
        metadata, box_threshold=fit_box_threshold(with_trimaps, with_extent(Classifier(network, metadata, device)))
    )


def describe(config: TrainConfig, photos: Photos) -> dict:
    """What the checkpoint was made from: no paths of this machine, only the folders' names and counts."""
    of_this_machine = ("average", "data", "neither", *LISTS, "out", "device", "resume", "workers", "dry_run")
    options = {name: value for name, value in asdict(config).items() if name not in of_this_machine}
    if config.average:
        options["average"] = " ".join(
            f"{path.name} ({short_digest(path.read_bytes()).hex()})" for path in config.average
        )
    options |= {name: path.name for name in LISTS if (path := getattr(config, name))}
    before, seen = earlier_run(config.init)
    averaged = [earlier_run(str(path)) for path in config.average]
    seen += [digest for _, digests in averaged for digest in digests]
    return {
        "folders": photos.folders,
        "init": Path(config.init).name,
        "before": before,
        "averaged": [run for run, _ in averaged if run],
        "counts": {
            part: dict(Counter(f"{one.photo.source} {one.photo.verdict}" for one in group))
            for part, group in (("training", photos.training), ("tuning", photos.tuning))
        },
        "options": options | {"init": Path(config.init).name},
        "photos": fingerprint([*(one.digest for one in (*photos.training, *photos.tuning)), *seen]),
        "commit": commit(),
        "torch": torch.__version__,
    }


def earlier_run(init: str) -> tuple[dict | None, list[bytes]]:
    """Of a checkpoint that training starts from: how it was trained, and the digests of the photos that it has seen."""
    if init in ("imagenet", "none") or is_pickled(Path(init)):
        return None, []
    training = json.loads(load_safetensors(Path(init))[1].get("training", "{}"))
    seen = digests_in(training.pop("photos", ""))
    return training or None, seen


def commit() -> str:
    """The commit that this code stands at, or nothing where there is no git."""
    try:
        done = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            timeout=10,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
