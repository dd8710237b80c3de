"""Verdicts by kind of scene and animal: tuning and held-out photos of a folder whose photos' kinds a CSV names, beside the
earlier sets'. Prints one table, a column a checkpoint."""

from __future__ import annotations

import csv
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import tyro

from catdog.checkpoint import CheckpointError, Metadata, load_checkpoint
from catdog.cli import program
from catdog.datasets import DataError, read_folders
from catdog.datasets.cache import CachedPhoto, cache_photos
from catdog.datasets.made_up import made_up_both
from catdog.datasets.samples import EvaluationSamples
from catdog.datasets.splits import without_duplicates
from catdog.decision import Calibration, probabilities_of, verdicts_of
from catdog.device import DeviceError, choose_device, keep_memory
from catdog.files import CHECKPOINT
from catdog.labels import VERDICTS, Verdict
from catdog.measuring.figures import Rate
from catdog.measuring.metrics import auroc, calibration_error, two_way_right
from catdog.measuring.tables import markdown_table
from catdog.resnet import ResNet
from catdog.training.calibration import fit_both, fit_calibration, fit_present
from catdog.training.evaluation import logits_of
from catdog.transforms import EvaluationPreset

MADE_UP = 300
HARD = ("Flickr8k", "Caltech101 dalmatian", "VOC", "instagram/twitter snapshot", "cat flap IR snout")
ANIMALS = ("animal ", "Caltech101 animal", "web ")
NOT_ANIMALS = ("web photo", "web people", "web person")


@dataclass
class Options:
    """Score checkpoints on tuning and held-out photos."""

    data: tuple[Path, ...]
    """Labeled folders, as for train.py; the last one is that of the kinds."""
    neither: tuple[Path, ...] = ()
    """Folders of photos with neither a cat nor a dog."""
    kinds: Path | None = None
    """A CSV with the columns path and kind. Without it, the CSV beside the last folder: NAME-kinds.csv."""
    checkpoints: tuple[Path, ...] = (CHECKPOINT,)
    input_size: int | None = None
    """Answer at this short side in pixels instead of the checkpoint's own."""
    refit: bool = False
    """Fit calibration and thresholds anew on the tuning photos given here."""
    list_wrong: Path | None = None
    """A CSV of the wrong verdicts, the surest first, of the first checkpoint."""
    device: str = "auto"
    workers: int = 2


@dataclass
class Scores:
    """What a checkpoint says of photos, and what they show."""

    photos: list[CachedPhoto]
    kinds: list[str]  # "" of the earlier sets
    labels: np.ndarray  # (n, 2)
    p: np.ndarray  # (n, 2)
    verdicts: list[Verdict]


def main() -> int:
    options = tyro.cli(Options, prog=program())
    try:
        device = choose_device(options.device)
        networks = [load_checkpoint(path) for path in options.checkpoints]
        kind_of = read_kinds(options.kinds or options.data[-1].with_name(f"{options.data[-1].name}-kinds.csv"))
        found = read_folders(options.data, options.neither)
    except (DataError, CheckpointError, DeviceError, OSError) as error:
        print(f"{program()}: {error}", file=sys.stderr)
        return 2
    photos, _ = without_duplicates(photo for each in found for photo in each.photos)
    cached, _ = cache_photos([photo for photo in photos if photo.part != "training"])
    kinds = [kind_of.get("/".join(one.photo.path.parts[-3:]), "") for one in cached]
    labels = np.array([one.photo.label for one in cached])
    made_up = made_up_both([one for one in cached if one.photo.part == "tuning"], 0, MADE_UP) if options.refit else []
    columns = []
    for network, metadata in networks:
        size = options.input_size or metadata.input_size
        preset = EvaluationPreset(size, metadata.resize)
        logits, strongest = scored(network.to(device), cached, preset, device, options.workers)
        calibration, present, both = own(metadata)
        if options.refit:
            of_both = scored(network, made_up, preset, device, options.workers)
            calibration, present, both = refitted(cached, logits, strongest, of_both)
        p = probabilities_of(logits, strongest, calibration)
        print(f"present {present}, both {both}, {calibration}", flush=True)
        columns.append(Scores(cached, kinds, labels, p, verdicts_of(p, present, both)))
    named = [figures(each) for each in columns]
    print(
        markdown_table(
            ("photos", *(path.stem for path in options.checkpoints)), [(k, *(f[k] for f in named)) for k in named[0]]
        )
    )
    if options.list_wrong:
        write_wrong(options.list_wrong, columns[0])
    return 0


def read_kinds(path: Path) -> dict[str, str]:
    with open(path, newline="", encoding="utf-8") as file:
        return {row["path"]: row["kind"] for row in csv.DictReader(file)}


def own(metadata: Metadata) -> tuple[Calibration, float, float]:
    calibration = Calibration(metadata.head, metadata.temperature, metadata.offset, metadata.top_weight)
    return calibration, metadata.present, metadata.both


def scored(
    network: ResNet, photos: list[CachedPhoto], preset: EvaluationPreset, device: torch.device, workers: int
) -> tuple[np.ndarray, np.ndarray]:
    """Logits and what the strongest places say, each (n, 2)."""
    logits, strongest = logits_of(network, EvaluationSamples(photos, preset), device, workers)
    return logits.numpy(), strongest.numpy()


def refitted(
    cached: list[CachedPhoto], logits: np.ndarray, strongest: np.ndarray, made_up: tuple[np.ndarray, np.ndarray]
) -> tuple[Calibration, float, float]:
    """As the end of a training run does it, on those of the photos that are for tuning."""
    tuning = np.array([one.photo.part == "tuning" for one in cached])
    labels = np.array([one.photo.label for one in cached])[tuning]
    calibration = fit_calibration(logits[tuning], strongest[tuning], labels, "sigmoid", made_up)
    p = probabilities_of(logits[tuning], strongest[tuning], calibration)
    pets, negatives = p[labels.sum(1) == 1], p[labels.sum(1) == 0]
    return calibration, fit_present(pets, negatives), fit_both(pets, probabilities_of(*made_up, calibration))


def is_hard(kind: str) -> bool:
    return kind.startswith(HARD)


def is_animal(kind: str) -> bool:
    return kind.startswith(ANIMALS) and not kind.startswith(NOT_ANIMALS)


def figures(scores: Scores) -> dict[str, str]:
    """The rows of the table: shares with their n."""
    truth = np.array([VERDICTS[one.photo.label] for one in scores.photos])
    right = truth == np.array(scores.verdicts)
    everyday = np.array([kind != "" for kind in scores.kinds])
    hard = np.array([is_hard(kind) for kind in scores.kinds])
    animal = np.array([is_animal(kind) for kind in scores.kinds])
    single = scores.labels.sum(1) == 1
    held_out = np.array([one.photo.part == "held-out" for one in scores.photos])
    earlier = ~everyday & held_out & single
    table: dict[str, str] = {}

    def share(name: str, values: np.ndarray, of: np.ndarray) -> None:
        rate = Rate(int(values[of].sum()), int(of.sum()))
        table[f"{name} ({rate.n})"] = f"{rate.value:.1%}"

    for verdict in VERDICTS.values():
        share(f"everyday, {verdict}", right, everyday & (truth == verdict))
    for verdict in ("dog", "cat"):
        share(f"everyday, hard {verdict}", right, hard & (truth == verdict))
    share("everyday, animals", right, animal & (truth == "neither"))
    share("everyday, held-out alone", right, everyday & held_out)
    two_way = np.zeros(len(truth), bool)
    two_way[single] = two_way_right(scores.p[single], scores.labels[single])
    share("everyday, hard, two-way", two_way, hard & single)
    share("earlier, two-way", two_way, earlier)
    verdicts = np.array(scores.verdicts)
    share("earlier pets called neither", verdicts == "neither", earlier)
    share("earlier pets called both", verdicts == "both", earlier)
    share("earlier negatives: neither", right, ~everyday & held_out & (truth == "neither"))
    largest = scores.p.max(1)
    pets, negatives = scores.labels.sum(1) > 0, scores.labels.sum(1) == 0
    for name, of in (("held-out", held_out), ("tuning", ~held_out)):
        table[f"AUROC, {name}"] = f"{auroc(largest[pets & of], largest[negatives & of]):.4f}"
    scenes = everyday & negatives & ~animal
    for index, name in ((1, "dog"), (0, "cat")):
        of = hard & (truth == name)
        table[f"AUROC, hard {name}s against scenes"] = f"{auroc(scores.p[of, index], scores.p[scenes, index]):.4f}"
    for name, of in (("held-out", held_out), ("everyday", everyday)):
        table[f"calibration error, {name}"] = " / ".join(
            f"{calibration_error(scores.p[of, index], scores.labels[of, index]):.2%}" for index in (0, 1)
        )
    return table


def write_wrong(path: Path, scores: Scores) -> None:
    body = []
    for one, kind, p, verdict in zip(scores.photos, scores.kinds, scores.p, scores.verdicts):
        if one.photo.verdict != verdict:
            doubt = np.abs(p - np.array(one.photo.label)).max()
            body.append((round(float(doubt), 4), one.photo.path, kind, one.photo.part, verdict, *p.round(4).tolist()))
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(
            [("doubt", "path", "kind", "part", "verdict", "cat", "dog"), *sorted(body, reverse=True)]
        )


if __name__ == "__main__":
    keep_memory()
    sys.exit(main())
