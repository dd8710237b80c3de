"""What programs use: the endpoints /classify, /explain and /classify_many, which are MCP tools too."""

# No `from __future__ import annotations` here: Gradio reads what the endpoints take and give from the annotations.

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from fastapi import APIRouter
from fastapi import Request as WebRequest
from gradio import Error, FileData, Request, Server
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response

from catdog.classifier import Classifier, Explanation, Prediction
from catdog.images import ImageError
from catdog.page import fetch
from catdog.page.fetch import FetchError, Fetching, is_address
from catdog.page.listening import Listening, UnheardError
from catdog.page.turns import Busy, Turns, visitor_at
from catdog.page.uploads import UploadError, Uploads

MAX_PHOTOS = 500
CHUNK = 16  # of many pictures, answered in one turn: the network takes less time for several together


def add_endpoints(server: Server, classifier: Classifier, programs: "Programs") -> None:
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
        return fields_of(await programs.answer_one(request, classifier.classify, picture))

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
            extent: two maps, twice as fine, above 0 where the picture looks like what speaks for the label
            signature: numbers that are alike on two pictures of one pet
        """
        return fields_of_explanation(await programs.answer_one(request, classifier.explain, picture))

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
        return [
            {"error": f"{each.code}: {each}"} if isinstance(each, ImageError) else fields_of(each)
            for each in await programs.answer(request, classifier.classify, pictures)
        ]


def router(uploads: Uploads) -> APIRouter:
    """Where programs upload, as Gradio's clients do it."""
    routes = APIRouter()

    @routes.post("/gradio_api/upload")
    async def upload(request: WebRequest) -> Response:
        try:
            return JSONResponse(await uploads.receive(request))
        except UploadError as error:
            return JSONResponse({"problem": error.code, "detail": error.sentence}, error.status)
        except ClientDisconnect:
            return Response()  # which nobody receives

    return routes


class Programs:
    """Answers programs: while they listen, in their turn, and about what they have sent alone."""

    def __init__(self, turns: Turns, listening: Listening, uploads: Uploads) -> None:
        self._turns, self._listening, self._uploads = turns, listening, uploads
        self._fetchers = asyncio.Semaphore(fetch.AT_ONCE)

    async def answer_one(self, request: Request, work: Callable[..., list[Any]], picture: Any) -> Any:
        """As `answer`, for a single picture, whose ImageError is raised as a gradio.Error."""
        [answer] = await self.answer(request, work, [picture])
        if isinstance(answer, ImageError):
            raise refusal(answer.code, str(answer))
        return answer

    async def answer(self, request: Request, work: Callable[..., list[Any]], pictures: list[Any]) -> list[Any]:
        """What the classifier's method `work` says of each picture, or its ImageError.

        Args:
            pictures: as the program sent them.

        Raises:
            gradio.Error: `code: sentence`, for what is no picture, and where too many are waiting.
        """
        sources = [self.source_of(each) for each in pictures]
        if sum(map(is_address, sources)) > fetch.MAX_ADDRESSES:
            raise refusal("too-many", f"Send at most {fetch.MAX_ADDRESSES} addresses at a time.")
        visitor = visitor_at(request.client and request.client.host)
        in_turns = partial(self._in_turns, visitor, work, sources)
        try:
            return await self._listening.answer(str(request.session_hash), in_turns)
        except Busy as error:
            raise refusal("busy", "Too many are waiting. Please try again in a moment.") from error
        except UnheardError as error:
            raise refusal("unheard", "Nobody listened for the answer.") from error

    async def _in_turns(self, visitor: str, work: Callable[..., list[Any]], sources: list[str]) -> list[Any]:
        fetching = Fetching(self._fetchers)
        found: list[Any] = []
        with self._turns.place(visitor):
            for start in range(0, len(sources), CHUNK):
                contents = [await content_of(each, fetching) for each in sources[start : start + CHUNK]]
                usable = [each for each in contents if not isinstance(each, ImageError)]
                pixels = sum([await self._turns.measure(each) for each in usable])
                said = iter(await self._turns.turn(visitor, pixels, partial(work, usable, errors="return")))
                found += [each if isinstance(each, ImageError) else next(said) for each in contents]
        return found

    def source_of(self, sent: Any) -> str:
        """Where a picture is: the path of an upload, a `data:` URL or an address; never a path of the program's choice.

        Args:
            sent: a `data:` URL or an address, or a file as Gradio's clients describe it: `{"path": ..., "url": ...}`.

        Raises:
            gradio.Error: for anything else.
        """
        said = [sent.get("path"), sent.get("url")] if isinstance(sent, dict) else [sent]
        for each in said:
            if not isinstance(each, str):
                continue
            if each.startswith("data:") or is_address(each):
                return each
            if path := self._uploads.path_of(each):
                return str(path)
        if sent is None:
            raise refusal("missing", "No picture was sent.")
        raise refusal("missing", "Send a picture as an upload, as an address or as a data: URL.")


async def content_of(source: str, fetching: Fetching) -> str | bytes | ImageError:
    """What the classifier opens: the same, or the bytes at an address, or why there are none."""
    if not is_address(source):
        return source
    try:
        return await fetching.fetch(source)
    except FetchError as error:
        return ImageError("missing", str(error))


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
        "extent": explanation.extent.tolist(),
        "signature": explanation.signature.tolist(),
    }
