"""A checkpoint for other engines: ONNX with the evidence maps beside the logits."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from catdog.checkpoint import Metadata
from catdog.evidence import STRONGEST, explain_batch
from catdog.files import write_whole
from catdog.labels import LABELS
from catdog.resnet import ResNet, folded
from catdog.transforms import STRIDE

Weights = Literal["float32", "float16", "int8"]
# From PyTorch, in logits and evidence, on photos: beyond that, a file is not what it should be.
MAX_DIFFERENCE: dict[Weights, float] = {"float32": 1e-3, "float16": 0.05, "int8": 0.25}
GROUP = 32  # weights that share a scale
SMALL = 1024  # fewer weights stay as they are
TINY = 1e-12
OUTPUTS = ["logits", "evidence", "extent", "signatures"]
PREPROCESSING = {
    "whole": "scale the upright sRGB photo, bilinear with antialiasing, to {size} pixels on its short side; the long side "
    "in proportion, rounded to a multiple of 32 and at most twice the short one; divide by 255, subtract mean, divide by "
    "std; channels first",
    "squash": "scale the upright sRGB photo, bilinear with antialiasing, to {size} x {size} pixels; divide by 255, subtract "
    "mean, divide by std; channels first",
    "crop": "cut the middle square of 224/256 of the short side out of the upright sRGB photo and scale it, bilinear with "
    "antialiasing, to {size} x {size} pixels; divide by 255, subtract mean, divide by std; channels first",
}


class ExportError(ValueError):
    """An export that cannot be made: one sentence with a way out."""


class ExportedNetwork(nn.Module):
    """The network as it is exported: logits, evidence, extent and signatures from one pass."""

    def __init__(self, network: ResNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """(batch, 3, h, w) -> logits (batch, 2), evidence (batch, 2, h / 32, w / 32), extent (batch, 2, h / 16, w / 16) and
        signatures (batch, 2, channels)."""
        evidence, logits, extent, signatures = explain_batch(self.network, pictures)
        return logits, evidence, extent, signatures


def export_onnx(network: ResNet, metadata: Metadata, path: Path, weights: Weights = "float32") -> None:
    """Write an ONNX model of any batch and any size that is a multiple of 32, by way of a temporary file.

    Input `pictures` (batch, 3, height, width), outputs `logits` (batch, 2), `evidence` (batch, 2, height / 32, width / 32),
    `extent` (batch, 2, height / 16, width / 16) and `signatures` (batch, 2, channels). Its metadata say how a photo becomes
    an input, a logit a probability and a verdict, and an extent a box.

    Args:
        weights: how they are stored; whatever it is, the model computes in float32. float16: half the size. int8: a quarter,
            with a scale for each 32 of them, the first layer's in float16.

    Raises:
        ExportError: where the onnx package is missing.
        OSError: where the file cannot be written.
    """
    model = exported(ExportedNetwork(folded(network)), metadata, {}, OUTPUTS, weights)
    import onnx

    onnx.helper.set_model_props(model, descriptions(metadata))
    onnx.checker.check_model(model)
    write_whole(path, model.SerializeToString())


def exported(
    network: nn.Module, metadata: Metadata, others: dict[str, Tensor], outputs: list[str], weights: Weights
) -> Any:
    """A module as an ONNX model of any batch and any size that is a multiple of 32.

    Args:
        network: takes pictures and `others`.
        others: further inputs by name, whose shape is always this one.

    Raises:
        ExportError: where the onnx package is missing.
    """
    try:
        import onnx  # noqa: F401
        import onnxscript  # noqa: F401 (torch's exporter needs both)
    except ImportError as error:
        raise ExportError(f"The package {error.name} is missing: pip install onnx onnxscript onnxruntime") from error
    size = metadata.input_size
    batch = torch.export.Dim("batch", min=1)
    height, width = (STRIDE * torch.export.Dim(name, min=1) for name in ("rows", "columns"))
    program = torch.onnx.export(
        network.eval(),
        (torch.zeros(2, 3, size, size + STRIDE), *others.values()),
        input_names=["pictures", *others],
        output_names=outputs,
        dynamic_shapes={"pictures": {0: batch, 2: height, 3: width}, **dict.fromkeys(others)},
        dynamo=True,
        verbose=False,
    )
    assert program is not None  # as it would be without dynamo
    model = program.model_proto
    if weights != "float32":
        store_smaller(model, weights)
    return model


def store_smaller(model: Any, weights: Weights) -> None:
    """Large weights of an ONNX model as smaller numbers, which become float32 when it is loaded."""
    from onnx import TensorProto, helper, numpy_helper

    first = next(node.input[1] for node in model.graph.node if node.op_type == "Conv")
    nodes, constants = [], []
    for stored in list(model.graph.initializer):
        if stored.data_type != TensorProto.FLOAT or len(stored.raw_data) < 4 * SMALL:
            continue
        values, name = numpy_helper.to_array(stored), stored.name
        model.graph.initializer.remove(stored)
        if weights == "float16" or name == first or values.size % GROUP:
            constants.append(numpy_helper.from_array(values.astype(np.float16), f"{name}_half"))
            nodes.append(helper.make_node("Cast", [f"{name}_half"], [name], to=TensorProto.FLOAT))
            continue
        numbers, scales = in_integers(values)
        shape = np.array(values.shape, np.int64)
        parts = {f"{name}_int": numbers, f"{name}_scale": scales, f"{name}_shape": shape}
        constants += [numpy_helper.from_array(value, key) for key, value in parts.items()]
        nodes += [
            helper.make_node("Cast", [f"{name}_int"], [f"{name}_numbers"], to=TensorProto.FLOAT),
            helper.make_node("Cast", [f"{name}_scale"], [f"{name}_scales"], to=TensorProto.FLOAT),
            helper.make_node("Mul", [f"{name}_numbers", f"{name}_scales"], [f"{name}_groups"]),
            helper.make_node("Reshape", [f"{name}_groups", f"{name}_shape"], [name]),
        ]
    model.graph.initializer.extend(constants)
    for node in reversed(nodes):  # before what uses them
        model.graph.node.insert(0, node)


def in_integers(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights as 8-bit integers, and the scale of each group of them.

    What one weight is rounded up by, the next one in its filter is rounded down by, as in error diffusion (Floyd and Steinberg
    1976): the inputs of neighboring weights look alike, so that errors which cancel matter less than the smallest ones.

    Args:
        values: float32 (filters, ...), a multiple of `GROUP` in all.

    Returns:
        int8 (groups, GROUP) and float16 (groups, 1), whose product is nearly `values`.
    """
    groups = values.reshape(-1, GROUP)
    scales = (np.abs(groups).max(1, keepdims=True) / 127).astype(np.float16)
    steps = np.maximum(scales.astype(np.float32), TINY).repeat(GROUP, 1).reshape(len(values), -1)
    filters = values.reshape(len(values), -1)
    numbers = np.zeros_like(filters, np.int8)
    carried = np.zeros(len(filters), np.float32)
    for place in range(filters.shape[1]):
        wanted, step = filters[:, place] + carried, steps[:, place]
        numbers[:, place] = np.round(wanted / step).clip(-127, 127)
        carried = wanted - numbers[:, place] * step
    return numbers.reshape(-1, GROUP), scales


def descriptions(metadata: Metadata) -> dict[str, str]:
    """The checkpoint's metadata, and in words what they are for."""
    softmax = metadata.head == "softmax"
    training = {
        name: value for name, value in metadata.training.items() if name != "photos"
    }  # digests, of use to train.py alone
    return {
        "labels": json.dumps(LABELS),
        "preprocessing": PREPROCESSING[metadata.resize].format(size=metadata.input_size),
        "probability": f"{'softmax' if softmax else 'sigmoid'}((logits + top_weight * strongest) / temperature + offset), for cat "
        f"and dog; strongest: the mean of the largest {STRONGEST:.1%} of a label's evidence, rounded to whole places, at "
        "least one, times the number of places",
        "verdict": "neither where the larger probability is below `present`; both where the smaller one reaches `both`; "
        "else the label of the larger one",
        "evidence": "what each place contributes to a logit: its sum over all places is the logit less the bias",
        "extent": "above 0 where a place looks more like those that speak for the label than like those that speak against "
        "it; the label's box is around the connected region of at least `box_threshold` times its peak that holds the peak; of "
        "`both`, each place counts for the label whose extent is larger there",
        "signatures": "what a pet is recognized by: the last stage's features, averaged by the positive part of a label's evidence",
        **{
            name: value if isinstance(value, str) else json.dumps(value)
            for name, value in asdict(replace(metadata, training=training)).items()
        },
    }


def largest_difference(network: ResNet, path: Path, batches: list[Tensor]) -> float:
    """How far ONNX Runtime's outputs are from PyTorch's, over batches (batch, 3, h, w).

    Raises:
        ExportError: where the onnxruntime package is missing.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise ExportError("The package onnxruntime is missing: pip install onnxruntime") from error
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    differences = [0.0]
    for batch in batches:
        with torch.inference_mode():
            expected = ExportedNetwork(network)(batch)
        theirs = map(np.asarray, session.run(OUTPUTS, {"pictures": batch.numpy()}))
        differences += [
            float(np.abs(ours.numpy() - other).max()) if ours.shape == other.shape else float("inf")
            for ours, other in zip(expected, theirs)
        ]
    return max(differences)
