"""Write the page as a folder of files that any host can serve: photos are answered on the visitor's own device."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from catdog.checkpoint import CheckpointError
from catdog.cli import log_to_terminal, parse, program
from catdog.engines.onnx import ExportError, Weights
from catdog.images import one_line
from catdog.page.site import SiteError, build_site


@dataclass
class Options:
    """Write the page and the network into a folder for any host: photos never leave the visitor's device."""

    out: Path
    """The folder to write; what an earlier build left there is replaced."""
    checkpoint: Path | None = None
    """The trained network to use: a file, or owner/name on the Hugging Face Hub; without it, the one that comes with catdog."""
    weights: Weights = "int8"
    """How weights are stored: float32, float16, or int8, a quarter of the first."""


def main() -> int:
    options = parse(Options)
    log_to_terminal()
    try:
        files = build_site(options.out, options.checkpoint, options.weights)
    except (CheckpointError, ExportError, SiteError) as error:
        print(f"{program()}: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(
            f"{program()}: {one_line(error.filename or options.out)} cannot be used: {error.strerror}.", file=sys.stderr
        )
        return 2
    print(
        f"{len(files)} files, {sum(files.values()) / 2**20:.1f} MB. Look at it with: python -m http.server -d {options.out}"
    )
    return 0
