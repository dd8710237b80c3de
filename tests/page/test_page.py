"""What the page asks of the server: a photo or a frame in, codes and numbers out, and nothing kept."""

from __future__ import annotations

import base64
import io
import tempfile

import numpy as np
import pillow_heif
import pytest
import torch
from fastapi import FastAPI
from PIL import Image
from starlette.testclient import TestClient

from catdog import page
from catdog.checkpoint import Metadata
from catdog.classifier import Classifier
from catdog.labels import VERDICTS
from catdog.page import answers, uploads
from catdog.page.answers import PREVIEW_SIDE
from catdog.page.turns import Turns

FIELDS = {"prediction", "evidence", "extent", "bias", "view", "boxes", "size", "thresholds", "scale", "signature"}


@pytest.fixture(scope="module")
def classifier(tiny_network) -> Classifier:
    return Classifier(tiny_network, Metadata(input_size=64, evidence_scale=10, finer_scale=7), torch.device("cpu"))


@pytest.fixture(scope="module")
def visitor(classifier) -> TestClient:
    return TestClient(page.build(classifier), raise_server_exceptions=False)


def encoded(picture: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def test_a_photo_is_explained_as_the_classifier_does(visitor, classifier, examples):
    answer = visitor.post("/engine/explain", content=examples[1].read_bytes())
    assert answer.status_code == 200 and answer.headers["cache-control"] == "no-store"
    said = answer.json()
    [expected] = classifier.explain([examples[1]])
    assert set(said) == FIELDS
    assert said["prediction"]["verdict"] == expected.prediction.verdict
    assert said["prediction"]["logits"] == pytest.approx(expected.prediction.logits, abs=1e-4)
    assert np.array(said["evidence"]) == pytest.approx(expected.evidence, abs=1e-5)
    assert np.array(said["extent"]) == pytest.approx(expected.extent, abs=1e-3)
    assert np.array(said["evidence"]).sum((1, 2)) + said["bias"] == pytest.approx(
        said["prediction"]["logits"], abs=1e-3
    )
    assert said["view"] == list(expected.view) and said["size"] == list(Image.open(examples[1]).size)
    assert said["boxes"] == {label: box and list(box) for label, box in expected.boxes.items()}
    assert said["signature"] == pytest.approx(expected.signature, abs=1e-4)
    assert said["thresholds"] == {"both": 0.5, "neither": 0.5} and said["scale"] == classifier.metadata.evidence_scale


def test_an_answer_without_maps_is_the_same_answer(visitor, examples):
    photo = examples[0].read_bytes()
    brief, whole = (visitor.post(f"/engine/{name}", content=photo).json() for name in ("classify", "explain"))
    assert set(brief) == {"prediction", "size", "thresholds"}
    assert brief["prediction"]["logits"] == pytest.approx(whole["prediction"]["logits"], abs=1e-4)


def test_who_has_taught_a_pet_gets_signatures_of_frames_and_of_many_photos_too(
    visitor, classifier, examples, quadrants
):
    photo, frame = examples[0].read_bytes(), encoded(quadrants, "JPEG")
    for name, content, expected in (
        ("classify", photo, classifier.explain([photo])[0]),
        ("frame", frame, classifier.live.explain([frame])[0]),
    ):
        said = visitor.post(f"/engine/{name}?signature=1", content=content).json()
        assert said["prediction"]["logits"] == pytest.approx(expected.prediction.logits, abs=1e-4)
        assert said["signature"] == pytest.approx(expected.signature, abs=1e-4)


def test_the_size_and_the_view_are_those_of_the_upright_picture(visitor, quadrants):
    photo = encoded(quadrants, "JPEG", exif=exif_turned())
    said = visitor.post("/engine/explain", content=photo).json()
    assert said["size"] == [64, 96] and said["view"] == [0, 0, 64, 96]


def exif_turned() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown a quarter turn to the right
    return exif


def test_a_finer_map_is_twice_as_fine_and_no_finer_is_computed(visitor, examples):
    photo = examples[0].read_bytes()
    usual, finer = (visitor.post(f"/engine/explain{query}", content=photo).json() for query in ("", "?size=128"))
    assert np.array(finer["evidence"]).shape[1] == 2 * np.array(usual["evidence"]).shape[1]
    assert (usual["scale"], finer["scale"]) == (10, 7)
    for size in ("160", "65", "0", "-64", "64.0", "x", "9" * 500, ""):
        answer = visitor.post(f"/engine/explain?size={size}", content=photo)
        assert (answer.status_code, answer.json()) == (400, {"problem": "wrong-size"}), size


def test_a_picture_that_browsers_cannot_draw_comes_back_as_one_that_they_can(visitor):
    photo = Image.effect_noise((2400, 1200), 80).convert("RGB")
    buffer = io.BytesIO()
    pillow_heif.from_pillow(photo).save(buffer)
    said = visitor.post("/engine/explain?preview=1", content=buffer.getvalue()).json()
    kind, _, content = said["preview"].partition(",")
    preview = Image.open(io.BytesIO(base64.b64decode(content)))
    assert kind == "data:image/jpeg;base64" and preview.format == "JPEG"
    assert max(preview.size) <= PREVIEW_SIDE and preview.width == 2 * preview.height
    assert said["size"] == [2400, 1200]


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_a_frame_is_answered_in_few_digits(visitor, classifier, quadrants, kind):
    frame = encoded(quadrants, kind)
    answer = visitor.post("/engine/frame", content=frame)
    [expected] = classifier.live.explain([frame])
    assert set(answer.json()) == FIELDS - {"extent", "signature"}
    assert answer.json()["prediction"]["verdict"] == expected.prediction.verdict
    assert np.array(answer.json()["evidence"]) == pytest.approx(expected.evidence, abs=1e-4)
    assert len(answer.content) < 2_000


@pytest.mark.parametrize(
    ("size", "kind", "expected"),
    [((1100, 1000), "JPEG", (413, "too-large")), ((64, 64), "PNG", (400, "unknown-type"))],
)
def test_what_is_no_small_frame_is_refused(visitor, size, kind, expected):
    answer = visitor.post("/engine/frame", content=encoded(Image.new("RGB", size), kind))
    assert (answer.status_code, answer.json()["problem"]) == expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"no picture", (400, "unknown-type")),
        (b"", (400, "empty")),
        (encoded(Image.new("RGB", (400, 300)), "PNG")[:-200], (400, "damaged")),
        (encoded(Image.new("RGB", (2000, 20)), "PNG"), (400, "too-long")),
        (encoded(Image.new("1", (20_000, 10_000)), "PNG"), (413, "too-large")),
    ],
)
@pytest.mark.parametrize("route", ["explain", "classify"])
def test_a_photo_that_cannot_be_used_is_a_code(visitor, route, content, expected):
    answer = visitor.post(f"/engine/{route}", content=content)
    assert (answer.status_code, answer.json()) == (expected[0], {"problem": expected[1]})


@pytest.mark.parametrize(("route", "megabytes"), [("explain", 50), ("classify", 50), ("frame", 0.15)])
def test_a_body_that_is_too_large_is_refused(visitor, route, megabytes):
    answer = visitor.post(f"/engine/{route}", content=b"x" * int(megabytes * 2**20 + 1_000))
    assert (answer.status_code, answer.json()["problem"]) == (413, "too-large")


def test_a_photo_never_touches_the_disk(classifier, examples, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    opened = []
    monkeypatch.setattr("tempfile._TemporaryFileWrapper", opened.append, raising=False)
    visitor = TestClient(page.build(classifier))
    before = sorted(tmp_path.rglob("*"))
    big = encoded(Image.effect_noise((3000, 2000), 90).convert("RGB"), "PNG")
    assert len(big) > 2**22, "larger than what a web framework keeps in memory"
    for route in ("explain", "classify"):
        assert visitor.post(f"/engine/{route}", content=big).status_code == 200
    assert sorted(tmp_path.rglob("*")) == before and not opened


def test_an_unexpected_error_shows_nothing_of_the_server(visitor, classifier, monkeypatch, examples):
    def fail(*_, **__):
        raise RuntimeError("/secret/place/model.bin is gone")

    monkeypatch.setattr(classifier, "explain", fail)
    answer = visitor.post("/engine/explain", content=examples[0].read_bytes())
    assert (answer.status_code, answer.json()) == (500, {"problem": "failed"})


def test_where_too_many_wait_the_page_is_told_to_come_again(classifier, examples):
    app = FastAPI()
    app.include_router(answers.router(classifier, Turns(places=0)))
    for route in ("explain", "classify"):
        answer = TestClient(app).post(f"/engine/{route}", content=examples[0].read_bytes())
        assert (answer.status_code, answer.json()) == (503, {"problem": "busy"})


def test_what_a_checkpoint_cannot_say_is_told(tiny_network):
    def told(**metadata):
        classifier = Classifier(tiny_network, Metadata(input_size=64, **metadata), torch.device("cpu"))
        about = TestClient(page.build(classifier)).get("/about.json").json()
        return about["head"], about["negatives"]

    assert told() == ("binary", True)
    assert told(real_negatives=False) == ("binary", False)
    assert told(head="softmax")[0] == "softmax"


def test_uploads_of_programs_are_deleted_within_the_hour():
    assert uploads.KEEP_SECONDS + uploads.LOOK_SECONDS <= 3_600


def test_every_verdict_has_a_name(visitor, examples):
    said = {
        visitor.post("/engine/classify", content=each.read_bytes()).json()["prediction"]["verdict"] for each in examples
    }
    assert said <= set(VERDICTS.values())
