"""Files that `torch.save` wrote, read without running anything that is pickled in them."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import warnings
import zipfile
from collections import OrderedDict
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch.serialization import get_unsafe_globals_in_checkpoint, safe_globals

from catdog.files import CheckpointError, check_weights


class Inert(list):
    """Stands for an object of any class that a file names, and does nothing: an optimizer's, NumPy's, a whole model."""

    is_module = False

    def __new__(cls, *args: object) -> Inert:
        return super().__new__(cls)

    def __init__(self, *args: object) -> None:
        super().__init__()

    def __setstate__(self, state: object) -> None:
        self.is_module = isinstance(state, dict) and "_modules" in state


class InertMapping:
    """The same for a class of mappings, such as Lightning's for hyperparameters: what is in it is kept."""

    def __new__(cls, *args: object) -> Any:
        return OrderedDict()


def is_pickled(path: Path) -> bool:
    """Whether `torch.save` wrote a file, new (a zip) or old (a pickle): safetensors has a JSON object at byte 8."""
    with path.open("rb") as file:
        start = file.read(9)
    return zipfile.is_zipfile(path) or (start[:1] == b"\x80" and start[8:] != b"{")


def load_pickled(path: Path) -> Any:
    """What a `torch.save` file holds: plain values and tensors; in place of every other object stands one that is inert.

    Raises:
        CheckpointError: for a damaged file, and for a whole model, with the command that makes a state_dict of it.
    """
    check_weights(path, path.stat().st_size)
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
        check_weights(path, sum(member.file_size for member in members))  # as unpacked
        names = [member.filename for member in members]
        if any(name.endswith("/constants.pkl") for name in names):
            raise CheckpointError(
                f"{path} is a TorchScript archive, not a state_dict: make one of it with: {conversion(path, scripted=True)}"
            )
        if not any(name.endswith("data.pkl") for name in names):
            raise CheckpointError(
                f"{path} is a zip file, but none that torch.save wrote: unpack it, if it holds a model."
            )
    try:
        with warnings.catch_warnings(), harmless(path):
            warnings.simplefilter("ignore")  # of torch, about pickle protocols
            content = torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        raise CheckpointError(
            f"{path} is damaged or holds pickled code, as a whole model does, which is never run: save a plain state_dict "
            f"instead; if you trust where the file comes from: {conversion(path)}"
        ) from error
    except Exception as error:  # whatever the unpickler meets in a hostile file
        raise CheckpointError(f"{path} is damaged, or torch.save did not write it: fetch or save it again.") from error
    for key, value in {"": content, **(content if isinstance(content, dict) else {})}.items():
        if isinstance(value, Inert) and value.is_module:
            raise CheckpointError(
                f"{path} holds a whole pickled model, whose code is never run, and not its state_dict; if you trust where "
                f"it comes from, make one with: {conversion(path, key)}"
            )
    return content


def harmless(path: Path) -> AbstractContextManager[None]:
    """A context in which every class and function that a file names, beside tensors and plain values, is an inert one."""
    try:
        named = get_unsafe_globals_in_checkpoint(path)
    except (
        Exception
    ):  # an old file, which cannot be looked through, or a damaged one: torch.load refuses what is unsafe
        return nullcontext()
    return safe_globals([(InertMapping if name.lower().endswith("dict") else Inert, name) for name in named])


def conversion(path: Path, key: str = "", scripted: bool = False) -> str:
    """The command that makes a state_dict of a whole model, which runs the code that is pickled with it."""
    load = "torch.jit.load(source)" if scripted else 'torch.load(source, "cpu", weights_only=False)'
    member = f"[{json.dumps(key)}]" if key else ""
    source, target = json.dumps(str(path)), json.dumps(str(path.with_name(f"{path.stem}-state_dict.pth")))
    code = (
        f"import torch; source = {source}; whole = {load}{member}; "
        f'torch.save(getattr(whole, "state_dict", lambda: whole)(), {target})'
    )
    return f"python -c {shlex.quote(code) if os.name == 'posix' else subprocess.list2cmdline([code])}"
