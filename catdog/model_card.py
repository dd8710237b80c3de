"""A checkpoint's model card, written from its metadata."""

from __future__ import annotations

from collections import Counter

from catdog.checkpoint import Metadata
from catdog.report import table_of


def model_card(metadata: Metadata, inputs: str = "") -> str:
    """Markdown: what the checkpoint is, its held-out figures, what it was made from, and what it may be used for.

    Args:
        metadata: of a checkpoint that `scripts/train.py` made.
        inputs: the Markdown table of `scripts/compare_inputs.py`, where there is one.
    """
    training = metadata.training
    options = training["options"]
    depth = metadata.architecture.removeprefix("resnet")
    sections = [
        f"# catdog, a ResNet-{depth} that tells cats and dogs apart",
        "Written by `scripts/train.py` together with the checkpoint beside it; every figure is from the checkpoint's own "
        "metadata.",
        "## What it answers",
        answers(metadata),
        "## How good it is",
        figures(metadata),
        "## What it was made from",
        sources(metadata),
        "## How it was trained",
        f"From `{training['init']}`, {training['epochs_run']} epochs, of which epoch {training['best_epoch']} had the "
        f"lowest loss on tuning photos and was kept. PyTorch {training['torch']}"
        + (f", commit {training['commit']}." if training["commit"] else "."),
        rows(("option", "value"), [(f"`--{name.replace('_', '-')}`", value) for name, value in options.items()]),
    ]
    if inputs:
        sections += ["## Which input it is shown", INPUTS, inputs]
    sections += ["## What it may be used for", licence(metadata), "## What it is not good at", WEAKNESSES]
    return "\n\n".join(sections) + "\n"


def answers(metadata: Metadata) -> str:
    if metadata.head == "softmax":
        return "Cat or dog, by a softmax over the two: it has no word for both or neither."
    lines = (
        f"Two independent probabilities, for cat and for dog, calibrated on tuning photos. `neither` where the larger one "
        f"is below {metadata.present:.2f}, `both` where the smaller one reaches {metadata.both:.2f}. It sees "
        f"{SEES[metadata.resize]}, at {metadata.input_size} pixels on the short side."
    )
    if not metadata.real_negatives:
        lines += (
            "\n\nIt was trained without photos of anything but cats and dogs. What it calls `neither` was learnt from "
            "made-up pictures and is worth little."
        )
    return lines


SEES = {"whole": "the whole photo", "squash": "the whole photo, squashed to a square", "crop": "the middle of a photo"}


def figures(metadata: Metadata) -> str:
    if not metadata.held_out:
        return "No held-out photos were given."
    table = rows(("on held-out photos", "figure"), table_of(metadata.held_out))
    return f"{table}\n\nThese photos taught nothing and chose nothing. `scripts/evaluate.py` prints the same figures."


def sources(metadata: Metadata) -> str:
    counts = metadata.training["counts"]
    total: Counter[str] = Counter()
    for part in counts.values():
        total.update(part)
    table = rows(
        ("source and label", "training photos", "tuning photos"),
        [(name, counts["training"].get(name, 0), counts["tuning"].get(name, 0)) for name in sorted(total)],
    )
    return "Folders: " + "; ".join(metadata.training["folders"]) + ".\n\n" + table


def licence(metadata: Metadata) -> str:
    text = (
        "The code is under Apache-2.0; the weights are not simply that. They learnt from their photos and their starting "
        "weights, and what those allow limits what the weights may be used for."
    )
    names = " ".join(metadata.training["counts"]["training"])
    if "kaggle" in names:
        text += " Kaggle's Dogs vs. Cats photos (Asirra) are for research only."
    if "oxford" in names:
        text += " Oxford-IIIT Pet is under CC BY-SA 4.0."
    if metadata.training["init"] == "resnet18-imagenet-partial.pth":
        text += (
            " The other folders hold photos under research-only, MIT, CC BY, CC0 and Flickr licences."
            " The starting weights are a partial copy of torchvision's ResNet18_Weights.IMAGENET1K_V1 (BSD-3-Clause; "
            "photos of ImageNet, for research): batch-norm statistics were recomputed, the first block of the last stage "
            "comes from an int8 copy (Apache-2.0), the second block of the last stage was trained from nothing."
        )
    elif metadata.training["init"] == "imagenet":
        text += " The starting weights are torchvision's (BSD-3-Clause), learnt from ImageNet's photos, for research."
    return text + " Take it for research and for fun; for anything else, train on photos of your own."


INPUTS = """\
The same weights on tuning photos, shown in other sizes and shapes, by `scripts/compare_inputs.py`. *whole* keeps the
photo's shape, *squash* makes it a square, *crop* is the tutorials' resize to 256 and centre crop of 224. Wide photos are
at least 1.45 times as long as high or the other way round; far pets are cut out and pasted at 0.3 of a negative's short
side; both are put together from two photos. Areas under the curve need no threshold: one minus it is how often a random
pair is ordered wrongly."""

WEAKNESSES = """\
Drawings, toys and plush: it has only seen photos. Animals that look like a cat or a dog and that it has never been told
about (foxes, wolves, raccoons, red pandas) may be called one. Pets smaller than a fifth of the photo, or hidden behind
each other, are missed. It knows no breeds, no individuals, and nothing about people."""


def rows(head: tuple[str, ...], body: list[tuple]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in body])
