"""For the page's tour on a device: the network layer by layer, and with its weights in another order, as ONNX models that read
their weights from the file that answers photos."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from catdog.checkpoint import Metadata
from catdog.engines.onnx import Weights, exported
from catdog.layers import STAGES, STEP, blocks_of, run_layers
from catdog.resnet import ResNet, folded

SMALL = 256  # bytes: fewer stay in the model
OUTPUTS = [
    "evidence",
    "logits",
    *("stem", *(f"stage{stage}" for stage in STAGES)),
    *(f"shortcut{stage}" for stage in STAGES),
    *(f"change{stage}" for stage in STAGES),
    "sizes",
]


class LayeredNetwork(nn.Module):
    """What `run_layers` finds, as a flat tuple in the order of `OUTPUTS`."""

    def __init__(self, network: ResNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, pictures: Tensor, change: Tensor, shortcut: Tensor) -> tuple[Tensor, ...]:
        found = run_layers(self.network, pictures, change, shortcut)
        return (found.evidence, found.logits, *found.outputs, *found.shortcuts, *found.changes, found.sizes)


def layered_model(network: ResNet, metadata: Metadata, weights: Weights, stored: bytes, name: str) -> bytes:
    """An ONNX model with inputs `pictures` (batch, 3, height, width), `change` and `shortcut` (blocks,), and the outputs that
    `catdog.layers.Pass` describes.

    Args:
        weights: how `stored` has them.
        stored: the content of the exported network.
        name: what the model calls that file.
    """
    count = len(blocks_of(network))
    others = {"change": torch.ones(count), "shortcut": torch.ones(count)}  # one tensor for both would be one input
    return weightless(exported(LayeredNetwork(folded(network)), metadata, others, OUTPUTS, weights), stored, name)


def shuffled_model(network: ResNet, stored: bytes, name: str) -> bytes:
    """The exported network with the weights of its convolutions in another order, as `catdog.layers.shuffled` has them.

    Args:
        stored: the content of the exported network.
        name: what the model calls that file.
    """
    import onnx
    from onnx import helper, numpy_helper

    model = onnx.load_model_from_string(stored)
    shapes = {f"network.{each}": tuple(weight.shape) for each, weight in network.named_parameters()}
    nodes, constants = [], {"every": np.array([-1]), "zero": np.array(0), "one": np.array(1), "step": np.array(STEP)}
    for node in model.graph.node:
        if node.op_type != "Conv":
            nodes.append(node)
            continue
        weight, count = node.input[1], math.prod(shapes[node.input[1]])
        mine = {each: f"{weight}_{each}" for each in ("row", "places", "far", "order", "mixed", "again", "shuffled")}
        constants |= {f"count_{count}": np.array(count), mine["again"]: np.array(shapes[weight])}
        nodes += [
            helper.make_node("Reshape", [weight, "every"], [mine["row"]]),
            helper.make_node("Range", ["zero", f"count_{count}", "one"], [mine["places"]]),
            helper.make_node("Mul", [mine["places"], "step"], [mine["far"]]),
            helper.make_node("Mod", [mine["far"], f"count_{count}"], [mine["order"]]),
            helper.make_node("Gather", [mine["row"], mine["order"]], [mine["mixed"]]),
            helper.make_node("Reshape", [mine["mixed"], mine["again"]], [mine["shuffled"]]),
        ]
        node.input[1] = mine["shuffled"]
        nodes.append(node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    model.graph.initializer.extend(numpy_helper.from_array(value, key) for key, value in constants.items())
    return weightless(model, stored, name)


def weightless(model: Any, stored: bytes, name: str) -> bytes:
    """An ONNX model without the weights that a stored one has too: it reads them there (the format's "external data")."""
    import onnx
    from onnx.external_data_helper import set_external_data

    theirs = {each.name: each for each in onnx.load_model_from_string(stored).graph.initializer}
    for weight in model.graph.initializer:
        same = theirs.get(weight.name)
        if not same or len(same.raw_data) < SMALL or (same.dims, same.data_type) != (weight.dims, weight.data_type):
            continue
        set_external_data(weight, name, stored.index(same.raw_data), len(same.raw_data))
        weight.ClearField("raw_data")
        weight.data_location = onnx.TensorProto.EXTERNAL
    del model.graph.value_info[:], model.metadata_props[:]  # which nobody reads
    for node in model.graph.node:
        del node.metadata_props[:]
    return model.SerializeToString()
