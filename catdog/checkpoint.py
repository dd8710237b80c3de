"""One file with weights and metadata: save (atomic), load, describe."""

from __future__ import annotations

import base64
import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, cast

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from catdog.decision import Calibration
from catdog.files import CHECKPOINT, HOW_TO_MAKE, CheckpointError, check_weights, write_whole
from catdog.hub import download, is_repository
from catdog.images.names import in_short
from catdog.labels import LABELS
from catdog.pickled import is_pickled, load_pickled
from catdog.resnet import ARCHITECTURES, Architecture, ResNet
from catdog.state_dicts import architecture_of, is_plain, state_dict_in
from catdog.transforms import MEAN, STD, STRIDE, EvaluationPreset, Resize

logger = logging.getLogger(__name__)

FORMAT_VERSION = "4"
EARLIER_VERSIONS = ("1", "2", "3")
LFS_POINTER = b"version https://git-lfs"
MAX_HEADER = 2**25  # bytes of metadata, nearly all of them digests of photos: those of two million
PROBE_SIZE = 64  # px
MAX_INPUT_SIZE = 1024  # px
LEAST, MOST = 1e-3, 1e6  # of a temperature or scale; of any number
CHECKED = {"format_version", "labels", "sha256", "header_sha256"}  # what stands in a file beside its Metadata


@dataclass(frozen=True)
class Metadata:
    """All that is needed, besides the weights, to turn a picture into an answer."""

    architecture: Architecture = "resnet18"
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
    finer_scale: float | None = None  # the same for a picture twice the input size; None: not measured
    box_threshold: float = 0.05  # share of a map's peak above which a place belongs to the box
    real_negatives: bool = True  # False: `neither` was learned from made-up negatives only
    training: dict[str, Any] = field(default_factory=dict)  # data, counts, recipe, seed, commit
    held_out: dict[str, Any] = field(default_factory=dict)  # figures on held-out photos

    def calibration(self) -> Calibration:
        return Calibration(self.head, self.temperature, self.offset, self.top_weight)

    def preset(self) -> EvaluationPreset:
        return EvaluationPreset(self.input_size, self.resize)

    def scale_at(self, input_size: int) -> float:
        """Logits of evidence * places that are shown at full color, of a picture whose short side was so many pixels: what
        speaks for a pet is spread over more places in a larger one, and weaker at each."""
        if self.finer_scale is None or input_size < 2 * self.input_size:
            return self.evidence_scale
        return self.finer_scale


def save_checkpoint(path: Path | str, network: ResNet, metadata: Metadata) -> None:
    """Write weights as float16 and metadata to one safetensors file, by way of a temporary file beside it.

    Raises:
        OSError: where the folder cannot be written to; a file that was there before is intact then.
    """
    path = Path(path)
    tensors = stored(network)
    header = {name: json.dumps(value) for name, value in asdict(metadata).items()}
    header |= {"format_version": FORMAT_VERSION, "labels": json.dumps(LABELS), "sha256": weights_digest(tensors)}
    header["header_sha256"] = header_digest(header, tensors)
    write_whole(path, safetensors.torch.save(tensors, metadata=header))


def stored(network: ResNet) -> dict[str, Tensor]:
    """A network's tensors as a file has them: numbers as float16, on the CPU."""
    return {
        name: tensor.detach().cpu().half().contiguous() if tensor.is_floating_point() else tensor.detach().cpu()
        for name, tensor in network.state_dict().items()
    }


def digest_of_network(network: ResNet) -> str:
    """The `sha256` of a file with these weights."""
    return weights_digest(stored(network))


def load_checkpoint(path: Path | str | None = None, labels: Sequence[str] | None = None) -> tuple[ResNet, Metadata]:
    """Read a checkpoint, ours or another program's torchvision-style weights, into a network in eval mode on the CPU.

    Args:
        path: the file, or `owner/name` on the Hugging Face Hub; without one, the checkpoint that is shipped.
        labels: of another program's two outputs, in their order: `("cat", "dog")` or `("dog", "cat")`. Without them, as
            the file says, or else cat first.

    Raises:
        CheckpointError: for anything but a whole file that fits.
    """
    if labels is not None and sorted(labels) != sorted(LABELS):
        raise ValueError(f'labels is {labels!r}: it must be ("cat", "dog") or ("dog", "cat").')
    path = local_checkpoint(path)
    try:
        with path.open("rb") as file:
            start = file.read(len(LFS_POINTER))
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror}.") from error
    if start == LFS_POINTER:
        raise CheckpointError(f"{path} is a Git LFS pointer, not the weights: fetch them with: git lfs pull")
    if is_pickled(path):
        return from_state_dict(load_pickled(path), path, labels)
    tensors, header = load_safetensors(path)
    if not header.keys() & CHECKED:
        return from_state_dict([tensors, header], path, labels)
    if "format_version" not in header:
        raise CheckpointError(f"{path} is damaged: its metadata have no format version; fetch or train it again.")
    if header["format_version"] not in (*EARLIER_VERSIONS, FORMAT_VERSION):
        raise CheckpointError(
            f"{path} has format version {in_short(header['format_version'])}, this program reads {FORMAT_VERSION}: "
            f"upgrade it, or {HOW_TO_MAKE}"
        )
    written, header = header, upgraded(header)
    if unknown := header.keys() - CHECKED - {item.name for item in fields(Metadata)}:
        raise CheckpointError(
            f"{path} is damaged: its metadata have an unknown {in_short(min(unknown))}; fetch or train it again."
        )
    metadata = read_metadata(header, path)
    network = build(metadata, tensors, path)
    check_digests(written, tensors, path)
    if labels is not None and tuple(labels) != LABELS:
        raise CheckpointError(f"{path} says that its outputs are {', '.join(LABELS)}: leave out --labels.")
    return network, metadata


def local_checkpoint(path: Path | str | None = None) -> Path:
    """A checkpoint's file: the one that is shipped, one on this machine, or one of the Hugging Face Hub, downloaded.

    Raises:
        CheckpointError: where there is none.
    """
    if path is None:
        return CHECKPOINT
    if not Path(path).exists() and is_repository(Path(path).as_posix()):
        return download(Path(path).as_posix())
    path = Path(path)
    if path.is_dir():
        raise CheckpointError(f"{path} is a folder: name the .safetensors file in it.")
    if not path.exists():
        raise CheckpointError(f"There is no checkpoint {path}: {HOW_TO_MAKE}")
    return path


def load_safetensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors and the metadata of a file, as it has them.

    Raises:
        CheckpointError: for a file that is no whole one, or too large.
    """
    check_weights(path, path.stat().st_size)
    with path.open("rb") as file:
        header_size = int.from_bytes(file.read(8), "little")
    if MAX_HEADER < header_size <= path.stat().st_size:
        raise CheckpointError(f"{path} has more than {MAX_HEADER // 2**20} MB of metadata: {HOW_TO_MAKE}")
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(
            f"{path} is not a whole safetensors file: it is cut off or another program's; {HOW_TO_MAKE}"
        ) from error


def from_state_dict(content: Any, path: Path, labels: Sequence[str] | None) -> tuple[ResNet, Metadata]:
    """Weights without our metadata: taken for a tutorial's two-class softmax, with a warning."""
    found = state_dict_in(content, path, labels)
    architecture = architecture_of(found.tensors, path)
    logger.warning(
        f"{path} has no metadata: taken for a ResNet-{architecture.removeprefix('resnet')} with a softmax over cat and dog; "
        f"{found.remark}; photos are resized to 256 and cropped to 224; not calibrated, no measured thresholds or evidence "
        "scale."
    )
    metadata = Metadata(architecture=architecture, head="softmax", resize="crop", real_negatives=False)
    return build(metadata, found.tensors, path), metadata


def upgraded(header: dict[str, str]) -> dict[str, str]:
    """The metadata of an earlier format as this one names them: 1 had no `focus`, which 2 had for `top_weight`, both spelled
    figures' names in British English, and 3 had no `finer_scale`."""
    header = {"finer_scale": "null"} | header
    if header["format_version"] in ("1", "2"):
        header = {"focus": "[0, 0]"} | header
        header["top_weight"] = header.pop("focus")
        if "held_out" in header:
            header["held_out"] = header["held_out"].replace("centred", "centered").replace("centre", "center")
    return header


def read_metadata(header: dict[str, str], path: Path) -> Metadata:
    try:
        values: dict[str, Any] = {item.name: json.loads(header[item.name]) for item in fields(Metadata)}
        values = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
        metadata = Metadata(**values)
        labels = tuple(json.loads(header["labels"]))
    except (KeyError, ValueError, TypeError, RecursionError) as error:  # JSON may be nested deeper than Python goes
        raise CheckpointError(f"{path} has incomplete metadata ({in_short(error)}): {HOW_TO_MAKE}") from error
    checks = {
        "architecture": isinstance(metadata.architecture, str) and metadata.architecture in ARCHITECTURES,
        "labels": labels == LABELS,
        "head": metadata.head in ("sigmoid", "softmax"),
        "resize": metadata.resize in ("whole", "squash", "crop"),
        "input_size": is_input_size(metadata.input_size),
        "mean and std": metadata.mean == MEAN and metadata.std == STD,
        "temperature": is_pair(metadata.temperature) and min(metadata.temperature) >= LEAST,
        "offset": is_pair(metadata.offset),
        "top_weight": is_pair(metadata.top_weight),
        "thresholds": all(is_number(value) and 0 < value < 1 for value in (metadata.present, metadata.both)),
        "evidence_scale": is_scale(metadata.evidence_scale),
        "finer_scale": metadata.finer_scale is None or is_scale(metadata.finer_scale),
        "box_threshold": is_number(metadata.box_threshold) and 0 < metadata.box_threshold < 1,
        "real_negatives": isinstance(metadata.real_negatives, bool),
        "training": isinstance(metadata.training, dict) and is_record(metadata.training),
        "held_out": isinstance(metadata.held_out, dict),
    }
    wrong = [name for name, right in checks.items() if not right]
    if wrong:
        raise CheckpointError(f"{path} has an impossible {' and '.join(wrong)} in its metadata: {HOW_TO_MAKE}")
    return metadata


def is_number(value: object) -> bool:
    """Whether a value of JSON is one that arithmetic can bear: a number there may also be NaN, or have 400 digits."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= MOST


def is_scale(value: object) -> bool:
    return is_number(value) and cast(float, value) >= LEAST


def is_record(training: dict[str, Any]) -> bool:
    """Whether what other commands read of how a checkpoint was trained is of the kind that they expect."""
    options, folders = training.get("options", {}), training.get("folders", [])
    return (
        is_fingerprint(training.get("photos", ""))
        and isinstance(folders, list)
        and isinstance(options, dict)
        and type(options.get("seed", 0)) is int
    )


def is_fingerprint(value: object) -> bool:
    try:
        return isinstance(value, str) and base64.b64decode(value, validate=True) is not None
    except ValueError:
        return False


def is_input_size(value: object) -> bool:
    return type(value) is int and STRIDE <= value <= MAX_INPUT_SIZE and value % STRIDE == 0


def is_pair(value: object) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and all(map(is_number, value))


def build(metadata: Metadata, tensors: dict[str, Tensor], path: Path) -> ResNet:
    with torch.device("meta"):  # nothing is drawn that these weights replace
        network = ARCHITECTURES[metadata.architecture]()
    own = network.state_dict()
    counts = {name: torch.tensor(0) for name in own if "num_batches" in name}  # not in every file
    tensors = counts | tensors
    missing, unexpected = sorted(own.keys() - tensors.keys()), sorted(tensors.keys() - own.keys())
    wrong_shape = [name for name, tensor in own.items() if name in tensors and tensors[name].shape != tensor.shape]
    if missing or unexpected or wrong_shape:
        raise CheckpointError(
            f"{path} does not fit a {metadata.architecture}: "
            f"{', '.join(map(in_short, (missing + unexpected + wrong_shape)[:3]))}."
        )
    if unusable := [name for name, tensor in tensors.items() if not is_usable(tensor)]:
        raise CheckpointError(f"{path} is damaged: {unusable[0]} has values that are no finite numbers; {HOW_TO_MAKE}")
    # copies: what safetensors reads stays tied to the file, which may be written anew while the network is in use
    network.load_state_dict(
        {name: tensor.to(own[name].dtype, copy=True) for name, tensor in tensors.items()}, assign=True
    )
    if not torch.isfinite(probed(network.eval())).all():
        raise CheckpointError(f"{path} gives no finite logits, whatever it is shown: {HOW_TO_MAKE}")
    return network


def is_usable(tensor: Tensor) -> bool:
    """Whether a network can compute with a tensor in float32."""
    return is_plain(tensor) and bool(torch.isfinite(tensor.float()).all())


@torch.inference_mode()
def probed(network: ResNet) -> Tensor:
    """The logits of noise, which a negative variance or weights beyond all measure make infinite: (1, 2)."""
    noise = torch.randn(1, 3, PROBE_SIZE, PROBE_SIZE, generator=torch.Generator().manual_seed(0))
    return network(noise)


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
        return load_fitting(network, state_dict_in(load_pickled(path), path).tensors, path)
    tensors, header = load_safetensors(path)
    check_digests(header, tensors, path)
    if not header.keys() & CHECKED:
        tensors = state_dict_in([tensors, header], path).tensors
    return load_fitting(network, tensors, path)


def load_fitting(network: ResNet, tensors: dict[str, Tensor], source: Path | str) -> tuple[list[str], list[str]]:
    own = network.state_dict()
    fitting = {name: tensor for name, tensor in tensors.items() if name in own and own[name].shape == tensor.shape}
    if unusable := [name for name, tensor in fitting.items() if not is_usable(tensor)]:
        raise CheckpointError(f"{source} is damaged: {unusable[0]} has values that are no finite numbers.")
    if not any(name.startswith("layer") for name in fitting):
        raise CheckpointError(f"Nothing in {source} fits this network: start from weights of the same --arch.")
    network.load_state_dict({name: tensor.float() for name, tensor in fitting.items()}, strict=False)
    return sorted(own.keys() - fitting.keys()), sorted(tensors.keys() - fitting.keys())


def weights_digest(tensors: dict[str, Tensor]) -> str:
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
    if header.get("sha256") not in (None, weights_digest(tensors)):
        raise CheckpointError(f"{path} is damaged: its weights do not match their checksum; fetch or train it again.")
    if header.get("header_sha256") not in (None, header_digest(header, tensors)):
        raise CheckpointError(f"{path} is damaged: its metadata do not match their checksum; fetch or train it again.")
