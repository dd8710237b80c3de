"""Other class activation maps, by the grad-cam package."""

from __future__ import annotations

import copy
import importlib.util
import math
from collections.abc import Callable
from functools import cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from catdog.layers import STAGES
from catdog.resnet import ResNet

if TYPE_CHECKING:
    from pytorch_grad_cam.base_cam import BaseCAM

CAM_METHODS = ("GradCAM", "GradCAMPlusPlus", "XGradCAM", "LayerCAM", "EigenCAM", "ScoreCAM", "AblationCAM")

WITH_PROGRESS_BAR = {"ScoreCAM": "score_cam", "AblationCAM": "ablation_cam"}  # and the modules that they are in


def cam_map(
    network: ResNet,
    batch: Tensor,
    method: str,
    stage: int = 4,
    label: int = 0,
    before_pass: Callable[[], None] | None = None,
) -> np.ndarray:
    """Maps of another method, or of an earlier stage, by the grad-cam package: what the closed form cannot do.

    Unlike evidence, each map is scaled to its own maximum and says nothing about how much.

    Args:
        network: in eval mode.
        batch: normalized pictures (batch, 3, H, W), on the network's device.
        method: one of CAM_METHODS.
        stage: residual stage, 1 to 4.
        label: 0 cat, 1 dog.
        before_pass: called before every forward pass, of which there are `passes_of(...)` for one picture. What it
            raises ends the work and reaches the caller: the package has no other way to stop its loops.

    Returns:
        float32 (batch, H, W) in [0, 1].

    Raises:
        ValueError: for an unknown method or stage.
    """
    if method not in CAM_METHODS or stage not in STAGES:
        raise ValueError(f"There is no {method} of stage {stage}: methods are {', '.join(CAM_METHODS)}, stages 1 to 4.")
    from pytorch_grad_cam.ablation_layer import AblationLayer
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    copied = copy.deepcopy(network).requires_grad_(False)  # grad-cam hangs hooks on what it works with
    batch = (
        batch.detach().clone().requires_grad_(True)
    )  # gradients of the features, and none of the weights, are needed
    if before_pass is not None:
        copied.register_forward_pre_hook(lambda module, inputs: before_pass())
    # the package's own default is one ablation layer, with its state, for everyone
    options = {"ablation_layer": AblationLayer()} if method == "AblationCAM" else {}
    targets: list[Any] = [ClassifierOutputTarget(label)] * len(batch)  # which the package declares as modules
    cam = method_class(method)(copied, [getattr(copied, f"layer{stage}")[-1]], **options)
    try:
        with torch.enable_grad():
            return cam(batch, targets)
    finally:
        cam.activations_and_grads.release()


@cache
def method_class(method: str) -> Callable[..., BaseCAM]:
    """The package's class of a method; of the two that draw progress bars, which would stand in the server's log, from a
    copy of their module that draws none. The package itself stays as it is, for whoever else uses it."""
    if method not in WITH_PROGRESS_BAR:
        import pytorch_grad_cam

        return getattr(pytorch_grad_cam, method)
    spec = importlib.util.find_spec(f"pytorch_grad_cam.{WITH_PROGRESS_BAR[method]}")
    assert spec is not None and spec.loader is not None  # the package has been imported
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    vars(module)["tqdm"] = SimpleNamespace(tqdm=iter)
    return getattr(module, method)


def passes_of(network: ResNet, method: str, stage: int) -> int:
    """How many forward passes a method takes for one picture: Score-CAM and Ablation-CAM try every channel."""
    channels = network.fc.in_features // 2 ** (STAGES[-1] - stage)
    if method == "ScoreCAM":
        return 1 + math.ceil(channels / 16)  # the package's batch sizes
    return 2 + math.ceil(channels / 32) if method == "AblationCAM" else 1
