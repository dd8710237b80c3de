"""Pictures of any kind -> the network's inputs, decoded ahead of it, in batches of one shape."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

import numpy as np
from PIL import Image
from torch import Tensor

from catdog.images import Decoded, ImageError, Picture, open_reduced
from catdog.transforms import EvaluationPreset

BATCH_SIZE = 32
CHUNK_SIZE = 128  # pictures decoded ahead: bounds the memory however many are asked for


@dataclass(frozen=True)
class Input:
    """One picture, ready for the network."""

    tensors: list[Tensor]  # (3, h, w), one for each size it is shown in
    size: tuple[int, int]  # width, height of the upright picture


def chunks_of_inputs(
    pictures: Iterable[Picture], presets: list[EvaluationPreset], short_side: int
) -> Iterator[list[Input | ImageError]]:
    """The pictures as inputs, or their errors, in order, at most CHUNK_SIZE at a time.

    Args:
        pictures: a list of them, or anything else that has an order.
        presets: one for each size that a picture is shown in.
        short_side: as for `open_reduced`.

    Raises:
        TypeError: for a single picture, or anything else that is no list of pictures.
    """

    def prepare(source: Picture) -> Input | ImageError:
        try:
            decoded = open_reduced(source, short_side)
        except ImageError as error:
            return error.alone()
        return Input([preset(decoded.picture, decoded.size) for preset in presets], decoded.size)

    given = iter_pictures(pictures)
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        while chunk := list(islice(given, CHUNK_SIZE)):
            yield list(pool.map(prepare, chunk)) if len(chunk) > 1 else [prepare(chunk[0])]


def iter_pictures(pictures: Iterable[Picture]) -> Iterator[Picture]:
    """The pictures in a list, or in anything else that has an order.

    Raises:
        TypeError: for a single picture, of which many can be iterated too: a file has lines, bytes are numbers.
    """
    single = (str, bytes, bytearray, memoryview, os.PathLike, Image.Image, np.ndarray, Decoded)
    if isinstance(pictures, (Mapping, Set)):
        raise TypeError(f"A {type(pictures).__name__} of pictures has no order to answer in: hand over a list of them.")
    if isinstance(pictures, single) or hasattr(pictures, "read") or not isinstance(pictures, Iterable):
        raise TypeError("Hand over a list of pictures, also for a single one: classify([picture]).")
    return iter(pictures)


def batches_of_one_shape(inputs: list[Input | ImageError], nth: int) -> Iterator[tuple[list[int], list[Tensor]]]:
    """The inputs whose `nth` tensors have one shape, at most BATCH_SIZE at a time: their indices, and those tensors."""
    by_shape: dict[tuple[int, ...], list[tuple[int, Tensor]]] = defaultdict(list)
    for index, each in enumerate(inputs):
        if isinstance(each, Input):
            by_shape[tuple(each.tensors[nth].shape)].append((index, each.tensors[nth]))
    for some in by_shape.values():
        for start in range(0, len(some), BATCH_SIZE):
            batch = some[start : start + BATCH_SIZE]
            yield [index for index, _ in batch], [tensor for _, tensor in batch]
