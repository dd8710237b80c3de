"""The forward pass by PyTorch, on any device."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from catdog.device import half_precision
from catdog.engines import Forward
from catdog.evidence import evidence_and_logits, explain_batch
from catdog.resnet import ResNet


def torch_forward(network: ResNet, device: torch.device, bfloat16: bool = False) -> Forward:
    """
    Args:
        network: in eval mode, on the device; faster with its batch norms folded.
        device: where it runs.
        bfloat16: on the CPU, which is faster in it with AVX512-BF16 or AMX instructions.
    """

    @torch.inference_mode()
    def forward(batch: Tensor, with_all: bool = True) -> tuple[np.ndarray, ...]:
        answer = explain_batch if with_all else evidence_and_logits
        with half_precision(device, bfloat16):
            answers = answer(network, batch.to(device, memory_format=torch.channels_last))
        return tuple(each.cpu().numpy() for each in answers)

    return forward
