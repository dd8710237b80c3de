"""Figures by kind of scene and animal."""

from __future__ import annotations

from pathlib import Path

import pytest

from catdog.classifier import Prediction
from catdog.datasets import Photo
from catdog.labels import VERDICTS
from catdog.measuring.figures import Figures
from catdog.measuring.measure import Scored, figures_of
from catdog.measuring.model_card import figures_text
from catdog.measuring.summary import as_text

LABELS = {verdict: label for label, verdict in VERDICTS.items()}


def scored(kind: str, label: str, *verdicts: str) -> list[Scored]:
    photo = Photo(Path(f"{kind}.jpg"), LABELS[label], "folders:pets", "held-out", kind=kind)
    return [Scored(photo, Prediction(*map(float, LABELS[verdict]), verdict, (0.0, 0.0))) for verdict in verdicts]


@pytest.fixture
def figures() -> Figures:
    answers = scored("hamsters", "neither", *["neither"] * 3, "cat", "cat", "dog")
    answers += scored("snow", "dog", *["dog"] * 9, "neither") + scored("snow", "cat", *["cat"] * 5)
    answers += (
        scored("", "dog", *["dog"] * 6) + scored("foxes", "neither", "dog") + scored("bears", "neither", "neither")
    )
    return figures_of(answers)


def test_the_worst_kinds_come_first_rare_ones_together_and_photos_without_a_kind_by_their_source(figures):
    rows = [(each.kind, each.label, each.right.k, each.right.n) for each in figures.kinds]
    assert rows == [
        ("hamsters", "neither", 3, 6),
        ("others", "neither", 1, 2),
        ("snow", "dog", 9, 10),
        ("folders:pets", "dog", 6, 6),
        ("snow", "cat", 5, 5),
    ]
    assert figures.kinds[0].called == {"neither": 3, "cat": 2, "dog": 1}


def test_kinds_stand_in_the_terminal_s_text_the_card_and_the_checkpoint(figures):
    assert Figures.from_dict(figures.to_dict()) == figures
    assert "hamsters" in as_text(figures) and "2 cat, 1 dog" in as_text(figures)
    assert "| hamsters | neither | 50.00% (3 of 6, " in figures_text(figures)


def test_without_kinds_there_is_no_table_of_them():
    figures = figures_of(scored("", "dog", "dog", "neither"))
    assert figures.kinds == () and "kind" not in as_text(figures) and "kind" not in figures_text(figures)
