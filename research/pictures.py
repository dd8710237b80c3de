"""Make docs/evidence.png, evidence over some of the examples, and catdog/page/icon.png, the mark for home screens.

The page's pictures are made by screenshots.py.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from catdog import load
from catdog.cli.benchmark.browser import BROWSER
from catdog.images import open_picture
from catdog.render import overlay

ROOT = Path(__file__).parent.parent

SHOWN = ("cat-ginger-kitten.jpg", "dog-with-bicycle.jpg", "both-side-by-side.jpg", "neither-coffee-cup.jpg")
HEIGHT = 300  # px
GAP = 8
PAGE = ROOT / "catdog" / "page"
SIDE = 512  # px
MARK = 0.62  # of the side: systems may cut an icon to a circle
GROUND = "#faf8f5"


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
    draw_icon()
    return 0


def draw_icon() -> None:
    mark = (PAGE / "icon.svg").read_text(encoding="utf-8")
    style = f"body{{margin:0;height:100vh;display:grid;place-items:center;background:{GROUND}}}svg{{width:{MARK:.0%}}}"
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=shutil.which("chromium"), args=BROWSER) as browser,
    ):
        page = browser.new_page(viewport={"width": SIDE, "height": SIDE})
        page.set_content(f"<style>{style}</style>{mark}")
        page.screenshot(path=PAGE / "icon.png")
    Image.open(PAGE / "icon.png").convert("P", palette=Image.Palette.ADAPTIVE).save(PAGE / "icon.png", optimize=True)


if __name__ == "__main__":
    sys.exit(main())
