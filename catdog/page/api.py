"""What programs use: the endpoints /classify, /explain and /classify_many, also MCP tools, and the address /health."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import gradio as gr
from gradio.data_classes import FileData, GradioRootModel
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from catdog.classifier import Classifier, Explanation, Prediction
from catdog.images import ImageError
from catdog.page.many import MAX_PHOTOS, RawFiles
from catdog.page.picture import RawImage

Answer = TypeVar("Answer", Prediction, Explanation)


class PictureList(GradioRootModel):
    """Uploads, or `data:` URLs."""

    root: list[FileData | str]


class RawPictures(RawFiles):
    """Several pictures: Gradio's MCP tools know single files only, so an assistant sends these as `data:` URLs."""

    def __init__(self, **options: Any) -> None:
        super().__init__(file_count="multiple", **options)
        self.data_model = PictureList

    def api_info(self) -> dict[str, Any]:
        return {"type": "array", "items": {"type": "string", "description": "a file, or a data: URL"}}

    def preprocess(self, payload: Any) -> Any:
        sent = payload.root if payload else []
        if any(isinstance(each, str) and not each.startswith("data:") for each in sent):
            raise gr.Error("missing: Send pictures as files or as data: URLs.", print_exception=False)  # never a path
        return [(each[:5], each) if isinstance(each, str) else (each.orig_name or "", each.path) for each in sent]


def build(classifier: Classifier) -> None:
    """Endpoints over HTTP and MCP; they have no place on the page. An assistant knows them by name and docstring."""

    def classify(picture: str) -> dict[str, Any]:
        """
        Say whether a picture shows a cat, a dog, both or neither.

        Args:
            picture: a photo as JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF or HEIC.

        Returns:
            cat and dog: calibrated probabilities, each on its own
            verdict: cat, dog, both or neither
            logits: the raw scores for cat and dog
        """
        return classify_one(classifier, picture)

    def explain(picture: str) -> dict[str, Any]:
        """
        Classify a picture and show where the cat and the dog are.

        Args:
            picture: a photo as JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF or HEIC.

        Returns:
            prediction: what classify gives
            boxes: for cat and for dog, left, top, right, bottom in pixels, or null
            evidence: two maps, for cat and for dog, of what each place adds to the logit
            bias: what is left of the two logits
            view: the part of the picture that the network saw, in pixels
        """
        return explain_one(classifier, picture)

    def classify_many(pictures: list) -> list[dict[str, Any]]:
        """
        Say of each of many pictures whether it shows a cat, a dog, both or neither.

        Args:
            pictures: up to 500 photos; from an assistant, data: URLs.

        Returns:
            one object a picture, in order: what classify gives, or error, a code and a sentence, where it cannot be read
        """
        return classify_all(classifier, pictures)

    with gr.Row(visible=False):
        picture, answer, button = RawImage(label="picture", buttons=[]), gr.JSON(label="answer"), gr.Button()
        pictures = RawPictures(label="pictures")
        button.click(classify, picture, answer, api_name="classify", show_progress="hidden")
        button.click(explain, picture, answer, api_name="explain", show_progress="hidden")
        button.click(classify_many, pictures, answer, api_name="classify_many", show_progress="hidden")


def delete_what_assistants_send(page: gr.Blocks) -> None:
    """Gradio's MCP server writes a `data:` URL to a file, which it would never delete: have it deleted like an upload."""
    server: Any = page.mcp_server_obj
    if server is None:
        return
    convert = server.convert_strings_to_filedata

    def remembering(value: Any, positions: list[list[str | int]]) -> Any:
        converted = convert(value, positions)
        page.upload_file_set.update(
            each["path"]
            for each in converted.values()
            if isinstance(each, dict) and Path(each.get("path", "")).is_file()
        )
        return converted

    server.convert_strings_to_filedata = remembering


def classify_one(classifier: Classifier, source: str | None) -> dict[str, Any]:
    return fields_of(answered(classifier.classify, source))


def classify_all(classifier: Classifier, pictures: list[tuple[str, str]]) -> list[dict[str, Any]]:
    """The fields of each prediction, or its error as code and sentence: a broken picture does not stop the others."""
    if not pictures:
        raise gr.Error("missing: No picture was sent.", print_exception=False)
    if len(pictures) > MAX_PHOTOS:
        raise gr.Error(f"too-many: Send at most {MAX_PHOTOS} pictures at a time.", print_exception=False)
    answers = classifier.classify([path for _, path in pictures], errors="return")
    return [{"error": f"{each.code}: {each}"} if isinstance(each, ImageError) else fields_of(each) for each in answers]


def explain_one(classifier: Classifier, source: str | None) -> dict[str, Any]:
    return fields_of_explanation(answered(classifier.explain, source))


def answered(method: Callable[[list[str]], list[Answer]], source: str | None) -> Answer:
    """The single answer, its error as `code: sentence`."""
    try:
        if source is None:
            raise ImageError("missing", "No picture was sent.")
        [answer] = method([source])
        return answer
    except ImageError as error:
        raise gr.Error(f"{error.code}: {error}", print_exception=False) from error


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


async def health(request: Request) -> JSONResponse:
    """That the server answers; the network is not asked, so that a host may look often."""
    return JSONResponse({"status": "ok"})


ROUTES = [Route("/health", health)]
