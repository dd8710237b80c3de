"""Figures and the record of a training, as a checkpoint's metadata hold them."""

from __future__ import annotations

import json

import pytest

from catdog.checkpoint import Metadata, load_checkpoint
from catdog.measuring.figures import Figures, FiguresError, Rate
from catdog.measuring.record import TrainingRecord
from catdog.measuring.summary import as_text


@pytest.fixture(scope="module")
def shipped() -> Metadata:
    return load_checkpoint()[1]


def test_figures_are_the_same_after_being_written_and_read(shipped):
    figures = Figures.from_dict(shipped.held_out)
    assert figures and figures.pets and figures.negatives
    written = json.loads(json.dumps(figures.to_dict()))
    assert Figures.from_dict(written) == figures
    assert written["pets"]["two_way_accuracy"] == {
        "value": 1149 / 1162,
        "k": 1149,
        "n": 1162,
        "interval": list(Rate(1149, 1162).interval),
    }
    assert "called_a_pet_at_0.9" in written["negatives"]
    assert "98.88% (1149 of 1162, 95% interval 98.10% to 99.35%)" in as_text(figures)


def test_no_figures_and_no_record_are_none():
    assert Figures.from_dict({}) is None and TrainingRecord.from_dict({}) is None


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"n": "many"}, "n"),
        ({"pets": {"n": 3}}, r"pets\.two_way_accuracy"),
        ({"verdict_accuracy": {"k": 5, "n": 3}}, "verdict_accuracy"),
        ({"confusion": []}, "confusion"),
    ],
)
def test_figures_of_another_shape_are_refused_with_the_place(shipped, change, where):
    with pytest.raises(FiguresError, match=rf"figures cannot be read \({where}.*measure or train it anew\.$"):
        Figures.from_dict(shipped.held_out | change)


def test_a_record_names_the_runs_before_it_first(shipped):
    first = shipped.training | {"before": None, "init": "first.pth"}
    record = TrainingRecord.from_dict(shipped.training | {"before": first, "init": "later.pth"})
    assert record and [run.init for run in record.runs()] == ["first.pth", "later.pth"]
    assert "kaggle cat" in record.sources()
