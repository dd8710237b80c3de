"""Know your own pets again: teach some photos of each, then find them among others."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TextIO

import tyro

from catdog import load
from catdog.batch.rows import COLUMNS, Row, row_of
from catdog.checkpoint import CheckpointError
from catdog.cli import log_to_terminal, parse, program
from catdog.cli.predict import in_words, opened, pictures, without_companions
from catdog.datasets import DataError
from catdog.device import DeviceError
from catdog.files import replacing, writing_alone
from catdog.images import ImageError, one_line
from catdog.inputs import CHUNK_SIZE
from catdog.pets import PetError, Pets, Recognition

PETS = Path("pets.json")
FEW = 5  # photos, with more of which a pet is known hardly better
Paths = Annotated[tuple[str, ...], tyro.conf.Positional, tyro.conf.arg(metavar="PATH ...")]


@dataclass
class Common:
    """What every command takes."""

    pets: Path = PETS
    """The file with the pets that were taught; the page reads and writes the same."""
    checkpoint: Path | None = None
    """The trained network to use: a file, or owner/name on the Hugging Face Hub; without it, the one that comes with catdog."""
    device: str = "auto"
    """cpu, cuda, mps, or auto: the GPU where there is one."""


@dataclass
class Teach(Common):
    """Teach a pet by some photos, or teach more of it."""

    name: tyro.conf.Positional[str] = ""
    """What it is called."""
    paths: Paths = ()
    """Pictures of it: files, folders, patterns such as 'photos/*.jpg'."""


@dataclass
class Reject(Common):
    """Teach it who is none of your pets: pictures that it took for one of them."""

    paths: Paths = ()
    """Pictures of others: files, folders, patterns such as 'photos/*.jpg'."""


@dataclass
class Find(Common):
    """Say of each picture which of the taught pets it shows, if one."""

    paths: Paths = ()
    """Picture files, folders (and the folders in them), patterns such as 'photos/*.jpg'."""
    csv: Path | None = None
    """Write the answers to this file, as predict.py does, with the pet in a column of its own."""


@dataclass
class Show(Common):
    """Show the pets that were taught, and how often each would be known on its own photos."""


@dataclass
class Forget(Common):
    """Forget a pet."""

    name: tyro.conf.Positional[str] = ""
    """What it is called."""


Command = Teach | Reject | Find | Show | Forget


def main() -> int:
    options: Command = parse(Command)  # pyright: ignore[reportArgumentType]  # a union, which tyro reads as commands
    log_to_terminal()
    actions: dict[type, Callable[..., int]] = {
        Teach: teach,
        Reject: reject,
        Find: find,
        Show: show,
        Forget: forget,
    }
    try:
        pets = Pets(load(options.checkpoint, options.device))
        if options.pets.exists():
            pets.load(options.pets)
        elif not isinstance(options, Teach):
            raise PetError(f"There is no file {options.pets}: teach a pet first, with catdog pets teach NAME PHOTOS")
        return actions[type(options)](options, pets)
    except (CheckpointError, DataError, DeviceError, PetError) as error:
        print(f"{program()}: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        raise
    except OSError as error:
        print(
            f"{program()}: {one_line(error.filename or options.pets)} cannot be used: {error.strerror}.",
            file=sys.stderr,
        )
        return 2


def teach(options: Teach, pets: Pets) -> int:
    paths = paths_of(options.paths)
    taught = pets.teach(options.name, paths)
    pets.save(options.pets)
    for index, reason in taught.left_out:
        print(f"{one_line(paths[index])}: left out: {reason}")
    print(in_a_line(pets, options.name.strip()))
    return 1 if taught.left_out else 0


def reject(options: Reject, pets: Pets) -> int:
    paths = paths_of(options.paths)
    taught = pets.reject(paths)
    pets.save(options.pets)
    for index, reason in taught.left_out:
        print(f"{one_line(paths[index])}: left out: {reason}")
    print(f"{taught.used} of {len(paths)} pictures taught who is none of them.")
    return 1 if taught.left_out else 0


def find(options: Find, pets: Pets) -> int:
    failed = 0
    answers = found(pets, paths_of(options.paths))
    with ExitStack() as stack:
        if options.csv is None:
            write = text_to(sys.stdout)
        else:
            stack.enter_context(writing_alone(options.csv))
            write = table_in(opened(stack.enter_context(replacing(options.csv)), stack))
        for row, recognition in answers:
            failed += row["error"] is not None
            write(row, recognition)
    return 1 if failed else 0


def show(options: Show, pets: Pets) -> int:
    for name in pets.pets:
        print(in_a_line(pets, name))
    return 0


def forget(options: Forget, pets: Pets) -> int:
    pets.forget(options.name.strip())
    pets.save(options.pets)
    return 0


def paths_of(given: Iterable[str]) -> list[str]:
    paths = [path for each in without_companions(tuple(given)) for path in pictures(each)]
    if not paths:
        raise DataError("No picture: give files, folders or patterns.")
    return paths


def found(pets: Pets, paths: list[str]) -> Iterator[tuple[Row, Recognition | None]]:
    """A row a picture, and the pet that it is most like."""
    for start in range(0, len(paths), CHUNK_SIZE):
        chunk = paths[start : start + CHUNK_SIZE]
        for path, answer in zip(chunk, pets.classifier.explain(chunk, errors="return")):
            if isinstance(answer, ImageError):
                yield row_of(path, answer), None
            else:
                yield row_of(path, answer.prediction), pets.recognized(answer)


def text_to(file: TextIO) -> Callable[[Row, Recognition | None], None]:
    def write(row: Row, recognition: Recognition | None) -> None:
        known = "" if row["verdict"] in (None, "neither") else f": {who(recognition)}"
        print(f"{one_line(row['path'])}: {in_words(row)}{known}", file=file)

    return write


def table_in(file: TextIO) -> Callable[[Row, Recognition | None], None]:
    writer = csv.DictWriter(file, [*COLUMNS, "pet"])
    writer.writeheader()

    def write(row: Row, recognition: Recognition | None) -> None:
        writer.writerow({**row, "pet": recognition.name if recognition and recognition.known else ""})

    return write


def who(recognition: Recognition | None) -> str:
    return recognition.name if recognition and recognition.known else "none that was taught"


def in_a_line(pets: Pets, name: str) -> str:
    """What is known of a pet, and how well."""
    pet = pets.pets[name]
    count, recall = len(pet.signatures), pets.recall(name)
    line = f"{one_line(name)}, a {pet.label}: {count} photo{'' if count == 1 else 's'}"
    if recall is not None and pets.bank is not None:
        line += f", {round(recall * count)} of them known by the others"
    return line + ("; more photos help" if count < FEW else "")
