"""The network layer by layer: its outputs, fields of view, switches, and weights in another order."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from catdog.evidence import evidence_and_logits
from catdog.layers import blocks_of, depths_of, layers_of, run_layers, shuffled
from catdog.resnet import ARCHITECTURES, ResNet, folded, resnet18


def passed(network: ResNet, batch: torch.Tensor, change=None, shortcut=None):
    on = torch.ones(len(blocks_of(network)))
    with torch.inference_mode():
        return run_layers(network, batch, on if change is None else change, on if shortcut is None else shortcut)


def test_with_everything_on_the_pass_is_the_network_s_own(tiny_network, network18):
    batch = torch.randn(2, 3, 64, 96)
    for network in (tiny_network, network18):
        found = passed(network, batch)
        with torch.inference_mode():
            evidence, logits = evidence_and_logits(network, batch)
            features = network.features(batch)
        torch.testing.assert_close(found.logits, logits)
        torch.testing.assert_close(found.evidence, evidence)
        torch.testing.assert_close(found.outputs[-1], features)
        assert found.sizes.shape == (2, len(blocks_of(network)))


def test_layers_have_the_shapes_that_are_told_of_them(network18):
    batch = torch.randn(1, 3, 64, 96)
    for layer, output in zip(layers_of(network18), passed(network18, batch).outputs):
        assert output.shape == (1, layer.channels, 64 // layer.stride, 96 // layer.stride)


def test_a_block_adds_to_its_input(tiny_network, network18):
    batch = torch.randn(1, 3, 64, 96)
    for network in (tiny_network, network18):
        found = passed(network, batch)
        for x, change, output in zip(found.shortcuts, found.changes, found.outputs[1:]):
            torch.testing.assert_close((x + change).relu(), output)


def test_a_block_without_its_change_lets_its_input_pass(network18):
    batch = torch.randn(1, 3, 64, 64)
    change = torch.ones(8)
    change[1] = 0  # the second of stage 1, whose shortcut is its input
    found = passed(network18, batch, change=change)
    torch.testing.assert_close(found.outputs[1], found.shortcuts[0])
    shortcut = torch.ones(8)
    shortcut[1] = 0
    found = passed(network18, batch, shortcut=shortcut)
    torch.testing.assert_close(found.outputs[1], found.changes[0].relu())


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_place_sees_its_field_and_nothing_else(architecture):
    """Where every weight is above zero, each pixel of the field moves the place's number, and no other does."""
    network = ARCHITECTURES[architecture]().double().eval()
    known = layers_of(network)
    network.maxpool = nn.AvgPool2d(3, stride=2, padding=1)  # which sees as much, and lets each pixel count
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.abs_()
        for name, buffer in network.named_buffers():
            if name.endswith("running_var"):
                buffer.fill_(1e4)  # or the numbers of fifty layers grow beyond measure
    side, center = 1088, 512  # wide enough for the last field, and a multiple of every stride
    for index, layer in enumerate(known):
        picture = torch.ones(1, 3, 32, side, dtype=torch.float64, requires_grad=True)
        output = run_layers(network, picture, *(torch.ones(len(blocks_of(network))) for _ in range(2))).outputs[index]
        output[0, :, 0, center // layer.stride].sum().backward()
        columns = picture.grad[0].abs().sum((0, 1)).nonzero().flatten()
        reach = (layer.field - 1) // 2
        assert (columns[0], columns[-1]) == (center - reach, center + reach), layer


def test_depths_are_the_architecture_s(tiny_network):
    assert depths_of(tiny_network) == [1, 1, 1, 1] and depths_of(resnet18()) == [2, 2, 2, 2]


def test_shuffled_weights_are_the_same_numbers_in_another_order(network18):
    known, mixed = folded(network18), shuffled(network18)
    for (name, one), other in zip(known.named_parameters(), mixed.parameters()):
        assert torch.equal(one.flatten().sort().values, other.flatten().sort().values), name
        if one.ndim == 4:
            assert not torch.equal(one, other), name


def test_shuffling_leaves_the_network_as_it_was(network18):
    before = copy.deepcopy(network18.state_dict())
    shuffled(network18)
    assert all(torch.equal(value, before[name]) for name, value in network18.state_dict().items())
