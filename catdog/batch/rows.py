"""Answers as rows of a table: the same columns from the command line and from the page."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from typing import TextIO

from catdog.classifier import Prediction
from catdog.images import ImageError

COLUMNS = ("path", "verdict", "cat", "dog", "error")

Row = dict[str, str | float]


def row_of(path: str, answer: Prediction | ImageError) -> Row:
    """One picture's row; what does not apply is the empty text."""
    if isinstance(answer, ImageError):
        return {"path": path, "verdict": "", "cat": "", "dog": "", "error": str(answer)}
    return {"path": path, "verdict": answer.verdict, "cat": answer.cat, "dog": answer.dog, "error": ""}


def write_csv(rows: Iterable[Row], file: TextIO) -> int:
    """Write a header and the rows; returns how many have an error."""
    writer = csv.DictWriter(file, COLUMNS)
    writer.writeheader()
    failed = 0
    for row in rows:
        failed += bool(row["error"])
        writer.writerow(row)
    return failed
