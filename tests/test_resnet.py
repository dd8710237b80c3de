"""The network is torchvision's, weight for weight and gradient for gradient."""

from __future__ import annotations

import ast

import pytest
import torch
import torchvision

import catdog.resnet
from catdog.resnet import ARCHITECTURES


@pytest.fixture(scope="module", params=ARCHITECTURES)
def pair(request):
    """Ours and torchvision's with the same seeded weights."""
    torch.manual_seed(0)
    theirs = getattr(torchvision.models, request.param)(num_classes=2)
    with torch.device("meta"):
        ours = ARCHITECTURES[request.param]()
    ours.to_empty(device="cpu").load_state_dict(theirs.state_dict(), strict=True)
    return ours, theirs


def test_outputs_gradients_and_statistics_are_torchvision_s_in_train_and_eval_mode(pair):
    ours, theirs = pair
    batch = torch.randn(2, 3, 48, 64)
    trained = [network.train()(batch) for network in pair]
    torch.testing.assert_close(*trained, atol=1e-5, rtol=0)
    for logits in trained:
        torch.nn.functional.cross_entropy(logits, torch.tensor([0, 1])).backward()
    gradients = [{name: value.grad for name, value in network.named_parameters()} for network in pair]
    assert min(float(gradient.abs().max()) for gradient in gradients[1].values()) > 0
    torch.testing.assert_close(*gradients, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(dict(ours.named_buffers()), dict(theirs.named_buffers()), atol=1e-5, rtol=1e-5)

    with torch.inference_mode():
        answers = [network.eval()(batch) for network in pair]
    torch.testing.assert_close(*answers, atol=1e-5, rtol=0)
    assert (answers[0] - trained[0]).abs().max() > 1e-3, "eval mode should differ from train mode"


def test_state_dicts_are_exchanged_both_ways(pair):
    ours, theirs = (network.eval() for network in pair)
    torch.nn.init.normal_(ours.fc.weight)
    theirs.load_state_dict(ours.state_dict(), strict=True)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    batch = torch.randn(1, 3, 32, 32)
    torch.testing.assert_close(ours(batch), theirs(batch), atol=1e-5, rtol=0)


@pytest.mark.parametrize(("height", "width"), [(64, 64), (33, 97)])
def test_the_last_layer_of_the_averaged_features_gives_the_logits(tiny_network, height, width):
    batch = torch.randn(2, 3, height, width)
    features = tiny_network.features(batch)
    assert features.shape == (2, tiny_network.fc.in_features, -(-height // 32), -(-width // 32))
    torch.testing.assert_close(tiny_network.fc(features.mean((2, 3))), tiny_network(batch), atol=1e-5, rtol=0)


def test_folded_batch_norms_change_no_output_and_leave_the_network_alone(pair):
    ours = pair[0].eval()
    before = {name: value.clone() for name, value in ours.state_dict().items()}
    batch = torch.randn(2, 3, 64, 96)
    fast = catdog.resnet.folded(ours)
    assert not [module for module in fast.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    with torch.inference_mode():
        torch.testing.assert_close(fast(batch), ours(batch), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(ours.state_dict(), before, atol=0, rtol=0)


def test_the_number_of_classes_can_be_chosen():
    assert catdog.resnet.resnet18(num_classes=5)(torch.zeros(2, 3, 32, 32)).shape == (2, 5)


def test_new_convolutions_are_drawn_as_torchvision_draws_them():
    ours, theirs = ARCHITECTURES["resnet18"](), torchvision.models.resnet18(num_classes=2)
    for (name, mine), other in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        if mine.ndim == 4:
            assert mine.std().item() == pytest.approx(other.std().item(), rel=0.05), name


def test_the_network_is_written_out_and_not_imported():
    with open(catdog.resnet.__file__, encoding="utf-8") as file:
        imports = [node for node in ast.walk(ast.parse(file.read())) if isinstance(node, (ast.Import, ast.ImportFrom))]
    modules = {name.name for node in imports if isinstance(node, ast.Import) for name in node.names}
    modules |= {node.module for node in imports if isinstance(node, ast.ImportFrom)}
    assert "torch" in modules
    assert not [module for module in modules if module.startswith("torchvision")]
