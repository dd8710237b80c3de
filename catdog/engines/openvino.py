"""Another engine than PyTorch for the forward pass on a CPU: nearly the same answers, sooner."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from catdog.checkpoint import Metadata
from catdog.device import DeviceError, has_fast_bfloat16
from catdog.engines import Forward
from catdog.engines.onnx import ExportError, export_onnx
from catdog.resnet import ResNet

NEEDS = "pip install openvino onnx onnxscript"


def openvino_forward(network: ResNet, metadata: Metadata) -> Forward:
    """The network's forward pass by OpenVINO, in bfloat16 where the processor has instructions for it, else in float32.

    It goes by way of ONNX, not of `openvino.convert_model`, which would report its use to OpenVINO's makers.

    Raises:
        DeviceError: where a package is missing.
    """
    try:
        import openvino
    except ImportError as error:
        raise DeviceError(f"--engine openvino needs OpenVINO, which is not installed: {NEEDS}") from error
    if not has_fast_bfloat16():
        warnings.warn(
            "This processor has no instructions for bfloat16: --engine openvino may be slower here than --engine torch.",
            stacklevel=2,
        )
    core = kept(openvino.Core)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.onnx"
        try:
            export_onnx(network, metadata, path)
        except ExportError as error:
            raise DeviceError(f"--engine openvino needs more packages: {NEEDS}") from error
        options = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": torch.get_num_threads()}
        compiled = core.compile_model(core.read_model(path), "CPU", options)

    def forward(batch: Tensor, with_all: bool = True) -> tuple[np.ndarray, ...]:
        answers = compiled.create_infer_request().infer([batch.numpy()])
        names = ("evidence", "logits", "extent", "signatures") if with_all else ("evidence", "logits")
        return tuple(answers[name] for name in names)

    return forward


def compile_for_cpu(network: nn.Module, batch: Tensor) -> Any:
    """A network of one output, compiled by OpenVINO for batches of one shape (batch, 3, H, W)."""
    import openvino

    core = kept(openvino.Core)
    with tempfile.TemporaryDirectory() as folder, torch.autocast("cpu", enabled=False):
        path = str(Path(folder) / "network.onnx")
        torch.onnx.export(network, (batch.float(),), path, dynamo=True, verbose=False)
        options = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": torch.get_num_threads()}
        return core.compile_model(core.read_model(path), "CPU", options)


@cache
def kept(core: Callable[[], Any]) -> Any:
    """OpenVINO's `Core`, one for the process, never let go.

    Its CPU plugin gives the thread that loads it another stack for signal handlers, and frees that stack with the last
    reference, whichever thread drops it. Were that another thread, the first one's next handled signal (that of a child
    that has ended, say) would end the process without a word.
    """
    return core()
