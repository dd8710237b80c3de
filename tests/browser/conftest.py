"""The page and a browser, for all tests of this folder."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from demanded import skip
from playwright.sync_api import Page, expect, sync_playwright

from catdog.cli.benchmark.browser import write_film

from .server import serve

QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # The last such list counts: of Playwright's own, what matters here, and two pages that each window would load unseen.
    "--disable-features=HttpsUpgrades,MediaRouter,OptimizationHints,PaintHolding,WebUIOmniboxPopup,WebUIOmniboxAimPopup",
]
expect.set_options(timeout=60_000)  # ms: another worker's tests may take the processor for longer than the usual 5 s
CAMERA = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]


@pytest.fixture(scope="session")
def address(root):
    """app.py with the shipped checkpoint, on a free port, for as long as the tests run."""
    with serve(root) as address:
        yield address


@pytest.fixture(scope="session")
def clip(tmp_path_factory) -> Path:
    """A film for the camera, of a cat and a dog."""
    return write_film(tmp_path_factory.mktemp("camera") / "clip.mjpeg")


@pytest.fixture(scope="package")  # not longer: while Playwright runs, asyncio.run is refused
def chromium(clip, tmp_path_factory):
    """The kind of browser, and how it is started."""
    path = shutil.which("chromium")
    if path is None:
        skip("needs Debian's chromium on the PATH")
    with sync_playwright() as playwright:
        args = [*QUIET, *CAMERA, f"--use-file-for-fake-video-capture={clip}"]
        desktop = os.environ | {"XDG_DATA_DIRS": str(tmp_path_factory.mktemp("desktop"))}  # that has no type for HEIC
        yield playwright.chromium, {"executable_path": path, "args": args, "env": desktop}


@pytest.fixture(scope="package")
def browser(chromium):
    """For visitors who have never been here, of any language: each of its pages has a profile of its own."""
    kind, options = chromium
    browser = kind.launch(**options)
    yield browser
    browser.close()


@pytest.fixture(scope="package")
def profile(chromium, tmp_path_factory):
    """An English visitor who comes back: the browser has kept Gradio's scripts compiled, and opens a page in half the time."""
    kind, options = chromium
    profile = kind.launch_persistent_context(tmp_path_factory.mktemp("profile"), locale="en", **options)
    yield profile
    profile.close()


@pytest.fixture
def blank(profile) -> Iterator[Page]:
    """A page of theirs, to go anywhere; what it keeps is forgotten in the end."""
    page = profile.new_page()
    page.set_viewport_size({"width": 1200, "height": 900})
    yield page
    page.evaluate("localStorage.clear()")
    page.close()
    profile.clear_permissions()
