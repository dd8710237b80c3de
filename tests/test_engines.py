"""Another engine gives the same answers and maps, from any thread, or says in one sentence why it cannot."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

import catdog
from catdog.checkpoint import Metadata, save_checkpoint
from catdog.classifier import Classifier
from catdog.device import DeviceError

LOGITS = 0.1  # how far bfloat16 may take them


@pytest.fixture(scope="module")
def both(network18) -> tuple[Classifier, Classifier]:
    metadata = Metadata(input_size=96)
    cpu = torch.device("cpu")
    return Classifier(network18, metadata, cpu), Classifier(network18, metadata, cpu, "openvino")


def test_answers_and_maps_are_pytorch_s_for_photos_of_any_shape(both, examples, quadrants):
    pictures = [*examples, quadrants.resize((60, 300))]
    for ours, theirs in zip(*(each.explain(pictures) for each in both)):
        assert theirs.prediction.logits == pytest.approx(ours.prediction.logits, abs=LOGITS)
        assert theirs.evidence.dtype == np.float32
        assert theirs.evidence == pytest.approx(ours.evidence, abs=LOGITS / 4)
        total = theirs.evidence.sum((1, 2)) + theirs.bias
        assert total == pytest.approx(theirs.prediction.logits, abs=1e-4)


def test_several_threads_get_the_answers_of_one(both, examples):
    _, classifier = both
    alone = [classifier.classify([example])[0].logits for example in examples]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda example: classifier.classify([example])[0].logits, [*examples] * 4))
    for index, logits in enumerate(together):
        assert logits == pytest.approx(alone[index % len(alone)], abs=1e-5)


@pytest.mark.parametrize("package", ["openvino", "onnx"])
def test_a_missing_package_is_told_with_the_command_that_installs_it(network18, tmp_path, monkeypatch, package):
    path = tmp_path / "net.safetensors"
    save_checkpoint(path, network18, Metadata(input_size=64))
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(DeviceError, match="pip install openvino onnx onnxscript"):
        catdog.load(path, engine="openvino")


def test_it_runs_on_the_cpu_only():
    with pytest.raises(DeviceError, match="CPU only"):
        catdog.load(device="cuda", engine="openvino")
