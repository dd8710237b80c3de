"""Measure a checkpoint on labeled photos: accuracy, log loss, calibration, confusion, worst mistakes."""

from __future__ import annotations

import hashlib
import json
import shlex
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tqdm import tqdm

from catdog import load
from catdog.checkpoint import CheckpointError, local_checkpoint
from catdog.classifier import Classifier
from catdog.cli import LabelOrder, in_order, log_to_terminal, parse, program
from catdog.datasets import DataError, Photo, read_folders
from catdog.datasets.kinds import with_kinds
from catdog.datasets.splits import some_seen, without_duplicates
from catdog.device import DeviceError
from catdog.engines import Engine
from catdog.files import check_writable, write_whole
from catdog.images import one_line
from catdog.measuring.figures import Figures
from catdog.measuring.measure import measure
from catdog.measuring.summary import as_text


@dataclass
class Options:
    """Measure a trained network on photos whose labels are known.

    Of a folder that it was trained on, only the photos kept out of training are scored; of any other, every photo.
    """

    data: tuple[Path, ...] = ()
    """Labeled folders: with cat/ and dog/ in them (and both/, neither/), Kaggle's Dogs vs. Cats, or Oxford-IIIT Pet."""
    neither: tuple[Path, ...] = ()
    """Folders of photos with neither a cat nor a dog."""
    kinds: Path | None = None
    """A CSV with the columns path and kind, which names kinds of scene or animal for figures by kind. Without it, CSVs beside
    the folders: scenes-kinds.csv beside scenes."""
    split: Literal["held-out", "tuning", "training", "all"] | None = None
    """Which part of the photos to score, instead of the rule above."""
    checkpoint: Path | None = None
    """The trained network to use: a file, or owner/name on the Hugging Face Hub; without it, the one that comes with catdog."""
    labels: LabelOrder | None = None
    """Which output of another program's checkpoint comes first, where its file does not say so."""
    device: str = "auto"
    """cpu, cuda, mps, or auto: the GPU where there is one."""
    engine: Engine = "torch"
    """torch, or openvino: faster on some CPUs, after pip install openvino onnx onnxscript."""
    json: Path | None = None
    """Write the figures to this file, as JSON."""
    report: Path | None = None
    """Write a report to this folder: index.html, which needs no network, and figures.json."""
    suspects: Path | None = None
    """Instead of figures, write a CSV of all photos, probably wrong labels first, and a page of the first 60 beside it."""
    init: str = "imagenet"
    """For --suspects, weights that have not seen these labels give a second opinion: imagenet (downloaded), a file, or none."""


def main() -> int:
    started = time.monotonic()
    options = parse(Options)
    log_to_terminal()
    try:
        if not options.data and not options.neither:
            raise DataError("Nothing to score: give labeled folders with --data DIR, negatives with --neither DIR.")
        classifier = load(options.checkpoint, options.device, options.engine, in_order(options.labels))
        photos = photos_to_score(options, classifier)
        check_outputs(options, photos)
    except (DataError, CheckpointError, DeviceError) as error:
        print(f"{program()}: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"{program()}: {one_line(error.filename)} cannot be used: {error.strerror}.", file=sys.stderr)
        return 2

    if options.suspects:
        return write_suspects_of(classifier, photos, options.suspects, options.init)
    figures, scored, failed = measure(
        classifier, photos, lambda paths: tqdm(paths, unit="photo", disable=not sys.stderr.isatty())
    )
    for photo, error in failed:
        print(f"Skipped: {one_line(photo.path)}: {error}", file=sys.stderr)
    if figures is None:
        print(f"{program()}: none of the photos could be read.", file=sys.stderr)
        return 1
    print(as_text(figures))
    try:
        if options.json:
            write_whole(options.json, json.dumps(figures.to_dict(), indent=1).encode() + b"\n")
        if options.report:
            from catdog.measuring.report import write_report

            write_report(options.report, figures, scored, classifier, how_made(options, classifier, figures, started))
            print(f"Wrote {options.report / 'index.html'}.")
    except OSError as error:
        print(f"{program()}: {error.filename or 'a file'} cannot be written: {error.strerror}.", file=sys.stderr)
        return 1
    return 1 if failed else 0


def photos_to_score(options: Options, classifier: Classifier) -> list[Photo]:
    """The photos of the folders' parts that are asked for, and a line about each folder.

    Raises:
        DataError: where there is none.
    """
    seen = classifier.metadata.training.get("photos", "")
    photos = []
    for found in read_folders(options.data, options.neither):
        part = options.split or "all"
        if options.split is None and not options.suspects and some_seen(seen, found.photos):
            part = "held-out"
        chosen = [photo for photo in found.photos if part in ("all", photo.part)]
        print(f"{one_line(found.folder)}: {found.summary()}; scored: {part} ({len(chosen):,})")
        for sentence in found.unused:
            print(sentence)
        photos += chosen
    photos, copies = without_duplicates(photos)
    if options.kinds:
        photos = with_kinds(photos, options.kinds)
    if copies:
        print(f"{len(copies)} copies of other photos are left out.")
    if not photos:
        raise DataError("None of these photos belongs to the part to be scored: try --split all.")
    return photos


def check_outputs(options: Options, photos: list[Photo]) -> None:
    """What cannot be written is told now, not after minutes.

    Raises:
        DataError: for a report on photos that do not suffice for one.
        OSError: for a file or folder that cannot be written.
    """
    for path in (options.json, options.suspects):
        if path:
            check_writable(path)
    if options.report:
        labels = {photo.label for photo in photos}
        if missing := [name for name, label in (("cat", (1, 0)), ("dog", (0, 1))) if label not in labels]:
            raise DataError(f"A report needs photos of cats and of dogs: there is no {' and no '.join(missing)}.")
        options.report.mkdir(parents=True, exist_ok=True)


def how_made(options: Options, classifier: Classifier, figures: Figures, started: float) -> dict[str, str]:
    """For the report: on which photos, by which command, of which checkpoint."""
    metadata, path = classifier.metadata, local_checkpoint(options.checkpoint)
    training = metadata.training
    return {
        "photos": ", ".join(f"{count:,} {name}" for name, count in figures.counts.items()),
        "command": f"python scripts/evaluate.py {shlex.join(sys.argv[1:])}",
        "time": f"{time.monotonic() - started:.0f} s",
        "checkpoint": f"{path.name}, SHA-256 {hashlib.sha256(path.read_bytes()).hexdigest()[:16]}",
        "network": f"{metadata.architecture}, {metadata.resize}, {metadata.input_size} px",
        "trained on": "; ".join(map(str, training.get("folders", ()))) or "unknown",
        "commit, PyTorch": f"{training.get('commit', '')}, {training.get('torch', '')}",
    }


def write_suspects_of(classifier: Classifier, photos: list[Photo], path: Path, init: str) -> int:
    from catdog.datasets.cache import cache_photos
    from catdog.measuring.suspects import find_suspects, write_suspects
    from catdog.resnet import resnet18
    from catdog.training.config import TrainConfig
    from catdog.training.sources import initialize

    general = None if init == "none" else resnet18()
    try:
        if general is not None:
            initialize(general, TrainConfig(init=init))
    except CheckpointError as error:
        print(f"{program()}: {error}", file=sys.stderr)
        return 2
    cached, failed = cache_photos(photos)
    for photo, error in failed:
        print(f"Skipped: {one_line(photo.path)}: {error}", file=sys.stderr)
    try:
        suspects = find_suspects(classifier, cached, general)
    except DataError as error:
        print(f"{program()}: {error}", file=sys.stderr)
        return 2
    try:
        write_suspects(path, suspects)
    except OSError as error:
        print(f"{program()}: {one_line(error.filename or path)} cannot be written: {error.strerror}.", file=sys.stderr)
        return 1
    print(f"Wrote {path} and {path.with_suffix('.html')}.")
    return 1 if failed else 0
