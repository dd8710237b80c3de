"""about.json: what the page has to know of the server, the checkpoint and the example photos."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from catdog import __version__
from catdog.checkpoint import digest_of_network
from catdog.classifier import Classifier
from catdog.files import EXAMPLES
from catdog.images import MAX_PIXELS
from catdog.page.answers import MAX_PHOTO, thresholds
from catdog.page.endpoints import MAX_PHOTOS
from catdog.pets import shipped_bank

BANK = "pets.safetensors"  # where the page finds the bank of other pets
CALIBRATION = (
    "head",
    "temperature",
    "offset",
    "top_weight",
    "present",
    "both",
    "box_threshold",
)  # how logits become answers
THUMB_SIDE = 160  # px, long side
ROW = re.compile(r"\| `(?P<name>[\w-]+\.jpg)` \|(?P<cells>.*)\|")
LINK = re.compile(r"\[([^]]*)\](?:\((\S*)\))?")  # in Markdown: [text](address) or [text]


def about(classifier: Classifier) -> dict[str, Any]:
    """The content of about.json."""
    metadata, device = classifier.metadata, classifier.device
    weights = digest_of_network(classifier.network)
    return {
        "name": "catdog",
        "version": __version__,
        "engine": "server",
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else device.type.upper(),
        "arch": metadata.architecture,
        "weights": weights,
        "channels": classifier.network.fc.in_features,
        "bank": BANK if shipped_bank(weights) else None,
        "input_size": metadata.input_size,
        "head": "softmax" if metadata.head == "softmax" else "binary",
        "negatives": metadata.real_negatives,
        "thresholds": thresholds(classifier),
        "scale": metadata.evidence_scale,
        "calibration": {name: getattr(metadata, name) for name in CALIBRATION},
        "limits": {"megabytes": MAX_PHOTO // 2**20, "megapixels": MAX_PIXELS // 10**6, "photos": MAX_PHOTOS},
        "examples": examples(),
    }


def examples() -> list[dict[str, Any]]:
    """The example photos in the order of the table of examples/README.md, which says whose they are."""
    text = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    licenses = dict(re.findall(r"^\[([^]]+)\]: (\S+)$", text, re.MULTILINE))
    rows = [ROW.fullmatch(line) for line in text.splitlines()]
    return [example(row["name"], row["cells"], licenses) for row in rows if row]


def example(name: str, row: str, licenses: dict[str, str]) -> dict[str, Any]:
    shows, verdict, author, source, original, license, _ = (cell.strip() for cell in row.split("|"))
    with Image.open(EXAMPLES / name) as picture:
        width, height = picture.size
    found = LINK.match(original)
    stem = Path(name).stem
    return {
        "id": stem,
        "photo": f"examples/{name}",
        "thumb": thumbnail(EXAMPLES / name),
        "width": width,
        "height": height,
        "credit": LINK.sub(r"\1", author),
        "license": LINK.sub(r"\1", license),
        "license_address": next((licenses[text] for text, _ in LINK.findall(license) if "//" in licenses[text]), None),
        "source": found[2] if found else source.replace("`", ""),
        "verdict": verdict.split()[0],  # the true one, not what the network says
        "alt": shows.replace("**", ""),
    }


def thumbnail(path: Path) -> str:
    """A photo as a small WebP, in a data URL: the page needs all of them at once, so none is a request of its own."""
    with Image.open(path) as photo:
        photo.draft("RGB", (2 * THUMB_SIDE, 2 * THUMB_SIDE))
        small = photo.convert("RGB")
    small.thumbnail((THUMB_SIDE, THUMB_SIDE), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.save(buffer, "WEBP", quality=80, method=6)
    return f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode()}"
