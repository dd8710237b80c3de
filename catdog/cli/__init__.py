"""The command line: one module a command, each with a `main`. `catdog predict ...` is `python scripts/predict.py ...`."""

from __future__ import annotations

import io
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Literal, TypeVar

import catdog

OptionsT = TypeVar("OptionsT")
LabelOrder = Literal["cat,dog", "dog,cat"]  # of --labels

COMMANDS = {
    "app": "open the page: a cat, a dog, both or neither, and where",
    "predict": "classify pictures: files, folders and patterns",
    "train": "train on folders of photos",
    "evaluate": "measure a checkpoint on labeled photos",
    "calibrate": "fit a checkpoint's calibration and thresholds to photos",
    "export": "write the network as ONNX",
    "pets": "know your own pets again, from a few photos",
    "benchmark": "measure speed against what people would use instead",
}
INTERRUPTED = 128 + signal.SIGINT  # the exit status, as shells have it


def main() -> int:
    """The `catdog` command: the exit status of the command that it names."""
    name, *rest = sys.argv[1:] or ["--help"]
    if name in ("-h", "--help"):
        print("usage: catdog COMMAND ...\n       catdog --version\n\nCommands, each with --help:\n" + commands())
        return 0
    if name == "--version":
        print(f"catdog {catdog.__version__}")
        return 0
    if name not in COMMANDS:
        print(f"catdog: there is no command {name}. Commands:\n{commands()}", file=sys.stderr)
        return 2
    sys.argv = [f"catdog {name}", *rest]
    return run(name)


def run(name: str) -> int:
    """The exit status of a command, which Ctrl-C ends with one line and no file name with a traceback."""
    escape_unwritable()
    try:
        with ending_at_once():
            command = import_module(f"catdog.cli.{name}")
        return command.main()
    except KeyboardInterrupt:
        print(f"{program()}: interrupted.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader, `head` perhaps, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


@contextmanager
def ending_at_once() -> Iterator[None]:
    """While a large package is imported, Ctrl-C ends the process on the spot.

    KeyboardInterrupt would not do: an extension in the middle of its import answers it with an error of its own, and what
    is raised in one of the import system's callbacks is printed and forgotten.
    """

    def end(number: int, frame: object) -> None:
        os.write(2, f"{program()}: interrupted.\n".encode())
        os._exit(INTERRUPTED)

    in_main_thread = threading.current_thread() is threading.main_thread()  # the only one that may set a handler
    if not in_main_thread or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield  # ignored, perhaps, as in a shell's background job
        return
    signal.signal(signal.SIGINT, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def escape_unwritable() -> None:
    """What the encoding of standard output or error does not have, or no encoding has, such as a byte of a file name that
    is no UTF-8, is written as a backslash and its number, not with a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def commands() -> str:
    return "\n".join(f"  {name:<11}{purpose}" for name, purpose in COMMANDS.items())


def program() -> str:
    """How this command was called, for its messages: `predict.py` or `catdog predict`."""
    return Path(sys.argv[0]).name


def parse(options: type[OptionsT]) -> OptionsT:
    """A command's options from its arguments, or its help text. A help text in the source stays on one line: in the terminal
    an indented second one would begin a line of its own."""
    import tyro  # after `catdog --help`

    return tyro.cli(options, prog=program(), config=(tyro.conf.DisallowNone,))


def in_order(labels: LabelOrder | None) -> Sequence[str] | None:
    """What --labels says, as `catdog.load` takes it."""
    return labels.split(",") if labels else None


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
