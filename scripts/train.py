"""Train a cat-or-dog network on folders of photos, and save it as one checkpoint."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from catdog.config import parse


def main() -> int:
    config = parse(sys.argv[1:])
    from catdog.device import keep_memory
    from catdog.run import start

    keep_memory()
    return start(config)


if __name__ == "__main__":
    sys.exit(main())
