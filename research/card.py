"""Write a checkpoint's model card and the READMEs' tables of figures, from the checkpoint's metadata."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import tyro

from catdog.checkpoint import CheckpointError, load_checkpoint
from catdog.cli import program
from catdog.files import CHECKPOINT
from catdog.measuring.figures import Figures, FiguresError
from catdog.measuring.model_card import NOT_USED, figures_table, model_card
from catdog.measuring.record import TrainingRecord
from catdog.measuring.summary import headline_rows
from catdog.measuring.tables import markdown_table, table_path, tables_of
from catdog.training.config import TrainConfig

ROOT = Path(__file__).parent.parent

FIGURES = re.compile(r"(<!-- figures: written by research/card.py -->\n).*?(<!-- /figures -->)", re.DOTALL)

CHINESE = {  # of the block's words
    "on held-out photos | figure": "留出集照片 | 数值",
    "negatives: called neither": "非宠物：判为 neither",
    "pets: two-way right": "宠物：二选一正确",
    "pets: called neither": "宠物：判为 neither",
    "pets: calibration error": "宠物：校准误差",
    "both: called both": "猫狗都有：判为 both",
    "95% interval": "95% 区间",
    "perfectly calibrated": "完美校准时为",
    NOT_USED: "这些照片没有用于训练或调参。`scripts/evaluate.py` 会打印同样的数值。",
}


def readme_block(figures: Figures) -> str:
    """The figures that stand in the READMEs."""
    return f"{figures_table(headline_rows(figures))}\n\n{NOT_USED}"


def in_chinese(text: str) -> str:
    for english, chinese in CHINESE.items():
        text = text.replace(english, chinese)
    return text


@dataclass
class Options:
    """Write a checkpoint's model card beside it; for the shipped one, the READMEs' tables of figures too."""

    checkpoint: Path = CHECKPOINT
    tried: tuple[Path, ...] = ()
    """Checkpoints of other runs: they become the card's table of what was tried."""
    repeated: tuple[Path, ...] = ()
    """Checkpoints of runs with several seeds: they become the card's table of how far such runs differ."""


@dataclass(frozen=True)
class Run:
    """A checkpoint's record and its figures."""

    path: Path
    record: TrainingRecord
    figures: Figures | None

    @classmethod
    def load(cls, path: Path) -> Run:
        """
        Raises:
            CheckpointError: where it cannot be read, or does not say how it was trained.
            FiguresError: where what it says has a shape that this program does not know.
        """
        _, metadata = load_checkpoint(path)
        record = TrainingRecord.from_dict(metadata.training)
        if record is None:
            raise CheckpointError(f"{path} does not say how it was trained.")
        return cls(path, record, Figures.from_dict(metadata.held_out))


def recipe(options: Mapping[str, object], without: Sequence[str] = ()) -> str:
    """A run's options in words, as far as they are not the defaults."""
    defaults = asdict(TrainConfig())
    options = {"place_loss": 0.0, "trivial": 0.0, "erase": 0.0, "teacher": "none"} | dict(
        options
    )  # older runs lack them
    chosen = {
        name: value for name, value in options.items() if name not in without and defaults.get(name, value) != value
    }
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in chosen.items()) or "the defaults"


def tried(checkpoints: Sequence[Path]) -> str:
    """One row a run, those before it first: its options as far as they are not the defaults, and how well its best epoch
    did on tuning photos."""
    body = []
    for source, run in ((path, run) for path in checkpoints for run in Run.load(path).record.runs()):
        if run.tuning is None:
            raise CheckpointError(f"{source} does not say how well it did on tuning photos.")
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


REPEATED_HEAD = (
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
REPEATED_FORMS = ("{:.2%}", "{:.4f}", "{:.2%}", "{:.4f}", "{:.2%}", "{:.2%}", "{:.4f}")


def repeated(checkpoints: Sequence[Path]) -> str:
    """One row a run: its seed, and its figures on tuning and on held-out photos; after the runs of one recipe, their mean.

    Raises:
        CheckpointError: when one cannot be read, or is of other photos or weights.
    """
    recipes: dict[str, list[tuple[object, str, tuple[float, ...]]]] = {}
    photos_of_all = None
    for run in map(Run.load, checkpoints):
        photos = (run.record.init, run.record.before, run.record.photos)
        if photos != (photos_of_all := photos_of_all or photos):
            raise CheckpointError(
                f"{run.path} is of a run from other weights or on other photos than {checkpoints[0]}."
            )
        options, tuning, figures = run.record.options, run.record.tuning, run.figures
        if tuning is None or figures is None or not (figures.pets and figures.negatives):
            raise CheckpointError(
                f"{run.path} has no figures on tuning photos, or none on held-out pets and negatives."
            )
        if not (against := figures.pets_against_negatives):
            raise CheckpointError(f"{run.path} has no figures of pets against negatives.")
        pets = figures.pets
        values = (
            tuning.tuning_two_way,
            tuning.tuning_loss,
            pets.two_way_accuracy.value,
            pets.two_way_log_loss.value,
            pets.called_neither.value,
            figures.negatives.called_neither.value,
            against.auroc,
        )
        name = recipe(options, without=("seed", "init", "bfloat16", "patience"))
        recipes.setdefault(name, []).append((options["seed"], f"{tuning.epoch} of {options['epochs']}", values))
    body = []
    for name, runs in recipes.items():
        means = tuple(sum(column) / len(runs) for column in zip(*(values for _, _, values in runs)))
        for seed, epoch, values in [*runs, ("mean", "", means)] if len(runs) > 1 else runs:
            body.append((name, seed, epoch, *(form.format(value) for form, value in zip(REPEATED_FORMS, values))))
    return markdown_table(REPEATED_HEAD, body)


def main() -> int:
    options = tyro.cli(Options, prog=program())
    try:
        _, metadata = load_checkpoint(options.checkpoint)
        if not metadata.training:
            raise CheckpointError(f"{options.checkpoint} does not say how it was trained: it gets no card.")
        if options.tried:
            write_table(options.checkpoint, "tried", tried((*options.tried, options.checkpoint)))
        if options.repeated:
            write_table(options.checkpoint, "repeated", repeated(options.repeated))
        card = model_card(metadata, tables_of(options.checkpoint))
        figures = Figures.from_dict(metadata.held_out)
    except (CheckpointError, FiguresError) as error:
        print(f"{program()}: {error}", file=sys.stderr)
        return 2
    path = options.checkpoint.with_suffix(".md")
    path.write_text(card, encoding="utf-8")
    print(f"Wrote {path}.")
    if figures and options.checkpoint.resolve() == CHECKPOINT.resolve():
        block = readme_block(figures)
        for name, words in (("README.md", block), ("README.zh-CN.md", in_chinese(block))):
            text = (ROOT / name).read_text(encoding="utf-8")
            (ROOT / name).write_text(FIGURES.sub(rf"\g<1>{words}\n\g<2>", text), encoding="utf-8")
            print(f"Wrote the figures of {name}.")
    return 0


def write_table(checkpoint: Path, name: str, table: str) -> None:
    table_path(checkpoint, name).write_text(table + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
