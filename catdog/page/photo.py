"""The photo tab: a picture in, verdict, probabilities and evidence out.

The server sends codes and numbers; photo.html, photo.js and photo.css put them on the page, evidence.js draws the maps.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

from catdog.classifier import Classifier
from catdog.files import EXAMPLES
from catdog.images import MAX_PIXELS, Decoded, ImageError
from catdog.page import api, look, words
from catdog.page.drawing import LOOK, PAIRS, data_url
from catdog.page.picture import RawImage

FINER = 2  # times the input size, for the finer map
NOT_IN_BROWSERS = (".heic", ".heif", ".hif", ".tif", ".tiff")
WAITING = {"state": "waiting"}
STILL_THERE = """async (picture) => {
    await new Promise((resolve) => setTimeout(resolve));
    return document.querySelector("#picture img") ? picture : null;
}"""  # Gradio tells of an input, with the photo that was there, also when one that an event had set is removed
UNANSWERED = {"state": "problem", "code": "unanswered"}


def build(classifier: Classifier, max_file_size: int) -> tuple[RawImage, Callable[[Callable[..., Any]], None]]:
    """Lay out the tab and connect it; returns the picture, and what has it answered after an event, for other tabs."""
    source = gr.State()  # where the visitor's own file lies: the picture component may hold a preview in its place
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
            answer = answer_view(classifier)
    forget_after = look.build(classifier.live, source)

    paths = [str(path) for path in sorted(EXAMPLES.glob("*.jpg"))]
    examples = gr.Dataset(  # gr.Examples leaves a click aside while an earlier one is answered
        label=words.label("photo.examples"),
        components=[picture],
        samples=[[path] for path in paths],
        samples_per_page=12,
        type="index",
        elem_id="examples",
    )
    words.text(words.tagged("photo.credit"), elem_id="credit")
    finer = answer.finer(
        lambda path: answer_to(classifier, path, finer=True),
        source,
        answer,
        show_progress="minimal",
        api_visibility="private",
    )
    finer.failure(None, answer, answer, js="(shown) => ({...shown})", show_progress="hidden")  # as it was before
    failed = f"(picture) => picture ? {json.dumps(UNANSWERED)} : {json.dumps(WAITING)}"  # none: it was removed

    def answer_after(event: Callable[..., Any], js: str | None = None) -> None:
        """Answer the picture when `event` comes, such as `picture.input`, unless it is removed meanwhile."""
        answering = event(
            lambda path: respond_to(classifier, path),
            picture,
            [answer, picture, source],
            js=js,
            show_progress_on=answer,
            cancels=finer,
            trigger_mode="always_last",
            api_visibility="private",
        )
        answering.failure(None, picture, answer, js=failed, show_progress="hidden")
        picture.clear(None, cancels=answering, api_visibility="private")

    answer_after(picture.input, STILL_THERE)
    choosing = examples.click(
        lambda index: paths[index],
        examples,
        picture,
        queue=False,
        trigger_mode="always_last",
        show_progress="hidden",
        api_visibility="private",
    )
    answer_after(choosing.then)
    clearing = picture.clear(
        lambda: (WAITING, None), None, [answer, source], queue=False, cancels=finer, api_visibility="private"
    )
    forget_after(clearing.then)  # Gradio does not always tell of a state that an event outside the queue has changed
    return picture, answer_after


def answer_view(classifier: Classifier) -> gr.HTML:
    """The component that shows an answer. What it takes is what `answer_to` returns."""
    here = Path(__file__).parent
    return gr.HTML(
        WAITING,
        html_template=(here / "photo.html").read_text(encoding="utf-8"),
        css_template=(here / "photo.css").read_text(encoding="utf-8"),
        js_on_load=(here / "photo.js").read_text(encoding="utf-8"),
        apply_default_css=False,
        elem_id="answer",
        pairs=PAIRS,
        look=LOOK,
        caveat=caveat(classifier),
    )


def respond_to(classifier: Classifier, path: str | None) -> tuple[dict[str, Any], object, str | None]:
    """The answer to the visitor's file, what the input shows of it, and where it lies, once it is answered."""
    decoded = opened(classifier, path)
    answer = answer_to(classifier, decoded)
    return answer, preview_of(path, decoded), path if answer["state"] == "answer" else None


def opened(classifier: Classifier, path: str | None) -> Decoded | ImageError | None:
    """The visitor's file, decoded once for its answer, its maps and its previews; None when there is none."""
    try:
        return None if path is None else classifier.open(path)
    except ImageError as error:
        return error


def answer_to(classifier: Classifier, source: str | Decoded | ImageError | None, finer: bool = False) -> dict[str, Any]:
    """What the page shows for an uploaded file, as codes and numbers.

    Args:
        source: the visitor's file, or what `opened` gave for it, or None when there is none.
        finer: also look at twice the size, for a map twice as fine; the answer stays that of the usual size.

    Returns:
        `state` "waiting", "problem" with the error's `code`, or "answer" with the fields of /explain, in pixels of the
        upright picture of `size` (width, height), the `picture` as a data URL, small, the `scale` of the evidence, the
        `thresholds` in probability and, where asked for, `finer` evidence.
    """
    decoded = opened(classifier, source) if isinstance(source, str) else source
    if decoded is None:
        return WAITING
    if isinstance(decoded, ImageError):
        return {"state": "problem", "code": decoded.code}
    [explanation] = classifier.explain([decoded])
    metadata = classifier.metadata
    answer = {
        "state": "answer",
        **api.fields_of_explanation(explanation),
        "size": list(decoded.size),
        "picture": data_url(decoded.picture),
        "scale": metadata.evidence_scale,
        "thresholds": {"both": metadata.both, "neither": metadata.present},
    }
    if finer:
        [closer] = classifier.explain([decoded], size=FINER * metadata.input_size)
        answer["finer"] = closer.evidence.tolist()
    return answer


def preview_of(path: str | None, decoded: Decoded | ImageError | None) -> object:
    """What the input shows in place of a file that browsers cannot draw."""
    if path is None or not path.lower().endswith(NOT_IN_BROWSERS) or not isinstance(decoded, Decoded):
        return gr.skip()  # of an error, the answer says what is wrong
    return gr.update(value=decoded.picture)


def caveat(classifier: Classifier) -> str | None:
    """The code of what the loaded checkpoint cannot say, where that is so."""
    if classifier.metadata.head == "softmax":
        return "photo.softmax"
    return None if classifier.metadata.real_negatives else "photo.made-negatives"
