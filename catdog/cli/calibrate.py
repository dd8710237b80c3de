"""Calibrate a checkpoint anew, as train.py does at its end, and measure it: minutes instead of a training run."""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import tyro

from catdog.checkpoint import CheckpointError, load_checkpoint, local_checkpoint, save_checkpoint
from catdog.classifier import Classifier
from catdog.cli import LabelOrder, in_order, log_to_terminal, program
from catdog.datasets import DataError, Photo
from catdog.datasets.splits import digests_in, fingerprint
from catdog.device import DeviceError, choose_device, keep_memory
from catdog.images import ImageError, one_line
from catdog.measuring.figures import Figures
from catdog.measuring.measure import measure
from catdog.measuring.model_card import model_card
from catdog.measuring.summary import as_text
from catdog.measuring.tables import tables_of
from catdog.training import calibration
from catdog.training.config import OptionError, TrainConfig
from catdog.training.provenance import describe
from catdog.training.run import locked
from catdog.training.sources import find_photos, read_photos

logger = logging.getLogger(__name__)


@dataclass
class Options:
    """Fit a checkpoint's calibration, thresholds and evidence scale to tuning photos; its weights stay as they are.

    On the photos that it was trained on, it becomes what train.py would make of it today; on photos of your own, its
    probabilities mean what they say there.
    """

    data: tuple[Path, ...]
    """Labeled folders, as for train.py: a tenth of the photos is for calibration, another for the figures."""
    neither: tuple[Path, ...] = ()
    """Folders of photos with neither a cat nor a dog."""
    exclude: Path | None = None
    """A CSV whose column path names photos to leave out, as for train.py."""
    relabel: Path | None = None
    """A CSV with the columns path and label: what tuning photos show that their folders have wrong, as for train.py."""
    kinds: Path | None = None
    """A CSV with the columns path and kind, which names kinds of scene or animal for figures by kind. Without it, CSVs beside
    the folders: scenes-kinds.csv beside scenes."""
    checkpoint: Path | None = None
    """The trained network to use: a file, or owner/name on the Hugging Face Hub; without it, the one that comes with catdog."""
    labels: LabelOrder | None = None
    """Which output of another program's checkpoint comes first, where its file does not say so."""
    out: Path = Path("calibrated.safetensors")
    """The checkpoint to write, with its model card beside it."""
    device: str = "auto"
    workers: int = TrainConfig.workers


def main() -> int:
    options = tyro.cli(Options, prog=program())
    log_to_terminal()
    keep_memory()
    try:
        with locked(options.out):
            figures, failed = calibrate(options)
    except (DataError, CheckpointError, DeviceError, OptionError) as error:
        print(f"{program()}: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"{program()}: {error.filename or options.out} cannot be written: {error.strerror}.", file=sys.stderr)
        return 2
    for photo, error in failed:
        print(f"Skipped: {one_line(photo.path)}: {error}", file=sys.stderr)
    if figures:
        print(f"Held-out photos:\n{as_text(figures)}")
    print(f"Saved {options.out}.")
    return 1 if failed else 0


def calibrate(options: Options) -> tuple[Figures | None, list[tuple[Photo, ImageError]]]:
    """Write the checkpoint and its card.

    Returns:
        The figures on held-out photos, and the photos that could not be read.
    """
    device = choose_device(options.device)
    path = local_checkpoint(options.checkpoint)
    network, before = load_checkpoint(path, in_order(options.labels))
    known = before.training.keys() >= {"photos", "options"}
    if not known:
        logger.warning(f"{path} does not say which photos it was trained on: figures on those would be too good.")
    config = TrainConfig(
        data=options.data,
        neither=options.neither,
        exclude=options.exclude,
        relabel=options.relabel,
        kinds=options.kinds,
        out=options.out,
        arch=before.architecture,
        loss="cross-entropy" if before.head == "softmax" else "binary",
        input_size=before.input_size,
        resize=before.resize,
        seed=before.training.get("options", {}).get("seed", TrainConfig.seed),
        workers=options.workers,
    )
    photos = read_photos(find_photos(config))
    if before.head == "sigmoid" and not any(cached.photo.label == (0, 0) for cached in photos.tuning):
        logger.warning("No photos without a pet were given: `neither` is fitted to made-up ones.")
    network.to(device)
    metadata = calibration.calibrate(network, config, photos, device)
    now = describe(config, photos)
    training = before.training if known else unknown_training(path, now)
    metadata = replace(metadata, real_negatives=before.real_negatives, training=training | described(training, now))
    figures, _, unreadable = measure(Classifier(network, metadata, device), photos.held_out)
    metadata = replace(metadata, held_out=figures.to_dict() if figures else {})
    save_checkpoint(options.out, network, metadata)
    card = model_card(metadata, tables_of(options.out))
    options.out.with_suffix(".md").write_text(card, encoding="utf-8")
    return figures, photos.failed + unreadable


def unknown_training(path: Path, now: dict) -> dict:
    """What is known of a training that a checkpoint says nothing of: where it started and on what, nobody can say."""
    return {
        "folders": now["folders"],
        "init": path.name,
        "counts": {"training": {}, "tuning": now["counts"]["tuning"]},
        "options": {},
        "photos": "",
        "torch": now["torch"],
        "commit": "",
    }


def described(training: dict, now: dict) -> dict:
    """What a calibration adds to what a checkpoint says of its training: the photos that it has seen since, and which."""
    seen = digests_in(training["photos"]) + digests_in(now["photos"])
    return {
        "photos": fingerprint(seen),
        "calibrated": {"counts": now["counts"]["tuning"], "commit": now["commit"]},
    }
