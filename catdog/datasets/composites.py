"""Made-up photos: a cat and a dog in one picture, and pictures that hold neither.

Photos with both are rare, so they are put together from two photos: side by side, one set into the other, or a pet cut
out by its trimap and pasted. Two photos of one species, or of a pet and a negative, are put together the same way, so
that a seam says nothing about the label.
"""

from __future__ import annotations

import random

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter, ImageStat

BACKGROUND = 2  # in an Oxford-IIIT Pet trimap; 1 is the pet, 3 its border
SHORT_SIDE = 256  # px, of the pictures made here: enough for any training crop


def side_by_side(first: Image.Image, second: Image.Image, rng: random.Random) -> tuple[Image.Image, Image.Image]:
    """Two photos next to each other or one above the other, each cropped to at most 1.4 times its height: a pet must stay in it.

    Returns:
        The picture, and where in it the second photo is, as a mask.
    """
    pair = [first, second]
    rng.shuffle(pair)
    stacked = rng.random() < 0.4
    parts = []
    for picture in pair:
        picture = picture.transpose(Image.Transpose.TRANSPOSE) if stacked else picture
        picture = picture.resize((max(1, round(picture.width * SHORT_SIDE / picture.height)), SHORT_SIDE))
        width = min(picture.width, round(SHORT_SIDE * rng.uniform(0.9, 1.4)))
        left = rng.randint(0, picture.width - width)
        parts.append(picture.crop((left, 0, left + width, SHORT_SIDE)))
    canvas = Image.new("RGB", (parts[0].width + parts[1].width, SHORT_SIDE))
    placed = Image.new("L", canvas.size, 0)
    for left, photo, part in ((0, pair[0], parts[0]), (parts[0].width, pair[1], parts[1])):
        canvas.paste(part, (left, 0))
        if photo is second:
            placed.paste(255, (left, 0, left + part.width, SHORT_SIDE))
    if stacked:
        return canvas.transpose(Image.Transpose.TRANSPOSE), placed.transpose(Image.Transpose.TRANSPOSE)
    return canvas, placed


def pet_mask(trimap: Image.Image, size: tuple[int, int]) -> Image.Image:
    """A trimap -> the pet with its border as 255 on 0, at a picture's size."""
    mask = np.where(np.asarray(trimap.convert("L")) == BACKGROUND, 0, 255).astype(np.uint8)
    return Image.fromarray(mask).resize(size, Image.Resampling.NEAREST)


def extent_mask(extent: Image.Image, size: tuple[int, int]) -> Image.Image:
    """A coarse map of a pet, 0 to 255, enlarged to a picture's size: the pet as 255 on 0, with a soft edge."""
    enlarged = extent.resize(size, Image.Resampling.BICUBIC)
    return enlarged.point([min(255, max(0, 4 * (value - 32))) for value in range(256)])


def share_of(extent: Image.Image) -> float:
    """Which share of a picture a coarse map of a pet, 0 to 255, says that it fills."""
    counts = extent.histogram()
    return sum(counts[128:]) / sum(counts)


def soft_rectangle(size: tuple[int, int]) -> Image.Image:
    """A mask whose edge fades: for photos without a trimap, set into another whole."""
    width, height = size
    margin = max(2, min(size) // 12)
    mask = Image.new("L", size, 0)
    mask.paste(255, (margin, margin, width - margin, height - margin))
    return mask.filter(ImageFilter.GaussianBlur(margin / 2))


def paste(
    base: Image.Image,
    pet: Image.Image,
    mask: Image.Image,
    rng: random.Random,
    fraction: float,
    base_mask: Image.Image | None = None,
) -> tuple[Image.Image, Image.Image]:
    """Paste what `mask` shows of `pet` onto `base`, in its light, where it hides little of the pet already there.

    Args:
        base: the photo below.
        pet: the photo that the pet is cut from, and `mask` its pet, of the same size.
        fraction: the cut-out's longer side, as a share of the base's short side.
        base_mask: the pet in the base; where it is unknown, the middle of the base counts as pet.

    Returns:
        The picture, and where in it the pasted pet is, as a mask.
    """
    base = base.resize(fit(base.size))
    box = mask.getbbox() or (0, 0, *mask.size)
    pet, mask = pet.crop(box), mask.crop(box)
    scale = fraction * min(base.size) / max(pet.size)
    size = max(8, round(pet.width * scale)), max(8, round(pet.height * scale))
    pet, mask = pet.resize(size), mask.resize(size)
    if rng.random() < 0.5:
        pet, mask = pet.transpose(Image.Transpose.FLIP_LEFT_RIGHT), mask.transpose(Image.Transpose.FLIP_LEFT_RIGHT)

    if base_mask is None:
        base_mask = Image.new("L", base.size, 0)
        base_mask.paste(255, (base.width // 4, base.height // 4, base.width * 3 // 4, base.height * 3 // 4))
    left, top = least_hidden_place(np.asarray(base_mask.resize(base.size)) > 0, np.asarray(mask) > 127, rng)

    here = (max(0, left), max(0, top), min(base.width, left + size[0]), min(base.height, top + size[1]))
    light = brightness(base.crop(here)) / max(1.0, brightness(pet, mask))
    strength = rng.uniform(0.3, 0.9)  # of the match: a pet in the shade may still be a white cat
    pet = ImageEnhance.Brightness(pet).enhance(min(1.5, max(0.5, light**strength)))
    mask = mask.filter(ImageFilter.GaussianBlur(rng.uniform(0.5, 1.5)))
    base.paste(pet, (left, top), mask)
    placed = Image.new("L", base.size, 0)
    placed.paste(mask, (left, top))
    return base, placed


def least_hidden_place(
    base_pet: np.ndarray, cutout: np.ndarray, rng: random.Random, max_hidden: float = 0.4
) -> tuple[int, int]:
    """Left and top for a cut-out such that it hides at most `max_hidden` of the pet below; of 12 tries the best."""
    height, width = cutout.shape
    best, best_hidden = (0, 0), 2.0
    area = max(1, int(base_pet.sum()))
    for _ in range(12):
        left = rng.randint(-width // 8, base_pet.shape[1] - width * 7 // 8)
        top = rng.randint(-height // 8, base_pet.shape[0] - height * 7 // 8)
        below = base_pet[max(0, top) : top + height, max(0, left) : left + width]
        above = cutout[max(0, -top) :, max(0, -left) :][: below.shape[0], : below.shape[1]]
        hidden = float((below & above).sum()) / area
        if hidden <= max_hidden:
            return left, top
        if hidden < best_hidden:
            best, best_hidden = (left, top), hidden
    return best


def brightness(picture: Image.Image, mask: Image.Image | None = None) -> float:
    """Mean luma, 0 to 255, of the part that the mask shows."""
    if mask is not None and not mask.getbbox():
        mask = None
    return ImageStat.Stat(picture.convert("L"), mask).mean[0]


def shuffle_patches(picture: Image.Image, rng: random.Random) -> Image.Image:
    """The photo's colors and textures without its shapes: cut into small squares, shuffled and turned."""
    grid = rng.randint(6, 10)
    side = SHORT_SIDE // grid
    picture = picture.resize((grid * side, grid * side))
    patches = [
        picture.crop((x * side, y * side, (x + 1) * side, (y + 1) * side)) for y in range(grid) for x in range(grid)
    ]
    rng.shuffle(patches)
    canvas = Image.new("RGB", picture.size)
    for index, patch in enumerate(patches):
        turned = patch.rotate(90 * rng.randint(0, 3))
        canvas.paste(turned, (index % grid * side, index // grid * side))
    return canvas


def remove_pet(picture: Image.Image, mask: Image.Image, rng: random.Random) -> Image.Image:
    """The photo with its pet's bounding box filled by a stretched piece of its own background."""
    left, top, right, bottom = mask.getbbox() or (0, 0, 1, 1)
    strips = [
        (0, 0, left, picture.height),
        (right, 0, picture.width, picture.height),
        (0, 0, picture.width, top),
        (0, bottom, picture.width, picture.height),
    ]
    strips = [strip for strip in strips if strip[2] - strip[0] >= 16 and strip[3] - strip[1] >= 16]
    if not strips:  # the pet fills the photo
        return shuffle_patches(picture, rng)
    strip = picture.crop(rng.choice(strips))
    filled = picture.copy()
    filled.paste(strip.resize((right - left, bottom - top)), (left, top))
    return filled


def plain_picture(rng: random.Random) -> Image.Image:
    """A plain color, a gradient or noise, coarse or fine: walls, skies and lens caps."""
    colors = np.array([[rng.randrange(256) for _ in range(3)] for _ in range(2)], dtype=np.float64)
    generator = np.random.default_rng(rng.getrandbits(32))
    kind = rng.random()
    if kind < 0.6:
        slope = np.linspace(0, 1 if kind < 0.3 else 0, SHORT_SIDE)[None, :, None]
        values = np.broadcast_to(colors[0] * (1 - slope) + colors[1] * slope, (SHORT_SIDE, SHORT_SIDE, 3))
        values = values + generator.normal(0, rng.uniform(0, 12), values.shape)
    else:
        cells = rng.choice([4, 16, 64, 256])
        values = generator.uniform(0, 255, (cells, cells, 3 if rng.random() < 0.5 else 1))
        values = np.broadcast_to(values, (cells, cells, 3))
    picture = Image.fromarray(np.clip(values, 0, 255).astype(np.uint8)).resize((SHORT_SIDE, SHORT_SIDE))
    return picture.rotate(90 * rng.randint(0, 3))


def fit(size: tuple[int, int]) -> tuple[int, int]:
    """A picture's size with its short side at SHORT_SIDE, its long side at most three times that."""
    width, height = size
    scale = SHORT_SIDE / min(size)
    return min(3 * SHORT_SIDE, round(width * scale)), min(3 * SHORT_SIDE, round(height * scale))
