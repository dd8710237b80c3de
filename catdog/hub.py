"""Checkpoints on the Hugging Face Hub, by `owner/name`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

from catdog.files import CheckpointError

REPOSITORY = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*", re.ASCII)
SECONDS = 10  # until the Hub has to answer
FILES = (".safetensors", ".pth", ".pt", ".ckpt", ".pkl", ".bin")  # a name that ends so is a file on this machine


def is_repository(name: str) -> bool:
    """Whether a checkpoint's name can be one of the Hub's."""
    return bool(REPOSITORY.fullmatch(name)) and not name.endswith(FILES)


def download(name: str) -> Path:
    """A repository's checkpoint in the Hub's cache on this machine: downloaded where it is new, or changed since.

    Without a network, the one that was downloaded before.

    Raises:
        CheckpointError: without a repository, a way to it, or one checkpoint in it.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import GatedRepoError, HFValidationError, RepositoryNotFoundError

    hub = HfApi()
    try:
        files = [each.rfilename for each in hub.model_info(name, timeout=SECONDS).siblings or ()]
        return Path(hub.hf_hub_download(name, checkpoint_among(files, name)))
    except CheckpointError:
        raise
    except GatedRepoError as error:
        raise CheckpointError(
            f"{name} on the Hugging Face Hub asks for permission: request it on its page, then log in with: hf auth login"
        ) from error
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise CheckpointError(
            f"There is no file {name} here, and no such repository on the Hugging Face Hub that you may read: for a private "
            "one, log in with: hf auth login"
        ) from error
    except Exception as error:  # of whichever HTTP library it is built on: the network is down, or the Hub
        return downloaded_before(name, error)


def downloaded_before(name: str, reason: Exception) -> Path:
    from huggingface_hub import snapshot_download

    try:
        folder = Path(snapshot_download(name, allow_patterns="*.safetensors", local_files_only=True))
    except OSError as error:
        why = str(reason).partition("\n")[0] or type(reason).__name__
        raise CheckpointError(
            f"There is no file {name} here, and the Hugging Face Hub cannot be reached ({why}): download the checkpoint "
            "where there is a network, and give the file's path."
        ) from error
    return folder / checkpoint_among([path.relative_to(folder).as_posix() for path in folder.rglob("*")], name)


def checkpoint_among(files: Sequence[str], name: str) -> str:
    """The only .safetensors file of a repository, or of several the only one called catdog-*."""
    weights = [file for file in files if file.endswith(".safetensors")]
    ours = [file for file in weights if fnmatch(PurePosixPath(file).name, "catdog-*")]
    for one in (weights, ours):
        if len(one) == 1:
            return one[0]
    if not weights:
        raise CheckpointError(f"{name} on the Hugging Face Hub has no .safetensors file.")
    raise CheckpointError(
        f"{name} on the Hugging Face Hub has several .safetensors files ({', '.join(weights)}): download the one that you "
        "mean, and give its path."
    )
