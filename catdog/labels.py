"""The two labels, and the four verdicts."""

from __future__ import annotations

from typing import Literal

Label = tuple[int, int]  # cat, dog: 1 where the photo shows one
Verdict = Literal["cat", "dog", "both", "neither"]
VERDICTS: dict[Label, Verdict] = {(1, 0): "cat", (0, 1): "dog", (1, 1): "both", (0, 0): "neither"}

LABELS = ("cat", "dog")
