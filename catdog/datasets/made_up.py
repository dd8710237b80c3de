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


class Composite(NamedTuple):
    """Two photos in one."""

    picture: Image.Image
    placed: Image.Image  # mask, 255 where the second photo is
    first: Label
    second: Label

    @property
    def label(self) -> Label:
        """The labels of a photo that shows what both show."""
        return max(self.first[0], self.second[0]), max(self.first[1], self.second[1])


def unmixed(cached: CachedPhoto) -> Composite:
    """A photo by itself, as a composite with no second photo in it."""
    picture, label = cached.picture(), cached.photo.label
    return Composite(picture, Image.new("L", picture.size, 0), label, label)


class Compositor:
    """Composes a photo with a second one, drawn from a list."""

    def __init__(self, photos: Sequence[CachedPhoto]) -> None:
        self.photos = photos
        self.by_label: dict[Label, list[int]] = defaultdict(list)
        self.cutouts: dict[Label, list[int]] = defaultdict(list)
        self.outlined: dict[Label, list[int]] = defaultdict(list)  # pets whose outline is known, be it roughly
        for index, cached in enumerate(photos):
            self.by_label[cached.photo.label].append(index)
            if sum(cached.photo.label) == 1 and (cached.photo.trimap is not None or cached.extent is not None):
                self.outlined[cached.photo.label].append(index)
            if cached.photo.trimap is not None:
                self.cutouts[cached.photo.label].append(index)

    def compose(self, first: CachedPhoto, wanted: Label, rng: random.Random) -> Composite:
        """The photo with one of label `wanted` beside it, cut out and pasted onto it or set into it."""
        draw = rng.random()
        if draw < 0.4:
            return self.pasted(first, wanted, rng, rng.uniform(0.25, 0.9))
        if draw < 0.65:  # cut-outs are clean but few; every photo can be set into another
            return self.inset(first, wanted, rng, rng.uniform(0.35, 0.8))
        return self.beside(first, wanted, rng)

    def beside(self, first: CachedPhoto, wanted: Label, rng: random.Random) -> Composite:
        """The two side by side; the photo alone where no other has the label."""
        if not self.by_label[wanted]:
            return unmixed(first)
        second = self.photos[rng.choice(self.by_label[wanted])]
        return Composite(
            *composites.side_by_side(first.picture(), second.picture(), rng), first.photo.label, second.photo.label
        )

    def pasted(self, first: CachedPhoto, wanted: Label, rng: random.Random, fraction: float) -> Composite:
        """A pet cut out, at `fraction` of the first's short side; without any trimap, a whole photo set in."""
        if not self.cutouts[wanted]:
            return self.inset(first, wanted, rng, fraction)
        second = self.photos[rng.choice(self.cutouts[wanted])]
        mask = second.mask()
        assert mask is not None  # the cut-outs are those with a trimap
        return self.paste(first, second, mask, rng, fraction)

    def inset(self, first: CachedPhoto, wanted: Label, rng: random.Random, fraction: float) -> Composite:
        """A whole photo with a soft edge, at `fraction` of the first's short side."""
        if not self.by_label[wanted]:
            return unmixed(first)
        second = self.photos[rng.choice(self.by_label[wanted])]
        return self.paste(first, second, composites.soft_rectangle(second.size), rng, fraction)

    def scene(self, subject: CachedPhoto, rng: random.Random) -> Composite:
        """What a photo shows, small in a photo without a pet: at a seventh to a half of its short side.

        Of a pet its cut-out, or that of another one with its label where its outline is unknown. Of a photo without a pet
        what some pet's outline leaves, so that neither a seam nor a shape alone means a pet.
        """
        label = subject.photo.label
        outlined = self.outlined[label] if sum(label) else [*self.outlined[1, 0], *self.outlined[0, 1]]
        if not self.by_label[0, 0] or not outlined:
            return unmixed(subject)
        cut = subject if subject.cutout() else self.photos[rng.choice(outlined)]
        mask = cut.cutout()
        assert mask is not None  # they are those with an outline
        if sum(label) == 0:
            cut, mask = subject, mask.resize(subject.size)
        scene = self.photos[rng.choice(self.by_label[0, 0])]
        anywhere = Image.new("L", scene.size, 0)
        fraction = 0.5 / 3.5 ** rng.random()  # evenly on a logarithmic scale
        picture, placed = composites.paste(scene.picture(), cut.picture(), mask, rng, fraction, anywhere)
        return Composite(picture, placed, scene.photo.label, label)

    def paste(
        self, first: CachedPhoto, second: CachedPhoto, mask: Image.Image, rng: random.Random, fraction: float
    ) -> Composite:
        picture, placed = composites.paste(first.picture(), second.picture(), mask, rng, fraction, first.mask())
        return Composite(picture, placed, first.photo.label, second.photo.label)


def other(label: Label) -> Label:
    """The other species."""
    return label[1], label[0]


Make = Callable[[Compositor, CachedPhoto, Label, random.Random], Composite]
WAYS: dict[str, Make] = {  # to put two photos together when a network is measured
    "side by side": Compositor.beside,
    "at a half": partial(Compositor.pasted, fraction=1 / 2),
    "at a third": partial(Compositor.pasted, fraction=1 / 3),
    "at a fifth": partial(Compositor.pasted, fraction=1 / 5),
}


def made_up_both(
    photos: Sequence[CachedPhoto], seed: int, count: int, make: Make = Compositor.compose
) -> list[CachedPhoto]:
    """Photos with a cat and a dog, put together from photos of one pet; the same for the same seed."""
    rng = random.Random(seed)
    pets = [cached for cached in photos if sum(cached.photo.label) == 1]
    compositor = Compositor(pets)
    made = []
    for _ in range(count):
        first = rng.choice(pets)
        composite = make(compositor, first, other(first.photo.label), rng)
        made.append(made_up(first, composite.picture, composite.label))
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


def covered(cached: CachedPhoto, rng: random.Random) -> Image.Image:
    """A photo whose pet is covered where it is told best, most often its face, so that the rest of it must be told too
    (adversarial erasing: Wei et al. 2017): a fifth to a half of its area. In a photo without a pet a piece anywhere is
    covered, so that a cover alone means nothing.
    """
    picture = cached.picture()
    width, height = picture.size
    across, down, area = rng.random(), rng.random(), rng.uniform(0.1, 0.6)
    if cached.strongest and cached.extent:
        across, down = cached.strongest
        area = composites.share_of(cached.extent)
    covered_area = rng.uniform(0.2, 0.5) * area
    wide = covered_area**0.5 * rng.uniform(0.8, 1.25)
    high = covered_area / wide
    left, top = (across - wide / 2) * width, (down - high / 2) * height
    box = (round(left), round(top), round(left + wide * width), round(top + high * height))
    color = tuple(rng.choice(((124, 116, 104), [rng.randrange(256) for _ in range(3)])))  # ImageNet's mean, or any
    picture.paste(color, box)
    return picture


def made_negative(cached: CachedPhoto, rng: random.Random) -> Image.Image:
    """A picture with neither, from a pet's photo: the pet removed, its patches shuffled, or nothing of it at all."""
    mask = cached.mask()
    if mask is not None and rng.random() < 0.6:
        return composites.remove_pet(cached.picture(), mask, rng)
    if rng.random() < 0.7:
        return composites.shuffle_patches(cached.picture(), rng)
    return composites.plain_picture(rng)
