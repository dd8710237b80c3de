"""Labeled photos -> the network's inputs: a cache of encoded photos, made-up photos, batches of one shape."""

from __future__ import annotations

import math
import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import Dataset

from catdog.datasets.cache import CachedPhoto
from catdog.datasets.made_up import Composite, Compositor, covered, made_negative, other, unmixed
from catdog.labels import Label
from catdog.transforms import STRIDE, PlainPreset, TrainingPreset

MIN_OF_KIND = 25  # photos of a kind that is drawn as a source of its own


class Key(NamedTuple):
    """All that a training sample is made from: the same key gives the same tensor, in any process."""

    seed: int  # of this sample's random choices
    photo: int  # its index
    shape: tuple[int, int]  # (h, w) of its batch


class TrainingSamples(Dataset):
    """Photos, augmented; some of them put together with a second one, some replaced by a made-up negative.

    Args:
        photos: the training part.
        preset: makes an input of a given shape from a picture.
        composite: the share of samples put together from two photos.
        made_negative: the share of samples replaced by a made-up photo with neither.
        scene: the share of samples pasted small into a photo without a pet.
        cover: the share of samples covered where their pet is told best.
    """

    def __init__(
        self,
        photos: Sequence[CachedPhoto],
        preset: TrainingPreset | PlainPreset,
        composite: float,
        made_negative: float,
        scene: float = 0.0,
        cover: float = 0.0,
    ) -> None:
        self.photos = photos
        self.compositor = Compositor(photos)
        self.preset = preset
        self.composite = composite
        self.made_negative = made_negative
        self.scene = scene
        self.cover = cover

    def __getitem__(self, key: Key) -> tuple[Tensor, Tensor, Tensor]:
        """A key -> (3, h, w), the label (2,), and for each label the share of each place of the last feature map that
        belongs to a photo with it: (2, h / 32, w / 32)."""
        drawn, label = self.draw(self.photos[key.photo], random.Random(key.seed))
        target = torch.tensor(label, dtype=torch.float32)
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(key.seed)  # torch.manual_seed asks for GPUs too
            if isinstance(drawn, Image.Image):
                places = target[:, None, None].expand(2, *grid(key.shape))
                return self.preset(drawn, key.shape), target, places.clone()
            pixels, placed = self.preset.composite(drawn.picture, drawn.placed, key.shape)
        second = F.adaptive_avg_pool2d(placed[None].float() / 255, grid(key.shape))  # (1, h / 32, w / 32)
        first_label, second_label = torch.tensor([drawn.first, drawn.second], dtype=torch.float32)[..., None, None]
        return pixels, target, first_label * (1 - second) + second_label * second

    def draw(self, cached: CachedPhoto, rng: random.Random) -> tuple[Image.Image | Composite, Label]:
        """What a photo becomes, and its label: itself, a composite, or a made-up photo with neither."""
        label = cached.photo.label
        drawn = rng.random()
        if drawn < self.composite and label != (1, 1):
            if sum(label) == 1 and rng.random() < 0.65:
                wanted = other(label)
            else:  # a seam or a pasted thing alone must not mean both
                wanted = rng.choice([(1, 0), (0, 1), (0, 0)])
            composite = self.compositor.compose(cached, wanted, rng)
            return composite, composite.label
        if drawn < self.composite + self.scene and label != (1, 1):
            return self.compositor.scene(cached, rng), label
        if drawn < self.composite + self.scene + self.cover and (cached.strongest or label == (0, 0)):
            return covered(cached, rng), label
        if drawn > 1 - self.made_negative and sum(label) == 1:
            return made_negative(cached, rng), (0, 0)
        if label == (1, 1):
            return unmixed(cached), label  # a gentle crop: the label needs both pets
        return cached.picture(), label


def grid(shape: tuple[int, int]) -> tuple[int, int]:
    """Places of the last feature map for an input of `shape`."""
    return math.ceil(shape[0] / STRIDE), math.ceil(shape[1] / STRIDE)


class TrainingBatches:
    """Batches of keys for one epoch after another; a batch sampler for `DataLoader`.

    Everything follows from seed, epoch and step, so that training can go on at any step. Sources are drawn with a
    share of n ** balance: below 1, a small source is seen more often than its size says. Photos of both, which are rare,
    count as a source of their own, and so does each kind of scene or animal with at least `MIN_OF_KIND` photos. With
    several processes, each takes its part of every batch.
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
        of_kind = Counter(cached.photo.kind for cached in photos)
        self.sources: dict[tuple[str, str, bool], list[int]] = defaultdict(list)
        for index, cached in enumerate(photos):
            photo = cached.photo
            kind = photo.kind if of_kind[photo.kind] >= MIN_OF_KIND else ""
            self.sources[photo.source, kind, photo.label == (1, 1)].append(index)
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
