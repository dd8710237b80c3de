"""The page and a browser, for all tests of this folder."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from scripts.benchmark_browser import write_film

from .server import serve

QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
expect.set_options(timeout=60_000)  # ms: another worker's tests may take the processor for longer than the usual 5 s
CAMERA = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]


@pytest.fixture(scope="package")
def address(root):
    """app.py with the shipped checkpoint, on a free port, for as long as the tests run."""
    with serve(root) as address:
        yield address


@pytest.fixture(scope="package")
def clip(tmp_path_factory) -> Path:
    """A film for the camera, of a cat and a dog."""
    return write_film(tmp_path_factory.mktemp("camera") / "clip.mjpeg")


@pytest.fixture(scope="package")
def browser(clip, tmp_path_factory):
    chromium = shutil.which("chromium")
    if chromium is None:
        reason = "needs Debian's chromium on the PATH"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    with sync_playwright() as playwright:
        args = [*QUIET, *CAMERA, f"--use-file-for-fake-video-capture={clip}"]
        desktop = os.environ | {"XDG_DATA_DIRS": str(tmp_path_factory.mktemp("desktop"))}  # that has no type for HEIC
        browser = playwright.chromium.launch(executable_path=chromium, args=args, env=desktop)
        yield browser
        browser.close()
