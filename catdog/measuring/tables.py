"""Tables that commands in research/ write about a checkpoint, and which the model card shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path


def markdown_table(head: Sequence[str], body: Iterable[Sequence[object]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in body])


def table_path(checkpoint: Path, name: str) -> Path:
    """Where a table about a checkpoint stands, one of TABLES: in a folder of the checkpoint's name, made here."""
    folder = checkpoint.with_suffix("")
    folder.mkdir(exist_ok=True)
    return folder / f"{name}.md"


def tables_of(checkpoint: Path) -> dict[str, str]:
    """The tables that were written about a checkpoint, by name."""
    paths = {name: checkpoint.with_suffix("") / f"{name}.md" for name in TABLES}
    return {name: path.read_text(encoding="utf-8").strip() for name, path in paths.items() if path.exists()}


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
        "2018): a map that shows what was learned loses its likeness.",
    ),
}
