"""What the page asks of the server about a photo or a camera's frame: its bytes in, codes and numbers out.

A photo is a request's whole body. It is answered from memory, and never touches the disk.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from typing import Any

import anyio
import anyio.to_thread
import numpy as np
from fastapi import APIRouter
from PIL import Image
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from catdog.classifier import Classifier, Explanation, Prediction
from catdog.images import ImageError, open_picture
from catdog.transforms import STRIDE

MAX_PHOTO = 50 * 2**20  # bytes
MAX_FRAME = 150 * 2**10  # bytes
MAX_FRAME_PIXELS = 2**20  # an answer that takes long would hold up all the others
FRAME_KINDS = ["JPEG", "WEBP"]
FINEST = 2  # times the checkpoint's input size, at most
PREVIEW_SIDE = 1600  # px, long side
STATUS = {"too-large": 413, "slow": 408, "busy": 503, "failed": 500}  # of the other codes: 400


class ProblemError(Exception):
    """Why there is no answer, as a code that the page puts into words."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def router(classifier: Classifier) -> APIRouter:
    """The routes below engine/. They are computed by the classifier for quick answers."""
    routes = APIRouter(prefix="/engine")
    limiter = anyio.CapacityLimiter(2)

    async def answer(function: Callable[..., dict[str, Any]], *arguments: Any) -> Response:
        try:
            return JSONResponse(await anyio.to_thread.run_sync(function, *arguments, limiter=limiter))
        except (ImageError, ProblemError) as error:
            return problem(error.code)

    @routes.post("/explain")
    async def explain(request: Request, size: int | None = None, preview: bool = False) -> Response:
        return await answer(explained, classifier, await request.body(), size, preview)

    @routes.post("/frame")
    async def frame(request: Request) -> Response:
        return await answer(frame_explained, classifier.live, await request.body())

    @routes.post("/classify")
    async def classify(request: Request) -> Response:
        return await answer(classified, classifier, await request.body())

    return routes


def problem(code: str) -> Response:
    return JSONResponse({"problem": code}, STATUS.get(code, 400))


def explained(classifier: Classifier, photo: bytes, size: int | None, preview: bool) -> dict[str, Any]:
    """The answer to a photo, with its maps.

    Args:
        photo: a file's bytes.
        size: the short side of the network's input in pixels; without it, the checkpoint's own.
        preview: also give the picture itself, as a JPEG, for a browser that cannot draw the file.

    Raises:
        ImageError: for a photo that cannot be used.
        ProblemError: for a size that is not offered.
    """
    usual = classifier.metadata.input_size
    if size is not None and (size % STRIDE or not STRIDE <= size <= FINEST * usual):
        raise ProblemError("wrong-size")
    decoded = classifier.open(photo)
    [explanation] = classifier.explain([decoded], size=size)
    answer = fields_of_explanation(classifier, explanation, decoded.size, digits=6)
    answer["extent"] = rounded(explanation.extent, 4)
    return {**answer, "preview": data_url(decoded.picture)} if preview else answer


def frame_explained(classifier: Classifier, frame: bytes) -> dict[str, Any]:
    """The answer to a camera's frame, with its maps.

    Raises:
        ImageError: for what is no small JPEG or WebP.
    """
    picture = open_frame(frame)
    [explanation] = classifier.explain([picture])
    return fields_of_explanation(classifier, explanation, picture.size, digits=4)


def classified(classifier: Classifier, photo: bytes) -> dict[str, Any]:
    """The answer to a photo, without maps.

    Raises:
        ImageError: for a photo that cannot be used.
    """
    decoded = classifier.open(photo)
    [prediction] = classifier.classify([decoded])
    return {"prediction": fields_of(prediction), "size": decoded.size, "thresholds": thresholds(classifier)}


def open_frame(content: bytes) -> Image.Image:
    """A frame's picture; its size is looked at before it is decoded, since frames are answered before photos.

    Raises:
        ImageError: for anything but a small JPEG or WebP.
    """
    try:
        with Image.open(io.BytesIO(content), formats=FRAME_KINDS) as header:
            if header.width * header.height > MAX_FRAME_PIXELS:
                raise ImageError("too-large", "The frame has too many pixels.")
    except (OSError, SyntaxError, ValueError) as error:
        if isinstance(error, ImageError):
            raise
        raise ImageError("unknown-type", "A frame is a JPEG or a WebP.") from error
    return open_picture(content)


def fields_of(prediction: Prediction) -> dict[str, Any]:
    return {
        "cat": prediction.cat,
        "dog": prediction.dog,
        "verdict": prediction.verdict,
        "logits": prediction.logits,
    }


def fields_of_explanation(
    classifier: Classifier, explanation: Explanation, size: tuple[int, int], digits: int
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
        "scale": classifier.metadata.evidence_scale,
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
