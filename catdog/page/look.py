"""Look inside: what each residual stage focuses on, other methods' maps, and a residual block at work on this photo."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from gradio.context import Context
from PIL import Image
from torch import Tensor

from catdog.cams import CAM_METHODS, STAGES, block_parts, cam_map, passes_of
from catdog.classifier import Classifier
from catdog.images import Decoded, ImageError
from catdog.labels import LABELS
from catdog.page.drawing import LOOK, PAIRS, data_url

UNANSWERED = {"kind": "problem", "code": "unanswered"}
REPORT_SECONDS = 0.3  # between two reports of how far the work is
NAMES = {  # of the methods, as their papers write them
    "GradCAM": "Grad-CAM",
    "GradCAMPlusPlus": "Grad-CAM++",
    "XGradCAM": "XGrad-CAM",
    "LayerCAM": "LayerCAM",
    "EigenCAM": "Eigen-CAM",
    "ScoreCAM": "Score-CAM",
    "AblationCAM": "Ablation-CAM",
}


class Stopped(Exception):
    """The visitor, or a later wish of theirs, ended the work."""


class Runs:
    """Which work goes on for which visitor, so that it can be stopped."""

    def __init__(self) -> None:
        self._stops: dict[str | None, threading.Event] = {}

    def start(self, visitor: str | None) -> threading.Event:
        """Stop the visitor's earlier work; the event that stops this one."""
        self.stop(visitor)
        self._stops[visitor] = threading.Event()
        return self._stops[visitor]

    def stop(self, visitor: str | None) -> None:
        if (stop := self._stops.pop(visitor, None)) is not None:
            stop.set()


def build(classifier: Classifier, source: gr.State) -> Callable[[Callable[..., Any]], None]:
    """Lay out the fold and connect it to the photo tab's file; returns what has it forget the photo after an event."""
    here = Path(__file__).parent
    runs = Runs()
    view = gr.HTML(
        fresh(None),
        html_template=(here / "look.html").read_text(encoding="utf-8"),
        css_template=(here / "look.css").read_text(encoding="utf-8"),
        js_on_load=(here / "look.js").read_text(encoding="utf-8"),
        apply_default_css=False,
        elem_id="look",
        methods=[[method, NAMES[method]] for method in CAM_METHODS],
        stages=STAGES,
        pairs=PAIRS,
        look=LOOK,
    )

    def see_stages(path: str | None, wish: gr.EventData) -> dict[str, Any]:
        return stages_of(classifier, path, wish.label)

    def see_method(path: str | None, wish: gr.EventData, request: gr.Request) -> Iterator[dict[str, Any]]:
        method, stage = str(wish.method), int(wish.stage)
        stop = runs.start(request.session_hash)
        yield from method_of(classifier, path, method, stage, wish.label, stop)

    def stop(request: gr.Request) -> None:
        runs.stop(request.session_hash)

    def refresh(path: str | None, request: gr.Request) -> dict[str, Any]:
        runs.stop(request.session_hash)
        return fresh(path)

    hidden: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    # "multiple": the browser asks for one at a time, and may ask for the next before Gradio has seen the last one end
    queued: dict[str, Any] = {"show_progress": "minimal", "trigger_mode": "multiple", "api_visibility": "private"}
    stages = view.stages(see_stages, source, view, **queued)
    method = view.method(see_method, source, view, **queued)
    for event, wish in ((stages, "stages"), (method, "method")):
        failed = json.dumps(UNANSWERED | {"wish": wish})
        event.failure(None, None, view, js=f"() => ({{...{failed}, at: Date.now()}})", **hidden)
    view.stop(stop, None, None, queue=False, **hidden)
    root: Any = Context.root_block
    root.unload(stop)

    def forget_after(event: Callable[..., Any]) -> None:
        event(refresh, source, view, queue=False, cancels=[stages, method], **hidden)

    forget_after(source.change)
    return forget_after


def news(kind: str, **fields: Any) -> dict[str, Any]:
    """A message that is seen also after an equal one: Gradio tells the page of a value only where it differs."""
    return {"kind": kind, **fields, "at": time.time()}


def fresh(path: str | None) -> dict[str, Any]:
    """Another photo, or none: what is shown is no longer of it."""
    return news("fresh", photo=path is not None)


def stages_of(classifier: Classifier, path: str | None, label: str | None) -> dict[str, Any]:
    """LayerCAM of the four stages (Jiang et al. 2021), and each stage's last residual block at work.

    Without a label, for the one with the larger probability.
    """
    try:
        decoded = opened(classifier, path)
        shown, batch = prepared(classifier, decoded)
        if label is None:
            [prediction] = classifier.classify([decoded])
            label = max(LABELS, key=lambda each: getattr(prediction, each))
    except ImageError as error:
        return news("problem", code=error.code)
    begun = time.perf_counter()
    maps = [gray(cam_map(classifier.network, batch, "LayerCAM", stage, LABELS.index(label))[0]) for stage in STAGES]
    seconds = time.perf_counter() - begun
    blocks = [block_of(classifier, batch, stage) for stage in STAGES]
    return {"kind": "stages", **shown, "label": label, "maps": maps, "seconds": seconds, "blocks": blocks}


def method_of(
    classifier: Classifier, path: str | None, method: str, stage: int, label: str, stop: threading.Event
) -> Iterator[dict[str, Any]]:
    """How far the work is, again and again, then the map with the time it took, or that it was stopped.

    The work runs in a thread of its own, on its own copy of the network; it ends at the next forward pass after `stop` is
    set, or after this generator is closed.
    """
    try:
        shown, batch = prepared(classifier, opened(classifier, path))
    except ImageError as error:
        yield news("problem", code=error.code)
        return
    total = passes_of(classifier.network, method, stage)
    passes = 0

    def before_pass() -> None:
        nonlocal passes
        if stop.is_set():
            raise Stopped
        passes += 1

    begun = time.perf_counter()
    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(cam_map, classifier.network, batch, method, stage, LABELS.index(label), before_pass)
        try:
            while not wait([job], REPORT_SECONDS).done:
                yield {"kind": "progress", "share": min(1.0, passes / total)}
        finally:
            stop.set()  # does nothing to work that is done
    try:
        [values] = job.result()
    except Stopped:
        yield news("stopped")
        return
    seconds = time.perf_counter() - begun
    wish = {"method": method, "stage": stage, "label": label}
    yield {"kind": "method", **shown, **wish, "map": gray(values), "seconds": seconds}


def opened(classifier: Classifier, path: str | None) -> Decoded:
    if path is None:
        raise ImageError("missing", "No picture was sent.")
    return classifier.open(path)


def prepared(classifier: Classifier, decoded: Decoded) -> tuple[dict[str, Any], Tensor]:
    """The photo for the page, and as the network's input (1, 3, h, w)."""
    preset = classifier.metadata.preset()
    shown = {
        "picture": data_url(decoded.picture),
        "size": list(decoded.size),
        "view": list(preset.view(*decoded.size)),
    }
    return shown, preset(decoded.picture, decoded.size)[None].to(classifier.device)


def block_of(classifier: Classifier, batch: Tensor, stage: int) -> dict[str, Any]:
    """One channel of a residual block, where both input and change are strong. Maps as rows of numbers, on one scale."""
    parts = [part[0].float().cpu().numpy() for part in block_parts(classifier.network, batch, stage)]
    channel = int((parts[0] * np.abs(parts[1])).mean((1, 2)).argmax())
    maps = [part[channel] for part in parts]
    return {
        "channel": channel,
        "channels": len(parts[0]),
        "scale": float(max(np.abs(values).max() for values in maps)),
        "maps": [np.round(values.astype(float), 2).tolist() for values in maps],
    }


def gray(values: np.ndarray) -> str:
    """A map (h, w) in [0, 1] as a picture."""
    return data_url(Image.fromarray((255 * values).round().astype(np.uint8)), "PNG")
