"""Parts of benchmark.py that need processes of their own: the page's, and predict.py's."""

from __future__ import annotations

import asyncio
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from catdog.classifier import Classifier
from catdog.cli.benchmark.options import Options
from catdog.files import CHECKPOINT
from catdog.images import open_picture
from catdog.measuring.timing import SAME, against, example_paths, in_turns, summary, write_photos

VISITORS = (1, 2, 4, 8)
# Run from a small process: a child begins with the peak of whoever starts it (man 2 getrusage).
PEAK = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
FRAME_SIZE = (320, 240)  # as the page sends a camera's frames
LIVE_SECONDS = 2.0
LIVE_ROUNDS = 3
START_ROUNDS = 5
EMPTY_PAGE = """
import torch, torchvision, gradio
with gradio.Blocks() as page:
    gradio.Textbox()
page.launch(prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
print("ready", flush=True)
"""


def live(classifier: Classifier, options: Options) -> dict[str, dict[str, float]]:
    """Time from a camera's frame to its answer with maps, and how many such answers a second all visitors get together.

    As on the page, each visitor sends the next frame when the last answer has come. The visitors share the cores with the
    server, but draw nothing.
    """
    import httpx

    frames = []
    for path in example_paths():
        buffer = io.BytesIO()
        open_picture(path).resize(FRAME_SIZE).save(buffer, "JPEG", quality=75)
        frames.append(buffer.getvalue())
    expected = [explanation.prediction for explanation in classifier.live.explain(frames)]

    async def visit(client: httpx.AsyncClient, visitor: int, until: float) -> list[float]:
        seconds = []
        index = visitor
        while time.perf_counter() < until:
            index = (index + 1) % len(frames)
            started = time.perf_counter()
            answer = await client.post("/engine/frame", content=frames[index])
            seconds.append(time.perf_counter() - started)
            said, single = answer.raise_for_status().json()["prediction"], expected[index]
            if (
                said["verdict"] != single.verdict
                or max(abs(said["cat"] - single.cat), abs(said["dog"] - single.dog)) > SAME
            ):
                raise AssertionError(f"A live answer is {answer.text[:200]}, and {single} to a single visitor.")
        return seconds

    async def measure(address: str) -> dict[str, dict[str, float]]:
        async with httpx.AsyncClient(base_url=address, timeout=60) as client:
            await visit(client, 0, time.perf_counter() + 2)  # warm-up
            seconds: dict[int, list[float]] = {count: [] for count in VISITORS}
            lasted = dict.fromkeys(VISITORS, 0.0)
            for count in LIVE_ROUNDS * VISITORS:
                started = time.perf_counter()
                visits = (visit(client, visitor, started + LIVE_SECONDS) for visitor in range(count))
                seconds[count] += [each for visited in await asyncio.gather(*visits) for each in visited]
                lasted[count] += time.perf_counter() - started  # the last answers come after the time is up
            figures = {}
            for count in VISITORS:
                pace = len(seconds[count]) / lasted[count]
                name = f"{count} visitor{'s' if count > 1 else ''}: {pace:.1f} answers a second"
                figures[name] = summary([1000 * each for each in seconds[count]])
        return against(next(iter(figures)), figures)

    with running(page_command(options), environment(options)) as line:
        return asyncio.run(measure(line.split()[-1]))


def memory(classifier: Classifier, options: Options) -> dict[str, dict[str, float]]:
    """The most memory that predict.py takes, for a folder and for one of ten times as many photos."""
    figures = {}
    with tempfile.TemporaryDirectory() as place:
        photos = write_photos(Path(place) / "photos", 200)
        for count in (1_000, 10_000):
            folder = Path(place) / f"{count}"
            folder.mkdir()
            for index in range(count):
                os.link(photos[index % len(photos)], folder / f"{index:05}.jpg")
            command = [sys.executable, "-m", "catdog", "predict", str(folder), "--csv", f"{folder}.csv"]
            command += ["--checkpoint", str(options.checkpoint or CHECKPOINT), "--device", "cpu"]
            done = subprocess.run(
                [sys.executable, "-c", PEAK, *command],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment(options),
                check=True,
            )
            figures[f"{count:,} photos: MB at the most"] = summary([int(done.stdout) / 1024])
    return against(next(iter(figures)), figures)


def start(classifier: Classifier, options: Options) -> dict[str, dict[str, float]]:
    """From the command to the page's address and to its first answer, in a fresh process each time."""
    photo = example_paths()[0]
    [expected] = classifier.classify([photo])

    def first_answer() -> None:
        with running(page_command(options), environment(options)) as line:
            said = ask(line.split()[-1], photo)
        if said["verdict"] != expected.verdict or abs(said["cat"] - expected.cat) > SAME:
            raise AssertionError(f"The first answer is {said}, and {expected} later.")

    def address() -> None:
        with running(page_command(options), environment(options)):
            pass

    def empty() -> None:
        with running([sys.executable, "-u", "-c", EMPTY_PAGE], environment(options)):
            pass

    ways = {
        "torch, torchvision and gradio imported, an empty page": empty,
        "python app.py, to its address": address,
        "python app.py, to its first answer": first_answer,
    }
    return against(next(iter(ways)), in_turns(ways, START_ROUNDS))


def ask(address: str, photo: Path) -> dict[str, Any]:
    """What the page's /classify says of a photo."""
    import httpx

    with httpx.Client(base_url=f"{address.rstrip('/')}/gradio_api", timeout=60) as client:
        [path] = client.post("/upload", files={"files": (photo.name, photo.read_bytes())}).raise_for_status().json()
        sent = {"data": [{"path": path, "meta": {"_type": "gradio.FileData"}}]}
        event = client.post("/call/classify", json=sent).raise_for_status().json()["event_id"]
        lines = client.get(f"/call/classify/{event}").text.splitlines()
    return json.loads(lines[lines.index("event: complete") + 1].removeprefix("data: "))[0]


def page_command(options: Options) -> list[str]:
    command = [sys.executable, "-u", "-m", "catdog", "app", "--host", "127.0.0.1", "--device", "cpu"]
    return [*command, "--checkpoint", str(options.checkpoint or CHECKPOINT)]


def environment(options: Options) -> dict[str, str]:
    return os.environ | {"GRADIO_ANALYTICS_ENABLED": "False", "OMP_NUM_THREADS": str(options.threads)}


@contextmanager
def running(command: Sequence[str], env: dict[str, str] | None = None) -> Iterator[str]:
    """A server in a process of its own, from when it says that it is there: what it says."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as process:
        assert process.stdout is not None  # it is a pipe
        try:
            said = next((line for line in process.stdout if "ready" in line or "http://" in line), None)
            if said is None:
                raise RuntimeError(f"{' '.join(command)} ended before it was there.")
            yield said
        finally:
            process.terminate()
