"""Weights of other programs: the state dict of a ResNet in what they saved, under torchvision's names, cat first."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from catdog.files import HOW_TO_MAKE, CheckpointError, check_weights
from catdog.images.names import in_short
from catdog.labels import LABELS
from catdog.resnet import ARCHITECTURES, Architecture

STEM = (64, 3, 7, 7)  # the shape of the first convolution of every ResNet for photos
MOST_CLASSES = 10**6
DEEPEST = 4  # dicts within dicts that are looked through
CLASS_KEYS = (
    "class_to_idx",  # torchvision's ImageFolder
    "idx_to_class",
    "classes",
    "class_names",
    "categories",
    "labels",
    "label2id",  # transformers
    "id2label",
)
MEANINGS = {"cat": "cat", "cats": "cat", "猫": "cat", "dog": "dog", "dogs": "dog", "狗": "dog"}

# Saved beside a network, and no part of it: how many weights were averaged, and the loss's weights of the classes.
NOT_THE_NETWORK = re.compile(r"(.+\.)?n_averaged|(criterion|loss|loss_fn|loss_func)\..+")
FIRST = re.compile(r"(?P<prefix>(?:.+\.)??)(?P<stem>conv1|(?:conv1|stem|layer0)\.0|0)\.weight")
CHILDREN = {
    "0": "conv1",
    "1": "bn1",
    "4": "layer1",
    "5": "layer2",
    "6": "layer3",
    "7": "layer4",
}  # in torchvision's order
BLOCK = r"^(layer\d\.\d+\.)"
NAMES = [  # tutorials' names -> torchvision's
    (r"^(?:conv1|stem|layer0)\.0\.(?=[^.]+$)", r"conv1."),
    (r"^(?:conv1|stem|layer0)\.1\.(?=[^.]+$)", r"bn1."),
    (BLOCK + r"conv(\d)\.0\.", r"\1conv\2."),
    (BLOCK + r"conv(\d)\.1\.", r"\1bn\2."),
    (BLOCK + r"(?:batch_?norm|norm)(\d)\.", r"\1bn\2."),
    (BLOCK + r"(?:identity_)?(?:shortcut|skip|projection|downsample)\.(?:0|conv\d?)\.", r"\1downsample.0."),
    (BLOCK + r"(?:identity_)?(?:shortcut|skip|projection|downsample)\.(?:1|bn\d?)\.", r"\1downsample.1."),
]
BODY = re.compile(r"(conv1|bn1|layer[1-4])\.")


@dataclass(frozen=True)
class StateDict:
    """Weights under torchvision's names, as far as they could be named."""

    tensors: dict[str, Tensor]
    remark: str  # what was decided about them, in a clause


def state_dict_in(content: Any, path: Path, labels: Sequence[str] | None = None) -> StateDict:
    """The state dict of a network in what a program saved, its last layer as two outputs, cat and dog.

    Args:
        content: nested dicts, or lists, with tensors somewhere in them, and perhaps the classes' names.
        path: for errors.
        labels: `("cat", "dog")` or `("dog", "cat")`: which output comes first; without it, as the file says, or cat.

    Raises:
        CheckpointError: where there are no weights, or the outputs are named and are no cat and dog.
    """
    found = dict(state_dicts(content))
    check_weights(
        path, sum(4 * tensor.numel() for tensors in found.values() for tensor in tensors.values())
    )  # in float32
    if not found:
        raise CheckpointError(f"{path} holds no state_dict of tensors: save network.state_dict().")
    named = {key: torchvision_names(tensors) for key, tensors in found.items()}
    fitting = [key for key, tensors in named.items() if "layer4.0.conv1.weight" in tensors]
    key = fitting[0] if fitting else max(named, key=lambda key: len(named[key]))
    tensors, remarks = with_absorbed_biases(named[key]), []
    if len(fitting) > 1:
        remarks.append(f"the weights under {key} are taken, not those under {' or '.join(fitting[1:])}")
    if (outputs := outputs_of(tensors)) == 1:  # the sigmoid of z is the softmax of -z / 2 and z / 2
        weight, bias = tensors["fc.weight"].float() / 2, tensors["fc.bias"].float() / 2
        tensors |= {"fc.weight": torch.cat([-weight, weight]), "fc.bias": torch.cat([-bias, bias])}
    if outputs in (1, len(LABELS)):
        order, why = label_order(content, path, labels)
        if order != LABELS:
            tensors |= {name: tensors[name].flip(0) for name in ("fc.weight", "fc.bias")}
        means = f"its one output is the logit of {order[1]}" if outputs == 1 else f"its outputs are {', '.join(order)}"
        remarks.append(f"{means} ({why})")
    return StateDict(tensors, "; ".join(remarks))


def mappings_in(content: Any) -> Iterator[tuple[str, Mapping[Any, Any]]]:
    """Every dict within nested dicts and lists, once, by the keys that lead to it: a few bytes of a pickle can name one list
    a thousand times in each of a thousand others."""
    seen: set[int] = set()

    def walk(value: Any, key: str, depth: int) -> Iterator[tuple[str, Mapping[Any, Any]]]:
        if depth > DEEPEST or id(value) in seen or not isinstance(value, (list, tuple, Mapping)):
            return
        seen.add(id(value))
        inner = value if isinstance(value, Mapping) else dict(enumerate(value))
        yield key, inner
        for name, each in inner.items():
            yield from walk(each, f"{key}.{in_short(name)}".lstrip("."), depth + 1)

    return walk(content, "", 0)


def state_dicts(content: Any) -> Iterator[tuple[str, dict[str, Tensor]]]:
    """Every dict of tensors, by the keys that lead to it: `model`, `checkpoint.state_dict`."""
    for key, mapping in mappings_in(content):
        tensors = {name: value for name, value in mapping.items() if isinstance(name, str) and is_tensor(value)}
        if tensors:
            yield key, tensors


def is_tensor(value: object) -> bool:
    return isinstance(value, Tensor) and is_plain(value)


def is_plain(tensor: Tensor) -> bool:
    """Whether a tensor holds real numbers, one after the other: it is not sparse, quantized, complex or without data."""
    plain = tensor.layout == torch.strided and tensor.device.type == "cpu"
    return plain and not (tensor.is_quantized or tensor.is_nested or tensor.is_complex())


def torchvision_names(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A ResNet's tensors by torchvision's names, whatever wraps them; what has no such name keeps its own.

    The first convolution tells the prefix that all have in common. Layers without weights before the last one (dropout,
    flatten) change its name only, and not what the network answers.
    """
    firsts = [
        match
        for name, tensor in tensors.items()
        if (match := FIRST.fullmatch(name))
        and (tensor.shape == STEM or (match["stem"] == "conv1" and tensor.ndim == 4 and tensor.shape[1] <= STEM[1]))
    ]
    if not firsts:
        return dict(tensors)
    prefix = firsts[0]["prefix"]
    others = tuple(match["prefix"] for match in firsts if match["prefix"] and not prefix.startswith(match["prefix"]))
    inner = {name.removeprefix(prefix): name for name in tensors if not name.startswith(others)}
    from_zero = any(name.startswith("layer0.0.conv") for name in inner)
    renamed: dict[str, Tensor] = {}
    for inside, name in inner.items():
        new = torchvision_name(inside, from_zero, firsts[0]["stem"] == "0")
        if BODY.match(new):
            renamed[new] = tensors[name]
        elif not NOT_THE_NETWORK.fullmatch(inside):
            renamed[name] = tensors[name]
    return with_head(renamed)


def torchvision_name(name: str, from_zero: bool, children: bool) -> str:
    """A layer's name in torchvision's network.

    Args:
        name: without the common prefix.
        from_zero: stages are layer0 to layer3.
        children: the layers stand in one `nn.Sequential`, by number.
    """
    if children:
        number, dot, rest = name.partition(".")
        name = CHILDREN.get(number, number) + dot + rest
    for pattern, replacement in NAMES:
        name = re.sub(pattern, replacement, name)
    if from_zero:
        name = re.sub(r"^layer([0-3])\.", lambda match: f"layer{int(match[1]) + 1}.", name)
    return name


def with_head(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The last layer under `fc`, where what is no part of the body is one linear layer, called what it may be."""
    layers = [name for name, tensor in tensors.items() if not BODY.match(name) and tensor.ndim == 2]
    if len(layers) != 1 or not layers[0].endswith("weight"):
        return tensors
    weight = tensors.pop(layers[0])
    bias = tensors.pop(layers[0].removesuffix("weight") + "bias", torch.zeros(len(weight)))
    return tensors | {"fc.weight": weight, "fc.bias": bias}


def outputs_of(tensors: Mapping[str, Tensor]) -> int:
    """How many outputs the last layer has; 0 where it is no linear layer."""
    weight, bias = tensors.get("fc.weight"), tensors.get("fc.bias")
    if weight is None or bias is None or weight.ndim != 2 or bias.shape != weight.shape[:1]:
        return 0
    return len(weight)


def with_absorbed_biases(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Without biases of convolutions, which the batch norm behind each takes into its running mean: (x + b) - (mean + b)."""
    tensors = dict(tensors)
    for name in list(tensors):
        if not (match := re.fullmatch(r"(.*)(?:conv(\d)|downsample\.0)\.bias", name)) or not BODY.match(name):
            continue
        mean = f"{match[1]}{f'bn{match[2]}' if match[2] else 'downsample.1'}.running_mean"
        if mean in tensors and tensors[mean].shape == tensors[name].shape:
            tensors[mean] = tensors[mean].float() - tensors.pop(name).float()
    return tensors


def label_order(content: Any, path: Path, said: Sequence[str] | None) -> tuple[tuple[str, ...], str]:
    """Which label each of two outputs has, and how that is known."""
    if said is not None:
        return tuple(said), "as --labels says"
    for key, names in class_names(content):
        order = tuple(MEANINGS.get(name.strip().lower(), name) for name in names)
        if sorted(order) == sorted(LABELS):
            return order, f"as {key} says"
        if len(order) == 2:
            raise CheckpointError(
                f"{path} calls its outputs {' and '.join(map(in_short, names))}: "
                "say which is which with --labels cat,dog or dog,cat."
            )
    return LABELS, "not said in the file: give --labels dog,cat if it is the other way round"


def class_names(content: Any) -> Iterator[tuple[str, list[str]]]:
    """The key and the names of classes, in the order of the outputs, wherever a file has some."""
    for _, mapping in mappings_in(content):
        for key, value in mapping.items():
            if key in CLASS_KEYS and (names := in_order(value)):
                yield key, names


def in_order(value: Any) -> list[str]:
    """Names from a list, from name -> index, from index -> name, or from any of these as text (safetensors)."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            value = value.split(",")
    if isinstance(value, Mapping):
        numbered = [pair for item in value.items() for pair in (item, item[::-1]) if is_index(pair[0])]
        value = [name for _, name in sorted(numbered, key=lambda pair: int(pair[0]))]
    return list(value) if isinstance(value, (list, tuple)) and all(isinstance(name, str) for name in value) else []


def is_index(value: object) -> bool:
    """Whether a class's number, or its text; nothing of a thousand digits, which Python does not read."""
    return (type(value) is int and 0 <= value < MOST_CLASSES) or (
        isinstance(value, str) and value.isdecimal() and len(value) < len(str(MOST_CLASSES))
    )


def architecture_of(tensors: Mapping[str, Tensor], path: Path) -> Architecture:
    """The name of the architecture, one of `ARCHITECTURES`, that tensors fit with two outputs.

    Raises:
        CheckpointError: where none does, saying what differs.
    """
    start = f"{path} does not fit a ResNet-18, -34 or -50 with two outputs"
    if "layer4.0.conv1.weight" not in tensors:
        raise CheckpointError(
            f"{start}: it is no such ResNet, its weights are called {', '.join(map(in_short, list(tensors)[:3]))}; {HOW_TO_MAKE}"
        )
    wanted: dict[Architecture, dict[str, torch.Size]] = {}
    for architecture, make in ARCHITECTURES.items():
        with torch.device("meta"):
            parameters = make().state_dict()
        wanted[architecture] = {name: parameters[name].shape for name in parameters if "num_batches" not in name}
    nearest = min(wanted, key=lambda name: len(wanted[name].keys() ^ tensors.keys()))
    if difference := difference_from(wanted[nearest], tensors, path):
        raise CheckpointError(f"{start}: {difference}.")
    return nearest


def difference_from(wanted: Mapping[str, torch.Size], tensors: Mapping[str, Tensor], path: Path) -> str:
    """In a clause, the first thing that keeps tensors from fitting names and shapes; nothing where they fit."""
    if blocks(tensors) != blocks(wanted):
        return f"its stages have {', '.join(map(str, blocks(tensors)))} blocks"
    lacking = [name for name in wanted if name not in tensors]
    extra = [name for name in tensors if name not in wanted and "num_batches" not in name]
    if "fc.weight" in lacking:
        return (
            f"it has no single last layer, but {', '.join(map(in_short, extra[:9]))}"
            if extra
            else "it has no last layer"
        )
    if lacking:
        return f"it has no {lacking[0]}"
    if extra:
        return f"it also has {in_short(extra[0])}"
    for name, shape in wanted.items():
        if tensors[name].shape != shape and not name.startswith("fc."):
            return f"{name} is {dimensions(tensors[name].shape)} instead of {dimensions(shape)}"
    outputs = outputs_of(tensors)
    if not outputs or tensors["fc.weight"].shape[1] != wanted["fc.weight"][1]:
        return f"fc.weight is {dimensions(tensors['fc.weight'].shape)} instead of {dimensions(wanted['fc.weight'])}"
    if outputs != len(LABELS):
        return f"its last layer has {outputs} outputs; to make a checkpoint from it: train.py --data DIR --init {path}"
    return ""


def blocks(names: Iterable[str]) -> list[int]:
    """How many residual blocks each of the four stages has."""
    found = {match[0] for name in names if (match := re.match(r"layer[1-4]\.\d+\.", name))}
    return [sum(block.startswith(f"layer{stage}.") for block in found) for stage in range(1, 5)]


def dimensions(shape: torch.Size) -> str:
    return "x".join(map(str, shape)) or "a single number"
