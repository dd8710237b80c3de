"""Classifier: pictures in, predictions and explanations out."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, overload

import numpy as np
import torch
from torch import Tensor

from catdog.checkpoint import Metadata, load_checkpoint
from catdog.decision import probabilities_of, verdicts_of
from catdog.device import (
    DeviceError,
    choose_device,
    gpu_is_borrowed,
    has_fast_bfloat16,
    is_out_of_memory,
    on_zero_gpu,
    release_memory,
    to_device,
)
from catdog.engines import Engine
from catdog.engines.openvino import openvino_forward
from catdog.engines.torch import torch_forward
from catdog.evidence import boxes_of, strongest_places
from catdog.images import Decoded, ImageError, Picture, open_reduced
from catdog.inputs import Input, batches_of_one_shape, chunks_of_inputs
from catdog.labels import LABELS, Verdict
from catdog.resnet import ResNet, folded
from catdog.transforms import STRIDE, Box, EvaluationPreset

REDUCED = 4  # a large JPEG is decoded at no less than so many times the network's input, half as many of a larger one

Errors = Literal["raise", "return"]


@dataclass(frozen=True)
class Prediction:
    """What the network says of one picture."""

    cat: float  # calibrated probability
    dog: float  # calibrated probability; the two need not add up to 1
    verdict: Verdict
    logits: tuple[float, float]  # cat, dog: before calibration


@dataclass(frozen=True)
class Explanation:
    """A prediction, and where it comes from."""

    prediction: Prediction
    evidence: np.ndarray  # float32 (2, h, w), in logits: cat, dog
    bias: np.ndarray  # float32 (2,); evidence.sum((1, 2)) + bias == logits
    view: Box  # the part of the upright picture that the network saw
    boxes: dict[str, Box | None]  # "cat" and "dog", in pixels of the upright picture, around the extent
    extent: np.ndarray  # float32 (2, 2h, 2w): above 0 where it looks more like what speaks for the label
    signature: np.ndarray  # float32 (C,): what a pet of the likelier label is recognized by, see pets.py


@dataclass(frozen=True)
class Maps:
    """Of the pictures of a chunk, by their index: evidence (2, h, w), extent (2, 2h, 2w) and signatures (2, C)."""

    evidence: dict[int, np.ndarray] = field(default_factory=dict)
    extent: dict[int, np.ndarray] = field(default_factory=dict)
    signatures: dict[int, np.ndarray] = field(default_factory=dict)

    def add(self, index: int, evidence: np.ndarray, extent: np.ndarray, signatures: np.ndarray, share: float) -> None:
        """Add what one view of a picture gives, for its share of all views."""
        for kept, found in ((self.evidence, evidence), (self.extent, extent), (self.signatures, signatures)):
            kept[index] = kept.get(index, 0) + share * found


class Classifier:
    """A loaded checkpoint. It keeps no state between calls: several threads may use one.

    Its `live` is the Classifier for a camera's frames: on the CPU where the GPU has to be waited for, and in bfloat16
    where the CPU is faster in it, which moves a logit by a few hundredths.
    """

    def __init__(
        self,
        network: ResNet,
        metadata: Metadata,
        device: torch.device,
        engine: Engine = "torch",
        borrow: bool = True,
    ) -> None:
        """
        Args:
            network: with the checkpoint's weights; it is moved to the device.
            metadata: of the checkpoint.
            device: where it runs.
            engine: as for `load`.
            borrow: on a ZeroGPU Space, borrow the GPU for each batch.
        """
        self.live = self
        self.network = to_device(network, device).eval().requires_grad_(False)
        self.folded = to_device(folded(self.network), device)
        self.metadata = metadata
        self.device = device
        self.bias = network.fc.bias.detach().float().cpu().numpy()
        self.engine: Engine = engine
        if engine == "openvino":
            self.forward = openvino_forward(network, metadata)
            return
        self.forward = torch_forward(self.folded, device)
        if borrow and gpu_is_borrowed():  # a GPU that has to be waited for is too slow for a camera
            self.live = Classifier(copy.deepcopy(network), metadata, torch.device("cpu"), borrow=False).live
            self.forward = on_zero_gpu(self.forward)
        elif device.type == "cpu" and has_fast_bfloat16():
            self.live = copy.copy(self)  # with the same weights
            self.live.live = self.live
            self.live.forward = torch_forward(self.folded, device, bfloat16=True)

    def open(self, source: Picture) -> Decoded:
        """Open a picture once to ask about it several times: each answer is the one that `source` itself would give.

        Raises:
            ImageError: where it cannot be used.
        """
        return open_reduced(source, self._short_side(()))

    @overload
    def classify(
        self,
        pictures: Iterable[Picture],
        errors: Literal["raise"] = "raise",
        sizes: Sequence[int] = (),
        mirrored: bool = False,
    ) -> list[Prediction]: ...

    @overload
    def classify(
        self,
        pictures: Iterable[Picture],
        errors: Errors,
        sizes: Sequence[int] = (),
        mirrored: bool = False,
    ) -> list[Prediction | ImageError]: ...

    def classify(
        self,
        pictures: Iterable[Picture],
        errors: Errors = "raise",
        sizes: Sequence[int] = (),
        mirrored: bool = False,
    ) -> list[Prediction] | list[Prediction | ImageError]:
        """One Prediction a picture, in order.

        Args:
            pictures: paths, bytes, file objects, PIL images, NumPy arrays, `data:` URLs or what `open` gives, mixed as you
                like.
            errors: what becomes of a picture that cannot be used: `raise` its ImageError, or `return` it in its place.
            sizes: short sides in pixels, multiples of 32, that each picture is shown in, the logits being their mean;
                without any, the checkpoint's own. `research/compare_inputs.py` measures what some of them give and cost.
            mirrored: show the mirror image too, and take the mean of both: twice the time.

        Raises:
            ImageError: for a picture that cannot be used.
            TypeError: for a single picture, or anything else that is no list of pictures.
        """
        presets = self._presets(tuple(sizes) or (self.metadata.input_size,))
        answers: list[Prediction | ImageError] = []
        for inputs in self._inputs(pictures, errors, presets):
            answers += self._predict(inputs, presets, mirrored)
        return answers

    @overload
    def explain(
        self,
        pictures: Iterable[Picture],
        errors: Literal["raise"] = "raise",
        size: int | None = None,
        mirrored: bool = False,
    ) -> list[Explanation]: ...

    @overload
    def explain(
        self,
        pictures: Iterable[Picture],
        errors: Errors,
        size: int | None = None,
        mirrored: bool = False,
    ) -> list[Explanation | ImageError]: ...

    def explain(
        self,
        pictures: Iterable[Picture],
        errors: Errors = "raise",
        size: int | None = None,
        mirrored: bool = False,
    ) -> list[Explanation] | list[Explanation | ImageError]:
        """One Explanation a picture, in order: the answer and its maps, from one forward pass.

        Args:
            pictures, errors, mirrored: as for `classify`.
            size: the input's short side in pixels, a multiple of 32. 448 gives maps twice as fine as 224, from a network
                that was trained for smaller pictures: its answer may differ a little.

        Raises:
            ImageError, TypeError: as `classify`.
        """
        presets = self._presets((self.metadata.input_size if size is None else size,))
        answers: list[Explanation | ImageError] = []
        for inputs in self._inputs(pictures, errors, presets):
            maps = Maps()
            predictions = self._predict(inputs, presets, mirrored, maps)
            for index, (each, prediction) in enumerate(zip(inputs, predictions)):
                if isinstance(each, Input) and isinstance(prediction, Prediction):
                    view = presets[0].view(*each.size)
                    answers.append(self._explanation(prediction, maps, index, view))
                elif isinstance(each, ImageError):
                    answers.append(each)
        return answers

    def probabilities(self, logits: np.ndarray, strongest: np.ndarray) -> np.ndarray:
        """Logits and what the strongest places say, both (n, 2) -> calibrated probabilities (n, 2)."""
        return probabilities_of(logits, strongest, self.metadata.calibration())

    def _presets(self, sizes: tuple[int, ...]) -> list[EvaluationPreset]:
        for size in sizes:
            if size < STRIDE or size % STRIDE:
                raise ValueError(f"size is {size}: it must be a multiple of {STRIDE}.")
        return [replace(self.metadata.preset(), size=size) for size in sizes]

    def _short_side(self, presets: Sequence[EvaluationPreset]) -> int:
        """What is kept at least of a large JPEG's short side, in pixels: the same for an answer and its finer map."""
        return max([REDUCED * self.metadata.input_size, *(REDUCED // 2 * preset.size for preset in presets)])

    def _inputs(
        self, pictures: Iterable[Picture], errors: Errors, presets: list[EvaluationPreset]
    ) -> Iterator[list[Input | ImageError]]:
        """A chunk at a time."""
        if errors not in ("raise", "return"):
            raise ValueError(f'errors is {errors!r}: it must be "raise" or "return".')
        for inputs in chunks_of_inputs(pictures, presets, self._short_side(presets)):
            broken = [each for each in inputs if isinstance(each, ImageError)]
            if errors == "raise" and broken:
                raise broken[0]
            yield inputs

    def _predict(
        self,
        inputs: list[Input | ImageError],
        presets: list[EvaluationPreset],
        mirrored: bool,
        maps: Maps | None = None,
    ) -> list[Prediction | ImageError]:
        """The answers to a chunk. Where maps are wanted, those of the first size are put into `maps`."""
        logits, strongest = np.zeros((2, len(inputs), len(LABELS)), np.float32)
        sides = (1, -1) if mirrored else (1,)
        views = [(nth, side) for nth in range(len(presets)) for side in sides]
        for nth, side in views:
            wanted = maps if nth == 0 else None
            for batch, tensors in batches_of_one_shape(inputs, nth):
                pictures = torch.stack(tensors)
                outputs = self._forward_in_memory(pictures if side == 1 else pictures.flip(3), wanted is not None)
                logits[batch] += outputs[1] / len(views)
                strongest[batch] += strongest_places(outputs[0]) / len(views)
                if wanted is not None:
                    evidence, _, extent, signatures = outputs
                    for index, *found in zip(batch, evidence[..., ::side], extent[..., ::side], signatures):
                        wanted.add(index, *found, share=1 / len(sides))
        probabilities = self.probabilities(logits, strongest)
        verdicts = verdicts_of(probabilities, self.metadata.present, self.metadata.both)
        return [
            each
            if isinstance(each, ImageError)
            else Prediction(float(cat), float(dog), verdict, (float(cat_logit), float(dog_logit)))
            for each, (cat, dog), verdict, (cat_logit, dog_logit) in zip(inputs, probabilities, verdicts, logits)
        ]

    def _explanation(self, prediction: Prediction, maps: Maps, index: int, view: Box) -> Explanation:
        own = extent = maps.extent[index]
        if prediction.verdict == "both":  # a place belongs to one of the two
            own = np.where(extent == extent.max(0), extent, 0)
        boxes = dict(zip(LABELS, boxes_of(own, view, self.metadata.box_threshold)))
        shown = {label: box if prediction.verdict in (label, "both") else None for label, box in boxes.items()}
        signature = maps.signatures[index][int(prediction.dog > prediction.cat)]
        return Explanation(prediction, maps.evidence[index], self.bias, view, shown, extent, signature)

    def _forward_in_memory(self, batch: Tensor, with_all: bool) -> tuple[np.ndarray, ...]:
        """`forward`, in halves where the memory is too small for the whole batch.

        Raises:
            DeviceError: where it is too small for a single picture.
        """
        try:
            return self.forward(batch, with_all)
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            if len(batch) == 1:
                height, width = batch.shape[2:]
                raise DeviceError(
                    f"The memory of {self.device} is too small for a picture of {width}x{height}: end other programs that "
                    "use it, or take --device cpu."
                ) from error
        warnings.warn(
            f"The memory of {self.device} is too small for {len(batch)} pictures at once: they are answered in parts.",
            stacklevel=2,
        )
        release_memory(self.device)  # here, where the error's traceback no longer holds the batch
        halves = [self._forward_in_memory(half, with_all) for half in batch.chunk(2)]
        return tuple(map(np.concatenate, zip(*halves)))


def load(
    path: str | Path | None = None,
    device: str = "auto",
    engine: Engine = "torch",
    labels: Sequence[str] | None = None,
) -> Classifier:
    """Load a checkpoint; without a path the one that is shipped, on the GPU where there is one.

    Args:
        path: of the checkpoint, ours or a torchvision-style ResNet's however it was saved, or `owner/name` on the Hugging
            Face Hub.
        device: `auto`, `cpu`, `cuda` or `mps`.
        engine: what computes the answers: `torch`, or `openvino`, which runs on a CPU alone and is faster on one with
            instructions for bfloat16; it moves a logit by a few hundredths then.
        labels: `("cat", "dog")` or `("dog", "cat")`, which output of another program's network comes first, where its file
            does not say so.

    Raises:
        CheckpointError: for a file that is missing or cannot be used.
        DeviceError: for a device that this machine or the engine does not have, or an engine that is not installed.
    """
    network, metadata = load_checkpoint(path, labels)
    if engine == "openvino" and device not in ("auto", "cpu"):
        raise DeviceError(f"--engine openvino runs on the CPU only, not on {device}: leave one of the two out.")
    return Classifier(network, metadata, choose_device("cpu" if engine == "openvino" else device), engine)
