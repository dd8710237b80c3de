"""A page whose visitors wait until they are let go."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import Any

import torch

from catdog import page
from catdog.checkpoint import Metadata
from catdog.classifier import Classifier
from catdog.page.turns import Turns

PATIENCE = 600.0  # seconds


class Held(Classifier):
    """Answers nobody until it is let go."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.go = threading.Event()

    def classify(self, *arguments: Any, **options: Any) -> list[Any]:
        assert self.go.wait(PATIENCE)
        return super().classify(*arguments, **options)

    def explain(self, *arguments: Any, **options: Any) -> list[Any]:
        assert self.go.wait(PATIENCE)
        return super().explain(*arguments, **options)


@contextmanager
def held_page(network, monkeypatch, waiting: int):
    """A page whose classifier is held, with room for a few who wait: its classifier, its line and its port."""
    turns = Turns(at_once=1, places=1 + waiting)
    monkeypatch.setattr(page, "Turns", lambda: turns)
    classifier = Held(network, Metadata(input_size=32), torch.device("cpu"))
    built = page.build(classifier)
    page.launch(built, server_name="127.0.0.1", prevent_thread_lock=True, quiet=True)
    try:
        yield classifier, turns, built.get_blocks().server_port
    finally:
        classifier.go.set()
        built.get_blocks().close()
