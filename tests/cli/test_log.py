"""Where a command's messages go."""

from __future__ import annotations

import logging

from catdog.cli import log_to_terminal


def test_progress_goes_to_the_output_and_warnings_to_the_errors_each_as_a_plain_line(capsys):
    log_to_terminal()
    log_to_terminal()  # a second command in one process does not speak twice
    log = logging.getLogger("catdog.training.run")
    log.debug("for nobody")
    log.info("epoch 1/2")
    log.warning("no negatives")
    assert capsys.readouterr() == ("epoch 1/2\n", "no negatives\n")


def test_of_several_processes_only_the_first_speaks(monkeypatch, capsys):
    monkeypatch.setenv("RANK", "1")
    log_to_terminal()
    logging.getLogger("catdog.training.run").warning("no negatives")
    assert capsys.readouterr() == ("", "")
    monkeypatch.setenv("RANK", "0")
    log_to_terminal()
    logging.getLogger("catdog.training.run").warning("no negatives")
    assert capsys.readouterr().err == "no negatives\n"
