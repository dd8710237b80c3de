"""A checkpoint for other engines: ONNX with the evidence maps beside the logits."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from catdog.checkpoint import Metadata
from catdog.evidence import STRONGEST, evidence_logits_and_extent
from catdog.files import write_whole
from catdog.labels import LABELS
from catdog.resnet import ResNet
from catdog.transforms import STRIDE

MAX_DIFFERENCE = 1e-3  # from PyTorch, in logits
OUTPUTS = ["logits", "evidence", "extent"]
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
    """The network as it is exported: logits, evidence and extent from one pass."""

    def __init__(self, network: ResNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(batch, 3, h, w) -> logits (batch, 2), evidence (batch, 2, h / 32, w / 32), extent (batch, 2, h / 16, w / 16)."""
        evidence, logits, extent = evidence_logits_and_extent(self.network, pictures)
        return logits, evidence, extent


def export_onnx(network: ResNet, metadata: Metadata, path: Path) -> None:
    """Write an ONNX model of any batch and any size that is a multiple of 32, by way of a temporary file.

    Input `pictures` (batch, 3, height, width), outputs `logits` (batch, 2), `evidence` (batch, 2, height / 32, width / 32)
    and `extent` (batch, 2, height / 16, width / 16). Its metadata say how a photo becomes an input, a logit a probability
    and a verdict, and an extent a box.

    Raises:
        ExportError: where the onnx package is missing.
        OSError: where the file cannot be written.
    """
    try:
        import onnx
        import onnxscript  # noqa: F401 (torch's exporter needs it)
    except ImportError as error:
        raise ExportError(f"The package {error.name} is missing: pip install onnx onnxscript onnxruntime") from error
    size = metadata.input_size
    batch = torch.export.Dim("batch", min=1)
    height, width = (STRIDE * torch.export.Dim(name, min=1) for name in ("rows", "columns"))
    program = torch.onnx.export(
        ExportedNetwork(network).eval(),
        (torch.zeros(2, 3, size, size + STRIDE),),
        input_names=["pictures"],
        output_names=OUTPUTS,
        dynamic_shapes={"pictures": {0: batch, 2: height, 3: width}},
        dynamo=True,
        verbose=False,
    )
    assert program is not None  # as it would be without dynamo
    model = program.model_proto
    onnx.helper.set_model_props(model, descriptions(metadata))
    onnx.checker.check_model(model)
    write_whole(path, model.SerializeToString())


def descriptions(metadata: Metadata) -> dict[str, str]:
    """The checkpoint's metadata, and in words what they are for."""
    softmax = metadata.head == "softmax"
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
        **{name: value if isinstance(value, str) else json.dumps(value) for name, value in asdict(metadata).items()},
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
