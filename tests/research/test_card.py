"""The model card and its tables, written from checkpoints."""

from __future__ import annotations

from dataclasses import replace

from catdog.checkpoint import Metadata, load_checkpoint, save_checkpoint
from catdog.training.config import TrainConfig


def test_a_checkpoint_that_does_not_say_how_it_was_trained_gets_no_card(script, checkpoint, capsys):
    assert script("card", "--checkpoint", checkpoint) == 2
    assert "how it was trained" in capsys.readouterr().err
    assert not checkpoint.with_suffix(".md").exists()


LATER = {
    name: getattr(TrainConfig(), name) for name in ("place_loss", "trivial", "erase", "teacher")
}  # than the first run


def test_what_was_tried_lists_every_run_on_the_way_to_a_checkpoint_once(script, tmp_path, network18):
    def run(epochs, loss, before=None):
        figures = {"epoch": 2, "tuning_loss": loss, "tuning_accuracy": 0.9, "tuning_two_way": 0.95}
        options = LATER | {"epochs": epochs, "an_option_of_old": 7}
        if before is None:  # older than this option
            del options["teacher"]
        return load_checkpoint()[1].training | {"options": options, "tuning": figures, "before": before}

    first = run(30, 0.5)
    for name, training in (("one", run(3, 0.4, first)), ("other", run(5, 0.3, first))):
        save_checkpoint(tmp_path / f"{name}.safetensors", network18, replace(Metadata(), training=training))
    paths = tmp_path / "other.safetensors", tmp_path / "one.safetensors"
    assert script("card", "--checkpoint", paths[0], "--tried", paths[1]) == 0
    rows = [line.split(" | ") for line in (tmp_path / "other" / "tried.md").read_text().splitlines()[2:]]
    assert [row[0] for row in rows] == ["| teacher none", "| epochs 3", "| epochs 5"]
    assert [row[2] for row in rows] == ["0.5000", "0.4000", "0.3000"]


def test_runs_that_differ_in_their_seed_become_a_table(script, tmp_path, network18, capsys):
    shipped = load_checkpoint()[1]
    defaults = shipped.training | {
        "options": LATER | {"seed": 0, "init": "x.pth", "epochs": 30},
        "before": None,
        "init": "x.pth",
    }
    for seed, right in ((0, 98), (1, 99)):
        pets = shipped.held_out["pets"] | {"two_way_accuracy": {"k": right, "n": 100}}
        training = defaults | {"options": defaults["options"] | {"seed": seed}}
        metadata = replace(Metadata(), training=training, held_out=shipped.held_out | {"pets": pets})
        save_checkpoint(tmp_path / f"{seed}.safetensors", network18, metadata)
    runs = [tmp_path / "0.safetensors", tmp_path / "1.safetensors"]
    assert script("card", "--checkpoint", runs[0], "--repeated", *runs) == 0
    rows = [line.split(" | ") for line in (tmp_path / "0" / "repeated.md").read_text().splitlines()[2:]]
    assert [(row[0], row[1], row[5]) for row in rows] == [
        ("| the defaults", "0", "98.00%"),
        ("| the defaults", "1", "99.00%"),
        ("| the defaults", "mean", "98.50%"),
    ]
    assert rows[0][2] == f"{shipped.training['tuning']['epoch']} of 30"
    assert "How far runs differ" in runs[0].with_suffix(".md").read_text(encoding="utf-8")

    capsys.readouterr()
    assert script("card", "--checkpoint", runs[0], "--repeated", tmp_path / "none.safetensors") == 2
    training = defaults | {"options": LATER | {"seed": 0, "epochs": 3, "teacher": "none"}}
    save_checkpoint(tmp_path / "short.safetensors", network18, replace(metadata, training=training))
    assert script("card", "--checkpoint", runs[0], "--repeated", *runs, tmp_path / "short.safetensors") == 0
    rows = (tmp_path / "0" / "repeated.md").read_text().splitlines()[2:]
    assert len(rows) == 4 and rows[3].startswith("| teacher none, epochs 3 | 0 |")  # by itself, it has no mean
    save_checkpoint(tmp_path / "other.safetensors", network18, replace(metadata, training=defaults | {"init": "none"}))
    assert script("card", "--checkpoint", runs[0], "--repeated", *runs, tmp_path / "other.safetensors") == 2
    assert "other weights or on other photos" in capsys.readouterr().err
