"""What the browser draws with: the photo as it is sent, the colors, and how evidence looks."""

from __future__ import annotations

import base64
import io

from PIL import Image

from catdog.render import COLORS, SATURATION, STRENGTH, UNSEEN, VEIL

SHOWN_SIDE = 960  # px, long side of the picture that is sent back: as large as it is shown
LOOK = {"strength": STRENGTH, "saturation": SATURATION, "unseen": UNSEEN, "veil": VEIL}
PAIRS = [  # of colors to choose from, the first as in render.py; each apart for every kind of color blindness
    {"cat": {"name": cat, "rgb": cat_rgb}, "dog": {"name": dog, "rgb": dog_rgb}}
    for cat, cat_rgb, dog, dog_rgb in (
        ("orange", COLORS["cat"], "blue", COLORS["dog"]),
        ("yellow", (240, 200, 0), "violet", (110, 50, 180)),
        ("red", (200, 30, 40), "teal", (0, 170, 190)),
    )
]


def data_url(picture: Image.Image, kind: str = "JPEG") -> str:
    """At most as large as it is shown."""
    small = picture.copy()
    small.thumbnail((SHOWN_SIDE, SHOWN_SIDE), reducing_gap=3.0)
    buffer = io.BytesIO()
    small.save(buffer, kind, quality=88)
    return f"data:image/{kind.lower()};base64," + base64.b64encode(buffer.getvalue()).decode()
