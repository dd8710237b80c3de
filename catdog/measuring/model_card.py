"""A checkpoint's model card, written from its metadata."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from catdog.checkpoint import Metadata
from catdog.measuring.figures import table_of


def model_card(metadata: Metadata, tables: dict[str, str] | None = None) -> str:
    """Markdown: what the checkpoint is, its held-out figures, what it was made from, and what it may be used for.

    Args:
        metadata: of a checkpoint that `scripts/train.py` made.
        tables: the Markdown of `tables_of`.
    """
    training = metadata.training
    depth = metadata.architecture.removeprefix("resnet")
    sections = [
        f"# catdog, a ResNet-{depth} that tells cats and dogs apart",
        "Written by `scripts/train.py` together with the checkpoint beside it, from the checkpoint's own metadata"
        + (
            ", and by `research/card.py` with the tables of other commands, each named above its table."
            if tables
            else "."
        ),
        "## What it answers",
        answers(metadata),
        "## How good it is",
        figures(metadata),
        "## What it was made from",
        sources(metadata),
        "## How it was trained",
        *(how(run) for run in runs_of(training)),
    ]
    for name, table in (tables or {}).items():
        heading, words = TABLES[name]
        sections += [f"## {heading}", words, table]
    sections += ["## What it may be used for", license(metadata), "## What it is not good at", WEAKNESSES]
    return "\n\n".join(sections) + "\n"


def table_path(checkpoint: Path, name: str) -> Path:
    """Where a table about a checkpoint stands, one of TABLES: in a folder of the checkpoint's name, made here."""
    folder = checkpoint.with_suffix("")
    folder.mkdir(exist_ok=True)
    return folder / f"{name}.md"


def tables_of(checkpoint: Path) -> dict[str, str]:
    """The tables that scripts have written about a checkpoint, by name."""
    paths = {name: checkpoint.with_suffix("") / f"{name}.md" for name in TABLES}
    return {name: path.read_text(encoding="utf-8").strip() for name, path in paths.items() if path.exists()}


def runs_of(training: dict[str, Any]) -> list[dict[str, Any]]:
    """The run that made a checkpoint, after those that made what it started from."""
    before = training.get("before")
    return [*runs_of(before), training] if before else [training]


def sources_of(training: dict[str, Any]) -> set[str]:
    """Sources and labels of the photos of a run, of those before it and of those that its weights were averaged with."""
    names: set[str] = set()
    for run in runs_of(training):
        names |= set(run["counts"]["training"]).union(*(sources_of(other) for other in run.get("averaged", ())))
    return names


def how(run: dict[str, Any]) -> str:
    """One run: its start, its epochs and its options."""
    if "epochs_run" in run:
        text = (
            f"From `{run['init']}`, epochs: {run['epochs_run']}. Epoch {run['best_epoch']} had the lowest loss on tuning "
            f"photos and was kept. PyTorch {run['torch']}{at_commit(run)}."
        )
    else:
        text = f"The weights are those of `{run['init']}`, which does not say how, nor on which photos, it was trained."
    if calibrated := run.get("calibrated"):
        counts = ", ".join(f"{name} {count}" for name, count in sorted(calibrated["counts"].items()))
        text += f" Calibrated anew by `scripts/calibrate.py` on tuning photos ({counts}){at_commit(calibrated)}."
    if not run["options"]:
        return text
    return f"{text}\n\n" + rows(
        ("option", "value"), [(f"`--{name.replace('_', '-')}`", value) for name, value in run["options"].items()]
    )


def at_commit(made: dict[str, Any]) -> str:
    return f", commit {made['commit']}" if made["commit"] else ""


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


def license(metadata: Metadata) -> str:
    text = (
        "The code is under Apache-2.0; the weights are not simply that. They learnt from their photos and their starting "
        "weights, and what those allow limits what the weights may be used for."
    )
    names = " ".join(sources_of(metadata.training))
    if "kaggle" in names:
        text += " Kaggle's Dogs vs. Cats photos (Asirra) are for research only."
    if "oxford" in names:
        text += " Oxford-IIIT Pet is under CC BY-SA 4.0."
    runs = runs_of(metadata.training)
    teachers = {run["options"].get("teacher", "none") for run in runs} - {"none"}
    if teachers:
        text += f" They also learnt the features of {' and '.join(sorted(teachers))}, which ImageNet's photos taught."
    first = runs[0]
    if first["init"] == "resnet18-imagenet-partial.pth":
        text += (
            " The other folders hold photos under research-only, MIT, CC BY, CC0 and Flickr licenses."
            " The starting weights are a partial copy of torchvision's ResNet18_Weights.IMAGENET1K_V1 (BSD-3-Clause; "
            "photos of ImageNet, for research): batch-norm statistics were recomputed, the first block of the last stage "
            "comes from an int8 copy (Apache-2.0), the second block of the last stage was trained from nothing."
        )
    elif first["init"] == "imagenet":
        text += " The starting weights are torchvision's (BSD-3-Clause), learnt from ImageNet's photos, for research."
    return text + " Take it for research and for fun; for anything else, train on photos of your own."


TABLES = {  # file name without .md: heading, words
    "tried": (
        "What was tried",
        "Runs of `scripts/train.py`, by `research/card.py --tried`: how well the epoch that each kept did on the tuning "
        "photos. The last one is the checkpoint; where it started from other runs, these stand right above it.",
    ),
    "repeated": (
        "How far runs differ",
        "Runs of `scripts/train.py` from the same photos and starting weights, some of one recipe with several seeds, by "
        "`research/card.py --repeated`.",
    ),
    "recipes": (
        "Which recipe it learns by",
        "Training recipes on a small task, by `research/compare_recipes.py`: a third of the training photos, two epochs at "
        "128 px, then tuning photos at 160, all else as in `--recipe quick`. Figures are those of the logits on tuning "
        "photos: the mean over the seeds and, of several, the lowest and the highest.",
    ),
    "inputs": (
        "Which input it is shown",
        "The same weights on tuning photos, shown in other sizes and shapes, by `research/compare_inputs.py`. *whole* keeps "
        "the photo's shape, *squash* makes it a square, *crop* is the tutorials' resize to 256 and center crop of 224. "
        "Wide photos are at least 1.45 times as long as high or the other way round; far pets are cut out and pasted at "
        "0.3 of a negative's short side; both are put together from two photos. Areas under the curve need no threshold: "
        "one minus it is how often a random pair is ordered wrongly. Two-way and the areas are those of the logits.",
    ),
    "others": (
        "What it says of other things",
        "Verdicts on pictures from elsewhere, by `research/measure_others.py`: pictures drawn by that script, and pictures "
        "of Debian's packages `gcompris-qt-data` (animals; things, places, fish; cartoons), `tuxpaint-stamps-default` "
        "(those cut out) and `openclipart-png`, chosen by the commands in that script. Training saw others of the plain "
        "colors and gradients, and nothing of the rest. None holds a cat or a dog, big cats excepted, but `clip-art "
        "pets`, which hold nothing else.",
    ),
    "left-out": (
        "What it says of kinds it was not taught",
        "The small task of `research/compare_recipes.py`, trained once with every negative and once without each group of "
        "them, by `research/leave_out.py`. Where nothing is left out, the figure is that of the group's held-out photos; "
        "where it is, that of all its photos.",
    ),
    "scores": (
        "Which score tells pets from other things, and both from one",
        "Scores that need no new training, by `research/compare_scores.py`: the area under the curve of pets against "
        "negatives, and of pets against the pictures of other things above; then how many made-up photos of both each score "
        "finds. The verdict uses the first of each.",
    ),
    "maps": (
        "Where it looks",
        "Maps on the held-out photos of Oxford-IIIT Pet, against their trimaps, by `research/measure_maps.py`: whether the "
        "map's peak is on the pet (the pointing game, Zhang et al. 2018), also on the photos whose center is not; how much "
        "of the positive map is on it (Wang et al. 2020); whether the box overlaps the pet's box by half or more, and how "
        "much it does. No map chose its threshold here.",
    ),
    "faithful": (
        "Whether it used what it points at",
        "On held-out photos, by `research/measure_maps.py`: the label's mean probability while the photo is blurred, most "
        "important places first (deletion), and while it comes out of the blur (insertion; Petsiuk et al. 2018); and how "
        "like the map stays, by Spearman's rank correlation, when the network's weights are drawn anew (Adebayo et al. "
        "2018): a map that shows what was learnt loses its likeness.",
    ),
}

WEAKNESSES = """\
Drawings, toys and plush: it has only seen photos. Animals that look like a cat or a dog (foxes, wolves, lions, rabbits,
raccoons, red pandas) may be called one, above all those of a kind that was not among its negatives. Pets smaller than a
fifth of the photo, or hidden behind each other, are missed. It knows no breeds, no individuals, and nothing about people."""


def rows(head: tuple[str, ...], body: list[tuple]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in body])
