"""app.py in a process of its own, whose memory, threads, handles and files can be looked at."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PATIENCE = 600.0  # seconds
KEPT = 100  # sessions: fewer than the page's, so that Gradio forgets the oldest before a long test has begun
IDLE = 0.5  # seconds after which a thread of Gradio's that has nothing to do may end, instead of 10
APP = f"""
import runpy
from anyio._backends._asyncio import WorkerThread
from catdog import page
WorkerThread.MAX_IDLE_TIME = {IDLE}
page.SESSIONS = {KEPT}
runpy.run_path("app.py", run_name="__main__")
"""


@dataclass
class Served:
    """The process, and where it keeps what."""

    process: subprocess.Popen
    port: int
    uploads: Path
    temporary: Path
    log: Path

    def memory(self) -> int:
        """Bytes resident."""
        return 1024 * self.status("VmRSS")

    def threads(self) -> int:
        return self.status("Threads")

    def status(self, name: str) -> int:
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        [line] = [line for line in lines if line.startswith(f"{name}:")]
        return int(line.split()[1])

    def handles(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def files(self) -> set[str]:
        """Uploads and other temporary files."""
        return files_in(self.uploads, self.temporary)


def files_in(*folders: Path) -> set[str]:
    walks = (walk for folder in folders for walk in os.walk(folder))  # which passes over what is deleted meanwhile
    return {os.path.join(place, name) for place, _, names in walks for name in names}


def listen_to_ctrl_c() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell that runs the tests in the background has turned it off


@contextmanager
def serving(root: Path, folder: Path) -> Iterator[Served]:
    """The page with the shipped checkpoint, its files below `folder`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    uploads, temporary, log = folder / "uploads", folder / "temporary", folder / "log"
    uploads.mkdir()
    temporary.mkdir()
    environment = os.environ | {
        "GRADIO_ANALYTICS_ENABLED": "False",
        "GRADIO_TEMP_DIR": str(uploads),
        "TMPDIR": str(temporary),
    }
    command = [sys.executable, "-u", "-c", APP, "--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
    with log.open("w") as output:
        process = subprocess.Popen(
            command, cwd=root, stdout=output, stderr=output, env=environment, preexec_fn=listen_to_ctrl_c
        )
    try:
        until = time.monotonic() + PATIENCE
        while "http://" not in log.read_text():
            assert process.poll() is None and time.monotonic() < until, log.read_text()
            time.sleep(0.2)
        yield Served(process, port, uploads, temporary, log)
    finally:
        process.kill()
        process.wait()
