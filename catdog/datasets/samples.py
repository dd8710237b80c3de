"""Labeled photos as the inputs that an evaluation reads, batches of one shape."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from torch import Tensor
from torch.utils.data import Dataset

from catdog.datasets.cache import CachedPhoto
from catdog.transforms import EvaluationPreset


class EvaluationSamples(Dataset[tuple[Tensor, int]]):
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
