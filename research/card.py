"""Write a checkpoint's model card and the READMEs' figures, from the checkpoint's metadata."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import tyro

from catdog.checkpoint import CheckpointError, load_checkpoint
from catdog.cli import program
from catdog.files import CHECKPOINT
from catdog.labels import LABELS
from catdog.measuring.figures import Figures, FiguresError, KindFigures, Rate
from catdog.measuring.model_card import NOT_USED, figures_table, model_card
from catdog.measuring.record import TrainingRecord
from catdog.measuring.summary import NamedFigure
from catdog.measuring.tables import markdown_table, table_path, tables_of
from catdog.training.config import TrainConfig
from research.kinds import ANIMALS

ROOT = Path(__file__).parent.parent

FIGURES = re.compile(r"(<!-- figures: written by research/card.py -->\n).*?(<!-- /figures -->)", re.DOTALL)

HEADLINES = (
    "portraits of one cat or dog: right",
    "one cat or dog in everyday photos: right",
    "a cat and a dog: called both",
    "other animals: called neither",
    "people, places, things: called neither",
)

CHINESE = {  # patterns of the block's words, and what stands for them
    r"on held-out photos \| figure": "留出的照片 | 数值",
    "portraits of one cat or dog: right": "一只猫或狗的特写：判断正确",
    "one cat or dog in everyday photos: right": "生活照里的一只猫或狗：判断正确",
    "a cat and a dog: called both": "猫狗同框：判为“都有”",
    "other animals: called neither": "其他动物：判为“都没有”",
    "people, places, things: called neither": "人、场景和物品：判为“都没有”",
    "calibration error": "校准误差",
    r" \((\d+) of (\d+), 95% interval (\S+) to (\S+)\)": r"（\2 张中 \1 张，95% 区间 \3 至 \4）",
    r"cat (\S+), dog (\S+) \(n (\d+); perfect calibration: (\S+) and (\S+)\)": (
        r"猫 \1，狗 \2（n \3；完全校准时为 \4 和 \5）"
    ),
    re.escape(NOT_USED): "这些照片没有用于训练和调参。`scripts/evaluate.py` 会打印同样的数值。",
}


def in_chinese(text: str) -> str:
    for english, chinese in CHINESE.items():
        text = re.sub(english, chinese, text)
    return text


@dataclass
class Options:
    """Write a checkpoint's model card beside it; for the shipped one, the READMEs' figures too."""

    checkpoint: Path = CHECKPOINT
    tried: tuple[Path, ...] = ()
    """Checkpoints of other runs: they become the card's table of what was tried."""
    repeated: tuple[Path, ...] = ()
    """Checkpoints of runs with several seeds: they become the card's table of how far such runs differ."""


def recipe(options: Mapping[str, object], without: Sequence[str] = ()) -> str:
    """A run's options in words, as far as they are not the defaults."""
    defaults = asdict(TrainConfig())
    options = {"place_loss": 0.0, "trivial": 0.0, "erase": 0.0, "teacher": "none", **options}  # what older runs had not
    chosen = {
        name: value for name, value in options.items() if name not in without and defaults.get(name, value) != value
    }
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in chosen.items()) or "the defaults"


def tried(checkpoints: Sequence[Path]) -> str:
    """One row a run, those before it first: its options as far as they are not the defaults, and how well its best epoch
    did on tuning photos."""
    records = [TrainingRecord.from_dict(load_checkpoint(path)[1].training) for path in checkpoints]
    body = []
    for run in (run for record in records if record for run in record.runs()):
        if run.tuning is None:
            continue
        row = (
            recipe(run.options),
            run.tuning.epoch,
            f"{run.tuning.tuning_loss:.4f}",
            f"{run.tuning.tuning_accuracy:.2%}",
            f"{run.tuning.tuning_two_way:.2%}",
        )
        if row not in body:
            body.append(row)
    return markdown_table(
        ("options that are not the defaults", "epoch kept", "loss", "both labels right", "two-way"), body
    )


def repeated(checkpoints: Sequence[Path]) -> str:
    """One row a run: its seed, and its figures on tuning and on held-out photos; after the runs of one recipe, their mean.

    Raises:
        CheckpointError: when one cannot be read, or is of other photos or weights.
    """
    recipes: dict[str, list[tuple[object, str, tuple[float, ...]]]] = {}
    of_all = None
    for path in checkpoints:
        _, metadata = load_checkpoint(path)
        shared = [metadata.training.get(name) for name in ("init", "before", "photos")]
        if shared != (of_all := of_all or shared):
            raise CheckpointError(f"{path} is of a run from other weights or on other photos than {checkpoints[0]}.")
        record, figures = TrainingRecord.from_dict(metadata.training), Figures.from_dict(metadata.held_out)
        if not (
            record
            and record.tuning
            and figures
            and figures.pets
            and figures.negatives
            and figures.pets_against_negatives
        ):
            raise CheckpointError(f"{path} has no figures on held-out pets and negatives.")
        values = (
            record.tuning.tuning_two_way,
            record.tuning.tuning_loss,
            figures.pets.two_way_accuracy.value,
            figures.pets.two_way_log_loss.value,
            figures.pets.called_neither.value,
            figures.negatives.called_neither.value,
            figures.pets_against_negatives.auroc,
        )
        name = recipe(record.options, without=("seed", "init", "bfloat16", "patience"))
        epochs = f"{record.tuning.epoch} of {record.options['epochs']}"
        recipes.setdefault(name, []).append((record.options["seed"], epochs, values))
    head = (
        "options that are not the defaults",
        "seed",
        "epoch kept",
        "tuning: two-way",
        "loss",
        "held-out: two-way",
        "log loss",
        "pets called neither",
        "negatives called neither",
        "AUROC",
    )
    forms = ("{:.2%}", "{:.4f}", "{:.2%}", "{:.4f}", "{:.2%}", "{:.2%}", "{:.4f}")
    body = []
    for name, runs in recipes.items():
        means = tuple(sum(column) / len(runs) for column in zip(*(values for _, _, values in runs)))
        for seed, epoch, values in [*runs, ("mean", "", means)] if len(runs) > 1 else runs:
            body.append((name, seed, epoch, *(form.format(value) for form, value in zip(forms, values))))
    return markdown_table(head, body)


def headline_rows(figures: Figures) -> list[NamedFigure]:
    """The figures that a reader needs first: portraits and scenes apart, since neither speaks for the other, and what is
    neither by whether it is an animal."""
    counts = {name: Counter[str]() for name in HEADLINES}
    for each in figures.kinds:
        counts[headline_of(each, each.kind in figures.pets_by_source)] += Counter(k=each.right.k, n=each.right.n)
    rows = [(name, str(Rate(count["k"], count["n"]))) for name, count in counts.items() if count["n"]]
    if against := figures.pets_against_negatives:
        cat, dog = (against.calibration_error[label] for label in LABELS)
        chance = f"perfect calibration: {cat.by_chance:.2%} and {dog.by_chance:.2%}"
        rows.append(("calibration error", f"cat {cat.value:.2%}, dog {dog.value:.2%} (n {figures.n}; {chance})"))
    return rows


def headline_of(each: KindFigures, portrait: bool) -> str:
    portraits, scenes, of_both, animals, things = HEADLINES
    if each.label == "both":
        return of_both
    if each.label == "neither":
        return animals if each.kind in ANIMALS else things
    return portraits if portrait else scenes


def block(figures: Figures) -> str:
    """The READMEs' figures."""
    return f"{figures_table(headline_rows(figures))}\n\n{NOT_USED}"


def main() -> int:
    options = tyro.cli(Options, prog=program())
    try:
        _, metadata = load_checkpoint(options.checkpoint)
    except CheckpointError as error:
        print(f"{program()}: {error}", file=sys.stderr)
        return 2
    if not metadata.training:
        print(f"{program()}: {options.checkpoint} does not say how it was trained: it gets no card.", file=sys.stderr)
        return 2
    card = options.checkpoint.with_suffix(".md")
    try:
        tables = {}
        if options.tried:
            tables["tried"] = tried((*options.tried, options.checkpoint))
        if options.repeated:
            tables["repeated"] = repeated(options.repeated)
    except (CheckpointError, FiguresError) as error:
        print(f"{program()}: {error}", file=sys.stderr)
        return 2
    for name, table in tables.items():
        table_path(options.checkpoint, name).write_text(table + "\n", encoding="utf-8")
    card.write_text(model_card(metadata, tables_of(options.checkpoint)), encoding="utf-8")
    print(f"Wrote {card}.")
    if options.checkpoint.resolve() == CHECKPOINT.resolve() and (figures := Figures.from_dict(metadata.held_out)):
        english = block(figures)
        for name, words in (("README.md", english), ("README.zh-CN.md", in_chinese(english))):
            text = (ROOT / name).read_text(encoding="utf-8")
            (ROOT / name).write_text(FIGURES.sub(rf"\g<1>{words}\n\g<2>", text), encoding="utf-8")
            print(f"Wrote the figures of {name}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
