"""A tutorial's checkpoint at every command that takes one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch

from catdog import load
from catdog.resnet import resnet18


@pytest.fixture(scope="module")
def tutorial(tmp_path_factory, network18) -> Path:
    """Dog first, as its author knows and the file does not say."""
    path = tmp_path_factory.mktemp("theirs") / "tutorial.pth"
    swapped = {
        name: value.flip(0) if name.startswith("fc") else value for name, value in network18.state_dict().items()
    }
    torch.save({"epoch": 3, "model_state_dict": {f"module.{name}": value for name, value in swapped.items()}}, path)
    return path


def test_predict_takes_it_with_its_labels_and_says_once_what_it_is_taken_for(
    script, tutorial, examples, tmp_path, capsys
):
    said, answers = [], []
    for labels in ((), ("--labels", "dog,cat")):
        out = tmp_path / f"{len(labels)}.json"
        assert script("predict", examples[0], "--json", out, "--checkpoint", tutorial, *labels) == 0
        answers.append(json.loads(out.read_text())[0])
        [line] = capsys.readouterr().err.splitlines()
        said.append(line)
    assert answers[0]["cat"] == pytest.approx(answers[1]["dog"]) != answers[1]["cat"]
    [expected] = load(tutorial, "cpu", labels=("dog", "cat")).classify([examples[0]])
    assert answers[1]["cat"] == pytest.approx(expected.cat, abs=1e-6)
    assert all(line.startswith(f"{tutorial} has no metadata: taken for a ResNet-18") for line in said)
    assert "give --labels dog,cat" in said[0] and "as --labels says" in said[1]


def test_a_run_with_other_labels_does_not_go_on_with_an_earlier_one_s_rows(script, tutorial, examples, tmp_path):
    out = tmp_path / "answers.json"
    for labels in ("cat,dog", "dog,cat"):
        assert script("predict", examples[0], "--json", out, "--checkpoint", tutorial, "--labels", labels) == 0
    [expected] = load(tutorial, "cpu", labels=("dog", "cat")).classify([examples[0]])
    assert json.loads(out.read_text())[0]["cat"] == pytest.approx(expected.cat, abs=1e-6)


def test_evaluate_takes_it_with_its_labels(script, tutorial, examples, tmp_path, capsys):
    for path in examples:
        if (label := path.name.partition("-")[0]) in ("cat", "dog"):
            (tmp_path / "photos" / label).mkdir(parents=True, exist_ok=True)
            shutil.copy(path, tmp_path / "photos" / label)
    right = []
    for labels in ("cat,dog", "dog,cat"):
        arguments = ["--data", tmp_path / "photos", "--checkpoint", tutorial, "--json", tmp_path / "x.json"]
        assert script("evaluate", *arguments, "--labels", labels, "--report", tmp_path / "report") == 0
        right.append(json.loads((tmp_path / "x.json").read_text())["pets"]["two_way_accuracy"])
    assert right[0]["k"] + right[1]["k"] == right[0]["n"]
    assert "tutorial.pth, SHA-256" in (tmp_path / "report" / "index.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_export_takes_it_with_its_labels(script, tutorial, examples, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    out = tmp_path / "net.onnx"
    assert script("export", "--checkpoint", tutorial, "--labels", "dog,cat", "--out", out) == 0
    picture = torch.rand(1, 3, 224, 224)
    session = onnxruntime.InferenceSession(out)
    logits = next(
        value for value in session.run(None, {session.get_inputs()[0].name: picture.numpy()}) if value.ndim == 2
    )
    network = load(tutorial, "cpu", labels=("dog", "cat")).network
    assert logits[0] == pytest.approx(network(picture)[0].tolist(), abs=1e-3)


@pytest.mark.slow
def test_the_page_opens_with_it(run_app, tutorial):
    assert run_app("--checkpoint", tutorial, "--labels", "dog,cat", "--port", 7999)


@pytest.mark.parametrize("command", ["app", "predict", "evaluate", "export", "calibrate"])
def test_every_command_tells_what_it_cannot_load_in_one_line(script, command, tmp_path, examples, capsys):
    torch.save(resnet18(37).state_dict(), tmp_path / "breeds.pth")
    (tmp_path / "photos").mkdir()
    arguments = {"predict": [examples[0]], "evaluate": ["--data", "."], "calibrate": ["--data", "."]}.get(command, [])
    if command == "calibrate":
        arguments += ["--out", tmp_path / "out.safetensors"]
    assert script(command, *arguments, "--checkpoint", tmp_path / "breeds.pth") == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"{command}.py: ") and "has 37 outputs" in line


@pytest.mark.parametrize("command", ["predict", "evaluate", "export"])
def test_the_shipped_checkpoint_knows_its_own_labels(script, command, examples, capsys):
    arguments = {"predict": [examples[0]], "evaluate": ["--data", "."]}.get(command, [])
    assert script(command, *arguments, "--labels", "dog,cat") == 2
    assert "says that its outputs are cat, dog: leave out --labels" in capsys.readouterr().err


def test_labels_in_no_order_are_wrong_use(script, examples, capsys):
    assert script("predict", examples[0], "--labels", "cat,fox") == 2
    assert "dog,cat" in capsys.readouterr().err
