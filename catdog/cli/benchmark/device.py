"""The part of benchmark.py that has photos answered in the browser itself, beside native ONNX Runtime and the server's engine."""

from __future__ import annotations

import base64
import json
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, ClassVar

from catdog.classifier import Classifier
from catdog.cli.benchmark.browser import BROWSER, LIVE_SECONDS, PATIENCE, write_film
from catdog.cli.benchmark.options import Options
from catdog.datasets import DataError
from catdog.images import open_picture
from catdog.measuring.timing import against, example_paths, summary
from catdog.transforms import EvaluationPreset

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROUNDS = 3
THREADS = (1, 2)
NEEDS = "--only device needs pip install -r requirements-dev.txt, npm ci --prefix site and chromium on the PATH."
BASELINE = "a photo by native ONNX Runtime, one thread"
ENGINE = """(await import(document.querySelector("script[src$='app.js']").src.replace("app.js", "engine/index.js"))).engine"""
START = """async () => {
    window.engine = ENGINE;
    await engine.prepare();
    window.took = [], window.sizes = new Set(), window.drawn = 0;
    const frame = engine.frame.bind(engine);
    engine.frame = async (...given) => {
        const asked = performance.now();
        const answer = await frame(...given);
        if (answer) took.push(performance.now() - asked), sizes.add(32 * Math.min(answer.evidence.height, answer.evidence.width));
        return answer;
    };
    const draw = () => { drawn++; requestAnimationFrame(draw); };
    draw();
    return engine.way.threads;
}""".replace("ENGINE", ENGINE)
EXPLAIN = """async (photo) => {
    const bytes = Uint8Array.from(atob(photo), (letter) => letter.charCodeAt(0));
    const asked = performance.now();
    await engine.explain(new Blob([bytes], { type: "image/jpeg" }));
    return performance.now() - asked;
}"""


class Files(SimpleHTTPRequestHandler):
    """A folder's files, with more headers where a subclass has them."""

    extensions_map = SimpleHTTPRequestHandler.extensions_map | {".mjs": "text/javascript"}
    more: ClassVar[dict[str, str]] = {}

    def end_headers(self) -> None:
        for name, value in self.more.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def serving(folder: Path, threads: int) -> Iterator[str]:
    """The address of a folder's files, sent with the headers that let a page use threads where it shall."""
    from catdog.page.sending import ISOLATED  # which loads Gradio

    handler = type("Handler", (Files,), {"more": ISOLATED if threads > 1 else {}})
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


def device(classifier: Classifier, options: Options) -> dict[str, dict[str, float]]:
    """From a photo's bytes to its answer with maps, natively, by the server's engine and in the browser; and its camera.

    Raises:
        DataError: without the packages, the runtime or Chromium.
    """
    try:
        import onnxruntime
        from playwright.sync_api import sync_playwright

        from catdog.page.site import SiteError, build_site
    except ImportError as error:
        raise DataError(NEEDS) from error
    if (chromium := shutil.which("chromium")) is None:
        raise DataError(NEEDS)
    photos = [path.read_bytes() for path in example_paths()]
    took: dict[str, list[float]] = {}
    live = {}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        place = Path(folder)
        try:
            build_site(place / "site", options.checkpoint)
        except SiteError as error:
            raise DataError(NEEDS) from error
        about = json.loads((place / "site" / "about.json").read_text(encoding="utf-8"))
        network = place / "site" / about["network"]["file"]
        sessions = {}
        for threads in THREADS:
            settings = onnxruntime.SessionOptions()
            settings.intra_op_num_threads = threads
            sessions[threads] = onnxruntime.InferenceSession(network, settings, ["CPUExecutionProvider"])
        preset = EvaluationPreset(classifier.metadata.input_size, classifier.metadata.resize)
        film = write_film(place / "film.mjpeg", times=5)
        started = playwright.chromium.launch(
            executable_path=chromium, args=[*BROWSER, f"--use-file-for-fake-video-capture={film}"]
        )
        for turn in range(ROUNDS + 1):  # the first is warm-up
            here: dict[str, list[float]] = {}
            for threads, session in sessions.items():
                here[f"a photo by native ONNX Runtime, {counted(threads)}"] = [
                    timed(partial(natively, session, preset, photo)) for photo in photos
                ]
            here[f"by the server's engine, {counted(options.threads)}"] = [
                timed(partial(classifier.explain, [photo])) for photo in photos
            ]
            for threads in THREADS:
                with serving(place / "site", threads) as address:
                    page = started.new_context(locale="en", service_workers="block").new_page()
                    page.set_default_timeout(PATIENCE)
                    page.goto(address)
                    name = f"in the browser, {counted(page.evaluate(START))}"
                    encoded = [base64.b64encode(photo).decode() for photo in photos]
                    page.evaluate(EXPLAIN, encoded[0])
                    here[name] = [page.evaluate(EXPLAIN, photo) for photo in encoded]
                    if turn:
                        live.setdefault(threads, []).append(live_in(page))
                    page.context.close()
            for name, values in here.items():
                if turn:
                    took.setdefault(name, []).append(median(values))
        started.close()
    figures = {name: summary(values) for name, values in took.items()}
    for threads, found in live.items():
        paces, drawn = [each[0] for each in found], [each[1] for each in found]
        sizes = " or ".join(f"{size} px" for size in sorted({each[2] for each in found}))
        name = (
            f"a camera's frame in the browser, {counted(threads)}, at {sizes}: {median(paces):.1f} ({min(paces):.1f} to "
            f"{max(paces):.1f}) answered a second, the page drawn {median(drawn):.0f} times"
        )
        figures[name] = summary([milliseconds for each in found for milliseconds in each[3]])
    return against(BASELINE, figures)


def natively(session: Any, preset: EvaluationPreset, photo: bytes) -> list[Any]:
    """Evidence, logits and extent of a photo's bytes."""
    return session.run(None, {"pictures": preset(open_picture(photo))[None].numpy()})


def counted(threads: int) -> str:
    return "one thread" if threads == 1 else f"{threads} threads"


def timed(act: Callable[[], Any]) -> float:
    """Milliseconds."""
    started = time.perf_counter()
    act()
    return 1000 * (time.perf_counter() - started)


def live_in(page: Page) -> tuple[float, float, int, list[float]]:
    """Answers and drawings of the page in a second, the size they settled at in pixels, and each answer's milliseconds."""
    page.locator("[role=tab][href='#live']").click()
    page.locator("live-tab button.invitation").click()
    page.wait_for_selector("live-tab verdict-panel .sentence")
    page.wait_for_timeout(2000)  # until a size is settled
    page.evaluate("() => { took.splice(0), sizes.clear(), drawn = 0; }")
    started = time.perf_counter()
    page.wait_for_timeout(1000 * LIVE_SECONDS)
    took, sizes, drawn = page.evaluate("[took, [...sizes], drawn]")
    seconds = time.perf_counter() - started
    return len(took) / seconds, drawn / seconds, sizes[-1], took
