"""The live tab: the camera's frames in, verdict, probabilities and evidence out, while they are still true.

The frames do not go through `gr.Image(streaming=True)`: such a stream holds one of the event's places for as long as it
runs, so that visitors wait for each other; it sends at a fixed pace whether or not the server keeps up; and nothing can be
drawn over its video. Here the browser (live.js) sends the newest frame, one request each, when an answer has come: a slow
server makes it drop frames, not fall behind, and a frame is only ever in memory. Where answers come quickly, two requests
take turns, so that the server works while the network, the camera and the browser do. What is smoothed is smoothed in
the browser, so the server keeps nothing of a visitor.
"""

from __future__ import annotations

import binascii
import io
from base64 import b64decode
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio
import gradio as gr
import numpy as np
from PIL import Image

from catdog.classifier import Classifier, Explanation
from catdog.images import ImageError, open_picture
from catdog.page import words
from catdog.render import COLORS, SATURATION, STRENGTH

FRAME_SIDE = 240  # px, short side of a frame as it is sent: a little more than the network's input
MAX_FRAME = 200_000  # characters of base64; a frame has about 15,000
MAX_FRAME_PIXELS = 2**20  # an answer that takes long would hold up all the others
AT_ONCE = 2  # frames answered together, over all visitors: more would only make each one late
MAX_WAITING = 100  # frames, over all visitors: some three seconds on two cores; who comes then is told to wait
BUSY = {"problem": "busy"}
HERE = Path(__file__).parent


def build(classifier: Classifier) -> None:
    """Lay out the tab and connect it."""
    gr.HTML(
        None,
        elem_id="live",
        html_template=layout(),
        js_on_load=(HERE / "live.js").read_text(encoding="utf-8"),
        server_functions=[answering(classifier)],
        side=FRAME_SIDE,
        colors=COLORS,
        strength=STRENGTH,
    )


def answering(classifier: Classifier) -> Callable[[str], Awaitable[dict[str, Any]]]:
    """`answer_to` for the browser: a few frames at once, and not too many that wait."""
    limiter = anyio.CapacityLimiter(AT_ONCE)  # of its own: waiting frames must not hold up the page's other work

    async def answer_frame(frame: str) -> dict[str, Any]:
        if limiter.statistics().tasks_waiting >= MAX_WAITING:
            return BUSY
        return await anyio.to_thread.run_sync(answer_to, classifier, frame, limiter=limiter)

    return answer_frame


def answer_to(classifier: Classifier, frame: str) -> dict[str, Any]:
    """What the page draws for one frame, or `{"problem": code}`.

    Args:
        frame: a JPEG in base64.

    Returns:
        verdict: a code; cat, dog: probabilities; view: left, top, right, bottom of the part that was seen, as shares of
        the frame's sides; shape: (h, w) of the maps; evidence: h * w shares of the evidence scale a label, in [0, 1], row
        by row.
    """
    try:
        if not isinstance(frame, str) or len(frame) > MAX_FRAME:
            raise ImageError("too-large", "The frame is too large.")
        picture = open_frame(b64decode(frame, validate=True))
        [explanation] = classifier.explain([picture])
    except (ImageError, binascii.Error) as error:
        return {"problem": getattr(error, "code", "damaged")}
    prediction = explanation.prediction
    return {
        "verdict": prediction.verdict,
        "cat": round(prediction.cat, 4),
        "dog": round(prediction.dog, 4),
        "view": [round(side / whole, 4) for side, whole in zip(explanation.view, picture.size * 2)],
        **drawn(explanation, classifier.metadata.evidence_scale),
    }


def open_frame(content: bytes) -> Image.Image:
    """A small JPEG, and nothing else: frames are answered at once, without the queue that holds up larger pictures.

    Raises:
        ImageError: for anything else.
    """
    if not content.startswith(b"\xff\xd8"):
        raise ImageError("unknown-type", "A frame is a JPEG.")
    with suppress(OSError, SyntaxError), Image.open(io.BytesIO(content), formats=["JPEG"]) as header:
        if header.width * header.height > MAX_FRAME_PIXELS:
            raise ImageError("too-large", "The frame has too many pixels.")
    return open_picture(content)


def drawn(explanation: Explanation, scale: float) -> dict[str, Any]:
    """The maps as shares of the scale, with two decimals: as fine as the eye can tell."""
    _, height, width = explanation.evidence.shape
    shares = np.clip(explanation.evidence * (height * width / scale), 0, 1)
    return {
        "shape": [height, width],
        "evidence": {
            label: [round(float(share), 2) for share in values.ravel()] for label, values in zip(COLORS, shares)
        },
    }


def layout() -> str:
    """The camera's picture with the map over it, what is said of it, and the buttons."""
    bars = "".join(
        f'<div class="bar">{words.tagged(f"label.{label}", "span")}'
        f'<span class="track"><span class="fill {label}"></span></span><span class="number {label}"></span></div>'
        for label in COLORS
    )
    return f"""
<div class="columns">
  <div class="stage" hidden>
    <video playsinline muted style="filter: saturate({SATURATION})"></video>
    <canvas aria-hidden="true"></canvas>
  </div>
  <div class="empty">{words.tagged("live.waiting")}</div>
  <div class="answer">
    <div class="said" role="status"></div>
    {bars}
    <p class="pace" aria-live="off"></p>
    <p class="problem" role="alert" hidden></p>
  </div>
</div>
<div class="buttons">
  {words.tagged("live.start", "button", type="button", name="start", classes="primary")}
  {words.tagged("live.turn", "button", type="button", name="turn")}
  <label><input type="checkbox" name="mirror" checked>{words.tagged("live.mirror", "span")}</label>
</div>
{words.tagged("live.privacy", classes="note")}
"""
