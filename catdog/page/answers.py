"""What the page asks of the server about a photo or a camera's frame: its bytes in, codes and numbers out.

A photo is a request's whole body. It is answered from memory, and never touches the disk.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from fastapi import APIRouter
from PIL import Image
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from catdog.classifier import Classifier, Explanation, Prediction
from catdog.device import gpu_is_borrowed
from catdog.images import ImageError, open_picture
from catdog.images.decode import opened
from catdog.page.sending import send_json
from catdog.page.turns import Busy, Turns, visitor_at, while_there
from catdog.transforms import STRIDE

MAX_PHOTO = 50 * 2**20  # bytes
MAX_FRAME_PIXELS = 2**20  # an answer that takes long would hold up all the others
FRAME_SIDE = (
    224  # px, of the input for a frame: it is answered sooner than at the usual size, and the next one comes at once
)
FRAME_KINDS = ["JPEG", "WEBP"]
FINEST = 2  # times the checkpoint's input size, at most
PREVIEW_SIDE = 1600  # px, long side
STATUS = {"too-large": 413, "busy": 503}  # of the other codes: 400


class ProblemError(Exception):
    """Why there is no answer, as a code that the page puts into words."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def router(classifier: Classifier, turns: Turns) -> APIRouter:
    """The routes below engine/. A GPU that has to be borrowed is left to the endpoints: waiting for it takes longer.

    Args:
        turns: the line of photos. Cameras' frames, which are small, have one of their own: behind photos they would be late.
    """
    frames = Turns()
    routes = APIRouter(prefix="/engine")
    exact = classifier.live if gpu_is_borrowed() else classifier

    @routes.post("/explain")
    async def explain(request: Request) -> Response:
        size, preview = request.query_params.get("size"), request.query_params.get("preview")
        return await answer(request, turns, partial(explained, exact, size=size, preview=preview == "1"))

    @routes.post("/frame")
    async def frame(request: Request) -> Response:
        return await answer(request, frames, partial(frame_explained, classifier.live, signed=signed(request)), 0)

    @routes.post("/classify")
    async def classify(request: Request) -> Response:
        return await answer(request, turns, partial(classified, exact, signed=signed(request)))

    return routes


def signed(request: Request) -> bool:
    """Whether a visitor who has taught the page a pet wants to know who it is: that is found out on their device."""
    return request.query_params.get("signature") == "1"


async def answer(
    request: Request, turns: Turns, work: Callable[[bytes], dict[str, Any]], pixels: int | None = None
) -> Response:
    """What the work says of the request's body when its turn has come; nothing is done for a visitor who has left.

    Args:
        work: may raise an ImageError or a ProblemError.
        pixels: that it decodes; without it, as many as the picture's header has.
    """
    visitor = visitor_at(request.client and request.client.host)

    async def in_turn(photo: bytes) -> dict[str, Any]:
        with turns.place(visitor):
            wanted = await turns.measure(photo) if pixels is None else pixels
            return await turns.turn(visitor, wanted, partial(work, photo))

    try:
        photo = await request.body()
        return send_json(request, await while_there(request.receive, in_turn(photo)))
    except (ImageError, ProblemError) as error:
        return problem(error.code)
    except Busy:
        return problem("busy")
    except ClientDisconnect:
        return Response()  # which nobody receives


def problem(code: str, status: int | None = None) -> Response:
    return JSONResponse({"problem": code}, status or STATUS.get(code, 400), {"Cache-Control": "no-store"})


def explained(classifier: Classifier, photo: bytes, size: str | None = None, preview: bool = False) -> dict[str, Any]:
    """The answer to a photo, with its maps.

    Args:
        photo: a file's bytes.
        size: the short side of the network's input in pixels, as a visitor wrote it; without it, the checkpoint's own.
        preview: also give the picture itself, as a JPEG, for a browser that cannot draw the file.

    Raises:
        ImageError: for a photo that cannot be used.
        ProblemError: for a size that is not offered.
    """
    side = size_from(size, classifier.metadata.input_size)
    decoded = classifier.open(photo)
    [explanation] = classifier.explain([decoded], size=side)
    answer = fields_of_explanation(classifier, explanation, decoded.size, classifier.metadata.scale_at(side), digits=6)
    answer["extent"] = rounded(explanation.extent, 4)
    answer["signature"] = rounded(explanation.signature, 5)
    return {**answer, "preview": data_url(decoded.picture)} if preview else answer


def size_from(text: str | None, usual: int) -> int:
    """Raises: ProblemError for anything but a multiple of the network's stride, up to twice the usual size."""
    if text is None:
        return usual
    offered = {str(side): side for side in range(STRIDE, FINEST * usual + 1, STRIDE)}
    if text not in offered:
        raise ProblemError("wrong-size")
    return offered[text]


def frame_explained(classifier: Classifier, frame: bytes, signed: bool = False) -> dict[str, Any]:
    """The answer to a camera's frame, with its maps, and with its signature where it is to be signed.

    Raises:
        ImageError: for what is no small JPEG or WebP.
    """
    picture = open_frame(frame)
    [explanation] = classifier.explain([picture], size=min(FRAME_SIDE, classifier.metadata.input_size))
    answer = fields_of_explanation(classifier, explanation, picture.size, classifier.metadata.evidence_scale, digits=4)
    return {**answer, "signature": rounded(explanation.signature, 5)} if signed else answer


def classified(classifier: Classifier, photo: bytes, signed: bool = False) -> dict[str, Any]:
    """The answer to a photo, without maps, and with its signature where it is to be signed.

    Raises:
        ImageError: for a photo that cannot be used.
    """
    decoded = classifier.open(photo)
    given: dict[str, Any] = {"size": decoded.size, "thresholds": thresholds(classifier)}
    if not signed:
        [prediction] = classifier.classify([decoded])
        return given | {"prediction": fields_of(prediction)}
    [explanation] = classifier.explain([decoded])
    return given | {"prediction": fields_of(explanation.prediction), "signature": rounded(explanation.signature, 5)}


def open_frame(content: bytes) -> Image.Image:
    """A frame's picture; its size is looked at before it is decoded, since frames are answered before photos.

    Raises:
        ImageError: for anything but a small JPEG or WebP.
    """
    with opened(content, "The frame") as header:
        if header.format not in FRAME_KINDS:
            raise ImageError("unknown-type", "A frame is a JPEG or a WebP.")
        if header.width * header.height > MAX_FRAME_PIXELS:
            raise ImageError("too-large", "The frame has too many pixels.")
    return open_picture(content)


def fields_of(prediction: Prediction) -> dict[str, Any]:
    return {
        "cat": prediction.cat,
        "dog": prediction.dog,
        "verdict": prediction.verdict,
        "logits": prediction.logits,
    }


def fields_of_explanation(
    classifier: Classifier, explanation: Explanation, size: tuple[int, int], scale: float, digits: int
) -> dict[str, Any]:
    """Boxes and view are in pixels of the upright picture of `size`, width and height."""
    return {
        "prediction": fields_of(explanation.prediction),
        "evidence": rounded(explanation.evidence, digits),
        "bias": rounded(explanation.bias, digits),
        "view": explanation.view,
        "boxes": explanation.boxes,
        "size": size,
        "thresholds": thresholds(classifier),
        "scale": scale,
    }


def thresholds(classifier: Classifier) -> dict[str, float]:
    """In probability: a smaller one from `both` on shows both, a larger one below `neither` shows neither."""
    return {"both": classifier.metadata.both, "neither": classifier.metadata.present}


def rounded(values: np.ndarray, digits: int) -> list[Any]:
    """As nested lists; double precision, or a rounded number would be written with all its digits."""
    return values.astype(np.float64).round(digits).tolist()


def data_url(picture: Image.Image) -> str:
    small = picture.copy()
    small.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE), reducing_gap=3.0)
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=88)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
