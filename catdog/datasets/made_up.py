"""Made-up photos: two in one, and photos of neither."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from PIL import Image

from catdog.datasets import composites
from catdog.datasets.cache import CachedPhoto, encode
from catdog.labels import Label


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
