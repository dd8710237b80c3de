"""Measure speed against what people would use instead, side by side in one run: tables of ratios, and JSON."""

from __future__ import annotations

import json
import os
import platform
import sys
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
import tyro

from catdog import load
from catdog.checkpoint import CheckpointError
from catdog.cli import log_to_terminal, program
from catdog.cli.benchmark.answering import folder, one_photo, stages
from catdog.cli.benchmark.browser import browser
from catdog.cli.benchmark.device import device
from catdog.cli.benchmark.options import BASELINES, ON_DEMAND, PARTS, Options
from catdog.cli.benchmark.server import live, memory, start
from catdog.cli.benchmark.training import step, training
from catdog.datasets import DataError
from catdog.device import DeviceError
from catdog.measuring.timing import table
from catdog.training.config import OptionError

INTRODUCTION = """\
# Speed

Written by `scripts/benchmark.py {command}`, everything in turns in one run on one machine: {machine}. Times drift from machine
to machine and from day to day; what can be relied on is *times the baseline*, the first row.
"""

ABOUT = {
    "photo": "One photo as a tensor. All ways give the same logits, and those with maps the same maps, or nothing is measured.",
    "stages": "A photo of 12 megapixels, from the file's bytes to the drawn map. Decoded smaller, its probabilities stay "
    "within 0.01.",
    "folder": "Files of 500 pixels to answers. The baseline sees center crops: fewer pixels than whole photos have.",
    "live": "From a camera's frame to its answer with maps, over HTTP on the same cores, nothing drawn.",
    "start": "A fresh process each time.",
    "browser": "In Chromium on the same cores, with a film of 30 frames a second in the place of a camera.",
    "device": "From a photo's bytes to its answer with maps, by the page without a server in Chromium, its weights as 8-bit "
    "integers, on the same cores; the camera's film as above.",
    "memory": "predict.py over ten times as many photos.",
    "step": "One of the default recipe's on the CPU, with its teacher, to the same loss; a fresh process each time.",
    "training": "To the best two-way accuracy on tuning photos that the tutorial's recipe reaches; one run of each recipe.",
}


def main() -> int:
    options = tyro.cli(Options, prog=program())
    log_to_terminal()
    measure = {"photo": one_photo, "stages": stages, "folder": folder, "live": live, "start": start}
    measure |= {"memory": memory, "step": step, "browser": browser, "device": device}
    chosen = options.only.split(",")
    for name, given, allowed in (
        ("against", options.against.split(","), BASELINES),
        ("only", chosen, PARTS + ON_DEMAND),
    ):
        if unknown := set(given) - set(allowed):
            print(f"{program()}: --{name} knows {', '.join(allowed)}, not {', '.join(unknown)}.", file=sys.stderr)
            return 2
    torch.set_num_threads(options.threads)
    if options.training:
        measure, chosen = {"training": training}, ["training"]
    results: dict[str, Any] = {"machine": machine(options)}
    print(*results["machine"].values(), sep=", ", flush=True)
    try:
        classifier = load(options.checkpoint, "cpu")
        for name in chosen:
            results[name] = measure[name](classifier, options)
            print(f"\n{name}\n{table(results[name])}", flush=True)
    except (CheckpointError, DataError, DeviceError, OptionError) as error:
        print(f"{program()}: {error}", file=sys.stderr)
        return 2
    if options.markdown:
        options.markdown.write_text(as_text(results), encoding="utf-8")
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 0


def as_text(results: dict[str, Any]) -> str:
    """All tables, with the command that made them and what each part is."""
    parts = "".join(
        f"\n## {name}\n\n{ABOUT[name]}\n\n{table(each)}\n" for name, each in results.items() if name in ABOUT
    )
    return INTRODUCTION.format(command=" ".join(sys.argv[1:]), machine=", ".join(results["machine"].values())) + parts


def machine(options: Options) -> dict[str, str]:
    """What the figures hold for."""
    versions = (f"{name} {version(name)}" for name in ("torch", "torchvision", "gradio", "pillow"))
    return {
        "processor": processor(),
        "cores": f"{os.cpu_count()} cores",
        "threads": f"{options.threads} threads",
        "python": f"Python {platform.python_version()}",
        "versions": ", ".join(versions),
    }


def processor() -> str:
    """As the system calls it: Python knows only its family."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
