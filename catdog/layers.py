"""The network layer by layer: what each gives on a picture, how much of the picture a place of it sees, what is left of the
answer without some of it, and with its weights in another order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn

from catdog.evidence import evidence_of
from catdog.resnet import BottleneckBlock, ResidualBlock, ResNet, folded

STAGES = (1, 2, 3, 4)
STEP = 7919  # between two neighbors of shuffled weights: a prime that divides no layer's number of them
TINY = 1e-9

Block = ResidualBlock | BottleneckBlock


class Layer(NamedTuple):
    """One layer's output: `channels` maps, whose places lie `stride` pixels of the input apart and see a square of it,
    `field` pixels wide, around the place's own first pixel. At the rim, part of that square lies outside the picture."""

    name: str
    channels: int
    stride: int
    field: int


class Pass(NamedTuple):
    """What one forward pass gives on the way.

    Attributes:
        evidence, logits: as `catdog.evidence.evidence_and_logits` gives them.
        outputs: those of `layers_of(network)`, each (batch, channels, h, w), h and w being the input's over the layer's stride.
        shortcuts, changes: of each stage's last block what it adds up, x and F(x), shaped like the stage's output.
        sizes: (batch, blocks), how large each block's change is beside what it is added to: a ratio of norms.
    """

    evidence: Tensor
    logits: Tensor
    outputs: list[Tensor]
    shortcuts: list[Tensor]
    changes: list[Tensor]
    sizes: Tensor


def blocks_of(network: ResNet) -> list[Block]:
    """All residual blocks, in the order in which a picture passes them."""
    return [block for stage in STAGES for block in getattr(network, f"layer{stage}")]


def depths_of(network: ResNet) -> list[int]:
    """How many blocks each stage has."""
    return [len(getattr(network, f"layer{stage}")) for stage in STAGES]


def layers_of(network: ResNet) -> list[Layer]:
    """The stem and the four stages.

    A convolution of k pixels widens the field by k - 1 steps of what it reads (Araujo et al. 2019, "Computing Receptive Fields
    of Convolutional Neural Networks").
    """
    field, stride = 1, 1

    def through(size: int, step: int) -> None:
        nonlocal field, stride
        field += (size - 1) * stride
        stride *= step

    for first in (network.conv1, network.maxpool):
        through(side_of(first.kernel_size), side_of(first.stride))
    layers = [Layer("stem", network.conv1.out_channels, stride, field)]
    for stage in STAGES:
        blocks = getattr(network, f"layer{stage}")
        for convolution in (each for block in blocks for each in convolutions(block)):
            through(side_of(convolution.kernel_size), side_of(convolution.stride))
        layers.append(Layer(f"stage{stage}", convolutions(blocks[-1])[-1].out_channels, stride, field))
    return layers


def convolutions(block: Block) -> list[nn.Conv2d]:
    """Those of F(x); the shortcut's sees one place."""
    return [each for name, each in block.named_children() if isinstance(each, nn.Conv2d) and name.startswith("conv")]


def side_of(size: int | tuple[int, ...]) -> int:
    return size if isinstance(size, int) else size[0]


def run_layers(network: ResNet, batch: Tensor, change: Tensor, shortcut: Tensor) -> Pass:
    """A forward pass that keeps what it finds on the way, with a switch at either side of each residual block's sum.

    Without a change or two, a residual network answers nearly the same (Veit et al. 2016, "Residual Networks Behave Like
    Ensembles of Relatively Shallow Networks").

    Args:
        network: in eval mode.
        batch: normalized pictures (batch, 3, H, W), on the network's device.
        change: (blocks,), what each block's F(x) is multiplied by: 1, or 0 to let x pass as it is.
        shortcut: (blocks,), what each block's x is multiplied by.
    """
    x, number = network.stem(batch), 0
    outputs, parts, sizes = [x], [], []
    for stage in STAGES:
        for block in getattr(network, f"layer{stage}"):
            identity = x if block.downsample is None else block.downsample(x)
            residual = block.residual(x)
            sizes.append(norm_of(residual) / norm_of(identity).clamp(min=TINY))
            parts.append((identity, residual))
            x = torch.relu(shortcut[number] * identity + change[number] * residual)
            number += 1
        outputs.append(x)
    last = [parts[sum(depths_of(network)[:stage]) - 1] for stage in STAGES]
    shortcuts, changes = ([part[each] for part in last] for each in (0, 1))
    return Pass(*evidence_of(network, x), outputs, shortcuts, changes, torch.stack(sizes, 1))


def norm_of(features: Tensor) -> Tensor:
    """(batch, channels, h, w) -> (batch,)"""
    return features.float().square().sum((1, 2, 3)).sqrt()


def shuffled(network: ResNet) -> ResNet:
    """A copy whose convolutions have the same weights in another order: as many, as large, and nothing learned.

    Maps that look the same with such weights show the picture's edges, not what was learned (Adebayo et al. 2018, "Sanity
    Checks for Saliency Maps").
    """
    network = folded(network)
    with torch.no_grad():
        for convolution in every_convolution(network):
            weights = convolution.weight.flatten()
            order = torch.arange(len(weights), device=weights.device) * STEP % len(weights)
            convolution.weight.copy_(weights[order].view_as(convolution.weight))
    return network


def every_convolution(network: ResNet) -> Iterator[nn.Conv2d]:
    return (module for module in network.modules() if isinstance(module, nn.Conv2d))
