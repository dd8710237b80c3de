"""Files that are whole, or as they were before, however a process ends."""

from __future__ import annotations

import os
from pathlib import Path


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
