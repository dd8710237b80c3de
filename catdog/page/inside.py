"""Questions of the inside tab about a photo: what each layer gives, the network without some of its blocks or with other
weights, what each stage looks at, and other methods' maps; and of the pets tab, the last stage's features.

Other methods may take half a minute. They are computed one at a time, in a line of their own beside that of quick answers, and
end when the visitor leaves.
"""

from __future__ import annotations

import asyncio
import base64
import json
import threading
import time
from collections.abc import AsyncGenerator, Collection, Sequence
from functools import cache, partial
from typing import Any

import numpy as np
import torch
from fastapi import APIRouter
from PIL import Image
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from torch import Tensor

from catdog.cams import CAM_METHODS, cam_map, passes_of
from catdog.classifier import Classifier, Prediction
from catdog.decision import verdicts_of
from catdog.device import gpu_is_borrowed
from catdog.evidence import evidence_and_logits, strongest_places
from catdog.imagenet import imagenet_network
from catdog.images import Decoded, ImageError
from catdog.labels import LABELS
from catdog.layers import STAGES, Pass, blocks_of, depths_of, layers_of, run_layers, shuffled
from catdog.page.answers import ProblemError, answer, data_url, fields_of, rounded, thresholds
from catdog.page.sending import HEADERS
from catdog.page.turns import Busy, Turns, visitor_at
from catdog.resnet import ResNet, folded

REPORT_SECONDS = 0.3  # between two reports of how far the work is
PARTS = ("change", "shortcut")  # of a residual block
SHOWN = 9  # channels of each layer, the strongest
SLOW_PLACES = 8  # over all visitors: who is behind them waits for minutes
SLOW_PLACES_EACH = 2  # the one that is being stopped, and the next
TINY = 1e-9


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
    """The routes below engine/: `methods` answers with lines of objects, all others with one.

    Args:
        turns: the line of quick answers.
    """
    routes = APIRouter(prefix="/engine")
    slow = Turns(at_once=1, places=SLOW_PLACES, places_each=SLOW_PLACES_EACH)
    near = classifier.live if gpu_is_borrowed() else classifier  # a borrowed GPU would have to be waited for

    @routes.post("/layers")
    async def layers(request: Request) -> Response:
        return await answer(request, turns, partial(layers_told, near))

    @routes.post("/stages")
    async def stages(request: Request) -> Response:
        label, preview = request.query_params.get("label"), request.query_params.get("preview")
        return await answer(request, turns, partial(stages_of, near, label=label, preview=preview == "1"))

    @routes.post("/features")
    async def features(request: Request) -> Response:
        return await answer(request, turns, partial(features_told, near))

    @routes.post("/blocks")
    async def blocks(request: Request) -> Response:
        off, part = (request.query_params.get(name, "") for name in ("off", "part"))
        return await answer(request, turns, partial(without_blocks, near, off=off, part=part))

    others = cache(partial(other_networks, near))  # made when they are asked for first

    @routes.post("/weights")
    async def weights(request: Request) -> Response:
        return await answer(request, turns, lambda photo: maps_of_weights(near, others(), photo))

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
    """LayerCAM of the four stages (Jiang et al. 2021).

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
    }
    return {**told, "preview": data_url(decoded.picture)} if preview else told


def layers_told(classifier: Classifier, photo: bytes) -> dict[str, Any]:
    """What the stem and each stage give on a photo, and each stage's last residual block at work.

    Raises:
        ImageError: for a photo that cannot be used.
    """
    decoded = classifier.open(photo)
    found = passed(classifier, decoded)
    layers = []
    for layer, output in zip(layers_of(classifier.folded), found.outputs):
        values = output[0].float().cpu().numpy()
        layers.append(
            {**layer._asdict(), "height": values.shape[1], "width": values.shape[2], "shown": strongest_of(values)}
        )
    parts = zip(found.shortcuts, found.changes)
    blocks = [block_at_work(*(part[0].float().cpu().numpy() for part in each)) for each in parts]
    return {**shown(classifier, decoded), "layers": layers, "blocks": blocks}


def features_told(classifier: Classifier, photo: bytes) -> dict[str, Any]:
    """The last stage's output (channels, h, w) as float32, little-endian, and the evidence that its places have.

    Raises:
        ImageError: for a photo that cannot be used.
    """
    decoded = classifier.open(photo)
    found = passed(classifier, decoded)
    values = found.outputs[-1][0].float().cpu().numpy()
    return {
        **shown(classifier, decoded),
        "features": base64.b64encode(values.astype("<f4").tobytes()).decode(),
        "evidence": rounded(found.evidence[0].float().cpu().numpy(), 6),
    }


def passed(classifier: Classifier, decoded: Decoded, off: Collection[int] = (), part: str = "") -> Pass:
    """A forward pass with some blocks' `part`, one of PARTS, switched off."""
    on = torch.ones(len(blocks_of(classifier.folded)), device=classifier.device)
    switched = on.clone()
    switched[list(off)] = 0
    change, shortcut = (switched if part == each else on for each in PARTS)
    with torch.inference_mode():
        return run_layers(classifier.folded, prepared(classifier, decoded), change, shortcut)


def strongest_of(values: np.ndarray) -> list[dict[str, Any]]:
    """The channels (c, h, w) with the largest means, and what they hold: as bytes, of which 255 is the channel's peak."""
    means = values.mean((1, 2))
    return [
        {
            "channel": int(channel),
            "peak": float(values[channel].max()),
            "values": base64.b64encode(as_bytes(values[channel])).decode(),
        }
        for channel in np.argsort(-means, kind="stable")[:SHOWN]
    ]


def as_bytes(values: np.ndarray) -> bytes:
    """None of them is below zero: a ReLU was the last to touch them."""
    return np.floor(values * (255 / max(float(values.max()), TINY)) + 0.5).astype(np.uint8).tobytes()


def without_blocks(classifier: Classifier, photo: bytes, off: str, part: str) -> dict[str, Any]:
    """The answer of the network without parts of some residual blocks, and how much each block changes.

    Args:
        photo: a file's bytes.
        off: the blocks' numbers, from 0 on, with commas between them; as a visitor wrote them.
        part: what they are without, one of PARTS.

    Raises:
        ImageError: for a photo that cannot be used.
        ProblemError: for blocks or parts that there are not.
    """
    count = len(blocks_of(classifier.folded))
    numbers = {int(offered(each, list(map(str, range(count))))) for each in off.split(",") if off}
    offered(part, PARTS)
    decoded = classifier.open(photo)
    found = passed(classifier, decoded, numbers, part)
    return {
        **answered(classifier, decoded, found.evidence, found.logits),
        "depths": depths_of(classifier.network),
        "changes": rounded(found.sizes[0].cpu().numpy(), 3),
    }


def answered(classifier: Classifier, decoded: Decoded, evidence: Tensor, logits: Tensor) -> dict[str, Any]:
    """The fields of an explanation, without boxes."""
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
    }


def other_networks(classifier: Classifier) -> dict[str, ResNet | None]:
    """The same architecture with weights that have not learned cats and dogs here; of ImageNet's, those that an earlier
    training run has fetched."""
    known = imagenet_network(classifier.metadata.architecture)
    return {
        "shuffled": shuffled(classifier.network),
        "imagenet": known and folded(known).requires_grad_(False).to(classifier.device),
    }


def maps_of_weights(classifier: Classifier, others: dict[str, ResNet | None], photo: bytes) -> dict[str, Any]:
    """The answer by the checkpoint's weights, and by those of each other network that there is.

    Raises:
        ImageError: for a photo that cannot be used.
    """
    decoded = classifier.open(photo)
    batch = prepared(classifier, decoded)
    told: dict[str, Any] = {}
    with torch.inference_mode():
        for name, network in {"checkpoint": classifier.folded, **others}.items():
            told[name] = network and answered(classifier, decoded, *evidence_and_logits(network, batch))
    return told


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


def block_at_work(x: np.ndarray, change: np.ndarray) -> dict[str, Any]:
    """One channel of a residual block, where both input and change are strong. Maps as rows of numbers, on one scale.

    Args:
        x, change: (channels, h, w), what the block adds up.
    """
    channel = int((x * np.abs(change)).mean((1, 2)).argmax())
    maps = [x[channel], change[channel], x[channel] + change[channel]]
    return {
        "channel": channel,
        "channels": len(x),
        "scale": float(max(np.abs(values).max() for values in maps)),
        "maps": [rounded(values, 2) for values in maps],
    }
