"""The part of benchmark.py that looks through a visitor's eyes: the page in Chromium, on the same cores as the server."""

from __future__ import annotations

import itertools
import shutil
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from PIL import Image

from catdog.classifier import Classifier
from catdog.cli.benchmark.options import Options
from catdog.cli.benchmark.server import environment, page_command, running
from catdog.datasets import DataError
from catdog.files import EXAMPLES
from catdog.measuring.timing import against, summary

if TYPE_CHECKING:
    from playwright.sync_api import Page


ROUNDS = 3
BROWSER = [  # options of Chromium, with a film in the place of a camera
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]
LIVE_SECONDS = 10
PATIENCE = 120_000  # ms
FILMED = ("cat-ginger-kitten.jpg", "dog-german-shepherd.jpg")  # two seconds each, in turns
WATCH = """
    // The frames that were answered, as they were sent, and how long each took.
    window.frames = new Set(), window.took = [];
    const send = window.fetch;
    const digest = async (body) => String(new Uint8Array(await crypto.subtle.digest("SHA-1", await body.arrayBuffer())));
    window.fetch = async (address, options) => {
        const sent = performance.now();
        const answer = await send(address, options);
        if (String(address).includes("engine/frame") && answer.ok) {
            frames.add(await digest(options.body));
            took.push(performance.now() - sent);
        }
        return answer;
    };
"""


def browser(classifier: Classifier, options: Options) -> dict[str, dict[str, float]]:
    """Opening the page, the first answer of a fresh server, and the camera's answers with maps drawn.

    Raises:
        DataError: without Playwright or Chromium.
    """
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise DataError("--only browser needs Playwright: pip install -r requirements-dev.txt.") from error
    if (chromium := shutil.which("chromium")) is None:
        raise DataError("--only browser needs chromium on the PATH.")
    opening, answering = [], []
    loaded = ""  # what the last opening took
    live: dict[str, tuple[list[float], list[float]]] = {}
    engines = ["torch", "openvino"] if find_spec("openvino") and find_spec("onnxscript") else ["torch"]
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        film = write_film(Path(folder) / "film.mjpeg", times=5)  # longer than it is watched
        started = playwright.chromium.launch(
            executable_path=chromium, args=[*BROWSER, f"--use-file-for-fake-video-capture={film}"]
        )
        for engine in ROUNDS * engines:
            with running([*page_command(options), "--engine", engine], environment(options)) as line:
                page = started.new_context(locale="en", viewport={"width": 1280, "height": 900}).new_page()
                page.set_default_timeout(PATIENCE)
                weight = []
                network = page.context.new_cdp_session(page)
                network.send("Network.enable")
                network.on(
                    "Network.loadingFinished", lambda each, weight=weight: weight.append(each["encodedDataLength"])
                )
                opened = 1000 * time_to_open(page, line.split()[-1])
                loaded = f"{sum(weight) / 2**20:.2f} MB in {len(weight)} requests"
                answered = 1000 * time_to_answer(page)
                if engine == "torch":
                    opening.append(opened)
                    answering.append(answered)
                paces, took = live.setdefault(engine, ([], []))
                pace, milliseconds = live_in(page)
                paces.append(pace)
                took.extend(milliseconds)
                page.context.close()
        started.close()
    baseline = f"to open the page with an empty cache: {loaded}"
    figures = {baseline: summary(opening), "a fresh server's first answer, drawn": summary(answering)}
    for engine, (paces, took) in live.items():
        pace = f"{median(paces):.1f} distinct ones ({min(paces):.1f} to {max(paces):.1f}) answered a second, drawn"
        figures[f"a camera's frame by --engine {engine}: {pace}"] = summary(took)
    return against(baseline, figures)


def time_to_open(page: Page, address: str) -> float:
    """Seconds until a photo can be given."""
    page.add_init_script(WATCH)
    started = time.perf_counter()
    page.goto(address)
    page.wait_for_selector("photo-tab input[type=file]", state="attached")
    return time.perf_counter() - started


def time_to_answer(page: Page) -> float:
    """Seconds from a photo that is given to its verdict and map on the page."""
    started = time.perf_counter()
    page.locator("photo-tab input[type=file]").first.set_input_files(EXAMPLES / FILMED[0])
    page.wait_for_selector("photo-answer verdict-panel .sentence")
    return time.perf_counter() - started


def live_in(page: Page) -> tuple[float, list[float]]:
    """Frames that were answered in a second, each counted once, and the milliseconds that each answer took."""
    page.locator("[role=tab][href='#live']").click()
    page.locator("live-tab button.invitation").click()
    page.wait_for_selector("live-tab verdict-panel .sentence")
    page.wait_for_timeout(2000)  # warm-up
    page.evaluate("frames.clear(), took.splice(0)")
    started = time.perf_counter()
    page.wait_for_timeout(1000 * LIVE_SECONDS)
    count, took = page.evaluate("[frames.size, took]")
    return count / (time.perf_counter() - started), took


def write_film(path: Path, times: int = 1) -> Path:
    """A film for Chromium's camera: JPEGs one after another, which it plays at 30 a second and from the start again.

    Args:
        times: how often both photos come, at most 5; no two frames of the film are the same.
    """
    with path.open("wb") as film:
        for turn, name in itertools.product(range(times), FILMED):
            picture = Image.open(EXAMPLES / name).resize((680, 510))
            for step in range(60 * turn, 60 * (turn + 1)):  # a hand that is not quite still
                left, top = step % 20, step // 20
                picture.crop((left, top, left + 640, top + 480)).save(film, "JPEG", quality=80)
    return path
