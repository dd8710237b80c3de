"""Make docs/evidence.png: evidence over some of the examples. The page's pictures are made by screenshots.py."""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image

from catdog import load
from catdog.images import open_picture
from catdog.render import overlay

ROOT = Path(__file__).parent.parent

SHOWN = ("cat-ginger-kitten.jpg", "dog-with-bicycle.jpg", "both-side-by-side.jpg", "neither-coffee-cup.jpg")
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

    return 0


if __name__ == "__main__":
    sys.exit(main())
