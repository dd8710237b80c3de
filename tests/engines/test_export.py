"""The exported network gives the answers and the maps of the one in PyTorch."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from catdog.checkpoint import Metadata
from catdog.decision import probabilities_of, verdicts_of
from catdog.engines.onnx import MAX_DIFFERENCE, PREPROCESSING, ExportError, export_onnx, in_integers, largest_difference
from catdog.engines.onnx_inside import OUTPUTS, layered_model, shuffled_model
from catdog.evidence import evidence_and_logits, strongest_places
from catdog.images import open_picture
from catdog.layers import run_layers, shuffled

METADATA = Metadata(
    input_size=64, temperature=(1.25, 0.75), offset=(0.5, -0.25), top_weight=(0.1, 0.2), present=0.41, both=0.63
)


@pytest.fixture(scope="module")
def exported(tiny_network, tmp_path_factory) -> Path:
    for package in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(package, reason=f"{package} is not installed: pip install -r requirements-dev.txt")
    path = tmp_path_factory.mktemp("exported") / "net.onnx"
    export_onnx(tiny_network, METADATA, path)
    assert list(path.parent.iterdir()) == [path]
    return path


@pytest.fixture(scope="module")
def session(exported):
    import onnxruntime

    return onnxruntime.InferenceSession(str(exported), providers=["CPUExecutionProvider"])


def test_logits_and_evidence_are_pytorch_s_on_real_photos_of_any_shape(exported, tiny_network, examples):
    preset = METADATA.preset()
    photos = [preset(open_picture(path)).unsqueeze(0) for path in examples]
    assert len({photo.shape for photo in photos}) > 1
    assert largest_difference(tiny_network, exported, photos) < MAX_DIFFERENCE["float32"]


@pytest.mark.parametrize("shape", [(1, 32, 32), (3, 64, 64), (5, 64, 128), (2, 160, 96), (1, 448, 224)])
def test_batch_and_size_are_free(exported, tiny_network, shape):
    batch, height, width = shape
    pictures = torch.randn(batch, 3, height, width, generator=torch.Generator().manual_seed(0))
    assert largest_difference(tiny_network, exported, [pictures]) < MAX_DIFFERENCE["float32"]


@pytest.mark.parametrize(("weights", "share"), [("float16", 0.55), ("int8", 0.32)])
def test_weights_may_be_stored_smaller_and_answers_stay_about_the_same(network18, examples, tmp_path, weights, share):
    metadata = replace(METADATA, input_size=96)
    files = {name: tmp_path / f"{name}.onnx" for name in ("float32", weights)}
    for name, path in files.items():
        export_onnx(network18, metadata, path, name)
    whole, small = (path.stat().st_size for path in files.values())
    assert small < share * whole
    photos = [metadata.preset()(open_picture(path)).unsqueeze(0) for path in examples]
    assert 0 < largest_difference(network18, files[weights], photos) < MAX_DIFFERENCE[weights]


def test_the_evidence_adds_up_to_the_logits(session, tiny_network):
    pictures = torch.randn(2, 3, 96, 64, generator=torch.Generator().manual_seed(1)).numpy()
    logits, evidence = session.run(["logits", "evidence"], {"pictures": pictures})
    assert evidence.shape == (2, 2, 3, 2)
    assert evidence.sum((2, 3)) + tiny_network.fc.bias.detach().numpy() == pytest.approx(logits, abs=1e-4)


def test_another_network_is_seen_to_differ(exported, tiny_network):
    pictures = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(2))
    bias = tiny_network.fc.bias
    with torch.no_grad():
        bias += 0.01
        try:
            assert largest_difference(tiny_network, exported, [pictures]) == pytest.approx(0.01, rel=0.01)
        finally:
            bias -= 0.01


def test_the_file_says_how_a_photo_becomes_an_answer(session, examples):
    said = session.get_modelmeta().custom_metadata_map
    assert json.loads(said["labels"]) == ["cat", "dog"]
    assert "64 pixels on its short side" in said["preprocessing"]
    assert json.loads(said["mean"]) == pytest.approx(METADATA.mean)
    assert {
        "temperature",
        "offset",
        "top_weight",
        "present",
        "both",
        "evidence_scale",
        "probability",
        "verdict",
    } <= said.keys()
    temperature, offset, top_weight = (
        np.array(json.loads(said[name])) for name in ("temperature", "offset", "top_weight")
    )
    logits = np.array([[1.5, -2.0]])
    evidence = np.random.default_rng(0).normal(size=(1, 2, 4, 6)).astype(np.float32) / 24
    assert "largest 12.5% of a label's evidence" in said["probability"]
    strongest = np.sort(evidence.reshape(1, 2, 24), axis=2)[..., -3:].mean(2) * 24
    by_hand = 1 / (1 + np.exp(-((logits + top_weight * strongest) / temperature + offset)))
    ours = probabilities_of(logits, strongest_places(evidence), METADATA.calibration())
    assert by_hand == pytest.approx(ours)
    assert verdicts_of(ours, json.loads(said["present"]), json.loads(said["both"])) == ["cat"]


def test_the_words_for_a_photo_s_way_in_are_what_the_preset_does(examples):
    """By hand, from the words alone."""
    from torchvision.transforms.v2 import functional as F

    picture = open_picture(examples[0])
    assert picture.width > picture.height
    for resize, (height, width) in {
        "whole": (64, 32 * round(64 * picture.width / picture.height / 32)),
        "squash": (64, 64),
    }.items():
        assert "bilinear with antialiasing" in PREPROCESSING[resize]
        scaled = F.resize(F.pil_to_tensor(picture).float() / 255, [height, width], antialias=True)
        mean, std = torch.tensor(METADATA.mean).view(3, 1, 1), torch.tensor(METADATA.std).view(3, 1, 1)
        expected = (scaled - mean) / std
        ours = replace(METADATA, resize=resize).preset()(picture)
        assert ours.shape == expected.shape
        assert (ours - expected).abs().max() < 0.05  # Pillow rounds to 8 bits in between


@pytest.mark.parametrize("package", ["onnx", "onnxscript", "onnxruntime"])
def test_a_missing_package_is_named_with_the_command_that_installs_it(tiny_network, tmp_path, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ExportError, match=f"{package} is missing: pip install"):
        if package == "onnxruntime":
            largest_difference(tiny_network, tmp_path / "net.onnx", [])
        else:
            export_onnx(tiny_network, METADATA, tmp_path / "net.onnx")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_the_command_exports_the_shipped_network_and_checks_it(script, tmp_path, capsys):
    assert script("export", "--format", "onnx", "--out", tmp_path / "net.onnx") == 0
    assert "net.onnx: at most" in capsys.readouterr().out and (tmp_path / "net.onnx").stat().st_size > 40e6


def test_a_checkpoint_that_is_missing_is_one_sentence_and_status_2(script, tmp_path, capsys):
    assert script("export", "--checkpoint", tmp_path / "gone.safetensors") == 2
    said = capsys.readouterr().err
    assert said.startswith("export.py: There is no checkpoint") and len(said.splitlines()) == 1


def test_what_rounding_adds_to_one_weight_of_a_filter_it_takes_from_the_next():
    values = np.random.default_rng(0).normal(size=(64, 32, 3, 3)).astype(np.float32)
    numbers, scales = in_integers(values)
    assert numbers.dtype == np.int8 and scales.dtype == np.float16
    errors = (numbers * scales.astype(np.float32)).reshape(values.shape) - values
    step = scales.max().item()
    assert np.abs(errors).max() <= 1.02 * step  # rounded once, and what was carried
    for first in range(1, 32):
        assert np.abs(errors[:, :first].sum((1, 2, 3))).max() <= 1.02 * step, "of any number of weights in their order"


# ---------------------------------------------------------------------------- the tour's models


@pytest.fixture(scope="module", params=["float32", "int8"])
def tour(request, network18, tmp_path_factory) -> tuple[Path, float]:
    """A folder with the exported network and the models that read their weights there, and how near they are to PyTorch's."""
    folder = tmp_path_factory.mktemp("tour")
    export_onnx(network18, METADATA, folder / "network", request.param)
    stored = (folder / "network").read_bytes()
    (folder / "layers.onnx").write_bytes(layered_model(network18, METADATA, request.param, stored, "network"))
    (folder / "shuffled.onnx").write_bytes(shuffled_model(network18, stored, "network"))
    return folder, {"float32": 1e-4, "int8": 0.05}[request.param]


def test_the_layered_network_gives_what_pytorch_finds_on_the_way(tour, network18, examples):
    import onnxruntime

    folder, near = tour
    session = onnxruntime.InferenceSession(str(folder / "layers.onnx"))
    picture = METADATA.preset()(open_picture(examples[0]))[None]
    change, shortcut = torch.ones(8), torch.ones(8)
    change[2] = shortcut[5] = 0
    given = {"pictures": picture.numpy(), "change": change.numpy(), "shortcut": shortcut.numpy()}
    found = dict(zip(OUTPUTS, session.run(OUTPUTS, given)))
    with torch.inference_mode():
        expected = run_layers(network18, picture, change, shortcut)
    pairs = [
        (found["logits"], expected.logits),
        (found["evidence"], expected.evidence),
        (found["sizes"], expected.sizes),
    ]
    pairs += zip([found[name] for name in ("stem", "stage1", "stage2", "stage3", "stage4")], expected.outputs)
    for stage in range(4):
        pairs.append((found[f"shortcut{stage + 1}"], expected.shortcuts[stage]))
        pairs.append((found[f"change{stage + 1}"], expected.changes[stage]))
    for ours, theirs in pairs:
        assert ours.shape == theirs.shape
        assert np.abs(ours - theirs.numpy()).max() <= near * float(theirs.abs().max())


def test_the_shuffled_network_has_the_same_order_of_weights(tour, network18, examples):
    import onnxruntime

    folder, near = tour
    session = onnxruntime.InferenceSession(str(folder / "shuffled.onnx"))
    picture = METADATA.preset()(open_picture(examples[0]))[None]
    logits, evidence = session.run(["logits", "evidence"], {"pictures": picture.numpy()})
    with torch.inference_mode():
        maps, expected = evidence_and_logits(shuffled(network18), picture)
        _, learned = evidence_and_logits(network18, picture)
    assert np.abs(logits - expected.numpy()).max() <= near * float(expected.abs().max())
    assert np.abs(evidence - maps.numpy()).max() <= near * float(maps.abs().max())
    assert np.abs(logits - learned.numpy()).max() > 1, "another order, another answer"


def test_the_tour_s_models_hold_no_weights(tour):
    folder, _ = tour
    sizes = {path.name: path.stat().st_size for path in folder.iterdir()}
    assert max(sizes["layers.onnx"], sizes["shuffled.onnx"]) < 100_000 < sizes["network"] / 100
