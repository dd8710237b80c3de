"""The two labels, and the four verdicts."""

from __future__ import annotations

Label = tuple[int, int]  # cat, dog: 1 where the photo shows one

VERDICTS: dict[Label, str] = {(1, 0): "cat", (0, 1): "dog", (1, 1): "both", (0, 0): "neither"}

LABELS = ("cat", "dog")
