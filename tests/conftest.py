"""What several test files share: photos, folders, tiny networks."""

from __future__ import annotations

import importlib
import logging
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

if workers := os.environ.get("PYTEST_XDIST_WORKER_COUNT"):
    # Read when torch is imported, and by the processes that tests start: with every worker computing on every core,
    # all of them wait for each other.
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // int(workers))))

import numpy as np
import pytest
import torch
from demanded import skip
from PIL import Image

from catdog.checkpoint import Metadata, save_checkpoint
from catdog.datasets import Photo
from catdog.resnet import ResidualBlock, ResNet, resnet18

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def quiet_log() -> Iterator[None]:
    """Takes back what a command's `log_to_terminal` did: its streams are those of one test."""
    yield
    logger = logging.getLogger("catdog")
    logger.handlers = []
    logger.setLevel(logging.NOTSET)


@pytest.fixture(scope="session", autouse=True)
def memory_is_given_back() -> Iterator[None]:
    """A command that keeps freed memory for its process must not keep it for the tests that follow, which measure theirs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("catdog.device.set_malloc", lambda option, value: None)
        yield


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def examples() -> list[Path]:
    """The photos that the page shows, in the order of their names."""
    return sorted((ROOT / "examples").glob("*.jpg"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The photos that the project trains on; they are not part of the repository."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        skip("needs the photos of ../shared/data, which are not there")
    return folder


@pytest.fixture
def script(monkeypatch):
    """Runs the `main` of a command, or of one in research/, in this process: its exit status."""
    monkeypatch.setattr(logging.getLogger("catdog"), "handlers", [])  # what the command puts there goes afterwards

    def call(name: str, *arguments: object) -> int:
        monkeypatch.setattr(sys, "argv", [f"{name}.py", *map(str, arguments)])
        room = "research" if (ROOT / "research" / f"{name}.py").exists() else "catdog.cli"
        module = importlib.import_module(f"{room}.{name}")
        try:
            return module.main()
        except SystemExit as stop:
            return stop.code

    return call


@pytest.fixture
def run_app(monkeypatch, tmp_path):
    """Runs app.py's `main` in this process: the page's address; it is served until the test ends."""
    from catdog import page
    from catdog.cli import app

    served = []
    launch = page.launch

    def start(server, **options):
        served.append(server)
        return launch(server, prevent_thread_lock=True, quiet=True, **options)

    def run(*arguments: object):
        monkeypatch.setattr(logging.getLogger("catdog"), "handlers", [])
        monkeypatch.setattr(page, "launch", start)
        monkeypatch.setattr(signal, "signal", lambda *_: None)  # a kill ends the tests as ever
        if "GRADIO_TEMP_DIR" not in os.environ:
            monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
        monkeypatch.setattr(sys, "argv", ["app.py", "--host", "127.0.0.1", *map(str, arguments)])
        assert app.main() == 0
        return served[-1].get_blocks().local_url

    yield run
    for server in served:
        server.get_blocks().close()


@pytest.fixture
def quadrants() -> Image.Image:
    """96x64, a different color in every corner: any turn or mirror image of it is another picture."""
    pixels = np.zeros((64, 96, 3), np.uint8)
    pixels[:32, :48] = 200, 60, 60
    pixels[:32, 48:] = 60, 180, 60
    pixels[32:, :48] = 60, 60, 200
    pixels[32:, 48:] = 220, 210, 80
    return Image.fromarray(pixels)


def warmed_up(network: ResNet) -> ResNet:
    """In eval mode, with batch norm statistics and a last layer that finds places for and against both labels."""
    network.train()
    with torch.no_grad():
        for _ in range(3):
            features = network.features(torch.nn.functional.interpolate(torch.randn(8, 3, 4, 4), 64, mode="bilinear"))
        mean = features.mean((0, 2, 3))
        weight = torch.randn_like(network.fc.weight) / 10
        network.fc.weight.copy_(weight - torch.outer(weight @ mean, mean) / mean.dot(mean))
    return network.eval()


@pytest.fixture(scope="session")
def tiny_network() -> ResNet:
    """One block a stage."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return warmed_up(ResNet(ResidualBlock, (1, 1, 1, 1), num_classes=2))


@pytest.fixture(scope="session")
def network18() -> ResNet:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        return warmed_up(resnet18())


@pytest.fixture(scope="session")
def checkpoint(network18, tmp_path_factory) -> Path:
    """Of a network with random weights."""
    path = tmp_path_factory.mktemp("checkpoint") / "net.safetensors"
    save_checkpoint(path, network18, Metadata(input_size=64))
    return path


@pytest.fixture
def folder(tmp_path, examples) -> Path:
    """Three pictures and a broken one."""
    for name, source in zip(("a.jpg", "b.jpg", "d.jpg"), examples):
        shutil.copy(source, tmp_path / name)
    (tmp_path / "c.jpg").write_bytes(b"broken")
    return tmp_path


@pytest.fixture(scope="session")
def pets(examples, tmp_path_factory) -> list[Photo]:
    """Two cats, two dogs and a negative, small, the first of each pet with a trimap."""
    folder = tmp_path_factory.mktemp("pets")
    photos = []
    for path in examples:
        kind = path.name.partition("-")[0]
        label = {"cat": (1, 0), "dog": (0, 1), "neither": (0, 0)}.get(kind)
        if label is None or sum(photo.label == label for photo in photos) == (2 if sum(label) else 1):
            continue
        picture = Image.open(path)
        picture.thumbnail((120, 120))
        picture.save(folder / path.name, quality=90)
        trimap = None
        if sum(label) and not any(photo.label == label for photo in photos):
            trimap = folder / f"{path.stem}.png"
            marks = np.full((picture.height, picture.width), 2, np.uint8)
            marks[20:60, 30:80] = 3
            marks[24:56, 34:76] = 1
            Image.fromarray(marks).save(trimap)
        photos.append(Photo(folder / path.name, label, f"folders:{kind}", "training", trimap))
    return photos
