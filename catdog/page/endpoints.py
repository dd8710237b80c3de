"""What programs use: the endpoints /classify, /explain and /classify_many, which are MCP tools too."""

# No `from __future__ import annotations` here: Gradio reads what the endpoints take and give from the annotations.

import os
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from gradio import Error, FileData, Request, Server

from catdog.classifier import Classifier, Explanation, Prediction
from catdog.images import ImageError
from catdog.page.turns import Busy, Turns, visitor_at

MAX_PHOTOS = 500
CHUNK = 16  # of many pictures, answered in one turn: the network takes less time for several together


def add_endpoints(server: Server, classifier: Classifier, turns: Turns) -> None:
    """An assistant knows them by their names and docstrings."""

    @server.api(name="classify", concurrency_limit=None)
    async def classify(picture: FileData | str, request: Request) -> dict[str, Any]:
        """Say whether a picture shows a cat, a dog, both or neither.

        Args:
            picture: a photo as JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF or HEIC; from an assistant, its address or data: URL.

        Returns:
            cat and dog: calibrated probabilities, each on its own
            verdict: cat, dog, both or neither
            logits: the raw scores for cat and dog
        """
        [answer] = await answers(request, turns, classifier.classify, [picture])
        return fields_of(answer)

    @server.api(name="explain", concurrency_limit=None)
    async def explain(picture: FileData | str, request: Request) -> dict[str, Any]:
        """Classify a picture and show where the cat and the dog are.

        Args:
            picture: a photo as JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF or HEIC; from an assistant, its address or data: URL.

        Returns:
            prediction: what classify gives
            boxes: for cat and for dog, left, top, right, bottom in pixels, or null
            evidence: two maps, for cat and for dog, of what each place adds to the logit
            bias: what is left of the two logits
            view: the part of the picture that the network saw, in pixels
        """
        [answer] = await answers(request, turns, classifier.explain, [picture])
        return fields_of_explanation(answer)

    @server.api(name="classify_many", concurrency_limit=None)
    async def classify_many(pictures: list[FileData | str], request: Request) -> list[dict[str, Any]]:
        """Say of each of many pictures whether it shows a cat, a dog, both or neither.

        Args:
            pictures: up to 500 photos; from an assistant, their addresses or data: URLs.

        Returns:
            one object a picture, in order: what classify gives, or error, a code and a sentence, where it cannot be read
        """
        if not isinstance(pictures, list) or not pictures:
            raise refusal("missing", "No picture was sent.")
        if len(pictures) > MAX_PHOTOS:
            raise refusal("too-many", f"Send at most {MAX_PHOTOS} pictures at a time.")
        work = partial(classifier.classify, errors="return")
        return [
            {"error": f"{each.code}: {each}"} if isinstance(each, ImageError) else fields_of(each)
            for each in await answers(request, turns, work, pictures)
        ]


async def answers(request: Request, turns: Turns, work: Callable[[list[str]], list[Any]], sent: list[Any]) -> list[Any]:
    """What the work says of some pictures, a few in each turn.

    Raises:
        gradio.Error: `code: sentence`, where a picture may not be opened, where the work raises an ImageError, and where too
            many are waiting.
    """
    visitor = visitor_at(request.client and request.client.host)
    sources = [source_of(each) for each in sent]
    found = []
    try:
        with turns.place(visitor):
            for start in range(0, len(sources), CHUNK):
                chunk = sources[start : start + CHUNK]
                pixels = sum([await turns.measure(source) for source in chunk])
                found += await turns.turn(visitor, pixels, partial(work, chunk))
    except ImageError as error:
        raise refusal(error.code, str(error)) from error
    except Busy as error:
        raise refusal("busy", "Too many are waiting: try again in a moment.") from error
    return found


def source_of(sent: Any) -> str:
    """What a program sent, as a path or a `data:` URL that is safe to open: never a path of its choice.

    Args:
        sent: an upload as Gradio describes it, `{"path": ...}`, or a `data:` URL, alone or in such a description.

    Raises:
        gradio.Error: for anything else.
    """
    path, url = (sent.get("path"), sent.get("url")) if isinstance(sent, dict) else (None, sent)
    if isinstance(path, str) and is_upload(path):
        return path
    if isinstance(url, str) and url.startswith("data:"):
        return url
    if sent is None:
        raise refusal("missing", "No picture was sent.")
    raise refusal("missing", "Send a picture as a file, as an address or as a data: URL.")


def is_upload(path: str) -> bool:
    folder = os.environ.get("GRADIO_TEMP_DIR") or Path(tempfile.gettempdir()) / "gradio"
    return Path(path).resolve().is_relative_to(Path(folder).resolve())


def refusal(code: str, sentence: str) -> Error:
    return Error(f"{code}: {sentence}", print_exception=False)


def fields_of(prediction: Prediction) -> dict[str, Any]:
    return {
        "cat": prediction.cat,
        "dog": prediction.dog,
        "verdict": prediction.verdict,
        "logits": list(prediction.logits),
    }


def fields_of_explanation(explanation: Explanation) -> dict[str, Any]:
    return {
        "prediction": fields_of(explanation.prediction),
        "evidence": explanation.evidence.tolist(),
        "bias": explanation.bias.tolist(),
        "view": list(explanation.view),
        "boxes": {label: box and list(box) for label, box in explanation.boxes.items()},
    }
