"""Train a cat-or-dog network on folders of photos, and save it as one checkpoint."""

from __future__ import annotations

import os
import sys
from dataclasses import replace

from catdog.cli import program
from catdog.training.config import parse


def main() -> int:
    config = parse(sys.argv[1:])
    from catdog.device import keep_memory
    from catdog.training.run import start
    from catdog.training.teacher import INSTALL_LITE, LITE, lite_is_installed

    if config.dry_run and config.teacher == LITE and not lite_is_installed():
        if os.environ.get("RANK", "0") == "0":  # under torchrun, the first process speaks for all
            print(
                f"{program()}: This dry run goes on without a teacher. A real one needs {LITE}'s packages:"
                f" {INSTALL_LITE}. Or leave it out: --teacher none.",
                file=sys.stderr,
            )
        config = replace(config, teacher="none")
    keep_memory()
    return start(config)
