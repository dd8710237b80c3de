"""A camera's frames without a browser: small JPEGs or WebPs in, what the classifier says out, all cameras alike."""

from __future__ import annotations

import asyncio
import io
import tempfile

import httpx
import numpy as np
import pytest
import torch
from fastapi import FastAPI
from PIL import Image

from catdog.checkpoint import Metadata
from catdog.classifier import Classifier
from catdog.page import answers
from catdog.page.turns import Turns


@pytest.fixture(scope="module")
def classifier(tiny_network) -> Classifier:
    return Classifier(tiny_network, Metadata(input_size=64, evidence_scale=3.0), torch.device("cpu"))


@pytest.fixture(scope="module")
def frame(examples) -> Image.Image:
    return Image.open(examples[0]).convert("RGB").resize((320, 240))


def encoded(picture: Image.Image, kind: str = "JPEG") -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, quality=75)
    return buffer.getvalue()


def visitor(classifier: Classifier, address: str = "192.0.2.1") -> httpx.AsyncClient:
    """Someone at an address who asks a server of their own."""
    return visitors(classifier, [address])[0]


def visitors(classifier: Classifier, addresses: list[str]) -> list[httpx.AsyncClient]:
    """Some who ask the same server."""
    app = FastAPI()
    app.include_router(answers.router(classifier, Turns()))
    return [
        httpx.AsyncClient(transport=httpx.ASGITransport(app, client=(address, 1)), base_url="http://page")
        for address in addresses
    ]


def send(client: httpx.AsyncClient, content: bytes) -> httpx.Response:
    async def ask() -> httpx.Response:
        async with client:
            return await client.post("/engine/frame", content=content)

    return asyncio.run(ask())


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_a_frame_gets_the_answer_that_the_classifier_gives(classifier, frame, kind):
    content = encoded(frame, kind)
    response = send(visitor(classifier), content)
    assert response.status_code == 200
    answer = response.json()
    [explanation] = classifier.live.explain([content])
    prediction = explanation.prediction
    assert answer["prediction"]["verdict"] == prediction.verdict
    assert answer["prediction"]["cat"] == pytest.approx(prediction.cat, abs=1e-4)
    assert answer["prediction"]["dog"] == pytest.approx(prediction.dog, abs=1e-4)
    assert np.asarray(answer["evidence"]) == pytest.approx(explanation.evidence, abs=1e-4)
    assert answer["size"] == [320, 240]
    assert answer["view"] == [0, 0, 320, 240]
    assert answer["scale"] == 3.0


def test_an_answer_is_small(classifier, frame):
    assert len(send(visitor(classifier), encoded(frame)).content) < 4000


def test_what_the_network_does_not_see_is_left_out_of_the_view(tiny_network, frame):
    cropping = Classifier(tiny_network, Metadata(input_size=64, resize="crop"), torch.device("cpu"))
    left, top, right, bottom = send(visitor(cropping), encoded(frame)).json()["view"]
    assert 0 < left < right < 320 and 0 < top < bottom < 240


def claiming(side: int) -> bytes:
    """A small JPEG whose header says that it is large."""
    content = bytearray(encoded(Image.new("RGB", (16, 16))))
    start = content.index(b"\xff\xc0") + 5
    content[start : start + 4] = 2 * side.to_bytes(2, "big")
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "status", "problem"),
    [
        (b"", 400, None),
        (b"no picture", 400, "unknown-type"),
        (b"\xff\xd8\xff", 400, None),
        (encoded(Image.new("RGB", (320, 240), "red"))[:-300], 400, "damaged"),
        (encoded(Image.new("RGB", (100, 100)), "BMP"), 400, "unknown-type"),
        (encoded(Image.new("RGB", (100, 100)), "PNG"), 400, "unknown-type"),
        (encoded(Image.new("RGB", (100, 100)), "GIF"), 400, "unknown-type"),
        (encoded(Image.new("RGB", (2000, 10))), 400, "too-long"),
        (encoded(Image.new("RGB", (1100, 1100))), 413, "too-large"),
        (encoded(Image.new("RGB", (1100, 1100)), "WEBP"), 413, "too-large"),
        (claiming(12_000), 413, "too-large"),
        (claiming(65_000), 413, "too-large"),
    ],
    ids=lambda value: str(value)[:24],
)
def test_what_is_no_small_frame_is_a_code(classifier, content, status, problem):
    response = send(visitor(classifier), content)
    assert response.status_code == status
    told = response.json()
    assert set(told) == {"problem"}
    assert told["problem"] == problem or (problem is None and told["problem"] in ("empty", "damaged", "unknown-type"))


def test_a_frame_of_too_many_pixels_is_never_decoded(classifier, monkeypatch):
    """It is answered before photos are, so it must not take long."""
    monkeypatch.setattr(answers, "open_picture", None)
    assert send(visitor(classifier), encoded(Image.new("RGB", (1100, 1100)))).status_code == 413


def test_a_frame_never_touches_the_disk(classifier, frame, monkeypatch):
    def refuse(*arguments, **options):
        raise AssertionError("a file was made")

    client, content = visitor(classifier), encoded(frame)
    monkeypatch.setattr("builtins.open", refuse)
    monkeypatch.setattr(tempfile, "mkstemp", refuse)
    assert send(client, content).status_code == 200


def test_eight_cameras_get_about_as_many_answers_each(classifier, frame):
    content = encoded(frame)
    addresses = [f"192.0.2.{number // 2}" for number in range(8)]  # some live together

    async def film(client: httpx.AsyncClient, enough: asyncio.Event) -> int:
        """Two frames under way, as a quick page has them, until all have had enough."""
        answered = 0

        async def one_after_another() -> None:
            nonlocal answered
            while not enough.is_set():
                response = await client.post("/engine/frame", content=content)
                assert response.status_code == 200
                answered += 1
                total[0] += 1
                if total[0] >= 160:
                    enough.set()

        await asyncio.gather(one_after_another(), one_after_another())
        return answered

    total = [0]

    async def all_at_once() -> list[int]:
        enough = asyncio.Event()
        return await asyncio.gather(*(film(client, enough) for client in visitors(classifier, addresses)))

    counts = asyncio.run(all_at_once())
    assert max(counts) - min(counts) <= 6, counts
