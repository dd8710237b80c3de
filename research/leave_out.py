"""What becomes of things of a kind that training never saw: leave animals and whole sources out of the negatives, in
turns. Writes a table beside the checkpoint."""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import torch
import tyro

from catdog.checkpoint import CheckpointError
from catdog.classifier import Classifier
from catdog.cli import log_to_terminal, program
from catdog.datasets import DataError
from catdog.datasets.cache import CachedPhoto, cache_photos
from catdog.device import DeviceError, choose_device, keep_memory
from catdog.files import CHECKPOINT
from catdog.measuring.figures import Rate
from catdog.measuring.tables import markdown_table
from catdog.resnet import ARCHITECTURES
from catdog.training.calibration import calibrate
from catdog.training.config import TrainConfig
from catdog.training.loop import fit
from catdog.training.sources import Photos, find_photos, initialize, read_photos
from catdog.training.teacher import load_teacher
from research.compare_recipes import in_proxy, proxy

HEAD = ("left out", "n", "called neither", "a pet with 0.9 or more")
NOTHING = "nothing"


@dataclass
class Options:
    """Train on a third of the photos for two epochs at 128 px, once with every negative and once without each group."""

    data: tuple[Path, ...]
    """Labeled folders, as for train.py."""
    neither: tuple[Path, ...] = ()
    """Folders of photos with neither a cat nor a dog."""
    groups: tuple[str, ...] = (
        "animal_lion,animal_rabbit",
        "animal_bear,animal_pig",
        "animal_cow,animal_horse",
        "animal",
        "caltech",
        "pacs",
    )
    """What to leave out, in turns: the beginnings of file names, several with commas."""
    init: str = "imagenet"
    """Starting weights, as for train.py."""
    teacher: str = "none"
    """As for train.py; in so short a run one makes no difference."""
    out: Path = CHECKPOINT.with_suffix("") / "left-out.md"
    device: str = "auto"
    bfloat16: bool = False
    """As for train.py."""
    workers: int = 2


def main() -> int:
    options = tyro.cli(Options, prog=program())
    log_to_terminal()
    config = proxy(options.data, options.neither, options.init, options.bfloat16, options.workers)
    config = replace(config, teacher=options.teacher)
    try:
        device = choose_device(options.device)
        photos = read_photos(find_photos(config))
        initialize(ARCHITECTURES[config.arch](), config)
        held_out, _ = cache_photos([photo for photo in photos.held_out if photo.label == (0, 0)])
        photos.training = list(filter(in_proxy, photos.training))
        for group in options.groups:
            if not any(belongs(cached, group) for cached in photos.training):
                raise DataError(f"No training photo of a negative begins with {group.replace(',', ' or ')}.")
    except (DataError, CheckpointError, DeviceError) as error:
        print(f"{program()}: {error}", file=sys.stderr)
        return 2
    body = []
    taught = trained(config, photos, device)
    for group in options.groups:
        members = [cached for cached in held_out if belongs(cached, group)]
        body.append(row(f"{NOTHING}; held-out {words(group)}", taught, members))
        print(*body[-1], sep="  ", flush=True)
        kept = replace(
            photos,
            training=[cached for cached in photos.training if not belongs(cached, group)],
            tuning=[cached for cached in photos.tuning if not belongs(cached, group)],
        )
        never_seen = [*photos.training, *photos.tuning, *held_out]
        body.append(
            row(words(group), trained(config, kept, device), [one for one in never_seen if belongs(one, group)])
        )
        print(*body[-1], sep="  ", flush=True)
        options.out.write_text(markdown_table(HEAD, body) + "\n", encoding="utf-8")
    return 0


def belongs(cached: CachedPhoto, group: str) -> bool:
    return cached.photo.label == (0, 0) and cached.photo.path.name.startswith(tuple(group.split(",")))


def words(group: str) -> str:
    return " and ".join(f"`{prefix}`" for prefix in group.split(","))


def trained(config: TrainConfig, photos: Photos, device: torch.device) -> Classifier:
    """A network of the small task, with thresholds and calibration of its own."""
    torch.manual_seed(config.seed)
    network = ARCHITECTURES[config.arch]()
    initialize(network, config)
    teacher = load_teacher(config.teacher)
    with tempfile.TemporaryDirectory() as folder:
        state_path = Path(folder) / "state.resume"
        fitted = fit(network, config, photos.training, photos.tuning, device, state_path, teacher=teacher)
    metadata = calibrate(fitted.network, config, photos, device)
    return Classifier(fitted.network, metadata, device)


def row(name: str, classifier: Classifier, members: list[CachedPhoto]) -> tuple:
    answers = classifier.classify(cached.content for cached in members)
    verdicts = Counter(answer.verdict for answer in answers)
    sure = sum(max(answer.cat, answer.dog) >= 0.9 for answer in answers)
    return name, len(members), str(Rate(verdicts["neither"], len(members))), str(Rate(sure, len(members)))


if __name__ == "__main__":
    keep_memory()
    sys.exit(main())
