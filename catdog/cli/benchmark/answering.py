"""The parts of benchmark.py that ask the network in this process: one photo, its stages, a folder."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from catdog.classifier import REDUCED, Classifier, Explanation
from catdog.cli.benchmark.options import Options
from catdog.images import open_picture, open_reduced
from catdog.measuring.timing import against, example_paths, in_turns, require_same, write_photos
from catdog.render import overlay

DRAWN = (960, 720)  # px
SAME_DECODED = 1e-2  # probabilities

Answer = tuple[np.ndarray, dict[int, np.ndarray]]  # logits, and a map in [0, 1] a label


def one_photo(classifier: Classifier, options: Options) -> dict[str, dict[str, float]]:
    """One photo as a tensor: the answer with both maps, against a forward pass without any and the usual Grad-CAM.

    Every way gives the same logits, and those with maps the same maps.
    """
    from torchvision.models import resnet18

    batch = classifier.metadata.preset()(open_picture(example_paths()[0]))[None]
    plain = resnet18(num_classes=2).eval()
    plain.load_state_dict(classifier.network.state_dict())

    def ours() -> Answer:
        evidence, logits, *_ = classifier.forward(batch)
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
                # any callable is a target, though the package's annotation asks for a module
                maps[label] = cam(batch, [ClassifierOutputTarget(label)])[0]  # pyright: ignore[reportArgumentType]
        return logits.detach().numpy(), maps

    def torchcam() -> Answer:
        from torchcam.methods import CAM  # pyright: ignore[reportMissingImports]  # optional: see find_spec below

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

    return np.asarray(scale_cam_image(scale_cam_image(np.maximum(evidence, 0)[None], shape[::-1])))[0]


def stages(classifier: Classifier, options: Options) -> dict[str, dict[str, float]]:
    """From a file's bytes to a drawn map, for a photo as cameras make them."""
    import cv2
    from torchvision.transforms.v2 import functional

    buffer = io.BytesIO()
    open_picture(example_paths()[0]).resize((4032, 3024)).save(buffer, "JPEG", quality=90)
    content = buffer.getvalue()
    preset = classifier.metadata.preset()
    enough = REDUCED * preset.size
    decoded = classifier.open(content)
    picture, full_size = decoded.picture, decoded.size
    batch = preset(picture, full_size)[None]
    [explanation], [whole] = classifier.explain([content]), classifier.classify([open_picture(content)])
    for label in ("cat", "dog"):
        if (difference := abs(getattr(explanation.prediction, label) - getattr(whole, label))) > SAME_DECODED:
            raise AssertionError(f"Decoded smaller, the probability of a {label} differs by {difference:.2g}.")

    def draw(explanation: Explanation) -> Image.Image:
        small = picture.resize(DRAWN, reducing_gap=2.0)
        return overlay(small, replace(explanation, view=(0, 0, *DRAWN)), classifier.metadata.evidence_scale)

    pixels, tensor = np.asarray(picture), functional.pil_to_tensor(picture)
    height, width = batch.shape[2:]
    ways = {
        "all": lambda: draw(classifier.explain([content])[0]),
        "decode, at a half": lambda: open_reduced(content, enough),
        "decode whole, for comparison": lambda: open_picture(content),
        "resize and normalize": lambda: preset(picture, full_size),
        "resize alone": lambda: picture.resize((width, height), Image.Resampling.BILINEAR),
        "resize by torchvision, of a tensor": lambda: functional.resize(tensor, [height, width], antialias=True),
        "resize by OpenCV, by area": lambda: cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA),
        "forward pass with maps": lambda: classifier.forward(batch),
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
            ways = {f"torchvision and DataLoader, {options.photos} center crops": tutorial} | ways
            logits = tutorial()
            for index in some:
                require_same("tutorial", "logits", logits[index], one_by_one(paths[index]))
        figures = in_turns(ways, 3)
        paced = {
            f"{name}: {1000 * options.photos / each['median']:.1f} a second": each for name, each in figures.items()
        }
        return against(next(iter(paced)), paced)
