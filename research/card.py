"""Write a checkpoint's model card and the READMEs' tables of figures, from the checkpoint's metadata."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import tyro

from catdog.checkpoint import CheckpointError, load_checkpoint
from catdog.cli import program
from catdog.files import CHECKPOINT
from catdog.measuring.model_card import figures, model_card, rows, runs_of, table_path, tables_of
from catdog.training.config import TrainConfig

ROOT = Path(__file__).parent.parent

FIGURES = re.compile(r"(<!-- figures: written by research/card.py -->\n).*?(<!-- /figures -->)", re.DOTALL)

CHINESE = {  # of the table's words; the longer ones first
    "on held-out photos | figure": "留出集照片 | 数值",
    "pets against negatives: AUROC": "宠物与非宠物：AUROC",
    "both kinds: calibration error": "宠物与非宠物：校准误差",
    "negatives: a pet with 0.9 or more": "非宠物：以不低于 0.9 的概率被当成宠物",
    "negatives: called neither": "非宠物：判为 neither",
    "pets: two-way log loss": "宠物：二选一对数损失",
    "pets: two-way right": "宠物：二选一正确",
    "pets: called neither": "宠物：判为 neither",
    "pets: called both": "宠物：判为 both",
    "pets: calibration error": "宠物：校准误差",
    "made-up both, side by side: called both": "合成的猫狗并排照片：判为 both",
    "made-up both, at a half: called both": "合成照片，贴上的占二分之一：判为 both",
    "made-up both, at a third: called both": "合成照片，贴上的占三分之一：判为 both",
    "made-up both, at a fifth: called both": "合成照片，贴上的占五分之一：判为 both",
    "made-up both, at a half: peak on its pet, both at once": "合成照片，贴上的占二分之一：两个峰值都在自己的宠物上",
    "made-up both, at a half: peak on its pet, cat": "合成照片，贴上的占二分之一：猫的峰值在猫身上",
    "made-up both, at a half: peak on its pet, dog": "合成照片，贴上的占二分之一：狗的峰值在狗身上",
    "maps: peak on the pet where the center is not": "证据图：照片中心不在宠物上时，峰值在宠物上",
    "maps: peak on the pet": "证据图：峰值在宠物上",
    "the photo's center: on the pet": "照片中心：在宠物上",
    "maps: evidence on the pet": "证据图：落在宠物上的证据",
    "the pet covers": "宠物占照片的",
    "maps: box found": "证据图：框对宠物",
    "the whole photo: box found": "整张照片作框：框对宠物",
    "a centerd box of": "居中的框，占各边的",
    " of each side: box found": "：框对宠物",
    "both: called both": "猫狗都有：判为 both",
    ": two-way right": "：二选一正确",
    ": called neither": "：判为 neither",
    ": called both": "：判为 both",
    "verdict right": "结论正确",
    "95% interval": "95% 区间",
    "perfectly calibrated": "完美校准时为",
    "These photos taught nothing and chose nothing. `scripts/evaluate.py` prints the same figures.": (
        "这些照片既没有用于训练，也没有用于任何选择。`scripts/evaluate.py` 会打印同样的数值。"
    ),
}


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


def recipe(options: dict, without: Sequence[str] = ()) -> str:
    """A run's options in words, as far as they are not the defaults."""
    defaults = asdict(TrainConfig())
    options = {"place_loss": 0.0, "trivial": 0.0, "erase": 0.0, "teacher": "none"} | options  # what older runs had not
    chosen = {
        name: value for name, value in options.items() if name not in without and defaults.get(name, value) != value
    }
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in chosen.items()) or "the defaults"


def tried(checkpoints: Sequence[Path]) -> str:
    """One row a run, those before it first: its options as far as they are not the defaults, and how well its best epoch
    did on tuning photos."""
    runs = [run for path in checkpoints for run in runs_of(load_checkpoint(path)[1].training)]
    body = []
    for run in runs:
        figures = run["tuning"]
        row = (
            recipe(run["options"]),
            figures["epoch"],
            f"{figures['tuning_loss']:.4f}",
            f"{figures['tuning_accuracy']:.2%}",
            f"{figures['tuning_two_way']:.2%}",
        )
        if row not in body:
            body.append(row)
    return rows(("options that are not the defaults", "epoch kept", "loss", "both labels right", "two-way"), body)


def repeated(checkpoints: Sequence[Path]) -> str:
    """One row a run: its seed, and its figures on tuning and on held-out photos; after the runs of one recipe, their mean.

    Raises:
        CheckpointError: when one cannot be read, or is of other photos or weights.
    """
    recipes: dict[str, list] = {}
    of_all = None
    for path in checkpoints:
        _, metadata = load_checkpoint(path)
        options = metadata.training.get("options", {})
        shared = [metadata.training.get(name) for name in ("init", "before", "photos")]
        if shared != (of_all := of_all or shared):
            raise CheckpointError(f"{path} is of a run from other weights or on other photos than {checkpoints[0]}.")
        if not metadata.held_out.keys() >= {"pets", "negatives"}:
            raise CheckpointError(f"{path} has no figures on held-out pets and negatives.")
        tuning, pets = metadata.training["tuning"], metadata.held_out["pets"]
        values = (
            tuning["tuning_two_way"],
            tuning["tuning_loss"],
            pets["two_way_accuracy"]["value"],
            pets["two_way_log_loss"]["value"],
            pets["called_neither"]["value"],
            metadata.held_out["negatives"]["called_neither"]["value"],
            metadata.held_out["pets_against_negatives"]["auroc"],
        )
        name = recipe(options, without=("seed", "init", "bfloat16", "patience"))
        recipes.setdefault(name, []).append((options["seed"], f"{tuning['epoch']} of {options['epochs']}", values))
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
        means = [sum(column) / len(runs) for column in zip(*(values for _, _, values in runs))]
        for seed, epoch, values in [*runs, ("mean", "", means)] if len(runs) > 1 else runs:
            body.append((name, seed, epoch, *(form.format(value) for form, value in zip(forms, values))))
    return rows(head, body)


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
    except CheckpointError as error:
        print(f"{program()}: {error}", file=sys.stderr)
        return 2
    for name, table in tables.items():
        table_path(options.checkpoint, name).write_text(table + "\n", encoding="utf-8")
    card.write_text(model_card(metadata, tables_of(options.checkpoint)), encoding="utf-8")
    print(f"Wrote {card}.")
    if options.checkpoint.resolve() == CHECKPOINT.resolve():
        table = figures(metadata)
        for name, words in (("README.md", table), ("README.zh-CN.md", in_chinese(table))):
            text = (ROOT / name).read_text(encoding="utf-8")
            (ROOT / name).write_text(FIGURES.sub(rf"\g<1>{words}\n\g<2>", text), encoding="utf-8")
            print(f"Wrote the figures of {name}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
