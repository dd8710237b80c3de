"""Files that are whole, or as they were before, however a process ends."""

from __future__ import annotations

import os
from pathlib import Path


def shipped(name: str) -> Path:
    """A folder that comes with the program: inside the package once it is installed, beside it in a checkout."""
    package = Path(__file__).parent
    return package / name if (package / name).exists() else package.parent / name


CHECKPOINT = shipped("checkpoints") / "catdog-resnet18.safetensors"
EXAMPLES = shipped("examples")
MAX_WEIGHTS = 2**30  # bytes: a ResNet-50 with its optimizer's state has a third of that
HOW_TO_MAKE = "make one with: python scripts/train.py --data DIR"


class CheckpointError(ValueError):
    """A checkpoint file that cannot be used: one sentence that says what is wrong and what to do."""


def check_weights(path: Path, size: int) -> None:
    """Refuse a file whose tensors are more than any ResNet's, before they are read.

    Raises:
        CheckpointError: with the limit.
    """
    if size > MAX_WEIGHTS:
        raise CheckpointError(
            f"{path} holds more than {MAX_WEIGHTS // 2**30} GB, which no ResNet-18, -34 or -50 needs: {HOW_TO_MAKE}"
        )


def write_whole(path: Path, *parts: bytes | memoryview) -> None:
    """Write parts one after the other into a temporary file beside `path`, then give it that name.

    Raises:
        OSError: where it cannot be written; a file that was there before is intact then.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            for part in parts:
                file.write(part)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
