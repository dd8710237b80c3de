"""What benchmark.py may be asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PARTS = ("photo", "stages", "folder", "live", "start")
# The first two take minutes; the others need Chromium and Playwright.
ON_DEMAND = ("memory", "step", "browser", "device")
BASELINES = ("torchvision", "naive", "tutorial")


@dataclass
class Options:
    """Each figure is the median of rounds in turns (A B A B ...), with the lowest and highest; the first is warm-up."""

    against: str = ",".join(BASELINES)
    """torchvision: its own ResNet-18, forward alone. naive: forward, then a new GradCAM of the grad-cam package.
    tutorial: torchvision and a DataLoader over a folder. Several with commas."""
    only: str = ",".join(PARTS)
    """photo: one photo, answer and maps. stages: from a file's bytes to a drawn map. folder: many photos. live: several
    visitors' cameras at once. start: from the command to the first answer. Only when named: memory, of predict.py over
    1,000 and 10,000 photos; step, of training; browser: opening the page, first answer and live tab in Chromium; and
    device: the same page without a server.
    Several with commas."""
    training: bool = False
    """Instead, the time in which the quick recipe reaches the best tuning accuracy of the tutorial's: takes both cores
    for up to --minutes, and wants --data and --init."""
    data: tuple[Path, ...] = ()
    """Labeled folders for --training, as for train.py."""
    neither: tuple[Path, ...] = ()
    """Photos without a pet for --training; the tutorial's recipe has no use for them."""
    init: str = "imagenet"
    """Starting weights for --training, as for train.py."""
    minutes: float = 60.0
    """The most that --training takes; the tutorial's recipe gets three quarters of it."""
    rounds: int = 15
    photos: int = 300
    """Photos in the folder."""
    threads: int = 2
    json: Path | None = None
    markdown: Path | None = None
    """The tables as a text, beside what they were measured on."""
    checkpoint: Path | None = None
