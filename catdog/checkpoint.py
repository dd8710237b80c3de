"""One file with weights and metadata: save (atomic), load, describe."""

from __future__ import annotations

import hashlib
import json
import math
import warnings
import zipfile
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from catdog.decision import Calibration
from catdog.files import CHECKPOINT, write_whole
from catdog.labels import LABELS
from catdog.resnet import ARCHITECTURES, ResNet
from catdog.transforms import MEAN, STD, EvaluationPreset, Resize

FORMAT_VERSION = "3"
LFS_POINTER = b"version https://git-lfs"
HOW_TO_MAKE = "make one with: python scripts/train.py --data DIR"
CHECKED = {"format_version", "labels", "sha256", "header_sha256"}  # what stands in a file beside its Metadata


class CheckpointError(ValueError):
    """A checkpoint file that cannot be used: one sentence that says what is wrong and what to do."""


@dataclass(frozen=True)
class Metadata:
    """All that is needed, besides the weights, to turn a picture into an answer."""

    architecture: str = "resnet18"
    head: Literal["sigmoid", "softmax"] = "sigmoid"
    input_size: int = 224  # px, short side
    resize: Resize = "whole"
    mean: tuple[float, ...] = MEAN
    std: tuple[float, ...] = STD
    temperature: tuple[float, float] = (1.0, 1.0)  # cat, dog; how they make a probability: metrics.Calibration
    offset: tuple[float, float] = (0.0, 0.0)
    top_weight: tuple[float, float] = (0.0, 0.0)
    present: float = 0.5  # a photo whose larger probability is below this shows neither
    both: float = 0.5  # a photo whose smaller probability reaches this shows both
    evidence_scale: float = 10.0  # logits of evidence * places that are shown at full color
    box_threshold: float = 0.05  # share of a map's peak above which a place belongs to the box
    real_negatives: bool = True  # False: `neither` was learnt from made-up negatives only
    training: dict[str, Any] = field(default_factory=dict)  # data, counts, recipe, seed, commit
    held_out: dict[str, Any] = field(default_factory=dict)  # figures on held-out photos

    def calibration(self) -> Calibration:
        return Calibration(self.head, self.temperature, self.offset, self.top_weight)

    def preset(self) -> EvaluationPreset:
        return EvaluationPreset(self.input_size, self.resize)


def save_checkpoint(path: Path | str, network: ResNet, metadata: Metadata) -> None:
    """Write weights as float16 and metadata to one safetensors file, by way of a temporary file beside it.

    Raises:
        OSError: where the folder cannot be written to; a file that was there before is intact then.
    """
    path = Path(path)
    tensors = {
        name: tensor.detach().cpu().half().contiguous() if tensor.is_floating_point() else tensor.detach().cpu()
        for name, tensor in network.state_dict().items()
    }
    header = {name: json.dumps(value) for name, value in asdict(metadata).items()}
    header |= {"format_version": FORMAT_VERSION, "labels": json.dumps(LABELS), "sha256": digest(tensors)}
    header["header_sha256"] = header_digest(header, tensors)
    write_whole(path, safetensors.torch.save(tensors, metadata=header))


def load_checkpoint(path: Path | str | None = None) -> tuple[ResNet, Metadata]:
    """Read a checkpoint, ours or a plain torchvision-style `state_dict`, into a network in eval mode on the CPU.

    Args:
        path: the file; without one, the checkpoint that is shipped.

    Raises:
        CheckpointError: for anything but a whole file that fits.
    """
    path = CHECKPOINT if path is None else Path(path)
    if path.is_dir():
        raise CheckpointError(f"{path} is a folder: name the .safetensors file in it.")
    if not path.exists():
        raise CheckpointError(f"There is no checkpoint {path}: {HOW_TO_MAKE}")
    try:
        with path.open("rb") as file:
            start = file.read(len(LFS_POINTER))
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror}.") from error
    if start == LFS_POINTER:
        raise CheckpointError(f"{path} is a Git LFS pointer, not the weights: fetch them with: git lfs pull")
    if is_pickled(path):
        return from_state_dict(load_pickled(path), path)
    tensors, header = load_safetensors(path)
    if not header.keys() & CHECKED:
        return from_state_dict(tensors, path)
    if "format_version" not in header:
        raise CheckpointError(f"{path} is damaged: its metadata have no format version; fetch or train it again.")
    if header["format_version"] not in ("1", "2", FORMAT_VERSION):
        raise CheckpointError(
            f"{path} has format version {header['format_version']}, this program reads {FORMAT_VERSION}: "
            f"upgrade it, or {HOW_TO_MAKE}"
        )
    written, header = header, upgraded(header)
    if unknown := header.keys() - CHECKED - {item.name for item in fields(Metadata)}:
        raise CheckpointError(
            f"{path} is damaged: its metadata have an unknown {min(unknown)}; fetch or train it again."
        )
    metadata = read_metadata(header, path)
    network = build(metadata, tensors, path)
    check_digests(written, tensors, path)
    return network, metadata


def is_pickled(path: Path) -> bool:
    """Whether `torch.save` wrote a file, new (a zip) or old (a pickle): safetensors has a JSON object at byte 8."""
    with path.open("rb") as file:
        start = file.read(9)
    return zipfile.is_zipfile(path) or (start[:1] == b"\x80" and start[8:] != b"{")


def load_safetensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(
            f"{path} is not a whole safetensors file: it is cut off or another program's; {HOW_TO_MAKE}"
        ) from error


def load_pickled(path: Path) -> dict[str, Tensor]:
    """A `torch.save` file, tensors only: pickled code is refused, never run."""
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever the unpickler meets in a hostile file
        raise CheckpointError(
            f"{path} is damaged or holds pickled code, which is never run: save a plain state_dict instead."
        ) from error
    if isinstance(content, dict) and isinstance(content.get("state_dict"), dict):
        content = content["state_dict"]
    if not (isinstance(content, dict) and content and all(isinstance(key, str) for key in content)) or not all(
        isinstance(value, Tensor) for value in content.values()
    ):
        raise CheckpointError(f"{path} holds no state_dict of tensors: save network.state_dict().")
    return {name.removeprefix("module."): tensor for name, tensor in content.items()}


def from_state_dict(tensors: dict[str, Tensor], path: Path) -> tuple[ResNet, Metadata]:
    """Weights without our metadata: taken for a tutorial's two-class softmax, with a warning."""
    for architecture, make in ARCHITECTURES.items():
        with torch.device("meta"):
            expected = {name: tensor.shape for name, tensor in make().state_dict().items()}
        optional = {name for name in expected if name.endswith("num_batches_tracked")}
        if expected.keys() - optional <= tensors.keys() <= expected.keys() and all(
            expected[name] == tensor.shape for name, tensor in tensors.items()
        ):
            metadata = Metadata(architecture=architecture, head="softmax", resize="crop", real_negatives=False)
            warnings.warn(
                f"{path} has no metadata: taken for a softmax over cat, dog, resized to 256 and cropped to 224, not "
                "calibrated, no measured thresholds or evidence scale.",
                stacklevel=3,
            )
            return build(metadata, tensors, path), metadata
    raise CheckpointError(f"{path} does not fit a ResNet-18, -34 or -50 with two outputs: {HOW_TO_MAKE}")


def upgraded(header: dict[str, str]) -> dict[str, str]:
    """The metadata of an earlier format as this one names them: 1 had no `focus`, which 2 had for `top_weight`, and both
    spelled figures' names in British English."""
    if header["format_version"] == FORMAT_VERSION:
        return header
    header = {"focus": "[0, 0]"} | header
    header["top_weight"] = header.pop("focus")
    if "held_out" in header:
        header["held_out"] = header["held_out"].replace("centred", "centered").replace("centre", "center")
    return header


def read_metadata(header: dict[str, str], path: Path) -> Metadata:
    try:
        values = {item.name: json.loads(header[item.name]) for item in fields(Metadata)}
        values = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
        metadata = Metadata(**values)
        labels = tuple(json.loads(header["labels"]))
    except (KeyError, ValueError, TypeError) as error:
        raise CheckpointError(f"{path} has incomplete metadata ({error}): {HOW_TO_MAKE}") from error
    checks = {
        "architecture": isinstance(metadata.architecture, str) and metadata.architecture in ARCHITECTURES,
        "labels": labels == LABELS,
        "head": metadata.head in ("sigmoid", "softmax"),
        "resize": metadata.resize in ("whole", "squash", "crop"),
        "input_size": isinstance(metadata.input_size, int) and 32 <= metadata.input_size <= 1024,
        "mean and std": metadata.mean == MEAN and metadata.std == STD,
        "temperature": is_pair(metadata.temperature) and min(metadata.temperature) > 0,
        "offset": is_pair(metadata.offset),
        "top_weight": is_pair(metadata.top_weight),
        "thresholds": all(is_number(value) and 0 < value < 1 for value in (metadata.present, metadata.both)),
        "evidence_scale": is_number(metadata.evidence_scale) and metadata.evidence_scale > 0,
        "box_threshold": is_number(metadata.box_threshold) and 0 < metadata.box_threshold < 1,
        "real_negatives": isinstance(metadata.real_negatives, bool),
        "training and held_out": isinstance(metadata.training, dict) and isinstance(metadata.held_out, dict),
    }
    wrong = [name for name, right in checks.items() if not right]
    if wrong:
        raise CheckpointError(f"{path} has an impossible {' and '.join(wrong)} in its metadata: {HOW_TO_MAKE}")
    return metadata


def is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value)


def is_pair(value: object) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and all(map(is_number, value))


def build(metadata: Metadata, tensors: dict[str, Tensor], path: Path) -> ResNet:
    network = ARCHITECTURES[metadata.architecture]()
    tensors = {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in tensors.items()}
    missing, unexpected = (
        sorted(name for name in network.state_dict().keys() - tensors.keys() if "num_batches" not in name),
        sorted(tensors.keys() - network.state_dict().keys()),
    )
    wrong_shape = [
        name for name, tensor in network.state_dict().items() if name in tensors and tensors[name].shape != tensor.shape
    ]
    if missing or unexpected or wrong_shape:
        raise CheckpointError(
            f"{path} does not fit a {metadata.architecture}: {', '.join((missing + unexpected + wrong_shape)[:3])}."
        )
    network.load_state_dict(tensors, strict=False)
    return network.eval()


def load_initial_weights(network: ResNet, source: str | Path) -> tuple[list[str], list[str]]:
    """Put torchvision-style weights, or one of our checkpoints, into a network where they fit.

    Returns:
        The network's keys that the file lacks, and the file's keys that the network lacks or has in another shape.

    Raises:
        CheckpointError: for a file that cannot be read or of which nothing fits.
    """
    path = Path(source)
    if not path.is_file():
        raise CheckpointError(
            f"There is no file {path} to start from: --init takes imagenet, none or a file of weights."
        )
    if is_pickled(path):
        return load_fitting(network, load_pickled(path), path)
    tensors, header = load_safetensors(path)
    check_digests(header, tensors, path)
    return load_fitting(network, tensors, path)


def load_fitting(network: ResNet, tensors: dict[str, Tensor], source: Path | str) -> tuple[list[str], list[str]]:
    own = network.state_dict()
    fitting = {
        name: tensor.float() for name, tensor in tensors.items() if name in own and own[name].shape == tensor.shape
    }
    if not any(name.startswith("layer") for name in fitting):
        raise CheckpointError(f"Nothing in {source} fits this network: start from weights of the same --arch.")
    network.load_state_dict(fitting, strict=False)
    return sorted(own.keys() - fitting.keys()), sorted(tensors.keys() - fitting.keys())


def digest(tensors: dict[str, Tensor]) -> str:
    """SHA-256 over names and bytes of the tensors, in the names' order."""
    sha = hashlib.sha256()
    for name in sorted(tensors):
        sha.update(name.encode())
        sha.update(tensors[name].contiguous().view(-1).view(torch.uint8).numpy().tobytes())
    return sha.hexdigest()


def header_digest(header: dict[str, str], tensors: dict[str, Tensor]) -> str:
    """SHA-256 over the metadata, and over names, types and shapes of the tensors."""
    described = {name: f"{tensor.dtype} {tuple(tensor.shape)}" for name, tensor in tensors.items()}
    metadata = {name: value for name, value in header.items() if name != "header_sha256"}
    return hashlib.sha256(json.dumps([metadata, described], sort_keys=True).encode()).hexdigest()


def check_digests(header: dict[str, str], tensors: dict[str, Tensor], path: Path) -> None:
    """Notice a changed byte, where the file has digests: early ones have none, or none of their metadata."""
    if header.get("sha256") not in (None, digest(tensors)):
        raise CheckpointError(f"{path} is damaged: its weights do not match their checksum; fetch or train it again.")
    if header.get("header_sha256") not in (None, header_digest(header, tensors)):
        raise CheckpointError(f"{path} is damaged: its metadata do not match their checksum; fetch or train it again.")
