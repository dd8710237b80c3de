"""What programs use: the endpoints /classify, /explain and /classify_many, which are MCP tools too."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import anyio
import anyio.to_thread
from gradio import Error, FileData, Server

from catdog.classifier import Classifier, Explanation, Prediction
from catdog.images import ImageError

MAX_PHOTOS = 500
Answer = TypeVar("Answer", Prediction, Explanation)


def add_endpoints(server: Server, classifier: Classifier) -> None:
    """An assistant knows them by their names and docstrings."""
    limiter = anyio.CapacityLimiter(1)

    async def run(function: Callable[..., Any], *arguments: Any) -> Any:
        return await anyio.to_thread.run_sync(function, *arguments, limiter=limiter)

    @server.api(name="classify", concurrency_limit=None)
    async def classify(picture: FileData | str) -> dict[str, Any]:
        """Say whether a picture shows a cat, a dog, both or neither.

        Args:
            picture: a photo as JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF or HEIC; from an assistant, its address or data: URL.

        Returns:
            cat and dog: calibrated probabilities, each on its own
            verdict: cat, dog, both or neither
            logits: the raw scores for cat and dog
        """
        return await run(classify_one, classifier, picture)

    @server.api(name="explain", concurrency_limit=None)
    async def explain(picture: FileData | str) -> dict[str, Any]:
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
        return await run(explain_one, classifier, picture)

    @server.api(name="classify_many", concurrency_limit=None)
    async def classify_many(pictures: list[FileData | str]) -> list[dict[str, Any]]:
        """Say of each of many pictures whether it shows a cat, a dog, both or neither.

        Args:
            pictures: up to 500 photos; from an assistant, their addresses or data: URLs.

        Returns:
            one object a picture, in order: what classify gives, or error, a code and a sentence, where it cannot be read
        """
        return await run(classify_all, classifier, pictures)


def classify_one(classifier: Classifier, sent: Any) -> dict[str, Any]:
    return fields_of(answered(classifier.classify, sent))


def explain_one(classifier: Classifier, sent: Any) -> dict[str, Any]:
    return fields_of_explanation(answered(classifier.explain, sent))


def classify_all(classifier: Classifier, sent: Any) -> list[dict[str, Any]]:
    """The fields of each prediction, or its error as code and sentence: a broken picture does not stop the others."""
    if not isinstance(sent, list) or not sent:
        raise refusal("missing", "No picture was sent.")
    if len(sent) > MAX_PHOTOS:
        raise refusal("too-many", f"Send at most {MAX_PHOTOS} pictures at a time.")
    answers = classifier.classify(list(map(source_of, sent)), errors="return")
    return [{"error": f"{each.code}: {each}"} if isinstance(each, ImageError) else fields_of(each) for each in answers]


def answered(method: Callable[[list[str]], list[Answer]], sent: Any) -> Answer:
    """The single answer, its error as `code: sentence`."""
    try:
        [answer] = method([source_of(sent)])
        return answer
    except ImageError as error:
        raise refusal(error.code, str(error)) from error


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
