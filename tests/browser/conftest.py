"""The page and a browser, for all tests of this folder."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from demanded import skip
from playwright.sync_api import Browser, Page, expect, sync_playwright

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
CAMERA = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
PHONE = {"viewport": {"width": 390, "height": 664}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
expect.set_options(timeout=60_000)  # ms: another worker's tests may take the processor for longer than the usual 5 s


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
def browser(chromium) -> Iterator[Browser]:
    """For visitors who have never been here, of any language: each of its contexts is a profile of its own."""
    kind, options = chromium
    browser = kind.launch(**options)
    yield browser
    browser.close()


@pytest.fixture
def blank(browser) -> Iterator[Callable[..., Page]]:
    """Opens an empty page; its keywords are those of a Playwright context: locale, viewport, color_scheme, ...

    The test fails where a script on the page did, or broke the Content-Security-Policy.
    """
    contexts = []
    wrong: list[str] = []

    def look(message) -> None:
        if "Content Security Policy" in message.text:
            wrong.append(message.text)

    def open_with(**options) -> Page:
        context = browser.new_context(**{"locale": "en-US", "viewport": {"width": 1280, "height": 800}} | options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", look)
        return page

    yield open_with
    for context in contexts:
        context.close()
    assert not wrong


@pytest.fixture
def open_page(blank, address) -> Callable[..., Page]:
    """Opens the page and waits until it can be used; `hash` is the address's, such as "#live"."""

    def open_with(hash: str = "", **options) -> Page:
        page = blank(**options)
        page.goto(f"{address.rstrip('/')}/{hash}")
        page.locator("[role=tabpanel]:not([hidden]) > *").first.wait_for()
        return page

    return open_with
