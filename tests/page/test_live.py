"""The live tab without a browser."""

from __future__ import annotations

import asyncio
import io
import json
import tempfile
import threading
from base64 import b64encode

import numpy as np
import pytest
import torch
from PIL import Image

from catdog.checkpoint import Metadata
from catdog.classifier import Classifier
from catdog.page import live
from catdog.page.words import PROBLEM


@pytest.fixture(scope="module")
def classifier(tiny_network) -> Classifier:
    return Classifier(tiny_network, Metadata(input_size=64, evidence_scale=3.0), torch.device("cpu"))


@pytest.fixture(scope="module")
def frame(examples) -> Image.Image:
    return Image.open(examples[0]).resize((320, 240))


def encoded(picture: Image.Image) -> str:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=90)
    return b64encode(buffer.getvalue()).decode()


def test_a_frame_gets_the_answer_that_the_classifier_gives(classifier, frame):
    sent = encoded(frame)
    answer = live.answer_to(classifier, sent)
    [explanation] = classifier.explain([f"data:image/jpeg;base64,{sent}"])
    assert answer["verdict"] == explanation.prediction.verdict
    assert answer["cat"] == pytest.approx(explanation.prediction.cat, abs=1e-4)
    assert answer["dog"] == pytest.approx(explanation.prediction.dog, abs=1e-4)
    assert answer["view"] == [0, 0, 1, 1]
    height, width = answer["shape"]
    assert explanation.evidence.shape == (2, height, width)
    shares = np.clip(explanation.evidence * height * width / 3.0, 0, 1)
    for label, values in zip(("cat", "dog"), shares):
        assert answer["evidence"][label] == pytest.approx(values.ravel(), abs=0.005)


def test_an_answer_is_small(classifier, frame):
    assert len(json.dumps(live.answer_to(classifier, encoded(frame)))) < 2000


def test_what_the_network_does_not_see_is_left_out_of_the_view(tiny_network, frame):
    cropping = Classifier(tiny_network, Metadata(input_size=64, resize="crop"), torch.device("cpu"))
    left, top, right, bottom = live.answer_to(cropping, encoded(frame))["view"]
    assert 0 < left < right < 1 and 0 < top < bottom < 1


@pytest.mark.parametrize(
    "sent",
    ["", "no base64!", "bm90aGluZw==", "/9j/", "A" * (live.MAX_FRAME + 4), None, ["AAAA"]],
    ids=lambda sent: repr(sent)[:20],
)
def test_what_is_no_frame_is_a_code_and_no_exception(classifier, sent):
    answer = live.answer_to(classifier, sent)
    assert set(answer) == {"problem"} and answer["problem"] in PROBLEM


@pytest.mark.parametrize(
    ("format", "side", "problem"),
    [("BMP", 100, "unknown-type"), ("PNG", 100, "unknown-type"), ("JPEG", 1_100, "too-large")],
)
def test_a_frame_is_a_small_jpeg(classifier, monkeypatch, format, side, problem):
    """It is answered at once, beside the queue, so it must not take long."""
    monkeypatch.setattr(live, "open_picture", None)
    buffer = io.BytesIO()
    Image.new("RGB", (side, side)).save(buffer, format)
    assert live.answer_to(classifier, b64encode(buffer.getvalue()).decode()) == {"problem": problem}


def test_a_camera_more_than_may_wait_is_told_so_at_once(classifier, frame, monkeypatch):
    go_on = threading.Event()
    monkeypatch.setattr(live, "answer_to", lambda classifier, frame: go_on.wait(60) and {"verdict": "cat"})
    monkeypatch.setattr(live, "MAX_WAITING", 1)

    async def crowd() -> list[dict]:
        answer_frame = live.answering(classifier)
        early = [asyncio.create_task(answer_frame("")) for _ in range(live.AT_ONCE + 1)]
        await asyncio.sleep(0)
        late = await asyncio.wait_for(answer_frame(""), 10)
        go_on.set()
        return [late, *await asyncio.gather(*early)]

    late, *early = asyncio.run(crowd())
    assert late == {"problem": "busy"}
    assert early == [{"verdict": "cat"}] * (live.AT_ONCE + 1)


def test_a_frame_never_touches_the_disk(classifier, frame, monkeypatch):
    def refuse(*arguments, **options):
        raise AssertionError("a file was made")

    sent = encoded(frame)
    monkeypatch.setattr("builtins.open", refuse)
    monkeypatch.setattr(tempfile, "mkstemp", refuse)
    assert "verdict" in live.answer_to(classifier, sent)
