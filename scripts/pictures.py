"""Make the pictures in docs/: the page in a browser, and evidence over some of the examples."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from PIL import Image  # noqa: E402
from playwright.sync_api import sync_playwright  # noqa: E402

from catdog import load, page  # noqa: E402
from catdog.images import open_picture  # noqa: E402
from catdog.render import overlay  # noqa: E402

SHOWN = ("cat-ginger-kitten.jpg", "dog-golden-retriever.jpg", "both-side-by-side.jpg", "neither-coffee-cup.jpg")
HEIGHT = 300  # px
GAP = 8


def main() -> int:
    docs = ROOT / "docs"
    docs.mkdir(exist_ok=True)
    classifier = load()
    pictures = [open_picture(ROOT / "examples" / name) for name in SHOWN]
    painted = [
        overlay(picture, explanation, classifier.metadata.evidence_scale)
        for picture, explanation in zip(pictures, classifier.explain(pictures))
    ]
    painted = [picture.resize((round(picture.width * HEIGHT / picture.height), HEIGHT)) for picture in painted]
    canvas = Image.new("RGB", (sum(each.width for each in painted) + GAP * (len(painted) - 1), HEIGHT), "white")
    left = 0
    for each in painted:
        canvas.paste(each, (left, 0))
        left += each.width + GAP
    canvas.save(docs / "evidence.png", optimize=True)

    served = page.build(classifier)
    page.launch(served, server_name="127.0.0.1", prevent_thread_lock=True, quiet=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
        )
        view = browser.new_page(viewport={"width": 1200, "height": 860})
        view.goto(served.local_url)
        view.set_input_files("#picture input[type=file]", str(ROOT / "examples" / "both-side-by-side.jpg"))
        view.wait_for_selector("#answer figure canvas")
        view.wait_for_timeout(1000)  # the progress bar fades
        view.screenshot(path=docs / "page.png")
        browser.close()
    served.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
