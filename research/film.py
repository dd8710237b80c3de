"""Save a film of the live map for the README: the camera goes past example photos, and the page's own parts answer each frame.

Wants Chromium.
"""

from __future__ import annotations

import base64
import io
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import tyro
from PIL import Image, ImageOps
from playwright.sync_api import sync_playwright

from catdog import load, page
from catdog.cli.benchmark.browser import BROWSER
from catdog.files import EXAMPLES

ROOT = Path(__file__).parent.parent

PASSED = (  # all in the public domain
    "cat-kitten-with-yarn.jpg",
    "dog-german-shepherd.jpg",
    "hard-kitten-and-dog.jpg",
    "neither-horses.jpg",
)
WIDTH, HEIGHT = 480, 360  # px, of a frame
PER_SECOND = 12
STAYS, GOES = 1.4, 1.6  # seconds at a photo, and to the next one
LIMIT = 3 * 2**20  # bytes
PATIENCE = 180_000  # ms

STAGE = """async () => {
    const web = document.querySelector("script[type=module]").src;
    const load = (path) => import(new URL(path, web));
    const [{ engine }, { Glide, Steady }, { sentenceCode }] = await Promise.all(
        ["engine/index.js", "elements/smoothing.js", "verdict.js", "elements/evidence-view.js", "elements/verdict-panel.js"]
            .map(load));
    const stage = document.createElement("div");
    const view = document.createElement("evidence-view"), panel = document.createElement("verdict-panel");
    view.boxes = false;
    panel.compact = true;
    Object.assign(stage.style, { padding: "12px", width: `${WIDTH}px`, display: "grid", gap: "12px" });
    stage.id = "film";
    stage.append(view, panel);
    document.body.replaceChildren(stage);
    const glide = new Glide(), words = new Steady();
    window.show = async (jpeg, now) => {
        const bytes = Uint8Array.from(atob(jpeg), (letter) => letter.charCodeAt(0));
        const picture = await createImageBitmap(new Blob([bytes]));
        glide.aim(await engine.frame(picture));
        const shown = glide.step(now);
        const code = sentenceCode(shown.prediction);
        if (words.next(code, now) === code) panel.spoken = shown.prediction;
        Object.assign(view, { picture, explanation: shown });
        Object.assign(panel, { prediction: shown.prediction, thresholds: shown.thresholds });
        await Promise.all([view.updateComplete, panel.updateComplete]);
    };
}""".replace("WIDTH", str(WIDTH))


@dataclass
class Options:
    """Options of this command."""

    out: Path = ROOT / "docs" / "screenshots" / "live.webp"


def main() -> int:
    options = tyro.cli(Options, description=__doc__)
    served = page.build(load())
    page.launch(served, server_name="127.0.0.1", prevent_thread_lock=True, quiet=True)
    assert served.local_url is not None  # it is served
    size = record(served.local_url, options.out)
    served.close()
    print(f"{options.out}: {size / 2**20:.1f} MB")
    return 0 if size <= LIMIT else 1


def record(address: str, out: Path) -> int:
    """Film the answers of a page at an address; bytes of the film."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=BROWSER)
        view = browser.new_page(locale="en-US", reduced_motion="reduce", viewport={"width": 640, "height": 640})
        view.set_default_timeout(PATIENCE)
        view.goto(address)
        view.locator("catdog-app header").wait_for()
        view.evaluate(STAGE)
        pictures = []
        for number, frame in enumerate(frames()):
            buffer = io.BytesIO()
            frame.save(buffer, "JPEG", quality=90)
            jpeg = base64.b64encode(buffer.getvalue()).decode()
            view.evaluate("([jpeg, now]) => show(jpeg, now)", [jpeg, 1000 * number / PER_SECOND])
            pictures.append(Image.open(io.BytesIO(view.locator("#film").screenshot())).convert("RGB"))
        browser.close()
    out.parent.mkdir(parents=True, exist_ok=True)
    first, *others = pictures
    first.save(out, append_images=others, duration=round(1000 / PER_SECOND), loop=0, quality=60, method=6)
    return out.stat().st_size


def frames() -> list[Image.Image]:
    """What a camera sees that goes past the photos, which hang side by side, and back to the first."""
    wall = Image.new("RGB", ((len(PASSED) + 1) * WIDTH, HEIGHT))
    for number, name in enumerate((*PASSED, PASSED[0])):
        photo = Image.open(EXAMPLES / name).convert("RGB")
        wall.paste(ImageOps.fit(photo, (WIDTH, HEIGHT), centering=(0.5, 0.8)), (number * WIDTH, 0))
    seen = []
    for number in range(len(PASSED)):
        for step in range(round((STAYS + GOES) * PER_SECOND)):
            way = max(0.0, step / PER_SECOND - STAYS) / GOES
            left = round((number + way * way * (3 - 2 * way)) * WIDTH)  # slowly off, and slowly there
            seen.append(wall.crop((left, 0, left + WIDTH, HEIGHT)))
    return seen


if __name__ == "__main__":
    sys.exit(main())
