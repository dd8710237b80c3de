"""Answers as rows of a table: the same columns from the command line and from the page."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from typing import TextIO, TypedDict

from catdog.classifier import Prediction
from catdog.images import ImageError


class Row(TypedDict):
    """One picture's answer; None for what does not apply."""

    path: str
    verdict: str | None
    cat: float | None
    dog: float | None
    error: str | None


COLUMNS = tuple(Row.__annotations__)


def row_of(path: str, answer: Prediction | ImageError) -> Row:
    if isinstance(answer, ImageError):
        return {"path": path, "verdict": None, "cat": None, "dog": None, "error": str(answer)}
    return {"path": path, "verdict": answer.verdict, "cat": answer.cat, "dog": answer.dog, "error": None}


def write_csv(rows: Iterable[Row], file: TextIO) -> int:
    """Write a header and the rows, None as the empty text; returns how many have an error."""
    writer = csv.DictWriter(file, COLUMNS)
    writer.writeheader()
    failed = 0
    for row in rows:
        failed += row["error"] is not None
        writer.writerow(row)
    return failed
