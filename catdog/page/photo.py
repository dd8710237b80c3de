"""The photo tab: a picture in, verdict, probabilities and evidence out."""

from __future__ import annotations

import base64
import html
import io
from dataclasses import replace
from pathlib import Path

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


def build(classifier: Classifier, max_file_size: int) -> None:
    """Lay out the tab and connect it."""
    with gr.Row(equal_height=False):
        with gr.Column():
            picture = RawImage(
                label=words.PICTURE,
                sources=["upload", "webcam", "clipboard"],
                placeholder=words.PLACEHOLDER,
                buttons=["fullscreen"],
                height=420,
                elem_id="picture",
            )
            gr.Markdown(
                words.LIMITS.format(megabytes=max_file_size // 2**20, megapixels=MAX_PIXELS // 10**6), elem_id="limits"
            )
        with gr.Column():
            answer = gr.HTML(waiting(classifier), elem_id="answer", js_on_load=None)

    def respond(source: str | None) -> tuple[str, object]:
        return answer_to(classifier, source)

    gr.Examples(
        [str(path) for path in sorted(EXAMPLES.glob("*.jpg"))],
        picture,
        [answer, picture],
        respond,
        label=words.EXAMPLES,
        run_on_click=True,
        cache_examples=False,
        examples_per_page=12,
        api_visibility="private",
    )
    gr.Markdown(words.EXAMPLES_CREDIT, elem_id="credit")
    answering = picture.input(
        respond,
        picture,
        [answer, picture],
        show_progress_on=answer,
        trigger_mode="always_last",
        api_visibility="private",
    )
    picture.clear(lambda: waiting(classifier), None, answer, queue=False, cancels=answering, api_visibility="private")


def answer_to(classifier: Classifier, source: str | None) -> tuple[str, object]:
    """The answer's HTML for an uploaded file, and the input's preview where browsers cannot draw the file."""
    if source is None:
        return waiting(classifier), gr.skip()
    try:
        picture = open_picture(source)
        [explanation] = classifier.explain([picture])
    except ImageError as error:
        return f'<p class="problem" role="alert">{html.escape(words.ERRORS[error.code])}</p>', gr.skip()
    picture, explanation = shrink(picture, explanation)
    preview = gr.update(value=picture) if source.lower().endswith(NOT_IN_BROWSERS) else gr.skip()
    return answer_html(classifier, picture, explanation), preview


def shrink(picture: Image.Image, explanation: Explanation) -> tuple[Image.Image, Explanation]:
    """Both at the size that is shown."""
    scale = min(1.0, SHOWN_SIDE / max(picture.size))
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
        f'<span class="ramp {label}" aria-hidden="true"></span><span>{words.LABELS[label]}</span>'
        for label in ("cat", "dog")
    )
    return f"""
<div class="answer" role="status">
  <h2 class="verdict {verdict}">{words.VERDICTS[verdict]}</h2>
  {bars}
</div>
<figure>
  <img src="{painted}" alt="{words.EVIDENCE_ALT[verdict]}">
  <figcaption>{words.LEGEND}: {legends} <span class="range">{words.LEGEND_NONE} – {scale:.0f}</span></figcaption>
</figure>
<details><summary>{words.HOW_TO_READ}</summary><p>{words.HOW_TO_READ_TEXT}</p></details>
{caveats(classifier)}
"""


def bar(label: str, probability: float) -> str:
    return (
        f'<div class="bar"><span>{words.LABELS[label]}</span>'
        f'<span class="track"><span class="fill {label}" style="width: {100 * probability:.1f}%"></span></span>'
        f"<span>{percent(probability)}</span></div>"
    )


def waiting(classifier: Classifier) -> str:
    return f'<p class="waiting">{words.WAITING}</p>{caveats(classifier)}'


def caveats(classifier: Classifier) -> str:
    """What the loaded checkpoint cannot say, where that is so."""
    if classifier.metadata.head == "softmax":
        return f'<p class="caveat">{words.SOFTMAX}</p>'
    return "" if classifier.metadata.real_negatives else f'<p class="caveat">{words.MADE_NEGATIVES}</p>'


def data_url(picture: Image.Image) -> str:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=88)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
