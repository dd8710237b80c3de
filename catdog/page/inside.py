"""The inside tab's questions about a photo: what each residual stage looks at, other methods' maps, a residual block at work,
and the network without some of its blocks.

Other methods may take half a minute. They are computed one at a time, in a line of their own beside that of quick answers, and
end when the visitor leaves.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncGenerator, Sequence
from functools import partial
from typing import Any

import numpy as np
from fastapi import APIRouter
from PIL import Image
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from torch import Tensor

from catdog.cams import CAM_METHODS, STAGES, block_parts, cam_map, passes_of, without_parts
from catdog.classifier import Classifier, Prediction
from catdog.decision import verdicts_of
from catdog.device import gpu_is_borrowed
from catdog.evidence import strongest_places
from catdog.images import Decoded, ImageError
from catdog.labels import LABELS
from catdog.page.answers import ProblemError, answer, data_url, fields_of, rounded, thresholds
from catdog.page.sending import HEADERS
from catdog.page.turns import Busy, Turns, visitor_at

REPORT_SECONDS = 0.3  # between two reports of how far the work is
PARTS = ("change", "shortcut")  # of a residual block
SLOW_PLACES = 8  # over all visitors: who is behind them waits for minutes
SLOW_PLACES_EACH = 2  # the one that is being stopped, and the next


class Stopped(Exception):
    """The visitor has left."""


class Passes:
    """Counts forward passes, and raises Stopped at the first one after `stop`."""

    def __init__(self) -> None:
        self.done = 0
        self._stop = threading.Event()

    def stop(self) -> None:
        self._stop.set()

    def __call__(self) -> None:
        if self._stop.is_set():
            raise Stopped
        self.done += 1


def router(classifier: Classifier, turns: Turns) -> APIRouter:
    """The routes below engine/: `stages` and `blocks` answer with one object, `methods` with lines of them.

    Args:
        turns: the line of quick answers.
    """
    routes = APIRouter(prefix="/engine")
    slow = Turns(at_once=1, places=SLOW_PLACES, places_each=SLOW_PLACES_EACH)
    near = classifier.live if gpu_is_borrowed() else classifier  # a borrowed GPU would have to be waited for

    @routes.post("/stages")
    async def stages(request: Request) -> Response:
        label, preview = request.query_params.get("label"), request.query_params.get("preview")
        return await answer(request, turns, partial(stages_of, near, label=label, preview=preview == "1"))

    @routes.post("/blocks")
    async def blocks(request: Request) -> Response:
        off, part = (request.query_params.get(name, "") for name in ("off", "part"))
        return await answer(request, turns, partial(blocks_of, near, off=off, part=part))

    @routes.post("/methods")
    async def methods(request: Request) -> Response:
        wish = {name: request.query_params.get(name, "") for name in ("method", "stage", "label")}
        visitor = visitor_at(request.client and request.client.host)
        told = method_told(near, slow, visitor, await request.body(), wish)
        headers = {
            **HEADERS,
            "Cache-Control": "no-store",
            "X-Accel-Buffering": "no",
        }  # a proxy hands on each line at once
        lines = (json.dumps(each) + "\n" async for each in told)
        return StreamingResponse(lines, headers=headers, media_type="application/x-ndjson")

    return routes


def stages_of(classifier: Classifier, photo: bytes, label: str | None = None, preview: bool = False) -> dict[str, Any]:
    """LayerCAM of the four stages (Jiang et al. 2021), and each stage's last residual block at work.

    Args:
        photo: a file's bytes.
        label: the one to explain; without it, that of the larger probability.
        preview: also give the picture itself, for a browser that cannot draw the file.

    Raises:
        ImageError: for a photo that cannot be used.
        ProblemError: for a label that there is not.
    """
    decoded = classifier.open(photo)
    batch = prepared(classifier, decoded)
    if label is None:
        [prediction] = classifier.classify([decoded])
        label = "cat" if prediction.cat >= prediction.dog else "dog"
    index = LABELS.index(offered(label, LABELS))
    begun = time.perf_counter()
    maps = [cam_map(classifier.network, batch, "LayerCAM", stage, index)[0] for stage in STAGES]
    told = {
        **shown(classifier, decoded),
        "label": label,
        "maps": [places(each, stage) for each, stage in zip(maps, STAGES)],
        "seconds": time.perf_counter() - begun,
        "blocks": [block_of(classifier, batch, stage) for stage in STAGES],
    }
    return {**told, "preview": data_url(decoded.picture)} if preview else told


def blocks_of(classifier: Classifier, photo: bytes, off: str, part: str) -> dict[str, Any]:
    """The answer of the network without parts of some residual blocks, and how much each block changes.

    Args:
        photo: a file's bytes.
        off: the blocks' numbers, from 0 on, with commas between them; as a visitor wrote them.
        part: what they are without, one of PARTS.

    Raises:
        ImageError: for a photo that cannot be used.
        ProblemError: for blocks or parts that there are not.
    """
    count = sum(len(getattr(classifier.network, f"layer{stage}")) for stage in STAGES)
    numbers = {int(offered(each, list(map(str, range(count))))) for each in off.split(",") if off}
    without: Any = offered(part, PARTS)
    decoded = classifier.open(photo)
    evidence, logits, changes = without_parts(classifier.folded, prepared(classifier, decoded), numbers, without)
    maps, raw = evidence.float().cpu().numpy(), logits.float().cpu().numpy()
    found = classifier.probabilities(raw, strongest_places(maps))
    [verdict] = verdicts_of(found, classifier.metadata.present, classifier.metadata.both)
    prediction = Prediction(float(found[0, 0]), float(found[0, 1]), verdict, (float(raw[0, 0]), float(raw[0, 1])))
    return {
        **shown(classifier, decoded),
        "prediction": fields_of(prediction),
        "evidence": rounded(maps[0], 4),
        "bias": rounded(classifier.bias, 4),
        "boxes": dict.fromkeys(LABELS),
        "thresholds": thresholds(classifier),
        "scale": classifier.metadata.evidence_scale,
        "depths": [len(getattr(classifier.network, f"layer{stage}")) for stage in STAGES],
        "changes": [round(each, 3) for each in changes],
    }


async def method_told(
    classifier: Classifier, slow: Turns, visitor: str, photo: bytes, wish: dict[str, str]
) -> AsyncGenerator[dict[str, Any], None]:
    """How far the work is, again and again, as `share`; then the map, or the `problem`.

    Closing this generator ends the work at its next forward pass.

    Args:
        wish: `method`, `stage` and `label`, as a visitor wrote them.
    """
    try:
        method, label = offered(wish["method"], CAM_METHODS), offered(wish["label"], LABELS)
        stage = int(offered(wish["stage"], list(map(str, STAGES))))
        passes, total = Passes(), passes_of(classifier.network, method, stage)
        with slow.place(visitor):
            work = partial(until_stopped, classifier, photo, method, stage, label, passes)
            asked = asyncio.ensure_future(slow.turn(visitor, await slow.measure(photo), work))
            try:
                while not (await asyncio.wait({asked}, timeout=REPORT_SECONDS))[0]:
                    yield {"share": min(1.0, passes.done / total)}
                if told := asked.result():  # nothing where it was stopped
                    yield told
            finally:
                passes.stop()
                asked.cancel()
    except Busy:
        yield {"problem": "busy"}
    except (ImageError, ProblemError) as error:
        yield {"problem": error.code}


def offered(wish: str, among: Sequence[str]) -> str:
    """Raises: ProblemError for a wish that is not among them."""
    if wish not in among:
        raise ProblemError("wrong-wish")
    return wish


def until_stopped(*arguments: Any) -> dict[str, Any] | None:
    """What `method_of` gives, or None once nobody is there to be told; an error would stand in the server's log."""
    try:
        return method_of(*arguments)
    except Stopped:
        return None


def method_of(
    classifier: Classifier, photo: bytes, method: str, stage: int, label: str, before_pass: Passes
) -> dict[str, Any]:
    """A map of another method, and how long it took.

    Raises:
        ImageError: for a photo that cannot be used.
        Stopped: at the first forward pass after `before_pass.stop()`.
    """
    decoded = classifier.open(photo)
    batch = prepared(classifier, decoded)
    begun = time.perf_counter()
    [values] = cam_map(classifier.network, batch, method, stage, LABELS.index(label), before_pass)
    seconds = time.perf_counter() - begun
    wish = {"method": method, "stage": stage, "label": label}
    return {**shown(classifier, decoded), **wish, "map": places(values, stage), "seconds": seconds}


def prepared(classifier: Classifier, decoded: Decoded) -> Tensor:
    """The photo as the network's input (1, 3, h, w)."""
    return classifier.metadata.preset()(decoded.picture, decoded.size)[None].to(classifier.device)


def shown(classifier: Classifier, decoded: Decoded) -> dict[str, Any]:
    """Where a map lies on the photo: sizes in pixels of the upright picture."""
    return {"size": decoded.size, "view": classifier.metadata.preset().view(*decoded.size)}


def places(values: np.ndarray, stage: int) -> list[list[float]]:
    """A map (h, w) in [0, 1], which the package has enlarged to the size of the input, by the stage's own places again; the
    strongest is 1."""
    height, width = values.shape
    size = (width >> (stage + 1), height >> (stage + 1))
    small = np.asarray(Image.fromarray(values.astype(np.float32)).resize(size, Image.Resampling.BOX))
    return rounded(small / max(small.max(), 1e-6), 3)


def block_of(classifier: Classifier, batch: Tensor, stage: int) -> dict[str, Any]:
    """One channel of a residual block, where both input and change are strong. Maps as rows of numbers, on one scale."""
    parts = [part[0].float().cpu().numpy() for part in block_parts(classifier.network, batch, stage)]
    channel = int((parts[0] * np.abs(parts[1])).mean((1, 2)).argmax())
    maps = [part[channel] for part in parts]
    return {
        "channel": channel,
        "channels": len(parts[0]),
        "scale": float(max(np.abs(values).max() for values in maps)),
        "maps": [rounded(values, 2) for values in maps],
    }
