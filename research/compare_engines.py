"""Compare ways to compute the forward pass on a CPU: time in turns, and how far the answers are from eager PyTorch's. Writes a
table into docs/."""

from __future__ import annotations

import copy
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
import tyro
from torch import Tensor, nn

from catdog import load
from catdog.checkpoint import CheckpointError
from catdog.classifier import Classifier, Prediction
from catdog.cli import program
from catdog.datasets import DataError, Photo, read_folders
from catdog.datasets.splits import without_duplicates
from catdog.device import DeviceError, half_precision
from catdog.engines.onnx import export_onnx
from catdog.engines.openvino import openvino_forward
from catdog.evidence import evidence_of
from catdog.images import open_picture
from catdog.measuring.figures import Rate
from catdog.measuring.metrics import two_way_log_losses
from catdog.measuring.tables import markdown_table
from catdog.measuring.timing import against, example_paths, in_turns
from catdog.resnet import ResNet
from research import quantized

Forward = Callable[[Tensor], tuple[np.ndarray, ...]]  # normalized pictures -> evidence and logits

ROOT = Path(__file__).parent.parent

BATCHES = (1, 16)
WRONG = 1.0  # logits: who differs by more is not measured
CALIBRATION = 200  # training photos
BASELINE = "eager PyTorch"
HEAD = ("engine", "one photo, ms", "times eager", "16 at once, ms a photo", "times eager", "logits within")


@dataclass
class Options:
    """Each time is the median of rounds in turns (A B A B ...), with the lowest and highest; the first is warm-up."""

    rounds: int = 15
    threads: int = 2
    checkpoint: Path | None = None
    data: tuple[Path, ...] = ()
    """Labeled folders: choose the integers' scales on their training photos, and count over all their photos how many
    verdicts --engine openvino changes and what it does to the log loss. Takes some minutes for ten thousand."""
    neither: tuple[Path, ...] = ()
    """Folders of photos with neither a cat nor a dog, for the same."""
    out: Path = ROOT / "docs" / "benchmarks" / "engines.md"


def main() -> int:
    options = tyro.cli(Options, prog=program())
    torch.set_num_threads(options.threads)
    try:
        classifier = load(options.checkpoint, "cpu")
        import onnxruntime  # noqa: F401

        openvino_forward(classifier.network, classifier.metadata)
        found = read_folders(options.data, options.neither)
        photos, _ = without_duplicates(photo for each in found for photo in each.photos)
    except (CheckpointError, DataError, DeviceError) as error:
        print(f"{program()}: {error}", file=sys.stderr)
        return 2
    except ImportError as error:
        print(f"{program()}: {error.name} is missing: pip install onnxruntime", file=sys.stderr)
        return 2
    presented = [classifier.metadata.preset()(open_picture(path)) for path in example_paths()]
    with tempfile.TemporaryDirectory() as folder:
        calibration = calibrating(classifier, photos) or presented
        ways, refused = ways_to_compute(classifier, options.threads, Path(folder), presented, calibration)
        expected = [ways[BASELINE](tensor[None])[1] for tensor in presented]
        within = {}
        for name, way in ways.items():
            within[name] = max(np.abs(way(tensor[None])[1] - other).max() for tensor, other in zip(presented, expected))
        for name in [name for name, difference in within.items() if difference > WRONG]:
            del ways[name]
            refused[name] = f"its logits differ by up to {within[name]:.1f}"
        cells = {name: [] for name in ways}
        for count in BATCHES:
            batch = torch.stack([presented[0]] * count)
            figures = in_turns({name: partial(way, batch) for name, way in ways.items()}, options.rounds)
            for name, each in against(BASELINE, figures).items():
                median, low, high = (each[key] / count for key in ("median", "low", "high"))
                cells[name] += [f"{median:.1f} ({low:.1f} to {high:.1f})", f"{1 / each['times']:.2f}"]
        for name, own in cells.items():
            own.append(f"{within[name]:.1g}")
    height, width = presented[0].shape[1:]
    table = markdown_table(HEAD, [(name, *each) for name, each in cells.items()]) + (
        f"\n\nInputs of {width}x{height} pixels, {options.threads} threads, PyTorch {torch.__version__}, median (lowest to "
        f"highest) of {options.rounds} rounds; logits: largest difference over the {len(presented)} example pictures. "
        f"Integers: scales chosen on {len(calibration)} {'training photos' if photos else 'example pictures'}.\n"
    )
    table += batching(cells)
    table += "".join(f"\nNot measured: {name}: {why}.\n" for name, why in refused.items())
    if photos:
        table += over_photos(photos, options.checkpoint)
    print(table)
    options.out.write_text(INTRODUCTION + table, encoding="utf-8")
    return 0


def calibrating(classifier: Classifier, photos: Sequence[Photo]) -> list[Tensor]:
    """Training photos, from all folders alike, as the network takes them."""
    training = [photo for photo in photos if photo.part == "training"]
    some = training[:: max(1, len(training) // CALIBRATION)][:CALIBRATION]
    return [classifier.metadata.preset()(open_picture(photo.path)) for photo in some]


def over_photos(photos: Sequence[Photo], checkpoint: Path | None) -> str:
    """What `--engine openvino` changes on labeled photos, in a sentence."""
    scored = []
    for engine in ("torch", "openvino"):
        answers = load(checkpoint, "cpu", engine).classify([photo.path for photo in photos], errors="return")
        scored.append([each for each in answers if isinstance(each, Prediction)])
    labels = np.array([photo.label for photo, each in zip(photos, answers) if isinstance(each, Prediction)])
    single = labels.sum(1) == 1
    losses = [
        two_way_log_losses(np.array([(each.cat, each.dog) for each in ours])[single], labels[single]).mean()
        for ours in scored
    ]
    changed = Rate(sum(one.verdict != two.verdict for one, two in zip(*scored)), len(labels))
    largest = max(max(abs(one.cat - two.cat), abs(one.dog - two.dog)) for one, two in zip(*scored))
    return (
        f"\nOver photos of all parts, `--engine openvino` changes {changed} of the verdicts of `--engine torch`; the two-way "
        f"log loss of {single.sum():,} photos of one pet is {losses[0]:.4f} with torch and {losses[1]:.4f} with openvino; the "
        f"largest difference of a probability is {largest:.2f}.\n"
    )


def batching(cells: dict[str, list[str]]) -> str:
    """What it would save to answer several visitors' photos in one batch, by the medians of the engines that are offered."""
    saved = {}
    for name, (one, _, many, *_) in cells.items():
        if found := re.search(r"`(--engine \w+)`", name):
            saved[found[1]] = 1 - float(many.split()[0]) / float(one.split()[0])
    said = ", ".join(f"{share:.0%} of a photo's time with `{name}`" for name, share in saved.items())
    return (
        f"\nAnswering {BATCHES[-1]} visitors' photos in one batch would save {said}, and would have each wait for the others: "
        "the page answers each on its own.\n"
    )


INTRODUCTION = """\
# Engines for the forward pass on a CPU

Written by `research/compare_engines.py --data FOLDERS --neither FOLDERS`. *Times eager* is how many times as fast as PyTorch as
it comes. `--engine` offers the fastest that needs no other package but PyTorch and gives its logits to rounding, and the fastest
whose logits stay within 0.1. The others are not offered:

- PyTorch in bfloat16 answers the live tab, where the processor has instructions for it; a photo's answer is worth the wait.
- torch.compile gains next to nothing over folded batch norms, and needs a C++ compiler.
- ONNX Runtime is slower than OpenVINO, and would be one more package for nothing.
- Integers move logits far more than bfloat16 does, and those of NNCF need photos to choose their scales on.

"""


def ways_to_compute(
    classifier: Classifier, threads: int, folder: Path, presented: Sequence[Tensor], calibration: Sequence[Tensor]
) -> tuple[dict[str, Forward], dict[str, str]]:
    """Name -> what takes pictures (batch, 3, h, w) and gives evidence and logits; and name -> why there is none."""
    refused: dict[str, str] = {}
    contiguous = copy.deepcopy(classifier.network).to(memory_format=torch.contiguous_format)
    folded = classifier.folded
    eager = by_torch(contiguous.features, classifier, torch.contiguous_format)
    best = by_torch(folded.features, classifier)
    ways = {
        BASELINE: eager,
        "channels last": by_torch(classifier.network.features, classifier),
        "channels last, batch norms folded (`--engine torch`)": best,
        "the same on one thread": with_threads(best, 1, threads),
        "the same in bfloat16": by_torch(folded.features, classifier, bfloat16=True),
    }
    if shutil.which("g++"):  # which they compile with
        ways["the same by torch.compile"] = by_torch(torch.compile(folded.features, dynamic=True), classifier)
        ways["the same by AOTInductor"] = by_aot_inductor(classifier, folder, presented[0])
    path = folder / "exported.onnx"
    export_onnx(classifier.network, classifier.metadata, path)
    ways |= {
        "ONNX Runtime": by_onnx_runtime(path, threads),
        "ONNX Runtime, 8-bit integers": by_onnx_runtime(quantized.by_onnx_runtime(path, calibration), threads),
        "OpenVINO in float32": by_openvino(path, threads, "f32"),
        "OpenVINO (`--engine openvino`)": openvino_forward(classifier.network, classifier.metadata),
        "OpenVINO, chosen in the same way, on one thread": by_openvino(path, 1),
    }
    if find_spec("nncf"):
        integers = quantized.by_openvino(path, calibration)
        ways["OpenVINO, 8-bit integers by NNCF"] = by_openvino(integers, threads)
    if find_spec("torchao"):
        try:
            features = quantized.by_torchao(Features(contiguous), calibration)
            ways["torchao, 8-bit integers"] = by_torch(features, classifier, torch.contiguous_format)
        except ValueError as error:
            refused["torchao, 8-bit integers"] = str(error)
    return ways, refused


class Features(nn.Module):
    """A network's `features`, as a module that can be exported."""

    def __init__(self, network: ResNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, pictures: Tensor) -> Tensor:
        return self.network.features(pictures)


def by_aot_inductor(classifier: Classifier, folder: Path, picture: Tensor) -> Forward:
    """Compiled ahead of time; of PyTorch 2.14 it gave other answers, for which no reason was found."""
    program = quantized.exported(Features(classifier.folded), picture)
    path, frozen = str(folder / "features.pt2"), {"freezing": True}
    package = torch._inductor.aoti_compile_and_package(program, package_path=path, inductor_configs=frozen)
    return by_torch(torch._inductor.aoti_load_package(package), classifier, torch.contiguous_format)


def by_torch(
    features: Callable[[Tensor], Tensor],
    classifier: Classifier,
    layout: torch.memory_format = torch.channels_last,
    bfloat16: bool = False,
) -> Forward:
    @torch.inference_mode()
    def forward(batch: Tensor) -> tuple[np.ndarray, np.ndarray]:
        with half_precision(torch.device("cpu"), bfloat16):
            last = features(batch.to(memory_format=layout))
        evidence, logits = evidence_of(classifier.network, last)
        return evidence.numpy(), logits.numpy()

    return forward


def by_onnx_runtime(path: Path, threads: int) -> Forward:
    import onnxruntime

    chosen = onnxruntime.SessionOptions()
    chosen.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(path), chosen, providers=["CPUExecutionProvider"])
    return lambda batch: tuple(map(np.asarray, session.run(["evidence", "logits"], {"pictures": batch.numpy()})))


def by_openvino(model: Any, threads: int, precision: str | None = None) -> Forward:
    """In a precision, or in the one that OpenVINO chooses for the processor."""
    import openvino

    hints = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads}
    if precision:
        hints["INFERENCE_PRECISION_HINT"] = precision
    compiled = openvino.Core().compile_model(model, "CPU", hints)

    def forward(batch: Tensor) -> tuple[np.ndarray, np.ndarray]:
        answers = compiled([batch.numpy()])
        return answers["evidence"], answers["logits"]

    return forward


def with_threads(forward: Forward, threads: int, usual: int) -> Forward:
    """The same on another number of PyTorch's threads."""

    def slowed(batch: Tensor) -> tuple[np.ndarray, ...]:
        torch.set_num_threads(threads)
        try:
            return forward(batch)
        finally:
            torch.set_num_threads(usual)

    return slowed


if __name__ == "__main__":
    sys.exit(main())
