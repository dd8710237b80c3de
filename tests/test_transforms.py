"""The training preset varies a picture, the evaluation preset shows all of it, and both normalize alike."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import v2

from catdog.images import open_picture
from catdog.images.picture import MAX_ASPECT
from catdog.transforms import MEAN, STD, EvaluationPreset, PlainPreset, TrainingPreset


def pixels(tensor: torch.Tensor) -> np.ndarray:
    """A normalized input -> (h, w, 3) in 0 to 255."""
    return (tensor.permute(1, 2, 0).numpy() * STD + MEAN) * 255


@pytest.fixture
def noise() -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (80, 120, 3), np.uint8))


@pytest.mark.parametrize(
    ("size", "shape"),
    [
        ((500, 500), (224, 224)),
        ((400, 300), (224, 288)),  # 298.7 px are 9.33 places
        ((300, 400), (288, 224)),
        ((800, 400), (224, 448)),
        ((2000, 100), (224, 448)),
        ((100, 2000), (448, 224)),
        ((20, 10), (224, 448)),
    ],
)
def test_a_whole_photo_keeps_its_shape_up_to_two_to_one(size, shape):
    assert EvaluationPreset(224, "whole").shape(*size) == shape


@pytest.mark.parametrize("resize", ["squash", "crop"])
def test_squash_and_crop_give_a_square(resize, noise):
    assert EvaluationPreset(96, resize).shape(700, 300) == (96, 96)
    assert EvaluationPreset(96, resize)(noise).shape == (3, 96, 96)


@pytest.mark.parametrize("resize", ["whole", "squash"])
def test_nothing_of_a_photo_is_left_out_unless_it_is_cropped(resize, quadrants):
    preset = EvaluationPreset(64, resize)
    assert preset.view(*quadrants.size) == (0, 0, 96, 64)
    shown = pixels(preset(quadrants))
    for row, column in ((0, 0), (0, -1), (-1, 0), (-1, -1)):
        np.testing.assert_allclose(shown[row, column], np.asarray(quadrants)[row, column], atol=1)


@pytest.mark.parametrize("size", [(256, 256), (341, 256), (256, 400), (500, 375), (1000, 300)])
def test_the_crop_is_the_tutorial_s_resize_and_center_crop(size):
    width, height = size
    left, top, right, bottom = EvaluationPreset(224, "crop").view(width, height)
    scale = min(size) / 256  # the tutorial's crop of 224 from a short side of 256, in the photo's own pixels
    expected = (
        (width - 224 * scale) / 2,
        (height - 224 * scale) / 2,
        (width + 224 * scale) / 2,
        (height + 224 * scale) / 2,
    )
    np.testing.assert_allclose((left, top, right, bottom), expected, atol=0.5)


def test_the_crop_shows_the_very_pixels_that_torchvision_s_shows():
    picture = Image.fromarray(np.random.default_rng(1).integers(0, 256, (256, 340, 3), np.uint8))
    theirs = v2.Compose([v2.Resize(256), v2.CenterCrop(224)])(picture)
    np.testing.assert_allclose(pixels(EvaluationPreset(224, "crop")(picture)), np.asarray(theirs), atol=1e-3)


def test_the_network_sees_only_what_the_view_says(noise):
    preset = EvaluationPreset(64, "crop")
    left, top, right, bottom = preset.view(*noise.size)
    masked = Image.new("RGB", noise.size, "white")
    masked.paste(noise.crop((left, top, right, bottom)), (left, top))
    inside = np.s_[:, 2:-2, 2:-2]  # at the edge, the filter reaches a pixel further
    torch.testing.assert_close(preset(masked)[inside], preset(noise)[inside], atol=0, rtol=0)


@pytest.mark.parametrize("resize", ["whole", "squash", "crop"])
@pytest.mark.parametrize("size", [(1, 1), (1, 2), (2, 1), (3, 3), (1, MAX_ASPECT), (MAX_ASPECT, 1)])
def test_the_smallest_pictures_have_something_to_see(resize, size):
    preset = EvaluationPreset(64, resize)
    left, top, right, bottom = preset.view(*size)
    assert 0 <= left < right <= size[0] and 0 <= top < bottom <= size[1]
    shown = pixels(preset(Image.new("RGB", size, (10, 200, 30))))
    assert np.abs(shown - (10, 200, 30)).max() < 1


def test_inputs_are_normalized_by_imagenet_s_mean_and_deviation():
    tensor = EvaluationPreset(32)(Image.new("RGB", (40, 40), (255, 0, 51)))
    expected = [(1 - 0.485) / 0.229, (0 - 0.456) / 0.224, (0.2 - 0.406) / 0.225]
    assert tensor.dtype == torch.float32
    assert tensor[:, 5, 7].tolist() == pytest.approx(expected, abs=1e-5)


def test_inputs_are_torchvision_s_to_the_last_bit(noise):
    theirs = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True), v2.Normalize(MEAN, STD)])
    resized = noise.resize((32, 32), Image.Resampling.BILINEAR)
    torch.testing.assert_close(
        EvaluationPreset(32, "squash")(noise), theirs(resized).as_subclass(torch.Tensor), atol=0, rtol=0
    )


def test_a_large_photo_is_averaged_and_not_sampled():
    stripes = np.zeros((512, 512, 3), np.uint8)
    stripes[:, ::2] = 255
    shown = pixels(EvaluationPreset(64)(Image.fromarray(stripes)))
    np.testing.assert_allclose(shown[:, 2:-2], 127.5, atol=3)


@pytest.mark.parametrize("shape", [(64, 64), (48, 80), (80, 48)])
@pytest.mark.parametrize(
    "preset",
    [TrainingPreset(), TrainingPreset(trivial=1, erase=1, far=1, dark=1), PlainPreset("whole")],
    ids=["augmented", "distorted", "plain"],
)
def test_training_inputs_have_the_shape_asked_for(preset, shape, noise):
    assert preset(noise, shape).shape == (3, *shape)


def test_the_same_random_state_gives_the_same_training_input_and_another_one_another(noise):
    preset = TrainingPreset()

    def draw(seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        return preset(noise, (64, 64))

    torch.testing.assert_close(draw(1), draw(1), atol=0, rtol=0)
    assert not torch.equal(draw(1), draw(2))


def area_shown(together: bool, min_scale: float = 0.35) -> list[float]:
    """Share of a picture that training crops of it show, from a picture whose colors say where a pixel is."""
    ramp = np.zeros((256, 256, 3), np.uint8)
    ramp[..., 0] = np.arange(256)[None]
    ramp[..., 1] = np.arange(256)[:, None]
    preset = TrainingPreset(rotation=0, color=0, min_scale=min_scale)
    preset.augment = v2.Identity()
    shares = []
    for seed in range(40):
        torch.manual_seed(seed)
        picture = Image.fromarray(ramp)
        shown = preset.composite(picture, picture.getchannel(0), (64, 64)) if together else [preset(picture, (64, 64))]
        shown = pixels(shown[0])
        shares.append(float(np.ptp(shown[..., 0]) * np.ptp(shown[..., 1]) / 255**2))
    return shares


def test_training_crops_take_as_little_as_a_third_and_most_of_a_photo_put_together():
    assert min(area_shown(together=False)) < 0.5
    assert min(area_shown(together=True)) > 0.7


@pytest.mark.parametrize("preset", [TrainingPreset(rotation=0, color=0), PlainPreset("whole")])
def test_a_mask_goes_the_way_of_its_picture(preset):
    ramp = np.tile(np.arange(256, dtype=np.uint8), (128, 1))
    placed = Image.fromarray(np.where(ramp > 100, 255, 0).astype(np.uint8))
    for seed in range(10):
        torch.manual_seed(seed)
        picture, mask = preset.composite(Image.merge("RGB", [placed] * 3), placed, (64, 128))
        assert mask.shape == (64, 128) and mask.dtype == torch.uint8
        bright = picture[0] > picture[0].mean()
        assert ((mask > 127) == bright).float().mean() > 0.97


def test_a_mask_keeps_its_values_when_colors_change():
    preset = TrainingPreset(rotation=0, color=1)
    placed = Image.new("L", (64, 64), 255)
    for seed in range(10):
        torch.manual_seed(seed)
        assert preset.composite(placed.convert("RGB"), placed, (32, 32))[1].min() == 255


def test_a_rectangle_is_blotted_out_of_the_share_of_photos_that_is_asked_for_and_of_none_put_together():
    white = Image.new("RGB", (64, 64), "white")
    for erase in (0, 1):
        preset = TrainingPreset(rotation=0, color=0, erase=erase)
        torch.manual_seed(0)
        blotted = (preset(white, (64, 64)) == 0).all(0).float().mean()
        assert 0.02 * erase <= blotted <= 0.21 * erase
        assert not (preset.composite(white, white.convert("L"), (64, 64))[0] == 0).any()


def test_far_pets_stand_small_in_a_plain_frame():
    white = Image.new("RGB", (64, 64), "white")
    preset = TrainingPreset(rotation=0, color=0, min_scale=1, far=1)
    torch.manual_seed(0)
    shares = [(preset(white, (96, 96)).amax(0) > 1.5).float().mean().item() for _ in range(40)]
    assert min(shares) < 0.3 and 0.2 < sum(shares) / 40 < 0.8
    frame = preset(white, (96, 96)).flatten(1).amin(1)
    assert frame.abs().max() < 0.05  # ImageNet's mean color


def test_dark_photos_are_darker_and_never_lighter():
    gray = Image.new("RGB", (64, 64), (90, 90, 90))
    plain = TrainingPreset(rotation=0, color=0)(gray, (64, 64)).mean()
    levels = [TrainingPreset(rotation=0, color=0, dark=1)(gray, (64, 64)).mean() for _ in range(20)]
    assert max(levels) <= plain + 1e-4 and min(levels) < plain - 0.5


def test_trivial_augment_changes_most_of_the_pictures_it_is_given(examples):
    picture = open_picture(examples[0]).resize((64, 64))
    plain, distorted = TrainingPreset(trivial=0), TrainingPreset(trivial=1)
    changed = 0
    for seed in range(20):
        inputs = []
        for preset in (plain, distorted):
            torch.manual_seed(seed)
            inputs.append(preset(picture, (64, 64)))
        changed += not torch.equal(*inputs)
    assert changed > 10  # one of its fourteen ways is to leave it


def test_the_smallest_crop_can_be_chosen():
    assert min(area_shown(together=False, min_scale=0.1)) < 0.25


def test_a_plain_preset_shows_what_the_evaluation_preset_shows(examples):
    picture = open_picture(examples[0])
    for resize in ("squash", "crop"):
        plain = PlainPreset(resize)(picture, (64, 64))
        torch.testing.assert_close(plain, EvaluationPreset(64, resize)(picture), atol=0, rtol=0)
    preset = EvaluationPreset(64, "whole")
    plain = PlainPreset("whole")(picture, preset.shape(*picture.size))
    torch.testing.assert_close(plain, preset(picture), atol=0, rtol=0)
