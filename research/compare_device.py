"""Whether the page without a server answers as Python does: held-out photos in Chromium and by the classifier, and its memory.

Prints a table: how many verdicts are equal, how far probabilities and evidence differ, and what the page holds in memory
before and after the photos, and after a camera's frames.
"""

from __future__ import annotations

import base64
import random
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tyro

import catdog
from catdog.checkpoint import CheckpointError
from catdog.cli import program
from catdog.cli.benchmark.browser import BROWSER
from catdog.cli.benchmark.device import ENGINE, serving
from catdog.datasets import DataError, read_folders
from catdog.datasets.splits import without_duplicates
from catdog.engines.onnx import Weights
from catdog.files import CHECKPOINT
from catdog.images import ImageError
from catdog.measuring.figures import Rate
from catdog.measuring.tables import markdown_table
from catdog.page.site import SiteError, build_site

if TYPE_CHECKING:
    from playwright.sync_api import Page

PATIENCE = 120_000  # ms
CLOSE = 0.02  # of a probability, and of a place's evidence in logits
FIRST_FRAMES = 500
SETTLED = 20  # answers after which the memory is looked at for the first time
START = f"async () => {{ window.engine = {ENGINE}; await engine.prepare(); }}"
EXPLAIN = """async (photo) => {
    const bytes = Uint8Array.from(atob(photo), (letter) => letter.charCodeAt(0));
    const { prediction, evidence } = await engine.explain(new Blob([bytes]));
    return { ...prediction, evidence: [[...evidence.cat], [...evidence.dog]] };
}"""
FRAMES = """async (count) => {
    const canvas = new OffscreenCanvas(640, 480), context = canvas.getContext("2d");
    for (let frame = 0; frame < count; frame++) {
        context.fillStyle = `hsl(${frame % 360} 50% 50%)`;
        context.fillRect(frame % 640, 0, 90, 480);
        await engine.frame(canvas);
    }
}"""
MEMORY = "async () => (await performance.measureUserAgentSpecificMemory()).bytes / 2 ** 20"


@dataclass
class Options:
    """Compare the page without a server with Python."""

    data: tuple[Path, ...]
    """Labeled folders, as for train.py."""
    neither: tuple[Path, ...] = ()
    """Folders of photos with neither a cat nor a dog."""
    checkpoint: Path = CHECKPOINT
    weights: Weights = "int8"
    photos: int = 500
    """How many held-out photos, drawn by chance."""
    frames: int = 10_000
    """How many frames of a camera are answered afterwards."""
    seed: int = 0


@dataclass
class Compared:
    """What both say of the photos that Python can read."""

    equal: list[bool]  # verdicts
    probabilities: list[float]  # the larger difference of the two
    evidence: list[float]  # the largest difference of a place, in logits
    memory: dict[str, float]  # MB, by when


def main() -> int:
    options = tyro.cli(Options, prog=program())
    try:
        found = read_folders(options.data, options.neither)
        photos, _ = without_duplicates(photo for each in found for photo in each.photos)
        held_out = [photo.path for photo in photos if photo.part == "held-out"]
        paths = random.Random(options.seed).sample(held_out, min(options.photos, len(held_out)))
        compared = compare(paths, options)
    except (DataError, CheckpointError, SiteError) as error:
        print(f"{program()}: {error}", file=sys.stderr)
        return 2
    close = [difference <= CLOSE for difference in compared.probabilities]
    rows = [
        ("verdicts equal", str(Rate(sum(compared.equal), len(compared.equal)))),
        (f"probabilities within {CLOSE}", str(Rate(sum(close), len(close)))),
        ("largest difference of a probability", f"{max(compared.probabilities):.3f}"),
        ("largest difference of a place's evidence, in logits: median photo", f"{np.median(compared.evidence):.4f}"),
        ("the same: of 99 of 100 photos, at most", f"{np.quantile(compared.evidence, 0.99):.4f}"),
        ("the same: of all", f"{max(compared.evidence):.4f}"),
        *((f"memory {when}, MB", f"{megabytes:.0f}") for when, megabytes in compared.memory.items()),
    ]
    print(markdown_table((f"{len(compared.equal)} held-out photos", ""), rows))
    return 0


def compare(paths: list[Path], options: Options) -> Compared:
    from playwright.sync_api import sync_playwright

    classifier = catdog.load(options.checkpoint, device="cpu")
    compared = Compared([], [], [], {})
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        build_site(Path(folder) / "site", options.checkpoint, options.weights)
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=BROWSER)
        with serving(Path(folder) / "site", threads=2) as address:
            page = browser.new_context(service_workers="block").new_page()
            page.set_default_timeout(PATIENCE)
            page.goto(address)
            page.evaluate(START)
            for index, path in enumerate(paths):
                [explanation] = classifier.explain([path], errors="return")
                if not isinstance(explanation, ImageError):
                    add(compared, explanation, page.evaluate(EXPLAIN, base64.b64encode(path.read_bytes()).decode()))
                if index == SETTLED:
                    compared.memory[f"after {SETTLED} photos"] = memory_of(page)
            compared.memory[f"after {len(paths)} photos"] = memory_of(page)
            for frames in sorted({min(FIRST_FRAMES, options.frames), options.frames} - {0}):
                page.evaluate(FRAMES, frames)
                compared.memory[f"after {frames:,} frames"] = memory_of(page)
        browser.close()
    return compared


def add(compared: Compared, explanation: catdog.Explanation, found: dict[str, Any]) -> None:
    said = explanation.prediction
    compared.equal.append(found["verdict"] == said.verdict)
    compared.probabilities.append(max(abs(found["cat"] - said.cat), abs(found["dog"] - said.dog)))
    places = np.array(found["evidence"]) - explanation.evidence.reshape(2, -1)
    compared.evidence.append(float(np.abs(places).max()))


def memory_of(page: Page) -> float:
    return page.evaluate(MEMORY)


if __name__ == "__main__":
    sys.exit(main())
