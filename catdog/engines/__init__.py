"""What computes the forward pass: PyTorch, or OpenVINO on a CPU; and the network as ONNX."""

from __future__ import annotations

from typing import Literal, Protocol

import numpy as np
from torch import Tensor

Engine = Literal["torch", "openvino"]


class Forward(Protocol):
    """The forward pass; several threads may call it."""

    def __call__(self, batch: Tensor, with_all: bool = True) -> tuple[np.ndarray, ...]:
        """Normalized pictures (batch, 3, h, w) -> evidence (batch, 2, h / 32, w / 32), logits (batch, 2) and, where all is
        asked for, extent (batch, 2, h / 16, w / 16) and signatures (batch, 2, channels)."""
        ...
