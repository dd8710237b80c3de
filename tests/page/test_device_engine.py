"""The engine on the visitor's device prepares photos and reads answers as Python does, value by value."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from catdog.checkpoint import Metadata
from catdog.classifier import Classifier
from catdog.decision import probabilities_of, verdicts_of
from catdog.evidence import boxes_of, fine_map, strongest_places
from catdog.images import open_picture
from catdog.layers import layers_of
from catdog.page.inside import layers_told, passed
from catdog.transforms import EvaluationPreset

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="Node.js runs the page's JavaScript")
RESIZES = ("whole", "squash", "crop")


class Device:
    """The page's modules in Node.js."""

    def __init__(self, process: subprocess.Popen) -> None:
        self.process = process

    def __call__(self, question: str, **values: Any) -> dict[str, Any]:
        print(json.dumps({"question": question, **values}), file=self.process.stdin, flush=True)
        return json.loads(self.process.stdout.readline())


@pytest.fixture(scope="module")
def device(root) -> Iterator[Device]:
    command = ["node", str(root / "tests" / "page" / "device.js")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Device(process)
        process.stdin.close()


def packed(values: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode()


def unpacked(text: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), np.float32)


def maps_of(values: np.ndarray) -> dict[str, Any]:
    cat, dog = values.astype(np.float32)
    return {"cat": packed(cat), "dog": packed(dog), "height": cat.shape[0], "width": cat.shape[1]}


def assert_same_input(device: Device, picture: Image.Image, preset: EvaluationPreset) -> None:
    data = packed(np.asarray(picture.convert("RGBA")))
    options = {"size": preset.size, "resize": preset.resize}
    found = device("input", data=data, width=picture.width, height=picture.height, **options)
    expected = preset(picture).numpy()
    assert found["shape"] == list(expected.shape[1:])
    assert np.array_equal(unpacked(found["input"]).reshape(expected.shape), expected)


@pytest.mark.parametrize("resize", RESIZES)
@pytest.mark.parametrize("size", [(640, 427), (427, 640), (300, 300), (97, 1_200), (31, 9), (1, 1), (2_000, 1_500)])
def test_a_picture_becomes_the_same_input_to_the_last_bit(device, size, resize):
    picture = Image.effect_noise(size, 90).convert("RGB").transform(size, Image.Transform.AFFINE, (1, 0.1, 0, 0, 1, 0))
    assert_same_input(device, picture, EvaluationPreset(224, resize))


@pytest.mark.parametrize("side", [128, 192, 256, 448])
def test_photos_become_the_same_input_at_any_size(device, examples, side):
    for path in examples:
        assert_same_input(device, open_picture(path), EvaluationPreset(side))


@pytest.mark.parametrize("resize", RESIZES)
def test_shape_and_view_are_the_same_for_every_ratio(device, resize):
    rng = np.random.default_rng(0)
    for width, height in [(7, 7), (320, 256), *rng.integers(1, 5_000, (300, 2)).tolist()]:
        for size in (128, 224, 256):
            preset = EvaluationPreset(size, resize)
            found = device("shape", width=width, height=height, size=size, resize=resize)
            assert found == {"shape": list(preset.shape(width, height)), "view": list(preset.view(width, height))}


@pytest.mark.parametrize("shape", [(7, 7), (14, 20), (1, 2)])
def test_a_map_is_enlarged_alike(device, shape):
    values = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    size = (shape[1] * 16, shape[0] * 16)
    found = device("enlarged", values=packed(values), width=shape[1], height=shape[0], size=size)
    expected = fine_map(values, size)
    assert np.abs(unpacked(found["values"]).reshape(expected.shape) - expected).max() < 1e-6


@pytest.mark.parametrize("head", ["sigmoid", "softmax"])
def test_logits_become_the_same_probabilities_and_verdicts(device, head):
    metadata = Metadata(
        head=head, temperature=(1.3, 0.8), offset=(-0.2, 0.4), top_weight=(0.1, 0.2), present=0.5, both=0.3
    )
    calibration = {
        name: getattr(metadata, name)
        for name in ("head", "temperature", "offset", "top_weight", "present", "both", "box_threshold")
    }
    rng = np.random.default_rng(2)
    for shape in ((7, 7), (7, 10), (1, 1), (16, 8)):
        for scale in (0.1, 1, 30):
            evidence = rng.normal(scale=scale, size=(1, 2, *shape)).astype(np.float32)
            logits = evidence.sum((2, 3)) + 0.1
            expected = probabilities_of(logits, strongest_places(evidence), metadata.calibration())
            found = device(
                "prediction", logits=logits[0].tolist(), evidence=maps_of(evidence[0]), calibration=calibration
            )
            assert (found["cat"], found["dog"]) == pytest.approx(tuple(expected[0]), abs=1e-5)
            assert found["verdict"] == verdicts_of(expected, metadata.present, metadata.both)[0]


def test_boxes_are_the_same(device):
    rng = np.random.default_rng(3)
    for shape in ((14, 14), (14, 20), (16, 28)):
        for _ in range(30):
            extent = np.stack([blobs(rng, shape), blobs(rng, shape)])
            view = (0, 0, *rng.integers(50, 4_000, 2).tolist())
            expected = boxes_of(extent, view, 0.3)
            for values, box in zip(extent, expected):
                options = {"width": shape[1], "height": shape[0], "view": view, "threshold": 0.3}
                assert device("box", values=packed(values), **options)["box"] == (box and list(box))
            own = np.where(extent == extent.max(0), extent, 0)
            both = [box and list(box) for box in boxes_of(own, view, 0.3)]
            told = device("boxes", extent=maps_of(extent), verdict="both", view=view, threshold=0.3)
            assert [told["cat"], told["dog"]] == both
            told = device("boxes", extent=maps_of(extent), verdict="dog", view=view, threshold=0.3)
            assert told == {"cat": None, "dog": expected[1] and list(expected[1])}


def test_layers_are_told_alike(device, network18, examples):
    classifier = Classifier(network18, Metadata(input_size=64), torch.device("cpu"))
    for path in examples[:3]:
        told = layers_told(classifier, path.read_bytes())
        found = passed(classifier, classifier.open(path))
        names = [layer["name"] for layer in told["layers"]]
        features = dict(zip(names, found.outputs))
        for stage, (x, change) in enumerate(zip(found.shortcuts, found.changes), 1):
            features |= {f"shortcut{stage}": x, f"change{stage}": change}
        given = {name: {"data": packed(each.numpy()), "dims": list(each.shape)} for name, each in features.items()}
        mine = device("layers", found=given, known=[layer._asdict() for layer in layers_of(network18)])
        for layer, expected in zip(mine["layers"], told["layers"]):
            shown, others = layer.pop("shown"), expected.pop("shown")
            assert layer == expected
            assert [each["channel"] for each in shown] == [each["channel"] for each in others]
            for each, other in zip(shown, others):
                assert each["peak"] == pytest.approx(other["peak"])
                values, theirs = (np.frombuffer(base64.b64decode(one["values"]), np.uint8) for one in (each, other))
                assert np.abs(values.astype(int) - theirs).max() <= 1
        for block, expected in zip(mine["blocks"], told["blocks"]):
            assert (block["channel"], block["channels"]) == (expected["channel"], expected["channels"])
            assert block["scale"] == pytest.approx(expected["scale"], rel=1e-5)
            assert np.array(block["maps"]) == pytest.approx(np.array(expected["maps"]), abs=0.0051)


def blobs(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """A smooth map that is above 0 in some regions, or nowhere."""
    coarse = rng.normal(size=(4, 5)).astype(np.float32) - rng.choice([0, 5])
    return fine_map(coarse, shape[::-1]).astype(np.float32)
