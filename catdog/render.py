"""Pictures of evidence: overlays and plots."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance

from catdog.classifier import Explanation
from catdog.evidence import fine_map

COLORS = {"cat": (230, 120, 0), "dog": (0, 110, 190)}  # orange and blue: apart for every kind of color blindness
STRENGTH = 0.75  # opacity of evidence at the scale's end, so that the photo stays visible under it
SATURATION = 0.25  # of the photo under the evidence
UNSEEN = (128, 128, 128)
VEIL = 0.7  # opacity of UNSEEN over what the network did not see


def overlay(picture: Image.Image, explanation: Explanation, scale: float, boxes: bool = False) -> Image.Image:
    """The photo with the cat's and the dog's evidence over it, both on one absolute scale.

    A place's opacity is its evidence times the number of places, as a share of `scale`: weak evidence looks weak, and
    the same color means the same in every photo. Where both speak, the colors mix by their shares. Evidence against a
    label is not drawn. Only the part that the network saw is colored; the rest is gray.

    Args:
        picture: the upright RGB picture.
        explanation: of that picture.
        scale: logits at full color, `Metadata.evidence_scale`.
        boxes: also draw the boxes.
    """
    left, top, right, bottom = explanation.view
    shares = enlarge(explanation.evidence, (right - left, bottom - top), scale)  # (2, height, width)
    total = shares.sum(0)
    colors = np.array([COLORS["cat"], COLORS["dog"]], dtype=np.float32)
    mixed = np.einsum("lhw,lc->hwc", shares, colors) / np.maximum(total, 1e-6)[..., None]
    opacity = (STRENGTH * np.minimum(1.0, shares.max(0)))[..., None]

    faded = ImageEnhance.Color(picture.crop(explanation.view)).enhance(
        SATURATION
    )  # an orange cat hides orange evidence
    seen = np.asarray(faded, dtype=np.float32)
    painted = Image.fromarray((seen * (1 - opacity) + mixed * opacity).round().astype(np.uint8))
    canvas = picture.copy()
    if explanation.view != (0, 0, *picture.size):
        canvas = Image.blend(picture, Image.new("RGB", picture.size, UNSEEN), VEIL)
    canvas.paste(painted, (left, top))
    if boxes:
        draw = ImageDraw.Draw(canvas)
        for label, box in explanation.boxes.items():
            if box is not None:
                draw.rectangle(box, outline=COLORS[label], width=max(2, min(picture.size) // 120))
    return canvas


def enlarge(evidence: np.ndarray, size: tuple[int, int], scale: float) -> np.ndarray:
    """Evidence (2, h, w) -> shares of the scale in [0, 1], (2, height, width), smoothly enlarged."""
    places = evidence.shape[1] * evidence.shape[2]
    shares = np.maximum(evidence, 0) * (places / scale)
    return np.clip([fine_map(values, size) for values in shares], 0, 1)


def plot_curves(curves: list[dict[str, float]], path: Path) -> None:
    """Loss and accuracy over the epochs, training and tuning, as a PNG."""
    from matplotlib.figure import Figure

    epochs = [row["epoch"] for row in curves]
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    loss, accuracy = figure.subplots(1, 2)
    for axes, kind in ((loss, "loss"), (accuracy, "accuracy")):
        for part in ("training", "tuning"):
            axes.plot(epochs, [row[f"{part}_{kind}"] for row in curves], marker="o", markersize=3, label=part)
        axes.set(title=kind, xlabel="epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
        axes.legend()
    accuracy.yaxis.set_major_formatter(lambda value, _: f"{value:.1%}")
    figure.savefig(path, dpi=120)
