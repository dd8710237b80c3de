"""Figures are read from a checkpoint as they were written, or refused in a sentence."""

from __future__ import annotations

import json

import pytest

from catdog.checkpoint import load_checkpoint
from catdog.measuring.figures import Figures, FiguresError
from catdog.measuring.record import TrainingRecord


@pytest.fixture(scope="module")
def held_out() -> dict:
    return json.loads(json.dumps(load_checkpoint()[1].held_out))


def test_what_is_read_is_written_again_with_the_same_names_and_counts(held_out):
    written = Figures.from_dict(held_out).to_dict()
    assert written.keys() == held_out.keys()
    assert written["negatives"].keys() == held_out["negatives"].keys()
    assert written["maps"].keys() == held_out["maps"].keys()
    ours, theirs = written["pets"]["two_way_accuracy"], held_out["pets"]["two_way_accuracy"]
    assert (ours["value"], ours["k"], ours["n"]) == (theirs["value"], theirs["k"], theirs["n"])
    assert ours["interval"] == pytest.approx(theirs["interval"], abs=1e-7)
    assert written["pets"]["calibration_error"] == held_out["pets"]["calibration_error"]
    assert Figures.from_dict(written) == Figures.from_dict(held_out)


def test_a_checkpoint_without_figures_or_record_has_none():
    assert Figures.from_dict({}) is None
    assert TrainingRecord.from_dict({}) is None


@pytest.mark.parametrize(
    ("where", "change"),
    [
        ("n:", {"n": "many"}),
        ("counts:", {"counts": None}),
        ("maps:", {"maps": 3}),
        ("both.called_both:", {"both": {"n": 3, "called_both": {"k": 5, "n": 3}}}),
    ],
)
def test_figures_of_another_shape_are_refused_by_the_name_of_what_is_wrong(held_out, where, change):
    with pytest.raises(FiguresError, match="cannot be read") as refused:
        Figures.from_dict(held_out | change)
    assert f"({where}" in str(refused.value)
