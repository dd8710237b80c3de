"""Measure speed against what people would use instead, side by side in one run: tables of ratios, and JSON."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
import torch  # noqa: E402
import tyro  # noqa: E402
from PIL import Image  # noqa: E402

from catdog import load  # noqa: E402
from catdog.checkpoint import CheckpointError  # noqa: E402
from catdog.classifier import Classifier, Explanation  # noqa: E402
from catdog.device import DeviceError  # noqa: E402
from catdog.images import open_picture  # noqa: E402
from catdog.model_card import rows  # noqa: E402
from catdog.render import overlay  # noqa: E402

PARTS = ("photo", "stages", "folder", "live", "start")
ON_DEMAND = ("memory",)  # takes minutes
VISITORS = (1, 2, 4, 8)
LIVE_SECONDS = 5.0
BASELINES = ("torchvision", "naive", "tutorial")
DRAWN = (960, 720)  # px
SAME = 1e-3  # logits: who differs by more is fast by being wrong
EMPTY_PAGE = """
import torch, torchvision, gradio
with gradio.Blocks() as page:
    gradio.Textbox()
page.launch(prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
print("ready", flush=True)
"""


@dataclass
class Options:
    """Each figure is the median of rounds in turns (A B A B ...), with the lowest and highest; the first is warm-up."""

    against: tuple[str, ...] = BASELINES
    """torchvision: its own ResNet-18, forward alone. naive: forward, then a new GradCAM of the grad-cam package.
    tutorial: torchvision and a DataLoader over a folder."""
    only: tuple[str, ...] = PARTS
    """photo: one photo, answer and maps. stages: from a file's bytes to a drawn map. folder: many photos. start: until the
    page is there. live: several visitors' cameras at once. Only when named: memory, of predict.py over 1,000 and 10,000
    photos."""
    rounds: int = 15
    photos: int = 300
    """Photos in the folder."""
    threads: int = 2
    json: Path | None = None
    checkpoint: Path | None = None


def main() -> int:
    options = tyro.cli(Options, prog="benchmark.py")
    for name, allowed in (("against", BASELINES), ("only", PARTS + ON_DEMAND)):
        if unknown := set(getattr(options, name)) - set(allowed):
            print(f"benchmark.py: --{name} knows {', '.join(allowed)}, not {', '.join(unknown)}.", file=sys.stderr)
            return 2
    torch.set_num_threads(options.threads)
    try:
        classifier = load(options.checkpoint, "cpu")
    except (CheckpointError, DeviceError) as error:
        print(f"benchmark.py: {error}", file=sys.stderr)
        return 2
    print(f"{platform.machine()}, {os.cpu_count()} cores, {options.threads} threads, PyTorch {torch.__version__}")
    measure = {"photo": one_photo, "stages": stages, "folder": folder, "live": live, "start": start, "memory": memory}
    results = {}
    for part in options.only:
        results[part] = measure[part](classifier, options)
        print(f"\n{part}\n{table(results[part])}", flush=True)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 0


def in_turns(ways: dict[str, Callable[[], Any]], rounds: int) -> dict[str, dict[str, float]]:
    """Milliseconds of each way, one after the other in every round; the first round is thrown away."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds + 1):
        for name, way in ways.items():
            started = time.perf_counter()
            way()
            seconds[name].append(time.perf_counter() - started)
    return {name: summary([1000 * value for value in values[1:]]) for name, values in seconds.items()}


def summary(values: Sequence[float]) -> dict[str, float]:
    return {"median": statistics.median(values), "low": min(values), "high": max(values)}


def against(first: str, figures: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    """The same with each median as a multiple of the first's."""
    for each in figures.values():
        each["times"] = each["median"] / figures[first]["median"]
    return figures


def table(figures: dict[str, dict[str, float]]) -> str:
    """In milliseconds, or in megabytes where the names say so."""
    unit = "MB" if all("MB" in name for name in figures) else "ms"
    body = [
        (name, f"{each['median']:.1f}", f"{each['low']:.1f} to {each['high']:.1f}", f"{each['times']:.2f}")
        for name, each in figures.items()
    ]
    return rows(("", f"{unit}, median", "lowest to highest", "times the baseline"), body)


def example_paths() -> list[Path]:
    return sorted((ROOT / "examples").glob("*.jpg"))


def one_photo(classifier: Classifier, options: Options) -> dict[str, dict[str, float]]:
    """One photo as a tensor: the answer with both maps, against a forward pass without any and the usual Grad-CAM."""
    from torchvision.models import resnet18

    batch = classifier.metadata.preset()(open_picture(example_paths()[0]))[None]
    plain = resnet18(num_classes=2).eval()
    plain.load_state_dict(classifier.network.state_dict())

    def ours() -> np.ndarray:
        return classifier._forward(batch)[1]

    @torch.inference_mode()
    def forward() -> np.ndarray:
        return plain(batch).numpy()

    def naive(labels: Sequence[int] | None) -> np.ndarray:
        from pytorch_grad_cam import GradCAM
        from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

        logits = plain(batch)
        for label in labels or [int(logits.argmax())]:
            with GradCAM(plain, [plain.layer4[-1]]) as cam:
                cam(batch, [ClassifierOutputTarget(label)])
        return logits.detach().numpy()

    def torchcam() -> np.ndarray:
        from torchcam.methods import CAM

        with CAM(plain, "layer4", fc_layer="fc") as extractor:
            logits = plain(batch)
            extractor(int(logits.argmax()), logits)
        return logits.detach().numpy()

    ways: dict[str, Callable[[], np.ndarray]] = {"ours: answer and both maps": ours}
    if "torchvision" in options.against:
        ways["torchvision's ResNet-18: answer alone"] = forward
    if "naive" in options.against:
        ways["answer, then grad-cam's GradCAM for the likelier label"] = lambda: naive(None)
        ways["answer, then grad-cam's GradCAM for both labels"] = lambda: naive((0, 1))
        if find_spec("torchcam"):
            ways["torchcam's CAM for the likelier label"] = torchcam
    expected = ours()
    for name, way in ways.items():
        if (difference := float(np.abs(way() - expected).max())) > SAME:
            raise AssertionError(f"{name} gives other logits: {difference:.2g} away.")
    return against("ours: answer and both maps", in_turns(ways, options.rounds))


def stages(classifier: Classifier, options: Options) -> dict[str, dict[str, float]]:
    """From a file's bytes to a drawn map, for a photo as cameras make them."""
    buffer = io.BytesIO()
    open_picture(example_paths()[0]).resize((4032, 3024)).save(buffer, "JPEG", quality=90)
    content = buffer.getvalue()
    picture = open_picture(content)
    preset = classifier.metadata.preset()
    batch = preset(picture)[None]
    [explanation] = classifier.explain([picture])

    def draw(explanation: Explanation) -> Image.Image:
        small = picture.resize(DRAWN, reducing_gap=2.0)
        return overlay(small, replace(explanation, view=(0, 0, *DRAWN)), classifier.metadata.evidence_scale)

    ways = {
        "all": lambda: draw(classifier.explain([content])[0]),
        "decode": lambda: open_picture(content),
        "resize and normalise": lambda: preset(picture),
        "forward pass with maps": lambda: classifier._forward(batch),
        "shrink and draw": lambda: draw(explanation),
    }
    return against("all", in_turns(ways, options.rounds))


def folder(classifier: Classifier, options: Options) -> dict[str, dict[str, float]]:
    """Photos of 500 px, as web sites show them; a round is the whole folder."""
    from torch.utils.data import DataLoader
    from torchvision.datasets import ImageFolder
    from torchvision.models import resnet18
    from torchvision.transforms import v2

    plain = resnet18(num_classes=2).eval()
    plain.load_state_dict(classifier.network.state_dict())
    transform = v2.Compose(
        [
            v2.Resize(256),
            v2.CenterCrop(224),
            v2.ToImage(),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
        ]
    )

    @torch.inference_mode()
    def tutorial() -> int:
        loader = DataLoader(ImageFolder(place, transform), batch_size=32, num_workers=options.threads)
        return sum(len(plain(batch)) for batch, _ in loader)

    with tempfile.TemporaryDirectory() as place:
        paths = write_photos(Path(place) / "photos", options.photos)
        ways: dict[str, Callable[[], Any]] = {
            f"ours: whole photos, {options.photos}": lambda: classifier.classify(paths)
        }
        if "tutorial" in options.against:
            ways[f"torchvision and DataLoader: centre crops, {options.photos}"] = tutorial
        return against(next(iter(ways)), in_turns(ways, 3))


def write_photos(folder: Path, count: int) -> list[Path]:
    folder.mkdir()
    sources = [open_picture(path) for path in example_paths()]
    for index in range(count):
        picture = sources[index % len(sources)].copy()
        picture.thumbnail((500, 500), Image.Resampling.BILINEAR)
        picture.save(folder / f"{index:05}.jpg", quality=88)
    return sorted(folder.iterdir())


def live(classifier: Classifier, options: Options) -> dict[str, dict[str, float]]:
    """Time from a camera's frame to its answer with maps, and how many such answers a second all visitors get together.

    As on the page, each visitor sends the next frame when the last answer has come. The visitors share the cores with the
    server, but draw nothing.
    """
    import httpx

    from catdog.page.live import FRAME_SIDE

    frames = []
    for path in example_paths():
        buffer = io.BytesIO()
        open_picture(path).resize((FRAME_SIDE * 4 // 3, FRAME_SIDE)).save(buffer, "JPEG", quality=80)
        frames.append(base64.b64encode(buffer.getvalue()).decode())
    expected = [classifier.explain([f"data:;base64,{frame}"])[0].prediction for frame in frames]

    async def visit(client: httpx.AsyncClient, component: int, visitor: int, until: float) -> list[float]:
        seconds = []
        index = visitor
        while time.perf_counter() < until:
            index = (index + 1) % len(frames)
            sent = {"data": frames[index], "component_id": component, "fn_name": "answer_frame"}
            started = time.perf_counter()
            answer = await client.post(
                "/gradio_api/component_server", json=sent | {"session_hash": f"visitor{visitor}"}
            )
            seconds.append(time.perf_counter() - started)
            if answer.json()["verdict"] != expected[index].verdict:
                raise AssertionError(
                    f"A live answer is {answer.text[:200]}, and {expected[index]} to a single visitor."
                )
        return seconds

    async def measure(address: str) -> dict[str, dict[str, float]]:
        async with httpx.AsyncClient(base_url=address, timeout=60) as client:
            components = (await client.get("/config")).json()["components"]
            [component] = [each["id"] for each in components if each["props"].get("elem_id") == "live"]
            await visit(client, component, 0, time.perf_counter() + 2)  # warm-up
            figures = {}
            for count in VISITORS:
                started = time.perf_counter()
                visits = (visit(client, component, visitor, started + LIVE_SECONDS) for visitor in range(count))
                seconds = [each for visited in await asyncio.gather(*visits) for each in visited]
                pace = len(seconds) / (time.perf_counter() - started)  # the last answers come after the time is up
                name = f"{count} visitor{'s' if count > 1 else ''}: {pace:.1f} answers a second"
                figures[name] = summary([1000 * each for each in seconds])
        return against(next(iter(figures)), figures)

    with served() as address:
        return asyncio.run(measure(address))


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
            command = [sys.executable, str(ROOT / "scripts" / "predict.py"), str(folder), "--csv", f"{folder}.csv"]
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            _, status, usage = os.wait4(process.pid, 0)
            if status:
                raise RuntimeError(f"predict.py ended with {os.waitstatus_to_exitcode(status)}.")
            figures[f"{count:,} photos: MB at the most"] = summary([usage.ru_maxrss / 1024])
    return against(next(iter(figures)), figures)


def start(classifier: Classifier, options: Options) -> dict[str, dict[str, float]]:
    """From the command to the page's address, in a fresh process each time."""
    commands = {
        "ours: python app.py": [sys.executable, "-u", str(ROOT / "app.py"), "--host", "127.0.0.1"],
        "torch, torchvision and gradio imported, an empty page": [sys.executable, "-u", "-c", EMPTY_PAGE],
    }
    ways = {name: lambda command=command: until_first_line(command) for name, command in commands.items()}
    return against("torch, torchvision and gradio imported, an empty page", in_turns(ways, 3))


def until_first_line(command: Sequence[str]) -> None:
    with running(command):
        pass


@contextmanager
def served() -> Iterator[str]:
    """app.py on a free port of this machine: its address."""
    with running([sys.executable, "-u", str(ROOT / "app.py"), "--host", "127.0.0.1"]) as line:
        yield line.split()[-1]


@contextmanager
def running(command: Sequence[str]) -> Iterator[str]:
    """A server in a process of its own, from when it says that it is there: what it says."""
    environment = os.environ | {"GRADIO_ANALYTICS_ENABLED": "False"}
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            said = next((line for line in process.stdout if "ready" in line or "http://" in line), None)
            if said is None:
                raise RuntimeError(f"{' '.join(command)} ended before it was there.")
            yield said
        finally:
            process.terminate()


if __name__ == "__main__":
    sys.exit(main())
