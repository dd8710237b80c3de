"""code.json: the lines of this program that do what the inside tab shows, for who wants to read them."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import catdog
from catdog.decision import probabilities_of
from catdog.evidence import evidence_of, signatures_of
from catdog.layers import shuffled
from catdog.resnet import ResidualBlock, ResNet
from catdog.transforms import EvaluationPreset, normalize

SHOWN: dict[str, tuple[Callable[..., Any], ...]] = {  # by the part of the tab that they stand under
    "size": (EvaluationPreset.__call__, normalize),
    "sum": (evidence_of, probabilities_of),
    "strip": (ResNet.layer3_output, ResNet.features),
    "block": (ResidualBlock.forward, ResidualBlock.residual),
    "weights": (shuffled,),
    "teach": (signatures_of,),
}


def code() -> dict[str, list[dict[str, Any]]]:
    """By name some functions, each with its `file`, the `line` where it begins and its `text`."""
    return {name: [lines_of(each) for each in functions] for name, functions in SHOWN.items()}


def lines_of(function: Callable[..., Any]) -> dict[str, Any]:
    lines, first = inspect.getsourcelines(function)
    root = Path(catdog.__file__).parent.parent
    file = Path(inspect.getsourcefile(function) or "").relative_to(root).as_posix()
    return {"file": file, "line": first, "text": textwrap.dedent("".join(lines)).rstrip()}
