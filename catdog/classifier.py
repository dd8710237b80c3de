"""Classifier: pictures in, predictions and explanations out."""

from __future__ import annotations

import copy
import os
import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from catdog.checkpoint import Metadata, load_checkpoint
from catdog.decision import probabilities_of, verdicts_of
from catdog.device import (
    DeviceError,
    choose_device,
    gpu_is_borrowed,
    half_precision,
    has_fast_bfloat16,
    is_out_of_memory,
    on_zero_gpu,
    release_memory,
    to_device,
)
from catdog.engines import Engine
from catdog.engines.openvino import openvino_forward
from catdog.evidence import boxes_of, evidence_logits_and_extent, strongest_places
from catdog.images import ImageError, Picture, open_reduced
from catdog.labels import LABELS
from catdog.resnet import ResNet, folded
from catdog.transforms import STRIDE, Box, EvaluationPreset

BATCH_SIZE = 32
REDUCED = 4  # a large JPEG is decoded at no less than so many times the network's input
CHUNK_SIZE = 128  # pictures decoded ahead: bounds the memory however many are asked for


@dataclass(frozen=True)
class Prediction:
    """What the network says of one picture."""

    cat: float  # calibrated probability
    dog: float  # calibrated probability; the two need not add up to 1
    verdict: Literal["cat", "dog", "both", "neither"]
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


@dataclass(frozen=True)
class Input:
    """One picture, ready for the network."""

    tensors: list[Tensor]  # (3, h, w), one for each size it is shown in
    size: tuple[int, int]  # width, height of the upright picture


class Classifier:
    """A loaded checkpoint. It keeps no state between calls: several threads may use one.

    Its `at_once` is the Classifier for a camera's frames: on the CPU where the GPU has to be waited for, and in bfloat16
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
        borrow = borrow and engine == "torch" and gpu_is_borrowed()
        cpu = torch.device("cpu")
        self.at_once = self  # what answers a camera
        self._bfloat16 = False
        self.network = to_device(network, device).eval().requires_grad_(False)
        self._folded = to_device(folded(self.network), device)
        self.metadata = metadata
        self.device = device
        self.bias = network.fc.bias.detach().float().cpu().numpy()
        self.engine = engine
        if borrow:  # a GPU that has to be waited for is too slow for a camera
            self.at_once = Classifier(copy.deepcopy(network), metadata, cpu, borrow=False).at_once
            self._forward = on_zero_gpu(self._forward)
        elif engine == "openvino":
            self._forward = openvino_forward(network, metadata)
        elif device.type == "cpu" and has_fast_bfloat16():
            self.at_once = copy.copy(self)  # with the same weights
            self.at_once.at_once = self.at_once
            self.at_once._bfloat16 = True

    def classify(
        self,
        pictures: Iterable[Picture],
        errors: Literal["raise", "return"] = "raise",
        sizes: Sequence[int] = (),
        mirrored: bool = False,
    ) -> list[Prediction | ImageError]:
        """One Prediction a picture, in order.

        Args:
            pictures: paths, bytes, file objects, PIL images, NumPy arrays or `data:` URLs, mixed as you like.
            errors: what becomes of a picture that cannot be used: `raise` its ImageError, or `return` it in its place.
            sizes: short sides in pixels, multiples of 32, that each picture is shown in, the logits being their mean;
                without any, the checkpoint's own. The model card has a table of what some of them give and cost.
            mirrored: show the mirror image too, and take the mean of both: twice the time.
        """
        answers = self._answers(pictures, errors, tuple(sizes) or (self.metadata.input_size,), mirrored)
        return [answer if isinstance(answer, ImageError) else answer.prediction for answer in answers]

    def explain(
        self,
        pictures: Iterable[Picture],
        errors: Literal["raise", "return"] = "raise",
        size: int | None = None,
        mirrored: bool = False,
    ) -> list[Explanation | ImageError]:
        """One Explanation a picture, in order: the answer and its maps, from one forward pass.

        Args:
            pictures, errors, mirrored: as for `classify`.
            size: the input's short side in pixels, a multiple of 32. 448 gives maps twice as fine as 224, from a network
                that was trained for smaller pictures: its answer may differ a little.
        """
        sizes = (self.metadata.input_size if size is None else size,)
        return list(self._answers(pictures, errors, sizes, mirrored))

    def _answers(
        self, pictures: Iterable[Picture], errors: str, sizes: tuple[int, ...], mirrored: bool
    ) -> Iterator[Explanation | ImageError]:
        if isinstance(pictures, (str, bytes, bytearray, os.PathLike, Image.Image, np.ndarray)):
            raise TypeError("Hand over a list of pictures, also for a single one: classify([picture]).")
        for size in sizes:
            if size < STRIDE or size % STRIDE:
                raise ValueError(f"size is {size}: it must be a multiple of {STRIDE}.")
        if errors not in ("raise", "return"):
            raise ValueError(f'errors is {errors!r}: it must be "raise" or "return".')
        presets = [replace(self.metadata.preset(), size=size) for size in sizes]

        enough = REDUCED * max(sizes)

        def prepare(source: Picture) -> Input | ImageError:
            try:
                picture, full_size = open_reduced(source, enough)
            except ImageError as error:
                return error
            return Input([preset(picture, full_size) for preset in presets], full_size)

        pictures = iter(pictures)
        with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
            while chunk := list(islice(pictures, CHUNK_SIZE)):
                inputs = list(pool.map(prepare, chunk)) if len(chunk) > 1 else [prepare(chunk[0])]
                if errors == "raise":
                    for each in inputs:
                        if isinstance(each, ImageError):
                            raise each
                yield from self._answer_chunk(inputs, presets, mirrored)

    def _answer_chunk(
        self, inputs: list[Input | ImageError], presets: list[EvaluationPreset], mirrored: bool
    ) -> list[Explanation | ImageError]:
        """The answers to a chunk; its maps are those of the first size."""
        logits, strongest = np.zeros((2, len(inputs), len(LABELS)), np.float32)
        maps: dict[int, np.ndarray] = defaultdict(float)
        extents: dict[int, np.ndarray] = defaultdict(float)
        sides = (1, -1) if mirrored else (1,)
        views = [(nth, side) for nth in range(len(presets)) for side in sides]
        for nth, side in views:
            for batch in batches_of_one_shape(inputs, nth):
                pictures = torch.stack([inputs[index].tensors[nth] for index in batch])
                evidence, values, extent = self._forward_in_memory(pictures if side == 1 else pictures.flip(3))
                logits[batch] += values / len(views)
                strongest[batch] += strongest_places(evidence) / len(views)
                if nth == 0:
                    for kept, found in ((maps, evidence), (extents, extent)):
                        for index, one in zip(batch, found[..., ::side] / len(sides)):
                            kept[index] = kept[index] + one
        probabilities = self.probabilities(logits, strongest)
        verdicts = verdicts_of(probabilities, self.metadata.present, self.metadata.both)
        answers: list[Explanation | ImageError] = []
        for index, each in enumerate(inputs):
            if isinstance(each, ImageError):
                answers.append(each)
                continue
            verdict = verdicts[index]
            prediction = Prediction(*map(float, probabilities[index]), verdict, tuple(map(float, logits[index])))
            seen = presets[0].view(*each.size)
            extent = extents[index]
            if verdict == "both":  # a place belongs to one of the two
                extent = np.where(extent == extent.max(0), extent, 0)
            boxes = boxes_of(extent, seen, self.metadata.box_threshold)
            shown = {label: box if verdict in (label, "both") else None for label, box in zip(LABELS, boxes)}
            answers.append(Explanation(prediction, maps[index], self.bias, seen, shown, extents[index]))
        return answers

    def _forward_in_memory(self, batch: Tensor) -> tuple[np.ndarray, ...]:
        """`_forward`, in halves where the memory is too small for the whole batch.

        Raises:
            DeviceError: where it is too small for a single picture.
        """
        try:
            return self._forward(batch)
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
        halves = [self._forward_in_memory(half) for half in batch.chunk(2)]
        return tuple(map(np.concatenate, zip(*halves)))

    @torch.inference_mode()
    def _forward(self, batch: Tensor) -> tuple[np.ndarray, ...]:
        """Normalized pictures (batch, 3, h, w) -> evidence (batch, 2, h / 32, w / 32), logits (batch, 2) and extent
        (batch, 2, h / 16, w / 16)."""
        with half_precision(self.device, self._bfloat16):
            answers = evidence_logits_and_extent(self._folded, batch.to(self.device, memory_format=torch.channels_last))
        return tuple(answer.cpu().numpy() for answer in answers)

    def probabilities(self, logits: np.ndarray, strongest: np.ndarray) -> np.ndarray:
        """Logits and what the strongest places say, both (n, 2) -> calibrated probabilities (n, 2)."""
        return probabilities_of(logits, strongest, self.metadata.calibration())


def batches_of_one_shape(inputs: list[Input | ImageError], nth: int) -> Iterator[list[int]]:
    """Indices of the inputs whose `nth` tensors have one shape, at most BATCH_SIZE at a time."""
    by_shape: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for index, each in enumerate(inputs):
        if isinstance(each, Input):
            by_shape[tuple(each.tensors[nth].shape)].append(index)
    for indices in by_shape.values():
        for start in range(0, len(indices), BATCH_SIZE):
            yield indices[start : start + BATCH_SIZE]


def load(path: str | Path | None = None, device: str = "auto", engine: Engine = "torch") -> Classifier:
    """Load a checkpoint; without a path the one that is shipped, on the GPU where there is one.

    Args:
        path: of the checkpoint.
        device: `auto`, `cpu`, `cuda` or `mps`.
        engine: what computes the answers: `torch`, or `openvino`, which runs on a CPU alone and is faster on one with
            instructions for bfloat16; it moves a logit by a few hundredths then.

    Raises:
        CheckpointError: for a file that is missing or cannot be used.
        DeviceError: for a device that this machine or the engine does not have, or an engine that is not installed.
    """
    network, metadata = load_checkpoint(path)
    if engine == "openvino" and device not in ("auto", "cpu"):
        raise DeviceError(f"--engine openvino runs on the CPU only, not on {device}: leave one of the two out.")
    return Classifier(network, metadata, choose_device("cpu" if engine == "openvino" else device), engine)
