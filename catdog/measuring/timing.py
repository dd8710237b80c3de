"""Times taken in turns, and that nobody is fast by being wrong: what the scripts that measure speed share."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image

from catdog.files import EXAMPLES
from catdog.images import open_picture
from catdog.measuring.tables import markdown_table

SAME = 1e-3  # logits, and maps from 0 to 1


def in_turns(ways: dict[str, Callable[[], Any]], rounds: int) -> dict[str, dict[str, float]]:
    """Milliseconds of each way, one after the other in every round; the first round is thrown away."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds + 1):
        for name, way in ways.items():
            started = time.perf_counter()
            way()
            seconds[name].append(time.perf_counter() - started)
    return {name: summary([1000 * value for value in values[1:]]) for name, values in seconds.items()}


def summary(values: Sequence[float]) -> dict[str, float]:
    return {"median": statistics.median(values), "low": min(values), "high": max(values)}


def against(first: str, figures: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    """The same with each median as a multiple of the first's."""
    for each in figures.values():
        each["times"] = each["median"] / figures[first]["median"]
    return figures


def table(figures: dict[str, dict[str, float]]) -> str:
    """In milliseconds, or in megabytes where the names say so."""
    unit = "MB" if all("MB" in name for name in figures) else "ms"
    body = [
        (name, f"{each['median']:.1f}", f"{each['low']:.1f} to {each['high']:.1f}", f"{each['times']:.2f}")
        for name, each in figures.items()
    ]
    return markdown_table(("", f"{unit}, median", "lowest to highest", "times the baseline"), body)


def require_same(name: str, what: str, theirs: ArrayLike, ours: ArrayLike) -> None:
    """Who gives something else is fast by being wrong."""
    if (difference := float(np.abs(np.subtract(theirs, ours)).max())) > SAME:
        raise AssertionError(f"{name} gives {what} that differ by {difference:.2g}.")


def example_paths() -> list[Path]:
    return sorted(EXAMPLES.glob("*.jpg"))


def write_photos(folder: Path, count: int) -> list[Path]:
    folder.mkdir()
    sources = [open_picture(path) for path in example_paths()]
    for index in range(count):
        picture = sources[index % len(sources)].copy()
        picture.thumbnail((500, 500), Image.Resampling.BILINEAR)
        picture.save(folder / f"{index:05}.jpg", quality=88)
    return sorted(folder.iterdir())
