"""ResNet-18, -34 and -50, written out to be read: block, stages, forward.

He et al. 2016, "Deep Residual Learning for Image Recognition". Parameter names are torchvision's, so weights can be
exchanged with it in both directions.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions F(x) and a shortcut around them: relu(F(x) + x) (He et al. 2016, figure 2).

    Where the block halves the picture or changes the number of channels, the shortcut is a 1x1 convolution
    (`downsample`), so that the two can be added.
    """

    expansion = 1  # output channels of the block, in multiples of `channels`

    def __init__(self, in_channels: int, channels: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, channels, kernel_size=3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(channels, channels, kernel_size=3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.downsample = shortcut(in_channels, channels, stride)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, in_channels, h, w) -> (batch, channels, h / stride, w / stride)."""
        identity = x if self.downsample is None else self.downsample(x)
        return self.relu(self.residual(x) + identity)

    def residual(self, x: Tensor) -> Tensor:
        """F(x), what the block adds to its shortcut."""
        x = self.relu(self.bn1(self.conv1(x)))
        return self.bn2(self.conv2(x))


class BottleneckBlock(nn.Module):
    """1x1 convolution down to `channels`, 3x3, 1x1 up to four times as many, and the shortcut (He et al. 2016, figure 5).

    The stride sits on the 3x3 convolution, as in torchvision ("ResNet v1.5"), not on the first 1x1 as in the paper.
    """

    expansion = 4

    def __init__(self, in_channels: int, channels: int, stride: int = 1) -> None:
        super().__init__()
        out_channels = channels * self.expansion
        self.conv1 = nn.Conv2d(in_channels, channels, kernel_size=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, kernel_size=3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.conv3 = nn.Conv2d(channels, out_channels, kernel_size=1, bias=False)
        self.bn3 = nn.BatchNorm2d(out_channels)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = shortcut(in_channels, out_channels, stride)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, in_channels, h, w) -> (batch, 4 * channels, h / stride, w / stride)."""
        identity = x if self.downsample is None else self.downsample(x)
        return self.relu(self.residual(x) + identity)

    def residual(self, x: Tensor) -> Tensor:
        """F(x), what the block adds to its shortcut."""
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.relu(self.bn2(self.conv2(x)))
        return self.bn3(self.conv3(x))


def shortcut(in_channels: int, out_channels: int, stride: int) -> nn.Sequential | None:
    """The block's other path: nothing at all where the shapes agree, else a 1x1 convolution."""
    if stride == 1 and in_channels == out_channels:
        return None
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel_size=1, stride=stride, bias=False),
        nn.BatchNorm2d(out_channels),
    )


class ResNet(nn.Module):
    """A stem, four stages of residual blocks, global average pooling and one linear layer."""

    def __init__(self, block: type[ResidualBlock | BottleneckBlock], depths: tuple[int, ...], num_classes: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, kernel_size=7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        self.layer1 = stage(block, 64, 64, depths[0], stride=1)
        self.layer2 = stage(block, 64 * block.expansion, 128, depths[1], stride=2)
        self.layer3 = stage(block, 128 * block.expansion, 256, depths[2], stride=2)
        self.layer4 = stage(block, 256 * block.expansion, 512, depths[3], stride=2)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(512 * block.expansion, num_classes)

        for module in self.modules():
            if isinstance(module, nn.Conv2d):  # He et al. 2015, so that a ReLU network keeps its variance
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def features(self, x: Tensor) -> Tensor:
        """The last stage's output: (batch, 3, H, W) -> (batch, C, ceil(H / 32), ceil(W / 32)); C is `fc.in_features`."""
        return self.layer4(self.layer3_output(x))

    def layer3_output(self, x: Tensor) -> Tensor:
        """The third stage's output: (batch, 3, H, W) -> (batch, C / 2, ceil(H / 16), ceil(W / 16))."""
        x = self.stem(x)  # (batch, 64, H / 4, W / 4)
        x = self.layer1(x)
        x = self.layer2(x)  # H / 8
        return self.layer3(x)

    def stem(self, x: Tensor) -> Tensor:
        return self.maxpool(self.relu(self.bn1(self.conv1(x))))

    def forward(self, x: Tensor) -> Tensor:
        """Normalized pictures (batch, 3, H, W) -> logits (batch, num_classes)."""
        pooled = torch.flatten(self.avgpool(self.features(x)), start_dim=1)  # (batch, C)
        return self.fc(pooled)


def folded(network: ResNet) -> ResNet:
    """A copy that answers the same, faster: every batch norm is folded into the convolution before it. It cannot be trained."""
    network = copy.deepcopy(network).eval()
    for module in list(network.modules()):
        for convolution, norm in (("conv1", "bn1"), ("conv2", "bn2"), ("conv3", "bn3"), ("0", "1")):
            if isinstance(getattr(module, norm, None), nn.BatchNorm2d):  # "0" and "1" are a shortcut's
                setattr(module, convolution, fuse_conv_bn_eval(getattr(module, convolution), getattr(module, norm)))
                setattr(module, norm, nn.Identity())
    return network


def stage(
    block: type[ResidualBlock | BottleneckBlock], in_channels: int, channels: int, depth: int, stride: int
) -> nn.Sequential:
    """`depth` blocks, the first of which may halve the picture."""
    blocks = [block(in_channels, channels, stride)]
    blocks += [block(channels * block.expansion, channels) for _ in range(depth - 1)]
    return nn.Sequential(*blocks)


def resnet18(num_classes: int = 2) -> ResNet:
    """11.2 million parameters, 1.8 billion multiplications for a 224x224 picture."""
    return ResNet(ResidualBlock, (2, 2, 2, 2), num_classes)


def resnet34(num_classes: int = 2) -> ResNet:
    """21.3 million parameters, 3.7 billion multiplications for a 224x224 picture."""
    return ResNet(ResidualBlock, (3, 4, 6, 3), num_classes)


def resnet50(num_classes: int = 2) -> ResNet:
    """23.5 million parameters, 4.1 billion multiplications for a 224x224 picture."""
    return ResNet(BottleneckBlock, (3, 4, 6, 3), num_classes)


Architecture = Literal["resnet18", "resnet34", "resnet50"]
ARCHITECTURES: dict[Architecture, Callable[..., ResNet]] = {
    "resnet18": resnet18,
    "resnet34": resnet34,
    "resnet50": resnet50,
}
