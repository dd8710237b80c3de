"""Labelled photos -> the network's inputs: a cache of encoded photos, made-up photos, batches of one shape."""

from __future__ import annotations

import io
import math
import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import Dataset

from catdog import composites
from catdog.datasets import Label, Photo, short_digest
from catdog.images import ImageError, open_picture
from catdog.transforms import STRIDE, EvaluationPreset, PlainPreset, TrainingPreset

MAX_CACHED_SIDE = 512  # px, short side: larger photos are shrunk once, or every epoch would decode megapixels


@dataclass(frozen=True)
class CachedPhoto:
    """A photo whose encoded bytes are in memory and known to decode."""

    photo: Photo
    content: bytes
    size: tuple[int, int]  # width, height of the upright picture
    digest: bytes = b""  # of the file

    def picture(self) -> Image.Image:
        return open_picture(self.content)

    def mask(self) -> Image.Image | None:
        """The pet as 255 on 0, at the picture's size, where a trimap says so."""
        if self.photo.trimap is None:
            return None
        return composites.pet_mask(Image.open(self.photo.trimap), self.size)


def cache_photos(photos: Sequence[Photo], threads: int = 4) -> tuple[list[CachedPhoto], list[tuple[Photo, ImageError]]]:
    """Read and decode every photo once.

    Returns:
        Those that can be read, in their order, and those that cannot, each with its error.
    """
    with ThreadPoolExecutor(threads) as pool:
        results = list(zip(photos, pool.map(cache_photo, photos)))
    cached = [result for _, result in results if isinstance(result, CachedPhoto)]
    failed = [(photo, result) for photo, result in results if isinstance(result, ImageError)]
    return cached, failed


def cache_photo(photo: Photo) -> CachedPhoto | ImageError:
    try:
        picture = open_picture(photo.path)
        content = photo.path.read_bytes()
        if photo.trimap is not None:
            open_picture(photo.trimap)  # a broken one would stop training much later
    except ImageError as error:
        return error
    digest = short_digest(content)
    if min(picture.size) <= MAX_CACHED_SIDE:
        return CachedPhoto(photo, content, picture.size, digest)
    scale = MAX_CACHED_SIDE / min(picture.size)
    picture = picture.resize((round(picture.width * scale), round(picture.height * scale)), reducing_gap=3.0)
    return CachedPhoto(photo, encode(picture), picture.size, digest)


def encode(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


class Key(NamedTuple):
    """All that a training sample is made from: the same key gives the same tensor, in any process."""

    seed: int  # of this sample's random choices
    index: int  # of the photo
    shape: tuple[int, int]  # (h, w) of its batch


class Together(NamedTuple):
    """Two photos in one."""

    picture: Image.Image
    placed: Image.Image  # mask, 255 where the second photo is
    first: Label
    second: Label

    @property
    def label(self) -> Label:
        """The labels of a photo that shows what both show."""
        return max(self.first[0], self.second[0]), max(self.first[1], self.second[1])


def alone(cached: CachedPhoto) -> Together:
    picture, label = cached.picture(), cached.photo.label
    return Together(picture, Image.new("L", picture.size, 0), label, label)


class Pairs:
    """Puts a photo together with a second one drawn from a list."""

    def __init__(self, photos: Sequence[CachedPhoto]) -> None:
        self.photos = photos
        self.by_label: dict[Label, list[int]] = defaultdict(list)
        self.cutouts: dict[Label, list[int]] = defaultdict(list)
        for index, cached in enumerate(photos):
            self.by_label[cached.photo.label].append(index)
            if cached.photo.trimap is not None:
                self.cutouts[cached.photo.label].append(index)

    def together(self, first: CachedPhoto, wanted: Label, rng: random.Random) -> Together:
        """The photo with one of label `wanted` beside it, cut out and pasted onto it or set into it."""
        draw = rng.random()
        if draw < 0.4:
            return self.pasted(first, wanted, rng, rng.uniform(0.25, 0.9))
        if draw < 0.65:  # cut-outs are clean but few; every photo can be set into another
            return self.inset(first, wanted, rng, rng.uniform(0.35, 0.8))
        return self.beside(first, wanted, rng)

    def beside(self, first: CachedPhoto, wanted: Label, rng: random.Random) -> Together:
        """The two side by side; the photo alone where no other has the label."""
        if not self.by_label[wanted]:
            return alone(first)
        second = self.photos[rng.choice(self.by_label[wanted])]
        return Together(
            *composites.side_by_side(first.picture(), second.picture(), rng), first.photo.label, second.photo.label
        )

    def pasted(self, first: CachedPhoto, wanted: Label, rng: random.Random, fraction: float) -> Together:
        """A pet cut out, at `fraction` of the first's short side; without any trimap, a whole photo set in."""
        if not self.cutouts[wanted]:
            return self.inset(first, wanted, rng, fraction)
        second = self.photos[rng.choice(self.cutouts[wanted])]
        return self.paste(first, second, second.mask(), rng, fraction)

    def inset(self, first: CachedPhoto, wanted: Label, rng: random.Random, fraction: float) -> Together:
        """A whole photo with a soft edge, at `fraction` of the first's short side."""
        if not self.by_label[wanted]:
            return alone(first)
        second = self.photos[rng.choice(self.by_label[wanted])]
        return self.paste(first, second, composites.soft_rectangle(second.size), rng, fraction)

    def paste(
        self, first: CachedPhoto, second: CachedPhoto, mask: Image.Image, rng: random.Random, fraction: float
    ) -> Together:
        picture, placed = composites.paste(first.picture(), second.picture(), mask, rng, fraction, first.mask())
        return Together(picture, placed, first.photo.label, second.photo.label)


class TrainingSamples(Dataset):
    """Photos, augmented; some of them put together with a second one, some replaced by a made-up negative.

    Args:
        photos: the training part.
        preset: makes an input of a given shape from a picture.
        composite: the share of samples put together from two photos.
        made_negative: the share of samples replaced by a made-up photo with neither.
    """

    def __init__(
        self,
        photos: Sequence[CachedPhoto],
        preset: TrainingPreset | PlainPreset,
        composite: float,
        made_negative: float,
    ) -> None:
        self.photos = photos
        self.pairs = Pairs(photos)
        self.preset = preset
        self.composite = composite
        self.made_negative = made_negative

    def __getitem__(self, key: Key) -> tuple[Tensor, Tensor, Tensor]:
        """A key -> (3, h, w), the label (2,), and for each label the share of each place of the last feature map that
        belongs to a photo with it: (2, h / 32, w / 32)."""
        rng = random.Random(key.seed)
        cached = self.photos[key.index]
        label = cached.photo.label
        draw = rng.random()
        together = None
        if draw < self.composite and label != (1, 1):
            if sum(label) == 1 and rng.random() < 0.65:
                wanted = other(label)
            else:  # a seam or a pasted thing alone must not mean both
                wanted = rng.choice([(1, 0), (0, 1), (0, 0)])
            together = self.pairs.together(cached, wanted, rng)
            label = together.label
        elif draw > 1 - self.made_negative and sum(label) == 1:
            picture, label = made_negative(cached, rng), (0, 0)
        elif label == (1, 1):
            together = alone(cached)  # a gentle crop: the label needs both pets
        else:
            picture = cached.picture()
        target = torch.tensor(label, dtype=torch.float32)
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(key.seed)  # torch.manual_seed asks for GPUs too
            if together is None:
                places = target[:, None, None].expand(2, *grid(key.shape))
                return self.preset(picture, key.shape), target, places.clone()
            pixels, placed = self.preset.together(together.picture, together.placed, key.shape)
        second = F.adaptive_avg_pool2d(placed[None].float() / 255, grid(key.shape))  # (1, h / 32, w / 32)
        first_label, second_label = torch.tensor([together.first, together.second], dtype=torch.float32)[
            ..., None, None
        ]
        return pixels, target, first_label * (1 - second) + second_label * second


def grid(shape: tuple[int, int]) -> tuple[int, int]:
    """Places of the last feature map for an input of `shape`."""
    return math.ceil(shape[0] / STRIDE), math.ceil(shape[1] / STRIDE)


def other(label: Label) -> Label:
    """The other species."""
    return label[1], label[0]


Make = Callable[[Pairs, CachedPhoto, Label, random.Random], Together]
WAYS: dict[str, Make] = {  # to put two photos together when a network is measured
    "side by side": Pairs.beside,
    "at a half": partial(Pairs.pasted, fraction=1 / 2),
    "at a third": partial(Pairs.pasted, fraction=1 / 3),
    "at a fifth": partial(Pairs.pasted, fraction=1 / 5),
}


def made_up_both(
    photos: Sequence[CachedPhoto], seed: int, count: int, make: Make = Pairs.together
) -> list[CachedPhoto]:
    """Photos with a cat and a dog, put together from photos of one pet; the same for the same seed."""
    rng = random.Random(seed)
    pets = [cached for cached in photos if sum(cached.photo.label) == 1]
    pairs = Pairs(pets)
    made = []
    for _ in range(count):
        first = rng.choice(pets)
        together = make(pairs, first, other(first.photo.label), rng)
        made.append(made_up(first, together.picture, together.label))
    return made


def made_up_negatives(photos: Sequence[CachedPhoto], seed: int, count: int) -> list[CachedPhoto]:
    """Pictures with neither, made from photos of pets; the same for the same seed."""
    rng = random.Random(seed)
    pets = [cached for cached in photos if sum(cached.photo.label) == 1]
    firsts = [rng.choice(pets) for _ in range(count)]
    return [made_up(first, made_negative(first, rng), (0, 0)) for first in firsts]


def made_up(first: CachedPhoto, picture: Image.Image, label: Label) -> CachedPhoto:
    photo = replace(first.photo, label=label, source="made up", trimap=None)
    return CachedPhoto(photo, encode(picture), picture.size)


def made_negative(cached: CachedPhoto, rng: random.Random) -> Image.Image:
    """A picture with neither, from a pet's photo: the pet removed, its patches shuffled, or nothing of it at all."""
    mask = cached.mask()
    if mask is not None and rng.random() < 0.6:
        return composites.remove_pet(cached.picture(), mask, rng)
    if rng.random() < 0.7:
        return composites.shuffle_patches(cached.picture(), rng)
    return composites.plain_picture(rng)


class EvaluationSamples(Dataset):
    """Photos as the evaluation preset shows them."""

    def __init__(self, photos: Sequence[CachedPhoto], preset: EvaluationPreset) -> None:
        self.photos = photos
        self.preset = preset

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.preset(self.photos[index].picture()), index

    def batches(self, batch_size: int) -> list[list[int]]:
        """Indices of photos that share an input shape."""
        by_shape: dict[tuple[int, int], list[int]] = defaultdict(list)
        for index, cached in enumerate(self.photos):
            by_shape[self.preset.shape(*cached.size)].append(index)
        return [
            indices[start : start + batch_size]
            for indices in by_shape.values()
            for start in range(0, len(indices), batch_size)
        ]


class TrainingBatches:
    """Batches of keys for one epoch after another; a batch sampler for `DataLoader`.

    Everything follows from seed, epoch and step, so that training can go on at any step. Sources are drawn with a
    share of n ** balance: below 1, a small source is seen more often than its size says. Photos of both, which are rare,
    count as a source of their own. With several processes, each takes its part of every batch.
    """

    def __init__(
        self, photos: Sequence[CachedPhoto], batch_size: int, seed: int, balance: float, rank: int = 0, world: int = 1
    ) -> None:
        self.batch_size = batch_size
        self.seed = seed
        self.rank, self.world = rank, world
        self.epoch = 0
        self.first_step = 0
        self.shapes = [(160, 160)]  # (h, w), one of which a batch has
        self.sources: dict[tuple[str, bool], list[int]] = defaultdict(list)
        for index, cached in enumerate(photos):
            self.sources[cached.photo.source, cached.photo.label == (1, 1)].append(index)
        weights = {source: len(indices) ** balance for source, indices in self.sources.items()}
        total = sum(weights.values())
        self.counts = {source: max(1, round(len(photos) * weight / total)) for source, weight in weights.items()}

    def __len__(self) -> int:
        """Batches in a whole epoch; an incomplete last one is left out unless it is the only one."""
        return max(1, sum(self.counts.values()) // self.batch_size)

    def __iter__(self) -> Iterator[list[Key]]:
        rng = random.Random(f"{self.seed} {self.epoch}")
        order: list[int] = []
        for source, indices in self.sources.items():
            count = self.counts[source]
            rounds = [rng.sample(indices, len(indices)) for _ in range(-(-count // len(indices)))]
            order += [index for shuffled in rounds for index in shuffled][:count]
        rng.shuffle(order)
        for step in range(len(self)):
            shape = rng.choice(self.shapes)
            batch = [
                Key(rng.getrandbits(48), index, shape)
                for index in order[step * self.batch_size : (step + 1) * self.batch_size]
            ]
            if step >= self.first_step:
                yield batch[self.rank :: self.world]
