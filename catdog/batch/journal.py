"""A journal beside a file of answers, so that a run that is killed goes on where it was when it is started again."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, cast

from catdog.batch.rows import Row
from catdog.checkpoint import weights_digest
from catdog.classifier import Classifier

Photo = tuple[str, int, int]  # its absolute path, its size in bytes, when it was changed, in ns


class JournalError(ValueError):
    """A journal of another run: one sentence that says what to do."""


def journal_beside(target: Path) -> Path:
    return target.with_name(f".{target.name}.part")


def run_of(classifier: Classifier, views: dict[str, Any]) -> str:
    """What all answers of a run have in common: checkpoint, engine, views of a picture."""
    weights = weights_digest({name: tensor.cpu() for name, tensor in classifier.network.state_dict().items()})
    return hashlib.sha256(f"{weights} {classifier.metadata} {classifier.engine} {views}".encode()).hexdigest()[:16]


def with_journal(
    classify: Callable[[list[str]], Iterator[Row]], paths: Sequence[str], journal: Path, run: str, together: int = 1
) -> Iterator[Row]:
    """A row a path, in order: those of an earlier run, where it answered the same photos, and new ones.

    A photo is the same where its absolute path, its size and its time of change are; one that could not be read is tried
    again. Whoever has written all rows deletes the journal.

    Args:
        classify: gives a row for each of the paths that are left.
        paths: of all pictures.
        journal: one JSON object a line, in ASCII whatever the paths are; made where it is missing.
        run: what all answers have in common, by `run_of`.
        together: rows that are made together, and made again together where one of them is missing: the last digits of an
            answer depend on what else is in its batch.

    Raises:
        JournalError: for the journal of a run with another checkpoint or other options.
        OSError: where the journal cannot be written.
    """
    photos = [photo_at(path) for path in paths]
    with journal.open("a+b") as file:
        done = read(file, journal, run)
        groups = [range(start, min(start + together, len(paths))) for start in range(0, len(paths), together)]
        answered = [all(photos[index] in done for index in group) for group in groups]
        of_known = [index for group, known in zip(groups, answered) if known for index in group]
        failed = [index for index in of_known if done[photos[index]]["error"] is not None]
        again = dict(zip(failed, classify([paths[index] for index in failed]))) if failed else {}
        new = classify([paths[index] for group, known in zip(groups, answered) if not known for index in group])
        for group, known in zip(groups, answered):
            for index in group:
                if known and index not in again:
                    yield {**done[photos[index]], "path": paths[index]}
                    continue
                row = again[index] if known else next(new)
                file.write(json.dumps({"photo": photos[index], "row": row}).encode() + b"\n")
                file.flush()  # to the system, which keeps it when this process is killed
                yield row


def photo_at(path: str) -> Photo:
    absolute = os.path.abspath(path)
    try:
        found = os.stat(absolute)
    except OSError:
        return absolute, -1, -1
    return absolute, found.st_size, found.st_mtime_ns


def read(file: BinaryIO, journal: Path, run: str) -> dict[Photo, Row]:
    """The rows of an earlier run, by the photos that they are of; a journal that is new gets its first line."""
    file.seek(0)
    first = parsed(file.readline())
    if "run" not in first:  # new, or cut off in its first line
        file.truncate(0)
        file.write(json.dumps({"run": run}).encode() + b"\n")
        return {}
    if first["run"] != run:
        raise JournalError(
            f"{journal} is of a run with another checkpoint or other options that did not end: start that one again, or "
            "delete the file."
        )
    done: dict[Photo, Row] = {}
    whole = file.tell()  # bytes of whole lines: the last one may be cut off
    for line in file:
        if line.endswith(b"\n"):
            whole += len(line)
        entry = parsed(line)
        if "row" in entry:
            done[cast(Photo, tuple(entry["photo"]))] = entry["row"]
    file.truncate(whole)
    return done


def parsed(line: bytes) -> dict[str, Any]:
    """The object on a line of the journal; an empty one where it is none."""
    try:
        entry = json.loads(line)
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}
