"""Train a cat-or-dog network on folders of photos, and save it as one checkpoint."""

from __future__ import annotations

import sys

from catdog.training.config import parse


def main() -> int:
    config = parse(sys.argv[1:])
    from catdog.device import keep_memory
    from catdog.training.run import start

    keep_memory()
    return start(config)
