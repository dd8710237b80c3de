"""From a picture to the network's input: the training preset and the evaluation preset, side by side.

Training, evaluation, page, command lines and export all go through these two. Only the training preset imports
torchvision: that takes nearly as long as torch itself, and who asks for an answer should not wait for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
import torch
from PIL import Image
from torch import Tensor

if TYPE_CHECKING:
    from torchvision.transforms import v2

MEAN = (0.485, 0.456, 0.406)  # of ImageNet's red, green, blue in [0, 1]: what the starting weights were trained with
STD = (0.229, 0.224, 0.225)
STRIDE = 32  # input pixels between neighboring places of the last feature map
MAX_RATIO = 2.0  # of the network's input; longer pictures are squashed to it
GENTLE = 0.8  # smallest random crop of a photo that was put together, as a share of its area
TUTORIAL_RESIZE = 256 / 224  # "resize 256, center crop 224"

Resize = Literal["whole", "squash", "crop"]
Box = tuple[int, int, int, int]  # left, top, right, bottom in pixels of the upright picture


class TrainingPreset:
    """Random crop, flip, rotation, color and blur, for one input shape at a time.

    Crops take 35% to 100% of a photo, so that small, large and cut-off pets are all seen; those of photos that were put
    together, which must keep both pets, at least 80%. The others may be distorted (TrivialAugment: Mueller and Hutter 2021)
    and have a rectangle blotted out (Zhong et al. 2020) besides, stand small in a plain frame, and be made darker.
    """

    def __init__(
        self,
        rotation: float = 12.0,
        color: float = 0.4,
        min_scale: float = 0.35,
        trivial: float = 0.0,
        erase: float = 0.0,
        far: float = 0.0,
        dark: float = 0.0,
    ) -> None:
        from torchvision.transforms import v2

        self.min_scale = min_scale
        frame = [round(255 * value) for value in MEAN]
        self.farther = v2.RandomZoomOut(frame, side_range=(1.0, 3.0), p=far) if far else v2.Identity()
        self.darker = v2.RandomApply([darken], p=dark) if dark else v2.Identity()
        self.augment = v2.Compose(
            [
                v2.RandomHorizontalFlip(),
                v2.RandomApply([v2.RandomRotation([-rotation, rotation], v2.InterpolationMode.BILINEAR)], p=0.3),
                v2.ColorJitter(brightness=color, contrast=color, saturation=color),
                v2.RandomGrayscale(p=0.05),
                v2.RandomApply([v2.GaussianBlur(kernel_size=5, sigma=(0.1, 1.5))], p=0.15),
            ]
        )
        self.distort = v2.RandomApply([v2.TrivialAugmentWide(interpolation=v2.InterpolationMode.BILINEAR)], p=trivial)
        self.erase = v2.RandomErasing(p=erase, scale=(0.02, 0.2))  # with ImageNet's mean color

    def __call__(self, picture: Image.Image, shape: tuple[int, int]) -> Tensor:
        """RGB picture -> (3, *shape), normalized. Draws from torch's global random generator."""
        picture = random_crop(shape, self.min_scale)(self.farther(picture))
        picture = self.augment(self.darker(picture))
        return self.erase(normalize(self.distort(picture)))

    def composite(self, picture: Image.Image, placed: Image.Image, shape: tuple[int, int]) -> tuple[Tensor, Tensor]:
        """A photo that was put together, and its mask -> (3, *shape), normalized, and uint8 (*shape)."""
        from torchvision.tv_tensors import Mask

        picture, mask = self.augment(*random_crop(shape, GENTLE)(picture, Mask(np.array(placed))))
        return normalize(picture), mask.as_subclass(Tensor)


def darken(picture: Image.Image) -> Image.Image:
    """A gamma between 1 and 2.5: black pets on dark ground lose what is seen of them first."""
    from torchvision.transforms.v2 import functional

    gamma = float(torch.empty(1).uniform_(1, 2.5))
    darkened: Any = functional.adjust_gamma(cast(Any, picture), gamma=gamma)  # its types know of tensors alone
    return darkened


def random_crop(shape: tuple[int, int], min_scale: float) -> v2.RandomResizedCrop:
    from torchvision.transforms import v2

    height, width = shape
    aspect = width / height
    return v2.RandomResizedCrop(shape, scale=(min_scale, 1.0), ratio=(aspect * 3 / 4, aspect * 4 / 3))


@dataclass(frozen=True)
class PlainPreset:
    """Training photos without augmentation: the tutorial's center crop, or the whole photo squashed to the shape."""

    resize: Resize

    def __call__(self, picture: Image.Image, shape: tuple[int, int]) -> Tensor:
        """RGB picture -> (3, *shape), normalized."""
        return normalize(self.resized(picture, shape))

    def composite(self, picture: Image.Image, placed: Image.Image, shape: tuple[int, int]) -> tuple[Tensor, Tensor]:
        """A photo that was put together, and its mask -> (3, *shape), normalized, and uint8 (*shape)."""
        return self(picture, shape), torch.from_numpy(np.array(self.resized(placed, shape)))

    def resized(self, picture: Image.Image, shape: tuple[int, int]) -> Image.Image:
        height, width = shape
        box = EvaluationPreset(height, self.resize).view(*picture.size)
        return picture.resize((width, height), Image.Resampling.BILINEAR, box=box)


@dataclass(frozen=True)
class EvaluationPreset:
    """What the network sees of a photo when it answers.

    `whole`: all of it, short side `size`, long side in proportion, rounded to a multiple of 32 and at most twice the
    short side. `squash`: all of it, as a square. `crop`: the tutorial's resize to 256 and center crop of 224.
    """

    size: int = 224
    resize: Resize = "whole"

    def shape(self, width: int, height: int) -> tuple[int, int]:
        """The input's (h, w) for a picture of this size in pixels."""
        if self.resize != "whole":
            return self.size, self.size
        ratio = min(max(width, height) / min(width, height), MAX_RATIO)
        long = STRIDE * round(self.size * ratio / STRIDE)
        return (self.size, long) if width >= height else (long, self.size)

    def view(self, width: int, height: int) -> Box:
        """The part of the upright picture that the network sees."""
        if self.resize != "crop":
            return 0, 0, width, height
        side = min(width, height) / TUTORIAL_RESIZE
        left, top = (width - side) / 2, (height - side) / 2
        right, bottom = left + max(side, 1), top + max(side, 1)
        return round(left), round(top), round(right), round(bottom)

    def __call__(self, picture: Image.Image, full_size: tuple[int, int] | None = None) -> Tensor:
        """RGB picture -> (3, h, w), normalized.

        Args:
            picture: the upright picture.
            full_size: its width and height before it was reduced, which decide the input's shape.
        """
        height, width = self.shape(*(full_size or picture.size))
        small = picture.resize((width, height), Image.Resampling.BILINEAR, box=self.view(*picture.size))
        return normalize(small)


def normalize(picture: Image.Image) -> Tensor:
    """RGB picture -> (3, h, w), with ImageNet's mean and deviation: what torchvision's transforms give, to the last bit."""
    pixels = torch.from_numpy(np.array(picture)).permute(2, 0, 1)
    mean, std = (torch.tensor(values)[:, None, None] for values in (MEAN, STD))
    return pixels.float().mul_(1 / 255).sub_(mean).div_(std)
