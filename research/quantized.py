"""The network in 8-bit integers, by the packages that make one, for compare_engines.py. Scales are chosen on pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn


def by_onnx_runtime(exported: Path, pictures: Sequence[Tensor]) -> Path:
    """An ONNX network -> a file beside it with the same in integers."""
    from onnxruntime.quantization import CalibrationDataReader, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Pictures(CalibrationDataReader):
        def __init__(self) -> None:
            self.left = iter(pictures)

        # onnxruntime ends at None, which its annotation leaves out
        def get_next(self) -> dict[str, np.ndarray] | None:  # pyright: ignore[reportIncompatibleMethodOverride]
            tensor = next(self.left, None)
            return None if tensor is None else {"pictures": tensor[None].numpy()}

    prepared, integers = exported.with_name("prepared.onnx"), exported.with_name("integers.onnx")
    quant_pre_process(exported, prepared, skip_symbolic_shape=True)
    quantize_static(prepared, integers, Pictures(), per_channel=True)
    return integers


def by_openvino(exported: Path, pictures: Sequence[Tensor]) -> Any:
    """An ONNX network -> an OpenVINO model in integers, by NNCF."""
    import nncf  # pyright: ignore[reportMissingImports]  # optional
    import openvino

    model = openvino.Core().read_model(exported)
    data = nncf.Dataset([picture[None].numpy() for picture in pictures])
    return nncf.quantize(model, data, subset_size=len(pictures))


def by_torchao(features: nn.Module, pictures: Sequence[Tensor]) -> Callable[[Tensor], Tensor]:
    """A module from pictures to the last feature map -> the same in integers, compiled."""
    from torchao.quantization.pt2e.quantize_pt2e import (  # pyright: ignore[reportMissingImports]  # optional
        convert_pt2e,
        prepare_pt2e,
    )
    from torchao.quantization.pt2e.quantizer.x86_inductor_quantizer import (  # pyright: ignore[reportMissingImports]
        X86InductorQuantizer,
        get_default_x86_inductor_quantization_config,
    )

    quantizer = X86InductorQuantizer().set_global(get_default_x86_inductor_quantization_config())
    prepared = prepare_pt2e(exported(features, pictures[0]).module(), quantizer)
    for picture in pictures:
        prepared(picture[None])
    return torch.compile(convert_pt2e(prepared), dynamic=True, options={"freezing": True})


@torch.no_grad()
def exported(features: nn.Module, picture: Tensor) -> torch.export.ExportedProgram:
    """The module as a graph that takes any number of pictures of any size."""
    auto = torch.export.Dim.AUTO
    return torch.export.export(features, (torch.stack([picture] * 2),), dynamic_shapes=({0: auto, 2: auto, 3: auto},))
