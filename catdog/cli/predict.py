"""Classify pictures: files, folders and patterns, to the terminal, CSV, JSON or a Kaggle submission."""

from __future__ import annotations

import csv
import glob
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import Annotated, TextIO

import numpy as np
import tyro
from tqdm import tqdm

from catdog import load
from catdog.batch import cluster
from catdog.batch.cluster import ClusterError
from catdog.batch.journal import JournalError, journal_beside, run_of, with_journal
from catdog.batch.rows import Row, row_of, write_csv
from catdog.checkpoint import CheckpointError
from catdog.classifier import Prediction
from catdog.cli import LabelOrder, in_order, log_to_terminal, parse, program
from catdog.datasets import DataError
from catdog.datasets.contents import pictures_under
from catdog.decision import percent, two_way_of
from catdog.device import DeviceError
from catdog.engines import Engine
from catdog.files import replacing, writing_alone
from catdog.images import COMPANIONS, ImageError, is_hidden, one_line
from catdog.inputs import CHUNK_SIZE
from catdog.transforms import STRIDE

UNREADABLE = 0.5  # a Kaggle label must be given for every id


@dataclass
class Options:
    """Say of each picture whether it shows a cat, a dog, both or neither, in the order given.

    Answers are printed, or written to a file with --csv, --json or --kaggle. A run that writes to a file and is killed
    goes on where it was when it is started again.
    """

    paths: Annotated[tuple[str, ...], tyro.conf.Positional, tyro.conf.arg(metavar="PATH ...")]
    """Picture files, folders (and the folders in them), patterns such as 'photos/*.jpg'."""
    csv: Path | None = None
    """Write the answers to this file, as a table: path, verdict, probability of cat, of dog, error."""
    json: Path | None = None
    """Write the same to this file, as a list of JSON objects."""
    kaggle: Path | None = None
    """Write a submission to Kaggle's Dogs vs. Cats: id (the picture's number), label (how probable dog is rather than cat)."""
    checkpoint: Path | None = None
    """The trained network to use: a file, or owner/name on the Hugging Face Hub; without it, the one that comes with catdog."""
    labels: LabelOrder | None = None
    """Which output of another program's checkpoint comes first, where its file does not say so."""
    sizes: tuple[int, ...] = ()
    """Look at each picture in several sizes and average: short sides in pixels, multiples of 32."""
    mirrored: bool = False
    """Look at each picture's mirror image too and average: twice the time."""
    device: str = "auto"
    """cpu, cuda, mps, or auto: the GPU where there is one."""
    engine: Engine = "torch"
    """torch, or openvino: faster on some CPUs, after pip install openvino onnx onnxscript."""
    ray: Annotated[tuple[str, ...] | None, tyro.conf.arg(metavar="[HOST:PORT]")] = None
    """Classify on a Ray cluster: at HOST:PORT, auto for the one that runs here, or one of this machine's cores. Goes last."""


def main() -> int:
    options = parse(Options)
    log_to_terminal()
    target = options.csv or options.json or options.kaggle
    try:
        if sum(each is not None for each in (options.csv, options.json, options.kaggle)) > 1:
            raise DataError("--csv, --json and --kaggle exclude each other: choose one.")
        paths = [path for given in without_companions(options.paths) for path in pictures(given)]
        if not paths:
            raise DataError(
                f"No picture to classify: give files, folders or patterns{', before --ray' if options.ray else ''}."
            )
        if options.kaggle:
            check_kaggle(paths)
        if wrong := [size for size in options.sizes if size < STRIDE or size % STRIDE]:
            raise DataError(f"--sizes has {wrong[0]}: it must be a multiple of {STRIDE}.")
        views = {"sizes": options.sizes, "mirrored": options.mirrored}
        if options.ray is None:
            classifier = load(options.checkpoint, options.device, options.engine, in_order(options.labels))
            answers = partial(classify_in_chunks, partial(classifier.classify, errors="return", **views))
        else:
            # to know the journal by; the workers load their own
            classifier = load(options.checkpoint, "cpu", options.engine, in_order(options.labels))
            if len(options.ray) > 1:
                raise ClusterError(f"--ray takes one address, not {' '.join(options.ray)}: paths stand before it.")
            cluster.connect(*options.ray or (None,))
            answers = partial(
                cluster.classify_on_cluster,
                checkpoint=options.checkpoint,
                device=options.device,
                engine=options.engine,
                labels=in_order(options.labels),
                views=views,
            )
        with ExitStack() as stack:
            file, rows, journal = sys.stdout, iter(()), None
            if target and (target.is_file() or not target.exists()):
                stack.enter_context(writing_alone(target))
                file = opened(stack.enter_context(replacing(target)), stack)
                journal = journal_beside(target)
                rows = with_journal(answers, paths, journal, run_of(classifier, views), CHUNK_SIZE)
            else:  # the terminal or a pipe, which nobody can go on with
                file = opened(target, stack) if target else sys.stdout
                rows = answers(paths)
            failed = writer_for(options)(rows, file)
        if journal:
            journal.unlink()
    except (CheckpointError, ClusterError, DataError, DeviceError, JournalError) as error:
        print(f"{program()}: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # an OSError that is no one's mistake
        raise
    except OSError as error:
        print(f"{program()}: {one_line(error.filename or target)} cannot be used: {error.strerror}.", file=sys.stderr)
        return 2
    return 1 if failed else 0


def opened(path: Path, stack: ExitStack) -> TextIO:
    """A file to write rows to, closed with the stack; a name in it that is no UTF-8 is escaped."""
    return stack.enter_context(path.open("w", newline="", encoding="utf-8", errors="backslashreplace"))


def writer_for(options: Options) -> Callable[[Iterable[Row], TextIO], int]:
    if options.csv:
        return write_csv
    if options.json:
        return write_json
    return write_kaggle if options.kaggle else write_text


def pictures(given: str) -> list[str]:
    """A file as it is, a folder's pictures, a pattern's matches; what does not exist is kept, to get its error."""
    path = Path(given)
    if path.is_dir():
        found = [str(each) for each in pictures_under(path)]
        if not found:
            raise DataError(f"There is no picture in {one_line(given)}.")
        return found
    if path.exists() or not glob.has_magic(given):
        return [given]
    found = {}  # a dict keeps the order; `**` matches a folder and also what is in it
    anchor = path.anchor  # pathlib's glob ends where folders link to themselves, glob.glob does not
    for match in sorted(map(str, Path(anchor).glob(str(path.relative_to(anchor))))):
        if any(map(is_hidden, matched_parts(given, match))):
            continue
        found |= dict.fromkeys(map(str, pictures_under(Path(match))) if Path(match).is_dir() else [match])
    if not found:
        raise DataError(f"Nothing matches {one_line(given)}.")
    return list(found)


def matched_parts(pattern: str, match: str) -> Sequence[str]:
    """The parts of a match from the pattern's first wildcard on: a hidden folder before it was meant."""
    plain = list(takewhile(lambda part: not glob.has_magic(part), Path(pattern).parts))
    return Path(match).parts[len(plain) :]


def without_companions(given: Sequence[str]) -> list[str]:
    """Paths without what a system adds to a folder: a shell writes it, too, where a person wrote `photos/*`."""
    return [each for each in given if len(given) == 1 or Path(each).name.lower() not in COMPANIONS]


def check_kaggle(paths: list[str]) -> None:
    """Every name must be a number, and no number may come twice."""
    if named := [path for path in paths if not Path(path).stem.isdecimal()]:
        raise DataError(f"{one_line(named[0])} has no number for a name: a Kaggle submission needs 1.jpg, 2.jpg, ...")
    [(number, count)] = Counter(int(Path(path).stem) for path in paths).most_common(1)
    if count > 1:
        raise DataError(f"{count} pictures have the number {number}: a Kaggle submission has one row an id.")


def classify_in_chunks(
    classify: Callable[[list[str]], Sequence[Prediction | ImageError]], paths: list[str]
) -> Iterator[Row]:
    """A row a picture, classified some at a time."""
    with tqdm(total=len(paths), unit="picture", disable=not sys.stderr.isatty()) as bar:
        for start in range(0, len(paths), CHUNK_SIZE):
            chunk = paths[start : start + CHUNK_SIZE]
            for path, answer in zip(chunk, classify(chunk)):
                yield row_of(path, answer)
            bar.update(len(chunk))


def write_text(rows: Iterable[Row], file: TextIO) -> int:
    failed = 0
    for row in rows:
        failed += row["error"] is not None
        print(f"{one_line(row['path'])}: {in_words(row)}", file=file)
    return failed


def in_words(row: Row) -> str:
    cat, dog = row["cat"], row["dog"]
    if cat is None or dog is None:
        return str(row["error"])
    return f"{row['verdict']} (cat {percent(cat)}, dog {percent(dog)})"


def write_json(rows: Iterable[Row], file: TextIO) -> int:
    rows = list(rows)
    json.dump(rows, file, indent=1)
    file.write("\n")
    return sum(row["error"] is not None for row in rows)


def write_kaggle(rows: Iterable[Row], file: TextIO) -> int:
    """The competition asks how probable a dog is in a photo that shows either a cat or a dog."""
    labels: dict[int, float] = {}
    failed = 0
    for row in rows:
        failed += row["error"] is not None
        cat, dog = row["cat"], row["dog"]
        known = cat is not None and dog is not None
        labels[int(Path(row["path"]).stem)] = two_way_of(np.array([[cat, dog]])).item() if known else UNREADABLE
    writer = csv.writer(file)
    writer.writerow(("id", "label"))
    writer.writerows(sorted(labels.items()))
    return failed
