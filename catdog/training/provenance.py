"""What a checkpoint says of how it was made: photos, options, the runs before it, the commit."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from catdog.checkpoint import is_pickled, load_safetensors
from catdog.datasets.splits import digests_in, fingerprint, short_digest
from catdog.training.config import TrainConfig
from catdog.training.sources import Photos

FILES = ("exclude", "relabel", "kinds", "cutouts")  # options that take a file: its name is told
GIT_SECONDS = 10


def describe(config: TrainConfig, photos: Photos) -> dict[str, Any]:
    """What the checkpoint was made from: no paths of this machine, only the folders' names and counts."""
    of_this_machine = (
        "average",
        "average_weight",
        "data",
        "neither",
        *FILES,
        "out",
        "device",
        "resume",
        "workers",
        "dry_run",
    )
    options = {name: value for name, value in asdict(config).items() if name not in of_this_machine}
    if config.average:
        options["average"] = " ".join(
            f"{path.name} ({short_digest(path.read_bytes()).hex()})" for path in config.average
        )
        options["average_weight"] = config.average_weight
    options |= {name: path.name for name in FILES if (path := getattr(config, name))}
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


def earlier_run(init: str) -> tuple[dict[str, Any] | None, list[bytes]]:
    """Of a checkpoint that training starts from: how it was trained, and the digests of the photos that it has seen."""
    if init in ("imagenet", "none") or is_pickled(Path(init)):
        return None, []
    training = json.loads(load_safetensors(Path(init))[1].get("training", "{}"))
    seen = digests_in(training.pop("photos", ""))
    return training or None, seen


def commit() -> str:
    """The commit of catdog's own repository that this code stands at; nothing where it is installed from elsewhere, also
    where it lies inside another repository."""
    code = Path(__file__).resolve()
    package = Path(*code.parts[-3:])  # catdog/training/provenance.py
    try:
        if git(code.parent, "ls-files", "--full-name", "--", code.name) != package.as_posix():
            return ""
        return git(code.parent, "rev-parse", "--short", "HEAD")
    except (OSError, subprocess.SubprocessError):
        return ""


def git(folder: Path, *arguments: str) -> str:
    """What git prints in a folder.

    Raises:
        OSError: where there is no git.
        subprocess.SubprocessError: where the folder is in no repository, or git does not answer.
    """
    command = ["git", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=GIT_SECONDS, check=True)
    return done.stdout.strip()
