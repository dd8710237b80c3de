"""app.py's options."""

from __future__ import annotations

import sys

import pytest


def test_a_port_that_cannot_be_is_told_before_anything_is_loaded(monkeypatch, capsys):
    from catdog.cli import app

    monkeypatch.setattr(sys, "argv", ["app.py", "--port", "99999"])
    monkeypatch.setattr(app, "load", lambda *arguments: pytest.fail("it loaded a checkpoint first"))
    assert app.main() == 2
    assert "--port is 99999" in capsys.readouterr().err
