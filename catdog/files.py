"""Files that are whole, or as they were before, however a process ends."""

from __future__ import annotations

import errno
import glob
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout


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
    """Write parts one after the other into a file that is whole, or as it was before.

    Raises:
        OSError: where it cannot be written; a file that was there before is intact then.
    """
    with replacing(path) as temporary, temporary.open("wb") as file:
        for part in parts:
            file.write(part)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary file's path beside `path`, whose file gets that name at the end, unless an error ends the block; where a
    pipe or a device has that name, itself.

    Raises:
        OSError: where it cannot be written; a file that was there before is intact then.
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        yield path
        return
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        if target.exists():
            shutil.copymode(target, temporary)
        os.replace(temporary, target)
    except OSError as error:
        if error.filename == str(temporary):
            error.filename = str(path)
        raise
    finally:
        temporary.unlink(missing_ok=True)


def check_writable(path: Path) -> None:
    """
    Raises:
        OSError: where `replacing` could not write, so that it is told before minutes are spent.
    """
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if path.exists() and not path.is_file():
        return
    try:
        tempfile.TemporaryFile(dir=Path(os.path.realpath(path)).parent).close()
    except OSError as error:
        error.filename = str(path)
        raise


@contextmanager
def writing_alone(path: Path, others: Sequence[Path] = (), patience: float = 0) -> Iterator[None]:
    """Hold a file locked that no second run is to write, and remove what a killed run left half written.

    One lock lies beside it, where all machines see it that share its folder; another one, which nobody tidies up by hand, in
    the folder for temporary files. The system lets go of them when the process ends, however it ends.

    Args:
        others: files that are written with it.
        patience: seconds to wait for another run's end.

    Raises:
        BlockingIOError: while another run holds it.
        OSError: where nothing can be written there.
    """
    target = Path(os.path.realpath(path))
    if not target.parent.is_dir():  # or the lock would make it
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    user = os.geteuid() if hasattr(os, "geteuid") else ""
    known_by = hashlib.sha256(os.fsencode(f"{user} {target}")).hexdigest()[:16]
    locks = [target.with_name(f".{target.name}.lock"), Path(tempfile.gettempdir(), f"catdog-{known_by}.lock")]
    with ExitStack() as stack:
        try:
            for lock in locks:
                stack.enter_context(FileLock(lock, timeout=patience))
        except Timeout as error:
            raise BlockingIOError(errno.EAGAIN, "another run is writing it", str(path)) from error
        except OSError as error:
            error.filename = str(path)
            raise
        for each in (target, *others):
            for left in target.parent.glob(f".{glob.escape(each.name)}.*.tmp"):
                left.unlink(missing_ok=True)
        try:
            yield
        finally:
            for lock in locks:
                with suppress(OSError):  # Windows removes no file that is open
                    lock.unlink()
