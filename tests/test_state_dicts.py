"""Weights that other programs saved mean here what they meant there, or what differs is said."""

from __future__ import annotations

import copy
import io
import json
import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torchvision import models
from torchvision.models.resnet import BasicBlock

from catdog import load
from catdog.checkpoint import CheckpointError, Metadata, load_checkpoint, load_initial_weights, save_checkpoint
from catdog.resnet import ARCHITECTURES, ResidualBlock, ResNet, resnet18, resnet34, resnet50
from catdog.state_dicts import architecture_of, state_dict_in

PATH = Path("theirs.pth")
PICTURE = torch.linspace(-1, 1, 3 * 64 * 64).reshape(1, 3, 64, 64)
State = dict[str, Tensor]


@pytest.fixture(autouse=True)
def architectures(monkeypatch) -> None:
    """One block a stage instead of two, so that files are half as large."""
    monkeypatch.setitem(ARCHITECTURES, "resnet18", small)


def small(num_classes: int = 2) -> ResNet:
    return ResNet(ResidualBlock, (1, 1, 1, 1), num_classes)


@pytest.fixture(scope="module")
def state(tiny_network) -> State:
    return tiny_network.state_dict()


@pytest.fixture
def save(tmp_path) -> Callable[..., Path]:
    """Saves what a program has in memory, as torch.save does."""

    def write(content: Any, name: str = "theirs.pth") -> Path:
        torch.save(content, tmp_path / name)
        return tmp_path / name

    return write


@torch.inference_mode()
def logits_of(network: nn.Module) -> list[float]:
    return network(PICTURE)[0].tolist()


def answers(path: Path, **how: Any) -> list[float]:
    return logits_of(load_checkpoint(path, **how)[0])


def refusal(path: Path, **how: Any) -> str:
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(path, **how)
    assert path.name in str(caught.value) and "\n" not in str(caught.value)
    return str(caught.value)


def prefixed(state: State, prefix: str) -> State:
    return {prefix + name: tensor for name, tensor in state.items()}


def renamed(state: State, *patterns: tuple[str, str]) -> State:
    for pattern, replacement in patterns:
        state = {re.sub(pattern, replacement, name): tensor for name, tensor in state.items()}
    return state


def with_other_head(state: State, weight: Tensor, bias: Tensor) -> State:
    return state | {"fc.weight": weight, "fc.bias": bias}


def training_state(state: State) -> dict[str, Any]:
    """As Lightning, fastai and others save one: the optimizer's tensors, numbers of NumPy's, objects of their own."""
    return {
        "epoch": 3,
        "best_loss": np.float64(0.25),
        "history": np.arange(3),
        "arguments": io.StringIO,
        "optimizer_state_dict": {"state": {0: {"exp_avg": torch.ones(3)}}, "param_groups": [{"lr": 0.1}]},
        "state_dict": prefixed(state, "net."),
    }


# ---------------------------------------------------------------------------- the same network, by another name

SAVED = {
    "plain": lambda state: state,
    "under model_state_dict": lambda state: {"epoch": 3, "model_state_dict": state, "optimizer_state_dict": {}},
    "under model": lambda state: {"model": state, "epoch": 3},
    "under net": lambda state: {"net": state, "acc": 98.1},
    "under state_dict": lambda state: {"state_dict": state},
    "under weights": lambda state: {"weights": state},
    "under ema": lambda state: {"ema": state},
    "under a key of its own": lambda state: {"best_model_wts": state, "history": [0.1, 0.2]},
    "two dicts deep": lambda state: {"checkpoint": {"model": state}},
    "in a tuple": lambda state: (state, {"lr": 0.1}),
    "beside other tensors": training_state,
    "of DataParallel": lambda state: prefixed(state, "module."),
    "compiled": lambda state: prefixed(state, "_orig_mod."),
    "several prefixes": lambda state: prefixed(state, "_orig_mod.module.model.backbone."),
    "of a class of its own": lambda state: prefixed(state, "my_resnet."),
    "averaged": lambda state: {"n_averaged": torch.tensor(7), **prefixed(state, "module.")},
    "with its loss": lambda state: {**prefixed(state, "model."), "criterion.weight": torch.ones(2)},
    "dropout before the head": lambda state: renamed(state, (r"^fc\.", "fc.1.")),
    "a head before its softmax": lambda state: renamed(state, (r"^fc\.", "fc.0.")),
    "a head beside the backbone": lambda state: renamed(
        state, (r"^(?!fc)", "backbone."), (r"^fc\.", "classifier.head.")
    ),
    "children in a sequence": lambda state: renamed(
        state,
        (r"^conv1\.", "0."),
        (r"^bn1\.", "1."),
        (r"^layer(\d)", lambda match: str(int(match[1]) + 3)),
        (r"^fc\.", "10."),
    ),
    "shortcut": lambda state: renamed(state, ("downsample", "shortcut")),
    "shortcut of named layers": lambda state: renamed(
        state, (r"downsample\.0", "skip.conv"), (r"downsample\.1", "skip.bn")
    ),
    "identity_downsample": lambda state: renamed(state, ("downsample", "identity_downsample")),
    "stages from 0, layers in sequences": lambda state: renamed(
        state,
        (r"^conv1\.", "conv1.0."),
        (r"^bn1\.", "conv1.1."),
        (r"^layer(\d)\.", lambda match: f"layer{int(match[1]) - 1}."),
        (r"^(layer.*)conv(\d)\.", r"\1conv\2.0."),
        (r"^(layer.*)bn(\d)\.", r"\1conv\2.1."),
    ),
    "half precision": lambda state: {name: value.half() if value.ndim == 2 else value for name, value in state.items()},
}


@pytest.mark.parametrize("saved", SAVED.values(), ids=SAVED)
def test_a_resnet_loads_however_it_was_saved(tiny_network, state, save, saved):
    assert answers(save(saved(state))) == pytest.approx(logits_of(tiny_network), abs=1e-3)


@pytest.mark.parametrize("make", [resnet18, resnet34, resnet50])
def test_every_architecture_is_known_by_its_weights(save, make, monkeypatch):
    monkeypatch.setitem(ARCHITECTURES, "resnet18", resnet18)
    network = make().eval()
    path = save({"model": prefixed(network.state_dict(), "module.")})
    loaded, metadata = load_checkpoint(path)
    assert metadata.architecture == make.__name__
    assert (metadata.head, metadata.resize, metadata.real_negatives) == ("softmax", "crop", False)
    torch.testing.assert_close(loaded.state_dict(), network.state_dict(), atol=0, rtol=0)


@pytest.mark.parametrize("header", [None, {"format": "pt", "architecture": "resnet18"}])
def test_a_state_dict_may_be_a_safetensors_file_without_our_metadata(tmp_path, tiny_network, state, header):
    path = tmp_path / "theirs.safetensors"
    tensors = {name: tensor.contiguous() for name, tensor in prefixed(state, "model.").items()}
    safetensors.torch.save_file(tensors, path, header)
    assert answers(path) == pytest.approx(logits_of(tiny_network), abs=1e-5)


def test_an_old_torch_save_file_loads(tmp_path, tiny_network, state):
    torch.save({"model": state}, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    assert answers(tmp_path / "old.pth") == pytest.approx(logits_of(tiny_network), abs=1e-5)


def test_biases_of_convolutions_are_absorbed_by_the_batch_norm_behind_them(save):
    """torchvision's network with a bias in every convolution, as a tutorial that writes it out has it."""
    network = models.ResNet(BasicBlock, [1, 1, 1, 1], num_classes=2)
    for module in list(network.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.Conv2d):
                size, stride, padding = child.kernel_size, child.stride, child.padding
                biased = nn.Conv2d(child.in_channels, child.out_channels, size, stride, padding, bias=True)
                nn.init.normal_(biased.bias)
                setattr(module, name, biased)
    network.train()
    with torch.no_grad():
        network(torch.randn(4, 3, 64, 64))  # running statistics of its own
    network.eval()
    assert sum(isinstance(each, nn.Conv2d) and each.bias is not None for each in network.modules()) == 12
    path = save(renamed(network.state_dict(), ("downsample", "shortcut")))
    assert answers(path) == pytest.approx(logits_of(network), abs=1e-4)


def test_a_last_layer_without_a_bias_has_none(save, tiny_network, state):
    without = copy.deepcopy(tiny_network)
    nn.init.zeros_(without.fc.bias)
    path = save({name: tensor for name, tensor in state.items() if name != "fc.bias"})
    assert answers(path) == pytest.approx(logits_of(without), abs=1e-5)


def test_of_several_networks_the_first_is_taken_and_it_is_said(save, tiny_network, state, caplog):
    other = small().eval().state_dict()
    assert answers(save({"model": state, "model_ema": other})) == pytest.approx(logits_of(tiny_network), abs=1e-5)
    assert "the weights under model are taken, not those under model_ema" in caplog.text
    one = {**prefixed(state, "student."), **prefixed(other, "teacher.")}
    assert answers(save(one)) == pytest.approx(logits_of(tiny_network), abs=1e-5)


# ---------------------------------------------------------------------------- which output is which


def dog_first(state: State) -> State:
    return state | {name: state[name].flip(0) for name in ("fc.weight", "fc.bias")}


CLASSES = {
    "class_to_idx": {"class_to_idx": {"dog": 0, "cat": 1}},
    "idx_to_class": {"idx_to_class": {1: "cat", 0: "dog"}},
    "classes": {"classes": ["Dogs", "Cats"]},
    "class_names": {"class_names": ("dog", "cat")},
    "within the settings": {"hyper_parameters": {"classes": ["dog", "cat"]}},
    "Chinese": {"classes": ["狗", "猫"]},
}


@pytest.mark.parametrize("classes", CLASSES.values(), ids=CLASSES)
def test_the_order_of_the_outputs_is_read_from_the_file(save, tiny_network, state, caplog, classes):
    path = save({"model_state_dict": dog_first(state), **classes})
    assert answers(path) == pytest.approx(logits_of(tiny_network), abs=1e-5)
    assert "its outputs are dog, cat (as " in caplog.text


@pytest.mark.parametrize("text", ['{"dog": 0, "cat": 1}', '["dog", "cat"]', "dog,cat"])
def test_the_order_of_the_outputs_is_read_from_a_safetensors_header(tmp_path, tiny_network, state, text):
    path = tmp_path / "theirs.safetensors"
    tensors = {name: tensor.contiguous() for name, tensor in dog_first(state).items()}
    safetensors.torch.save_file(tensors, path, {"classes": text})
    assert answers(path) == pytest.approx(logits_of(tiny_network), abs=1e-5)


def test_the_order_of_the_outputs_can_be_said(save, tiny_network, state, caplog):
    path = save(dog_first(state))
    assert answers(path, labels=("dog", "cat")) == pytest.approx(logits_of(tiny_network), abs=1e-5)
    caplog.clear()
    assert answers(path) == pytest.approx(logits_of(tiny_network)[::-1], abs=1e-5)
    assert "give --labels dog,cat if it is the other way round" in caplog.text
    assert load(path, "cpu", labels=["dog", "cat"]).bias == pytest.approx(state["fc.bias"].numpy())


def test_what_is_said_of_the_outputs_counts_more_than_what_the_file_says(save, tiny_network, state):
    path = save({"model": dog_first(state), "classes": ["ants", "bees"]})
    assert answers(path, labels=("dog", "cat")) == pytest.approx(logits_of(tiny_network), abs=1e-5)


def test_outputs_that_are_called_something_else_are_refused(save, state):
    said = refusal(save({"model": state, "classes": ["ants", "bees"]}))
    assert "ants and bees" in said and "--labels" in said


@pytest.mark.parametrize("labels", [("cat",), ("cat", "cat"), ("cat", "fox"), "cat,dog"])
def test_labels_that_are_not_the_two_are_refused(state, labels):
    with pytest.raises(ValueError, match="labels is"):
        load(labels=labels)


def test_a_checkpoint_of_ours_keeps_its_own_labels(tmp_path, tiny_network):
    path = tmp_path / "ours.safetensors"
    save_checkpoint(path, tiny_network, Metadata())
    assert "says that its outputs are cat, dog: leave out --labels" in refusal(path, labels=("dog", "cat"))
    assert load_checkpoint(path, ("cat", "dog"))[1] == Metadata()


@pytest.mark.parametrize("labels", [None, ("dog", "cat")])
def test_one_logit_speaks_for_the_second_label_and_against_the_first(save, tiny_network, state, caplog, labels):
    """The sigmoid of one output is the softmax of minus a half and a half of it."""
    weight, bias = (state[name][1:] - state[name][:1] for name in ("fc.weight", "fc.bias"))
    cat, dog = answers(save(with_other_head(state, weight, bias)), labels=labels)
    expected = logits_of(tiny_network)
    logit = expected[1] - expected[0]  # of the second class
    assert (cat, dog) == pytest.approx((-logit / 2, logit / 2) if labels is None else (logit / 2, -logit / 2), abs=1e-4)
    assert f"its one output is the logit of {'dog' if labels is None else 'cat'}" in caplog.text


def test_what_is_taken_for_granted_is_logged_once_as_a_sentence(save, state, caplog, recwarn):
    load_checkpoint(save(state))
    [record] = caplog.records
    assert (record.name, record.levelno) == ("catdog.checkpoint", logging.WARNING)
    assert re.search("no metadata.*ResNet-18.*256.*224.*not calibrated.*thresholds", record.getMessage())
    assert not recwarn.list


# ---------------------------------------------------------------------------- what is another network


def altered(state: State, name: str, tensor: Tensor | None) -> State:
    return {key: value for key, value in state.items() if key != name} | ({} if tensor is None else {name: tensor})


OTHERS = {
    "breeds": (lambda state: with_other_head(state, torch.zeros(37, 512), torch.zeros(37)), "has 37 outputs"),
    "another family": (lambda _: models.mobilenet_v2(num_classes=2).state_dict(), "no such ResNet"),
    "deeper": (lambda _: models.resnet101(num_classes=2).state_dict(), "3, 4, 23, 3 blocks"),
    "wider": (lambda _: models.wide_resnet50_2(num_classes=2).state_dict(), "128x64x1x1 instead of 64x64x1x1"),
    "for small pictures": (lambda state: altered(state, "conv1.weight", torch.zeros(64, 3, 3, 3)), "64x3x3x3 instead"),
    "of gray pictures": (lambda state: altered(state, "conv1.weight", torch.zeros(64, 1, 7, 7)), "64x1x7x7 instead"),
    "without a head": (lambda state: altered(altered(state, "fc.weight", None), "fc.bias", None), "no last layer"),
    "without statistics": (
        lambda state: altered(state, "layer2.0.bn1.running_mean", None),
        "layer2.0.bn1.running_mean",
    ),
    "with a layer more": (lambda state: altered(state, "attention.scale", torch.zeros(3)), "also has attention.scale"),
    "with its own normalization": (lambda state: altered(state, "mean", torch.zeros(3)), "also has mean"),
    "with a deep head": (
        lambda state: renamed(state, (r"^fc\.", "fc.3.")) | {"fc.0.weight": torch.zeros(512, 512)},
        "no single last layer, but fc.3.weight, fc.3.bias, fc.0.weight",
    ),
}


@pytest.mark.parametrize(("saved", "said"), OTHERS.values(), ids=OTHERS)
def test_what_differs_is_said(save, state, saved, said):
    assert said in refusal(save(saved(state)))


@pytest.mark.parametrize(
    "content", [[1, 2], {"a": {"b": 1}}, {}, {0: torch.zeros(1)}, torch.zeros(2), "text", {"a": [{"b": None}]}]
)
def test_a_file_without_a_state_dict_is_refused(save, content):
    assert "no state_dict" in refusal(save(content))


# ---------------------------------------------------------------------------- to start training from


def test_training_starts_from_weights_however_they_were_saved(save, state):
    network = small()
    assert load_initial_weights(network, save({"model": prefixed(state, "module.backbone.")})) == ([], [])
    torch.testing.assert_close(network.state_dict(), state, atol=0, rtol=0)


def test_training_starts_from_a_body_whose_head_is_for_other_classes(save, state):
    network = small()
    head = network.fc.weight.clone()
    missing, unexpected = load_initial_weights(
        network, save(prefixed(with_other_head(state, torch.zeros(37, 512), torch.zeros(37)), "module."))
    )
    assert missing == unexpected == ["fc.bias", "fc.weight"]
    assert torch.equal(network.fc.weight, head) and torch.equal(network.conv1.weight, state["conv1.weight"])


def test_training_starts_from_a_head_in_our_order_of_labels(tmp_path, state):
    network, path = small(), tmp_path / "theirs.safetensors"
    tensors = {name: tensor.contiguous() for name, tensor in dog_first(state).items()}
    safetensors.torch.save_file(tensors, path, {"class_to_idx": json.dumps({"dog": 0, "cat": 1})})
    assert load_initial_weights(network, path) == ([], [])
    assert torch.equal(network.fc.weight, state["fc.weight"])


def test_weights_of_which_nothing_fits_are_no_start(save):
    with pytest.raises(CheckpointError, match="Nothing in .* fits"):
        load_initial_weights(small(), save(models.mobilenet_v2(num_classes=2).state_dict()))


@settings(max_examples=30, deadline=None, derandomize=True, database=None)
@given(data=st.data())
def test_changed_weights_are_read_or_refused_in_a_sentence(tiny_network, data):
    """In memory, as the file has them: any names, any shapes."""
    state = {f"net.{name}": tensor for name, tensor in tiny_network.state_dict().items()}
    for _ in range(data.draw(st.integers(1, 3))):
        name = data.draw(st.sampled_from(sorted(state)))
        tensor = state.pop(name)
        if data.draw(st.booleans()):
            shape = data.draw(st.lists(st.integers(0, 3), max_size=4))
            tensor = torch.zeros(shape, dtype=data.draw(st.sampled_from([torch.float32, torch.int64, torch.bool])))
        state[data.draw(st.sampled_from([name, "net.fc.weight", "fc.0.bias", "layer9", ""]))] = tensor
    try:
        found = state_dict_in(
            {"model": state, "classes": data.draw(st.sampled_from([None, 3, {}, ["dog", "cat"]]))}, PATH
        )
        architecture_of(found.tensors, PATH)
    except CheckpointError as error:
        assert PATH.name in str(error)
