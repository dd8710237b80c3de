"""A checkpoint's model card, written from its metadata: valid on the Hugging Face Hub, and readable anywhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from huggingface_hub import EvalResult, ModelCardData

from catdog.checkpoint import Metadata
from catdog.measuring.figures import Figures, Rate
from catdog.measuring.record import Recalibration, TrainingRecord
from catdog.measuring.summary import KINDS_HEAD, NamedFigure, kind_rows, named_figures
from catdog.measuring.tables import TABLES, markdown_table

TASK = "image-classification"  # as the Hub calls it
TAGS = ("cats", "dogs", "resnet", "multi-label", "class-activation-map", "grad-cam", "safetensors")
NOT_USED = "These photos were not used for training or tuning. `scripts/evaluate.py` prints the same figures."


def model_card(metadata: Metadata, tables: Mapping[str, str] | None = None) -> str:
    """Markdown with the Hub's front matter, for the file beside a checkpoint.

    Args:
        metadata: of a checkpoint that `scripts/train.py` made.
        tables: the Markdown of `tables_of`.

    Raises:
        FiguresError: where its figures or its record of the training have a shape that this program does not know.
    """
    depth = metadata.architecture.removeprefix("resnet")
    title = f"# catdog, a ResNet-{depth} that tells cats and dogs apart"
    return f"---\n{front_matter(metadata).to_yaml()}\n---\n\n{title}\n\n{card_text(metadata, tables)}\n"


def card_text(metadata: Metadata, tables: Mapping[str, str] | None = None) -> str:
    """The card without front matter and title: what the checkpoint is, its held-out figures, what it was made from, and what
    it may be used for."""
    record = TrainingRecord.from_dict(metadata.training)
    sections = [
        "Written by `scripts/train.py` together with the checkpoint beside it, from the checkpoint's own metadata"
        + (
            ", and by `python -m research.card` with the tables of other commands, each named above its table."
            if tables
            else "."
        ),
        "## What it answers",
        answer_text(metadata),
        "## How good it is",
        figures_text(Figures.from_dict(metadata.held_out)),
        "## What it was made from",
    ]
    if record:
        sections += [source_text(record), "## How it was trained", *map(run_text, record.runs())]
    else:
        sections.append("The checkpoint does not say how it was trained.")
    for name, table in (tables or {}).items():
        heading, words = TABLES[name]
        sections += [f"## {heading}", words, table]
    sections += ["## What it may be used for", license_text(record), "## What it is not good at", WEAKNESSES]
    return "\n\n".join(sections)


def front_matter(metadata: Metadata) -> ModelCardData:
    """What the Hub reads: the kind of model, its license, and its held-out figures."""
    figures = Figures.from_dict(metadata.held_out)
    record = TrainingRecord.from_dict(metadata.training)
    limited = record is not None and is_for_research(record)
    return ModelCardData(
        language="en",
        library_name="catdog",
        pipeline_tag=TASK,
        license="other" if limited else "unknown",
        license_name="research-only" if limited else None,
        tags=list(TAGS),
        model_name=f"catdog-{metadata.architecture}",
        eval_results=list(evaluations(figures)) if figures else None,
    )


def evaluations(figures: Figures) -> Iterable[EvalResult]:
    """The held-out figures, as the Hub's model index has them."""

    def result(kind: str, n: int, metric: str, name: str, value: float) -> EvalResult:
        return EvalResult(
            task_type=TASK,
            task_name="Image classification",
            dataset_type=f"held-out-{kind.replace(' ', '-')}",
            dataset_name=f"Held-out photos: {kind}, n {n:,}",
            dataset_split="held-out",
            metric_type=metric,
            metric_name=name,
            metric_value=round(value, 4),
        )

    def share(kind: str, name: str, rate: Rate) -> EvalResult:
        return result(kind, rate.n, "accuracy", name, rate.value)

    yield share("all", "Verdict right", figures.verdict_accuracy)
    if pets := figures.pets:
        kind = "one cat or dog"
        yield share(kind, "Two-way right", pets.two_way_accuracy)
        yield result(kind, pets.n, "log_loss", "Two-way log loss, nats", pets.two_way_log_loss.value)
        for label, error in pets.calibration_error.items():
            yield result(kind, pets.n, "expected_calibration_error", f"Calibration error, {label}", error.value)
    if figures.negatives:
        yield share("neither", "Called neither", figures.negatives.called_neither)
    if figures.both:
        yield share("a cat and a dog", "Called both", figures.both.called_both)
    if (against := figures.pets_against_negatives) and figures.pets and figures.negatives:
        n = figures.pets.n + figures.negatives.n
        yield result("one cat or dog against neither", n, "roc_auc", "Area under the ROC curve", against.auroc)


def run_text(run: TrainingRecord) -> str:
    """One run: its start, its epochs and its options."""
    if run.epochs_run is None:
        text = f"The weights are those of `{run.init}`, which does not say how, nor on which photos, it was trained."
    else:
        text = f"From `{run.init}`, epochs: {run.epochs_run}. "
        if run.best_epoch:
            text += f"Epoch {run.best_epoch} had the lowest loss on tuning photos and was kept. "
        text += f"PyTorch {run.torch}{at_commit(run)}."
    if calibrated := run.calibrated:
        counts = ", ".join(f"{name} {count}" for name, count in sorted(calibrated.counts.items()))
        text += f" Calibrated anew by `scripts/calibrate.py` on tuning photos ({counts}){at_commit(calibrated)}."
    if not run.options:
        return text
    options = [(f"`--{name.replace('_', '-')}`", value) for name, value in run.options.items()]
    return f"{text}\n\n{markdown_table(('option', 'value'), options)}"


def at_commit(made: TrainingRecord | Recalibration) -> str:
    return f", commit {made.commit}" if made.commit else ""


def answer_text(metadata: Metadata) -> str:
    if metadata.head == "softmax":
        return "Cat or dog, by a softmax over the two: it has no word for both or neither."
    lines = (
        f"Two independent probabilities, for cat and for dog, calibrated on tuning photos. `neither` where the larger one "
        f"is below {metadata.present:.2f}, `both` where the smaller one reaches {metadata.both:.2f}. It sees "
        f"{SEES[metadata.resize]}, at {metadata.input_size} pixels on the short side."
    )
    if not metadata.real_negatives:
        lines += (
            "\n\nIt was trained without photos of anything but cats and dogs. What it calls `neither` was learned from "
            "made-up pictures and is worth little."
        )
    return lines


SEES = {"whole": "the whole photo", "squash": "the whole photo, squashed to a square", "crop": "the middle of a photo"}


def figures_text(figures: Figures | None) -> str:
    if figures is None:
        return "No held-out photos were given."
    text = f"{figures_table(named_figures(figures))}\n\n{NOT_USED}"
    if figures.kinds:
        text += f"\n\n### By kind of scene and animal\n\nThe worst first.\n\n{markdown_table(KINDS_HEAD, kind_rows(figures.kinds))}"
    return text


def figures_table(rows: Sequence[NamedFigure]) -> str:
    return markdown_table(("on held-out photos", "figure"), rows)


def source_text(record: TrainingRecord) -> str:
    total: Counter[str] = Counter(record.counts.training) + Counter(record.counts.tuning)
    table = markdown_table(
        ("source and label", "training photos", "tuning photos"),
        [(name, record.counts.training.get(name, 0), record.counts.tuning.get(name, 0)) for name in sorted(total)],
    )
    return "Folders: " + "; ".join(record.folders) + ".\n\n" + table


def license_text(record: TrainingRecord | None) -> str:
    """What the photos and the starting weights allow, as far as they are known."""
    text = (
        "The code is under Apache-2.0; the weights are not simply that. They were learned from their photos and their "
        "starting weights, and what those allow limits what the weights may be used for."
    )
    if record is None:
        return f"{text} What they were learned from is not known."
    names = " ".join(record.sources())
    if "kaggle" in names:
        text += " Kaggle's Dogs vs. Cats photos (Asirra) are for research only."
    if "oxford" in names:
        text += " Oxford-IIIT Pet is under CC BY-SA 4.0."
    if teachers := teachers_of(record):
        text += f" They also learned the features of {' and '.join(sorted(teachers))}, which was trained on ImageNet's photos."
    first = record.runs()[0]
    if first.init == PARTIAL:
        text += (
            " The other folders hold photos under research-only, MIT, CC BY, CC0 and Flickr licenses."
            " The starting weights are a partial copy of torchvision's ResNet18_Weights.IMAGENET1K_V1 (BSD-3-Clause; "
            "photos of ImageNet, for research): batch-norm statistics were recomputed, the first block of the last stage "
            "comes from an int8 copy (Apache-2.0), the second block of the last stage was trained from nothing."
        )
    elif first.init == "imagenet":
        text += " The starting weights are torchvision's (BSD-3-Clause), learned from ImageNet's photos, for research."
    return text + " Use it for research and for fun; for anything else, train on photos of your own."


PARTIAL = "resnet18-imagenet-partial.pth"  # what the shipped checkpoint started from


def is_for_research(record: TrainingRecord) -> bool:
    """Whether photos that taught it, directly or through other weights, are known to be for research only."""
    starts = {run.init for run in record.runs()}
    kaggle = any("kaggle" in name for name in record.sources())
    return kaggle or bool(starts & {"imagenet", PARTIAL}) or bool(teachers_of(record))


def teachers_of(record: TrainingRecord) -> set[str]:
    return {str(run.options.get("teacher", "none")) for run in record.runs()} - {"none"}


WEAKNESSES = """\
Drawings, toys and plush: it has only seen photos. Animals that look like a cat or a dog (foxes, wolves, lions, rabbits,
raccoons, red pandas) may be called one, above all those of a kind that was not among its negatives. Pets smaller than a
fifth of the photo, or hidden behind each other, are missed. It knows no breeds, no individuals, and nothing about people."""
