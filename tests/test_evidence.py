"""Evidence maps add up to the logits and are Grad-CAM before its ReLU, for one forward pass."""

from __future__ import annotations

import copy
import sys

import numpy as np
import pytest
import torch
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.image import scale_cam_image
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import nn

from catdog.cams import CAM_METHODS, cam_map, passes_of
from catdog.evidence import boxes_of, evidence_and_logits, explain_batch, extent_of, signatures_of, strongest_places
from catdog.images import open_picture
from catdog.transforms import EvaluationPreset

SIZES = [(64, 64), (64, 128), (160, 96)]


@pytest.fixture(scope="module")
def inputs(examples) -> list[torch.Tensor]:
    """Four real photos, whole, each in its own shape."""
    return [EvaluationPreset(size=128)(open_picture(path))[None] for path in examples[:4]]


def hooks_of(network: nn.Module) -> list:
    kinds = [name for name in vars(network) if name.endswith("hooks")]
    assert "_forward_hooks" in kinds
    return [hook for module in network.modules() for kind in kinds for hook in getattr(module, kind).values()]


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_evidence_and_bias_add_up_to_the_network_s_logits(tiny_network, height, width):
    batch = torch.randn(3, 3, height, width)
    evidence, logits = evidence_and_logits(tiny_network, batch)
    assert evidence.shape == (3, 2, height // 32, width // 32)
    assert evidence.dtype == logits.dtype == torch.float32
    torch.testing.assert_close(evidence.sum((2, 3)) + tiny_network.fc.bias, logits, atol=1e-4, rtol=0)
    torch.testing.assert_close(logits, tiny_network(batch), atol=1e-4, rtol=0)


@pytest.mark.parametrize("label", [0, 1], ids=["cat", "dog"])
def test_its_relu_is_grad_cam_on_real_photos(tiny_network, inputs, label):
    network = copy.deepcopy(tiny_network).requires_grad_(True)  # a Classifier of another test may have switched it off
    for batch in inputs:
        evidence, _ = evidence_and_logits(network, batch)
        ours = evidence[:, label].clamp(min=0).detach().numpy()
        assert ours.max() > 0
        ours = scale_cam_image(scale_cam_image(ours, (batch.shape[3], batch.shape[2])))
        with GradCAM(network, [network.layer4[-1]]) as grad_cam:
            theirs = grad_cam(batch, [ClassifierOutputTarget(label)])
        assert np.ptp(theirs) > 0.9
        np.testing.assert_allclose(ours, theirs, atol=1e-4, rtol=0)


def test_a_batch_gives_what_its_pictures_give_one_by_one(tiny_network):
    batch = torch.randn(5, 3, 64, 96)
    with torch.inference_mode():
        together = evidence_and_logits(tiny_network, batch)
        alone = [evidence_and_logits(tiny_network, picture[None]) for picture in batch]
    for whole, pieces in zip(together, zip(*alone, strict=True), strict=True):
        torch.testing.assert_close(whole, torch.cat(pieces), atol=1e-5, rtol=0)


def test_inference_mode_gives_the_same_without_gradients(tiny_network, inputs):
    expected = evidence_and_logits(tiny_network, inputs[0])
    with torch.inference_mode():
        evidence, logits = evidence_and_logits(tiny_network, inputs[0])
    assert evidence.is_inference() and not evidence.requires_grad
    torch.testing.assert_close((evidence, logits), expected, atol=1e-6, rtol=0)


def test_no_hook_is_left_on_the_network(tiny_network, inputs):
    handle = tiny_network.layer4.register_forward_hook(lambda *_: None)
    assert len(hooks_of(tiny_network)) == 1
    handle.remove()
    evidence_and_logits(tiny_network, inputs[0])
    assert hooks_of(tiny_network) == []


def test_evidence_is_computed_in_float32_where_the_network_runs_in_half_precision(tiny_network, inputs):
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
        features = tiny_network.features(inputs[0])
        assert features.dtype == torch.bfloat16
        evidence, logits = evidence_and_logits(tiny_network, inputs[0])
    assert evidence.dtype == logits.dtype == torch.float32
    expected = tiny_network.fc(features.float().mean((2, 3)))
    torch.testing.assert_close(evidence.sum((2, 3)) + tiny_network.fc.bias, logits, atol=1e-4, rtol=0)
    torch.testing.assert_close(logits, expected, atol=1e-4, rtol=0)


def test_twice_the_input_gives_a_map_twice_as_fine(tiny_network, inputs):
    larger = nn.functional.interpolate(inputs[0], scale_factor=2)
    maps = [evidence_and_logits(tiny_network, batch)[0].shape for batch in (inputs[0], larger)]
    assert maps[1][2:] == (2 * maps[0][2], 2 * maps[0][3])


# ---------------------------------------------------------------------------- boxes


def hand_made(cat: dict, dog: dict, shape: tuple[int, int] = (7, 7)) -> np.ndarray:
    evidence = np.full((2, *shape), -1, np.float32)
    for label, places in enumerate((cat, dog)):
        for (row, column), value in places.items():
            evidence[label, row, column] = value
    return evidence


def overlap(first, second) -> float:
    """Intersection over union."""

    def area(box):
        return max(0, box[2] - box[0]) * max(0, box[3] - box[1])

    shared = area((*np.maximum(first[:2], second[:2]), *np.minimum(first[2:], second[2:])))
    return shared / (area(first) + area(second) - shared)


def block(top: int, left: int, bottom: int, right: int, value: float) -> dict:
    return {(row, column): value for row in range(top, bottom) for column in range(left, right)}


def test_the_strongest_places_say_what_a_photo_full_of_them_would():
    evidence = np.zeros((2, 2, 4, 6), np.float32)
    evidence[0, 0, 1, 1:4] = 1, 2, 3
    evidence[0, 0, 0, 0] = -9
    evidence[1, 1] = 0.5
    assert strongest_places(evidence).tolist() == [[2 * 24, 0], [0, 0.5 * 24]]
    assert strongest_places(evidence[:, :, :1, :2]).tolist() == [[0, 0], [0, 0.5 * 2]]  # one place at least


@pytest.fixture
def two_looks() -> torch.Tensor:
    """The third stage's output (1, 3, 8, 12) for a picture whose left third looks otherwise than the rest, with shades."""
    shade = torch.linspace(0.5, 2, 12).repeat(8, 1)
    left = (torch.arange(12) < 4).repeat(8, 1)
    return torch.stack([left * shade, ~left * shade, torch.full((8, 12), 0.1)])[None]


def test_the_extent_is_all_that_looks_like_what_speaks_for_the_label(two_looks):
    evidence = torch.zeros(1, 2, 4, 6)
    evidence[0, :, 0, 0] = torch.tensor([1.0, -1])  # a corner of the left part speaks for a cat and against a dog
    evidence[0, :, 3, 5] = torch.tensor([-0.2, 0.2])
    extent = extent_of(evidence, two_looks)
    assert extent.shape == (1, 2, 8, 12)
    assert (extent[0, 0, :, :4] > 0).all() and (extent[0, 0, :, 4:] < 0).all()
    assert (extent[0, 1, :, :4] < 0).all() and (extent[0, 1, :, 4:] > 0).all()
    assert boxes_of(extent[0].numpy(), (0, 0, 120, 80), threshold=0.1) == [
        pytest.approx((0, 0, 40, 80), abs=4),
        pytest.approx((40, 0, 120, 80), abs=4),
    ]


def test_a_label_that_nothing_speaks_for_has_no_extent_and_one_that_nothing_speaks_against_has_all_that_looks_like_it(
    two_looks,
):
    evidence = torch.zeros(1, 2, 4, 6)
    evidence[0, 1, 0, 0] = 1
    cat, dog = extent_of(evidence, two_looks)[0].numpy()
    assert cat.max() <= 0
    assert (dog[:, :4] > 0).all() and (dog[:, 4:] < 0).all()
    assert extent_of(torch.full((1, 2, 4, 6), 0.1), two_looks).isfinite().all()


def test_extent_comes_from_the_same_pass_and_a_picture_s_own_places(tiny_network):
    batch = torch.randn(3, 3, 64, 96)
    evidence, logits, extent, _ = explain_batch(tiny_network, batch)
    for ours, expected in zip((evidence, logits), evidence_and_logits(tiny_network, batch)):
        torch.testing.assert_close(ours, expected, atol=1e-6, rtol=0)
    assert extent.shape == (3, 2, 4, 6) and extent.dtype == torch.float32
    for picture, own in zip(batch, extent):
        torch.testing.assert_close(explain_batch(tiny_network, picture[None])[2][0], own, atol=1e-5, rtol=0)


def test_a_signature_is_what_the_places_look_like_that_speak_for_a_label_and_no_others():
    evidence = torch.tensor([[[[3.0, 1.0, -5.0]], [[-1.0, 0.0, -2.0]]]])
    features = torch.tensor([[[[1.0, 5.0, 100.0]], [[0.0, 4.0, 100.0]]]], dtype=torch.bfloat16)
    signatures = signatures_of(evidence, features)
    assert signatures.dtype == torch.float32
    assert signatures.tolist() == [[[2.0, 1.0], [0.0, 0.0]]], "three quarters of the first place; no place at all"


def test_signatures_come_from_the_same_pass(tiny_network):
    batch = torch.randn(3, 3, 64, 96)
    features = tiny_network.features(batch)
    evidence, _ = evidence_and_logits(tiny_network, batch)
    torch.testing.assert_close(explain_batch(tiny_network, batch)[3], signatures_of(evidence, features))


def test_a_box_holds_the_places_that_speak_for_its_label():
    evidence = hand_made(block(1, 1, 4, 3, 2.0), block(3, 4, 7, 7, 1.0))
    cat, dog = boxes_of(evidence, (0, 0, 700, 700), threshold=0.3)
    assert overlap(cat, (100, 100, 300, 400)) > 0.8
    assert overlap(dog, (400, 300, 700, 700)) > 0.8


def test_a_box_is_exact_for_a_map_that_speaks_everywhere():
    assert boxes_of(np.ones((2, 3, 5), np.float32), (10, 20, 110, 80), 0.5) == [(10, 20, 110, 80)] * 2


def test_a_box_lies_in_the_part_that_the_network_saw():
    evidence = hand_made({(0, 0): 1.0}, {(6, 6): 1.0})
    cat, dog = boxes_of(evidence, (50, 100, 190, 170), threshold=0.3)
    assert cat[:2] == (50, 100) and cat[2] < 90 and cat[3] < 120
    assert dog[2:] == (190, 170) and dog[0] > 150 and dog[1] > 150


def test_only_the_region_of_the_peak_counts():
    evidence = hand_made({(0, 0): 1.0, (6, 6): 3.0}, {(0, 0): 3.0, (6, 6): 1.0})
    cat, dog = boxes_of(evidence, (0, 0, 70, 70), threshold=0.2)
    assert min(cat[:2]) > 40
    assert max(dog[2:]) < 30


def test_a_higher_threshold_gives_a_smaller_box():
    row = np.array([0.1, 0.4, 0.7, 1.0, 0.7, 0.4, 0.1], np.float32)
    evidence = np.stack([np.outer(row, row)] * 2)
    widths = [box[2] - box[0] for t in (0.1, 0.5, 0.9) for box in boxes_of(evidence, (0, 0, 700, 700), t)[:1]]
    assert widths[0] > widths[1] > widths[2] > 0


def test_there_is_no_box_where_nothing_speaks_for_the_label():
    evidence = hand_made({}, {(3, 3): 0.5})
    evidence[0, 0, 0] = 0
    cat, dog = boxes_of(evidence, (0, 0, 70, 70), threshold=0.3)
    assert cat is None
    assert dog is not None


def test_a_box_of_a_real_picture_lies_inside_it(tiny_network, examples):
    picture = open_picture(examples[0])
    preset = EvaluationPreset(size=128)
    evidence, _ = evidence_and_logits(tiny_network, preset(picture)[None])
    view = preset.view(*picture.size)
    for left, top, right, bottom in boxes_of(evidence[0].detach().numpy(), view, threshold=0.3):
        assert 0 <= left < right <= picture.width and 0 <= top < bottom <= picture.height


@pytest.mark.parametrize("method", ["GradCAM", "LayerCAM", "EigenCAM"])
def test_other_methods_come_from_grad_cam_and_leave_the_network_alone(tiny_network, method):
    batch = torch.randn(2, 3, 64, 96)
    maps = cam_map(tiny_network, batch, method, stage=3, label=1)
    assert maps.shape == (2, 64, 96) and maps.min() >= 0 and maps.max() <= 1
    assert not any(module._forward_hooks for module in tiny_network.modules())
    with pytest.raises(ValueError, match="methods are"):
        cam_map(tiny_network, batch, "NoCAM")


@pytest.mark.parametrize("method", ["ScoreCAM", "AblationCAM"])
def test_the_package_is_left_as_it_was(tiny_network, method):
    def contents() -> dict[str, dict[str, int]]:
        modules = {name: module for name, module in sys.modules.items() if name.startswith("pytorch_grad_cam")}
        return {name: {key: id(value) for key, value in vars(module).items()} for name, module in modules.items()}

    before = contents()
    cam_map(tiny_network, torch.randn(1, 3, 64, 64), method, stage=1)
    assert contents() == before and "tqdm" in before["pytorch_grad_cam.score_cam"]


@pytest.mark.parametrize("method", CAM_METHODS)
def test_the_number_of_forward_passes_is_known_before(tiny_network, method):
    passes = []
    cam_map(tiny_network, torch.randn(1, 3, 64, 64), method, stage=1, before_pass=lambda: passes.append(1))
    assert len(passes) == passes_of(tiny_network, method, stage=1)


@pytest.mark.parametrize("method", ["ScoreCAM", "AblationCAM", "GradCAM"])
def test_what_is_raised_before_a_pass_ends_the_work_and_leaves_no_hook(tiny_network, method):
    class Enough(Exception):
        pass

    passes = []

    def stop_at_the_last() -> None:
        passes.append(1)
        if len(passes) == min(3, passes_of(tiny_network, method, stage=1)):
            raise Enough

    with pytest.raises(Enough):
        cam_map(tiny_network, torch.randn(1, 3, 64, 64), method, stage=1, before_pass=stop_at_the_last)
    assert len(passes) <= 3
    assert hooks_of(tiny_network) == []


@pytest.mark.parametrize("method", CAM_METHODS)
def test_other_methods_print_nothing_into_the_log(tiny_network, inputs, capfd, method):
    cam_map(tiny_network, inputs[0], method, stage=1)
    assert capfd.readouterr() == ("", "")
