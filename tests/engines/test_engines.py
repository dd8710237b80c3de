"""Another engine gives the same answers and maps, from any thread, or says in one sentence why it cannot."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec

import numpy as np
import pytest
import torch
from folders import write_photos

import catdog
from catdog.checkpoint import Metadata, save_checkpoint
from catdog.classifier import Classifier, Prediction
from catdog.cli.benchmark.server import ask
from catdog.device import DeviceError
from catdog.engines import openvino as engines

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


@pytest.mark.slow
def test_letting_a_classifier_go_in_another_thread_leaves_signals_safe(root, tmp_path, network18):
    path = tmp_path / "net.safetensors"
    save_checkpoint(path, network18, Metadata(input_size=64))
    done = subprocess.run([sys.executable, "-c", LET_GO, path], cwd=root, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "a signal was handled\n"), done.stderr


LET_GO = """
import gc, signal, sys, threading
import catdog

held = [catdog.load(sys.argv[1], device="cpu", engine="openvino")]
other = threading.Thread(target=lambda: (held.clear(), gc.collect()))
other.start()
other.join()
signal.signal(signal.SIGCHLD, lambda *_: print("a signal was handled"))
signal.raise_signal(signal.SIGCHLD)
"""


@pytest.mark.parametrize("package", ["openvino", "onnx"])
def test_a_missing_package_is_told_with_the_command_that_installs_it(network18, tmp_path, monkeypatch, package):
    path = tmp_path / "net.safetensors"
    save_checkpoint(path, network18, Metadata(input_size=64))
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(DeviceError, match="pip install openvino onnx onnxscript"):
        catdog.load(path, engine="openvino")


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_a_processor_on_which_it_may_be_slower_is_told(tiny_network, monkeypatch):
    monkeypatch.setattr(engines, "has_fast_bfloat16", lambda: False)
    with pytest.warns(UserWarning, match="no instructions for bfloat16"):
        Classifier(tiny_network, Metadata(input_size=96), torch.device("cpu"), "openvino")


def test_it_runs_on_the_cpu_only():
    with pytest.raises(DeviceError, match="CPU only"):
        catdog.load(device="cuda", engine="openvino")


@pytest.fixture(scope="module")
def checkpoint(network18, tmp_path_factory):
    path = tmp_path_factory.mktemp("checkpoint") / "net.safetensors"
    save_checkpoint(path, network18, Metadata(input_size=96))
    return path


@pytest.fixture(scope="module")
def expected(checkpoint, examples) -> list[Prediction]:
    """PyTorch's answers for the examples."""
    return catdog.load(checkpoint, device="cpu").classify(examples)


@pytest.mark.slow
@pytest.mark.parametrize("more", [[], ["--ray"]], ids=["here", "in Ray's workers"])
def test_predict_gives_the_same_rows(script, checkpoint, expected, examples, tmp_path, more):
    if more and find_spec("ray") is None:
        pytest.skip("Ray is not installed: it has no wheels for every system")
    out = tmp_path / "rows.csv"
    options = ["--checkpoint", checkpoint, "--csv", out, "--engine", "openvino", "--device", "cpu"]
    assert script("predict", *examples, *options, *more) == 0
    with out.open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert [row["path"] for row in rows] == [str(path) for path in examples]
    for row, prediction in zip(rows, expected):
        assert [float(row[label]) for label in ("cat", "dog")] == pytest.approx(
            [prediction.cat, prediction.dog], abs=LOGITS / 4
        )
    cats = [float(row["cat"]) for row in rows]
    assert cats != [prediction.cat for prediction in expected], (
        "another engine's last digits differ, if not in every photo"
    )


@pytest.mark.slow
def test_evaluate_gives_the_same_figures(script, checkpoint, examples, tmp_path):
    photos = write_photos(tmp_path / "photos", examples, (12, 4, 4), side=96)
    losses = []
    for engine in ("torch", "openvino"):
        out = tmp_path / f"{engine}.json"
        command = ["--data", photos, "--split", "all", "--checkpoint", checkpoint, "--device", "cpu"]
        assert script("evaluate", *command, "--json", out, "--engine", engine) == 0
        losses.append(json.loads(out.read_text())["pets"]["two_way_log_loss"]["value"])
    assert losses[1] == pytest.approx(losses[0], abs=0.02)
    assert losses[1] != losses[0]


@pytest.mark.slow
def test_the_page_answers_with_it(run_app, checkpoint, expected, examples):
    address = run_app("--checkpoint", checkpoint, "--engine", "openvino", "--device", "cpu")
    answers = [ask(address, example) for example in examples]
    assert [answer["cat"] for answer in answers] == pytest.approx([each.cat for each in expected], abs=LOGITS / 4)
    assert [answer["cat"] for answer in answers] != [each.cat for each in expected]
