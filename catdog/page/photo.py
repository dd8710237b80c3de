"""The photo tab: a picture in, verdict, probabilities and evidence out."""

from __future__ import annotations

import base64
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image

from catdog.classifier import Classifier, Explanation
from catdog.images import MAX_PIXELS, ImageError, open_picture
from catdog.metrics import percent
from catdog.page import words
from catdog.page.picture import RawImage
from catdog.render import overlay

SHOWN_SIDE = 960  # px, long side of the picture that is sent back: as large as it is shown
EXAMPLES = Path(__file__).parents[2] / "examples"
NOT_IN_BROWSERS = (".heic", ".heif", ".hif", ".tif", ".tiff")


def build(classifier: Classifier, max_file_size: int) -> tuple[RawImage, dict[str, Any]]:
    """Lay out the tab and connect it; returns the picture, and the event that answers it, for other tabs that set it."""
    with gr.Row(equal_height=False):
        with gr.Column():
            picture = RawImage(
                label=words.label("photo.picture"),
                sources=["upload", "webcam", "clipboard"],
                placeholder=words.label("photo.placeholder"),
                buttons=["fullscreen"],
                height=420,
                elem_id="picture",
            )
            limits = {"megabytes": max_file_size // 2**20, "megapixels": MAX_PIXELS // 10**6}
            words.text(words.tagged("photo.limits", values=limits), elem_id="limits")
        with gr.Column():
            answer = words.text(waiting(classifier), elem_id="answer")

    def respond(source: str | None) -> tuple[str, object]:
        return answer_to(classifier, source)

    gr.Examples(
        [str(path) for path in sorted(EXAMPLES.glob("*.jpg"))],
        picture,
        [answer, picture],
        respond,
        label=words.label("photo.examples"),
        run_on_click=True,
        cache_examples=False,
        examples_per_page=12,
        api_visibility="private",
    )
    words.text(words.tagged("photo.credit"), elem_id="credit")
    answer_picture = {
        "fn": respond,
        "inputs": picture,
        "outputs": [answer, picture],
        "show_progress_on": answer,
        "api_visibility": "private",
    }
    answering = picture.input(**answer_picture, trigger_mode="always_last")
    picture.clear(lambda: waiting(classifier), None, answer, queue=False, cancels=answering, api_visibility="private")
    return picture, answer_picture


def answer_to(classifier: Classifier, source: str | None) -> tuple[str, object]:
    """The answer's HTML for an uploaded file, and the input's preview where browsers cannot draw the file."""
    if source is None:
        return waiting(classifier), gr.skip()
    try:
        picture = open_picture(source)
        [explanation] = classifier.explain([picture])
    except ImageError as error:
        return words.tagged(f"problem.{error.code}", classes="problem", role="alert"), gr.skip()
    picture, explanation = shrink(picture, explanation)
    preview = gr.update(value=picture) if source.lower().endswith(NOT_IN_BROWSERS) else gr.skip()
    return answer_html(classifier, picture, explanation), preview


def shrink(picture: Image.Image, explanation: Explanation, side: int = SHOWN_SIDE) -> tuple[Image.Image, Explanation]:
    """Both at the size that is shown: long side in pixels."""
    scale = min(1.0, side / max(picture.size))
    if scale == 1.0:
        return picture, explanation
    small = picture.resize(
        (max(1, round(picture.width * scale)), max(1, round(picture.height * scale))), reducing_gap=3.0
    )
    return small, replace(
        explanation,
        view=tuple(round(side * scale) for side in explanation.view),
        boxes={label: box and tuple(round(side * scale) for side in box) for label, box in explanation.boxes.items()},
    )


def answer_html(classifier: Classifier, picture: Image.Image, explanation: Explanation) -> str:
    """Verdict in words, two bars, the photo with its evidence, a legend."""
    prediction = explanation.prediction
    verdict = prediction.verdict
    scale = classifier.metadata.evidence_scale
    bars = "".join(bar(label, getattr(prediction, label)) for label in ("cat", "dog"))
    painted = data_url(overlay(picture, explanation, scale))
    legends = "".join(
        f'<span class="ramp {label}" aria-hidden="true"></span>{words.tagged(f"label.{label}", "span")}'
        for label in ("cat", "dog")
    )
    return f"""
<div class="answer" role="status">
  {words.tagged(f"verdict.{verdict}", "h2", classes=f"verdict {verdict}")}
  {bars}
</div>
<figure>
  <img src="{painted}" data-word-alt="alt.{verdict}">
  <figcaption>{words.tagged("photo.legend", "span")} {legends} <span class="range">0 – {scale:.0f}</span></figcaption>
</figure>
<details>{words.tagged("photo.how-to-read", "summary")}{words.tagged("photo.how-to-read-text")}</details>
{caveats(classifier)}
"""


def bar(label: str, probability: float) -> str:
    return (
        f'<div class="bar">{words.tagged(f"label.{label}", "span")}'
        f'<span class="track"><span class="fill {label}" style="width: {100 * probability:.1f}%"></span></span>'
        f'<span data-percent="{probability}">{percent(probability)}</span></div>'
    )


def waiting(classifier: Classifier) -> str:
    return words.tagged("photo.waiting", classes="waiting") + caveats(classifier)


def caveats(classifier: Classifier) -> str:
    """What the loaded checkpoint cannot say, where that is so."""
    if classifier.metadata.head == "softmax":
        return words.tagged("photo.softmax", classes="caveat")
    return "" if classifier.metadata.real_negatives else words.tagged("photo.made-negatives", classes="caveat")


def data_url(picture: Image.Image) -> str:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=88)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
