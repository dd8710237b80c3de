"""The command line: one module a command, each with a `main`. `catdog predict ...` is `python scripts/predict.py ...`."""

from __future__ import annotations

import logging
import os
import sys
from importlib import import_module
from pathlib import Path

COMMANDS = {
    "app": "open the page: a cat, a dog, both or neither, and where",
    "predict": "classify pictures: files, folders and patterns",
    "train": "train on folders of photos",
    "evaluate": "measure a checkpoint on labeled photos",
    "calibrate": "fit a checkpoint's calibration and thresholds to photos",
    "export": "write the network as ONNX",
    "benchmark": "measure speed against what people would use instead",
}


def main() -> int:
    """The `catdog` command: the exit status of the command that it names."""
    name, *rest = sys.argv[1:] or ["--help"]
    if name in ("-h", "--help"):
        print("usage: catdog COMMAND ...\n\nCommands, each with --help:\n" + commands())
        return 0
    if name not in COMMANDS:
        print(f"catdog: there is no command {name}. Commands:\n{commands()}", file=sys.stderr)
        return 2
    sys.argv = [f"catdog {name}", *rest]
    return import_module(f"catdog.cli.{name}").main()


def commands() -> str:
    return "\n".join(f"  {name:<11}{purpose}" for name, purpose in COMMANDS.items())


def program() -> str:
    """How this command was called, for its messages: `predict.py` or `catdog predict`."""
    return Path(sys.argv[0]).name


def log_to_terminal() -> None:
    """Show what catdog's modules log: progress on standard output, warnings on standard error, each as a plain line.

    Under torchrun only the first process speaks.
    """
    progress, warnings = logging.StreamHandler(sys.stdout), logging.StreamHandler(sys.stderr)
    progress.addFilter(lambda record: record.levelno < logging.WARNING)
    warnings.setLevel(logging.WARNING)
    logger = logging.getLogger("catdog")
    logger.handlers = [progress, warnings]
    logger.setLevel(logging.INFO if os.environ.get("RANK", "0") == "0" else logging.CRITICAL + 1)
