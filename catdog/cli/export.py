"""Write a checkpoint in another engine's format, and check it against PyTorch on the example photos."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from catdog.checkpoint import CheckpointError, load_checkpoint
from catdog.cli import LabelOrder, in_order, log_to_terminal, parse, program
from catdog.engines.onnx import MAX_DIFFERENCE, ExportError, Weights, export_onnx, largest_difference
from catdog.files import CHECKPOINT, EXAMPLES
from catdog.images import open_picture


@dataclass
class Options:
    """Write a checkpoint for ONNX Runtime and its kind: logits and evidence maps, any batch and any size."""

    format: Literal["onnx"] = "onnx"
    weights: Weights = "float32"
    """How weights are stored; all are computed with in float32. float16: half the size, int8: a quarter."""
    checkpoint: Path | None = None
    """The trained network to use: a file, or owner/name on the Hugging Face Hub; without it, the one that comes with catdog."""
    labels: LabelOrder | None = None
    """Which output of another program's checkpoint comes first, where its file does not say so."""
    out: Path | None = None
    """The file to write; without it, the checkpoint's name with the format's ending, in this folder."""


def main() -> int:
    options = parse(Options)
    log_to_terminal()
    out = options.out or Path((options.checkpoint or CHECKPOINT).with_suffix(f".{options.format}").name)
    try:
        network, metadata = load_checkpoint(options.checkpoint, in_order(options.labels))
        export_onnx(network, metadata, out, options.weights)
        preset = metadata.preset()
        photos = [preset(open_picture(path)).unsqueeze(0) for path in sorted(EXAMPLES.glob("*.jpg"))]
        difference = largest_difference(network, out, photos)
    except (CheckpointError, ExportError) as error:
        print(f"{program()}: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"{program()}: {error.filename or out} cannot be written: {error.strerror}.", file=sys.stderr)
        return 2
    print(f"{out}: at most {difference:.1e} logits from PyTorch on {len(photos)} photos.")
    if not difference <= (most := MAX_DIFFERENCE[options.weights]):
        print(f"{program()}: that is more than {most:g}: do not use this file.", file=sys.stderr)
        return 1
    return 0
