"""app.py as a process of its own, for the browser tests."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def serve(root: Path, port: int | None = None, *options: str) -> Iterator[str]:
    """Start the page with the shipped checkpoint; gives its address, and ends it in the end."""
    command = [sys.executable, "-u", "app.py", "--host", "127.0.0.1", "--port", str(port or free_port()), *options]
    environment = os.environ | {"GRADIO_ANALYTICS_ENABLED": "False"}
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            for line in process.stdout:
                if "http://" in line:
                    break
            yield line.split()[-1]
        finally:
            process.terminate()  # not killed: it deletes its uploads


def free_port() -> int:
    """None of the program's usual ones, all of which another test may be using."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return trial.getsockname()[1]
