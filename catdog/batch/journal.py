"""A journal beside a file of answers, so that a run that is killed goes on where it was when it is started again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

from catdog.batch.rows import Row
from catdog.checkpoint import weights_digest
from catdog.classifier import Classifier


def journal_beside(target: Path, classifier: Classifier, views: dict[str, Any]) -> Path:
    """The journal's name: with another checkpoint or engine, or other views of a picture, it is another one, and the run
    starts from the beginning."""
    weights = weights_digest({name: tensor.cpu() for name, tensor in classifier.network.state_dict().items()})
    known_by = hashlib.sha256(f"{weights} {classifier.metadata} {classifier.engine} {views}".encode()).hexdigest()[:8]
    return target.with_name(f".{target.name}.{known_by}.part")


def with_journal(
    classify: Callable[[list[str]], Iterator[Row]], paths: list[str], journal: Path, together: int = 1
) -> Iterator[Row]:
    """A row a path, in order: first those of an earlier run, as far as its paths are these, then new ones.

    Whoever has written all rows deletes the journal.

    Args:
        classify: gives a row for each of the paths that are left.
        paths: of all pictures.
        journal: one JSON object a line, in ASCII whatever the paths are; made where it is missing.
        together: rows that are made together, and made again together where some of them are missing: the last digits of an
            answer depend on what else is in its batch.

    Raises:
        OSError: where the journal cannot be written.
    """
    done = 0
    with journal.open("a+b") as file:
        file.seek(0)
        whole = read = 0  # bytes of the journal that are used, and that were read: the last line may be cut off
        rows: list[Row] = []
        for line in file:
            row = parsed(line)
            if row is None or done + len(rows) == len(paths) or row["path"] != paths[done + len(rows)]:
                break
            rows.append(row)
            read += len(line)
            if len(rows) == together or done + len(rows) == len(paths):
                whole, done = read, done + len(rows)
                yield from rows
                rows = []
        file.truncate(whole)
        for row in classify(paths[done:]):
            file.write(json.dumps(row).encode() + b"\n")
            file.flush()  # to the system, which keeps it when this process is killed
            yield row


def parsed(line: bytes) -> Row | None:
    """The row on a line of the journal, or None where the line is no whole row."""
    try:
        row: Any = json.loads(line) if line.endswith(b"\n") else None
    except ValueError:
        return None
    return cast(Row, row) if isinstance(row, dict) and "path" in row else None
