"""What computes the forward pass: PyTorch, or OpenVINO on a CPU; and the network as ONNX."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from torch import Tensor

Engine = Literal["torch", "openvino"]
Forward = Callable[[Tensor], tuple[np.ndarray, ...]]  # normalized pictures -> evidence, logits, extent
