"""Measure speed against what people would use instead, side by side in one run: tables of ratios, and JSON."""

from __future__ import annotations

import io
import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np
import torch
import tyro
from PIL import Image

from catdog import load
from catdog.checkpoint import CheckpointError
from catdog.classifier import REDUCED, Classifier, Explanation
from catdog.config import OptionError
from catdog.datasets import DataError
from catdog.device import DeviceError
from catdog.images import open_picture, open_reduced
from catdog.render import overlay
from scripts.benchmark_browser import browser
from scripts.benchmark_server import live, memory, start
from scripts.benchmark_training import step, training
from scripts.timing import against, example_paths, in_turns, require_same, table, write_photos

PARTS = ("photo", "stages", "folder", "live", "start")
ON_DEMAND = ("memory", "step", "browser")  # the first two take minutes; the last needs Chromium and Playwright
BASELINES = ("torchvision", "naive", "tutorial")
DRAWN = (960, 720)  # px
SAME_DECODED = 1e-2  # probabilities


INTRODUCTION = """\
# Speed

Written by `scripts/benchmark.py {command}`, everything in turns in one run on one machine: {machine}. Times drift from machine
to machine and from day to day; what can be relied on is *times the baseline*, the first row.
"""
ABOUT = {
    "photo": "One photo as a tensor. All ways give the same logits, and those with maps the same maps, or nothing is measured.",
    "stages": "A photo of 12 megapixels, from the file's bytes to the drawn map. Decoded smaller, its probabilities stay "
    "within 0.01.",
    "folder": "Files of 500 pixels to answers. The baseline sees centre crops: fewer pixels than whole photos have.",
    "live": "From a camera's frame to its answer with maps, over HTTP on the same cores, nothing drawn.",
    "start": "A fresh process each time.",
    "browser": "In Chromium on the same cores, with a film of 30 frames a second in the place of a camera.",
    "memory": "predict.py over ten times as many photos.",
    "step": "One of the default recipe's on the CPU, with its teacher, to the same loss; a fresh process each time.",
    "training": "To the best two-way accuracy on tuning photos that the tutorial's recipe reaches; one run of each recipe.",
}


@dataclass
class Options:
    """Each figure is the median of rounds in turns (A B A B ...), with the lowest and highest; the first is warm-up."""

    against: str = ",".join(BASELINES)
    """torchvision: its own ResNet-18, forward alone. naive: forward, then a new GradCAM of the grad-cam package.
    tutorial: torchvision and a DataLoader over a folder. Several with commas."""
    only: str = ",".join(PARTS)
    """photo: one photo, answer and maps. stages: from a file's bytes to a drawn map. folder: many photos. live: several
    visitors' cameras at once. start: from the command to the first answer. Only when named: memory, of predict.py over
    1,000 and 10,000 photos; step, of training; and browser: opening the page, first answer and live tab in Chromium.
    Several with commas."""
    training: bool = False
    """Instead, the time in which the quick recipe reaches the best tuning accuracy of the tutorial's: takes both cores
    for up to --minutes, and wants --data and --init."""
    data: tuple[Path, ...] = ()
    """Labelled folders for --training, as for train.py."""
    neither: tuple[Path, ...] = ()
    """Photos without a pet for --training; the tutorial's recipe has no use for them."""
    init: str = "imagenet"
    """Starting weights for --training, as for train.py."""
    minutes: float = 60.0
    """The most that --training takes; the tutorial's recipe gets three quarters of it."""
    rounds: int = 15
    photos: int = 300
    """Photos in the folder."""
    threads: int = 2
    json: Path | None = None
    markdown: Path | None = None
    """The tables as a text, beside what they were measured on."""
    checkpoint: Path | None = None


def main() -> int:
    options = tyro.cli(Options, prog="benchmark.py")
    measure = {"photo": one_photo, "stages": stages, "folder": folder, "live": live, "start": start}
    measure |= {"memory": memory, "step": step, "browser": browser}
    chosen = options.only.split(",")
    for name, given, allowed in (
        ("against", options.against.split(","), BASELINES),
        ("only", chosen, PARTS + ON_DEMAND),
    ):
        if unknown := set(given) - set(allowed):
            print(f"benchmark.py: --{name} knows {', '.join(allowed)}, not {', '.join(unknown)}.", file=sys.stderr)
            return 2
    torch.set_num_threads(options.threads)
    if options.training:
        measure, chosen = {"training": training}, ["training"]
    results: dict[str, Any] = {"machine": machine(options)}
    print(*results["machine"].values(), sep=", ", flush=True)
    try:
        classifier = load(options.checkpoint, "cpu")
        for name in chosen:
            results[name] = measure[name](classifier, options)
            print(f"\n{name}\n{table(results[name])}", flush=True)
    except (CheckpointError, DataError, DeviceError, OptionError) as error:
        print(f"benchmark.py: {error}", file=sys.stderr)
        return 2
    if options.markdown:
        options.markdown.write_text(as_text(results), encoding="utf-8")
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 0


def as_text(results: dict[str, Any]) -> str:
    """All tables, with the command that made them and what each part is."""
    parts = "".join(
        f"\n## {name}\n\n{ABOUT[name]}\n\n{table(each)}\n" for name, each in results.items() if name in ABOUT
    )
    return INTRODUCTION.format(command=" ".join(sys.argv[1:]), machine=", ".join(results["machine"].values())) + parts


def machine(options: Options) -> dict[str, str]:
    """What the figures hold for."""
    versions = (f"{name} {version(name)}" for name in ("torch", "torchvision", "gradio", "pillow"))
    return {
        "processor": processor(),
        "cores": f"{os.cpu_count()} cores",
        "threads": f"{options.threads} threads",
        "python": f"Python {platform.python_version()}",
        "versions": ", ".join(versions),
    }


def processor() -> str:
    """As the system calls it: Python knows only its family."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def one_photo(classifier: Classifier, options: Options) -> dict[str, dict[str, float]]:
    """One photo as a tensor: the answer with both maps, against a forward pass without any and the usual Grad-CAM.

    Every way gives the same logits, and those with maps the same maps.
    """
    from torchvision.models import resnet18

    batch = classifier.metadata.preset()(open_picture(example_paths()[0]))[None]
    plain = resnet18(num_classes=2).eval()
    plain.load_state_dict(classifier.network.state_dict())
    Answer = tuple[np.ndarray, dict[int, np.ndarray]]  # logits, and a map in [0, 1] a label

    def ours() -> Answer:
        evidence, logits, _ = classifier._forward(batch)
        return logits, dict(enumerate(evidence[0]))

    @torch.inference_mode()
    def forward() -> Answer:
        return plain(batch).numpy(), {}

    def naive(labels: Sequence[int] | None) -> Answer:
        from pytorch_grad_cam import GradCAM
        from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

        logits, maps = plain(batch), {}
        for label in labels or [int(logits.argmax())]:
            with GradCAM(plain, [plain.layer4[-1]]) as cam:
                maps[label] = cam(batch, [ClassifierOutputTarget(label)])[0]
        return logits.detach().numpy(), maps

    def torchcam() -> Answer:
        from torchcam.methods import CAM

        with CAM(plain, "layer4", fc_layer="fc") as extractor:
            logits = plain(batch)
            label = int(logits.argmax())
            [cam] = extractor(label, logits)
        return logits.detach().numpy(), {label: cam[0].numpy()}

    ways: dict[str, Callable[[], Answer]] = {"ours: answer and both maps": ours}
    if "torchvision" in options.against:
        ways = {"torchvision's ResNet-18: answer alone": forward} | ways
    if "naive" in options.against:
        ways["answer, then grad-cam's GradCAM for the likelier label"] = lambda: naive(None)
        ways["answer, then grad-cam's GradCAM for both labels"] = lambda: naive((0, 1))
        if find_spec("torchcam"):
            ways["torchcam's CAM for the likelier label"] = torchcam
    logits, evidence = ours()
    for name, way in ways.items():
        theirs, maps = way()
        require_same(name, "logits", theirs, logits)
        if way is not ours:
            for label, drawn in maps.items():
                expected = stretched(evidence[label]) if way is torchcam else as_grad_cam(evidence[label], drawn.shape)
                require_same(name, "a map", drawn, expected)
    return against(next(iter(ways)), in_turns(ways, options.rounds))


def stretched(evidence: np.ndarray) -> np.ndarray:
    """Evidence (h, w) as torchcam gives its maps: from 0, the least, to 1."""
    return (evidence - evidence.min()) / np.ptp(evidence)


def as_grad_cam(evidence: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Evidence (h, w) as grad-cam gives its maps: without what is negative, each from 0 to 1, in the input's size."""
    from pytorch_grad_cam.utils.image import scale_cam_image

    return scale_cam_image(scale_cam_image(np.maximum(evidence, 0)[None], shape[::-1]))[0]


def stages(classifier: Classifier, options: Options) -> dict[str, dict[str, float]]:
    """From a file's bytes to a drawn map, for a photo as cameras make them."""
    import cv2
    from torchvision.transforms.v2 import functional

    buffer = io.BytesIO()
    open_picture(example_paths()[0]).resize((4032, 3024)).save(buffer, "JPEG", quality=90)
    content = buffer.getvalue()
    preset = classifier.metadata.preset()
    enough = REDUCED * preset.size
    picture, full_size = open_reduced(content, enough)
    batch = preset(picture, full_size)[None]
    [explanation], [whole] = classifier.explain([content]), classifier.classify([open_picture(content)])
    for label in ("cat", "dog"):
        if (difference := abs(getattr(explanation.prediction, label) - getattr(whole, label))) > SAME_DECODED:
            raise AssertionError(f"Decoded smaller, the probability of a {label} differs by {difference:.2g}.")

    def draw(explanation: Explanation) -> Image.Image:
        small = picture.resize(DRAWN, reducing_gap=2.0)
        return overlay(small, replace(explanation, view=(0, 0, *DRAWN)), classifier.metadata.evidence_scale)

    pixels, tensor, shape = np.asarray(picture), functional.pil_to_tensor(picture), batch.shape[2:]
    ways = {
        "all": lambda: draw(classifier.explain([content])[0]),
        "decode, at a half": lambda: open_reduced(content, enough),
        "decode whole, for comparison": lambda: open_picture(content),
        "resize and normalise": lambda: preset(picture, full_size),
        "resize alone": lambda: picture.resize(shape[::-1], Image.Resampling.BILINEAR),
        "resize by torchvision, of a tensor": lambda: functional.resize(tensor, list(shape), antialias=True),
        "resize by OpenCV, by area": lambda: cv2.resize(pixels, shape[::-1], interpolation=cv2.INTER_AREA),
        "forward pass with maps": lambda: classifier._forward(batch),
        "shrink and draw": lambda: draw(explanation),
    }
    return against("all", in_turns(ways, options.rounds))


def folder(classifier: Classifier, options: Options) -> dict[str, dict[str, float]]:
    """Photos of 500 px, as web sites show them; a round is the whole folder."""
    from torch.utils.data import DataLoader
    from torchvision.datasets import ImageFolder
    from torchvision.models import resnet18
    from torchvision.transforms import v2

    plain = resnet18(num_classes=2).eval()
    plain.load_state_dict(classifier.network.state_dict())
    transform = v2.Compose(
        [
            v2.Resize(256),
            v2.CenterCrop(224),
            v2.ToImage(),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
        ]
    )

    @torch.inference_mode()
    def tutorial() -> np.ndarray:
        loader = DataLoader(ImageFolder(place, transform), batch_size=32, num_workers=options.threads)
        return torch.cat([plain(batch) for batch, _ in loader]).numpy()

    @torch.inference_mode()
    def one_by_one(path: Path) -> np.ndarray:
        return plain(transform(Image.open(path))[None])[0].numpy()

    with tempfile.TemporaryDirectory() as place:
        paths = write_photos(Path(place) / "photos", options.photos)
        some = range(0, len(paths), 10)
        ways: dict[str, Callable[[], Any]] = {
            f"ours, {options.photos} whole photos": lambda: classifier.classify(paths)
        }
        answers = classifier.classify(paths)
        for index in some:
            require_same("ours", "logits", answers[index].logits, classifier.classify([paths[index]])[0].logits)
        if "tutorial" in options.against:
            ways = {f"torchvision and DataLoader, {options.photos} centre crops": tutorial} | ways
            logits = tutorial()
            for index in some:
                require_same("tutorial", "logits", logits[index], one_by_one(paths[index]))
        figures = in_turns(ways, 3)
        paced = {
            f"{name}: {1000 * options.photos / each['median']:.1f} a second": each for name, each in figures.items()
        }
        return against(next(iter(paced)), paced)


if __name__ == "__main__":
    sys.exit(main())
