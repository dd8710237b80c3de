"""The endpoints for programs: /classify and /explain."""

from __future__ import annotations

from typing import Any

import gradio as gr

from catdog.classifier import Classifier, Explanation, Prediction
from catdog.images import ImageError
from catdog.page.picture import RawImage


def build(classifier: Classifier) -> None:
    """Endpoints over HTTP and MCP; they have no place on the page."""

    def classify_picture(picture: str) -> dict[str, Any]:
        """Say whether a picture shows a cat, a dog, both or neither, with a calibrated probability for each label."""
        return classify(classifier, picture)

    def explain_picture(picture: str) -> dict[str, Any]:
        """Classify a picture and show where: evidence maps in logits (cat, dog), the seen part, boxes in pixels."""
        return explain(classifier, picture)

    with gr.Row(visible=False):
        picture, answer, button = RawImage(label="picture"), gr.JSON(label="answer"), gr.Button()
        button.click(classify_picture, picture, answer, api_name="classify", show_progress="hidden")
        button.click(explain_picture, picture, answer, api_name="explain", show_progress="hidden")


def classify(classifier: Classifier, source: str | None) -> dict[str, Any]:
    return fields_of(answered(classifier.classify, source))


def explain(classifier: Classifier, source: str | None) -> dict[str, Any]:
    return fields_of_explanation(answered(classifier.explain, source))


def answered(method, source: str | None):
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
