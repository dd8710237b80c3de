"""Write a checkpoint's model card and the READMEs' tables of figures, from the checkpoint's metadata."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

import tyro  # noqa: E402

from catdog.checkpoint import SHIPPED, CheckpointError, load_checkpoint  # noqa: E402
from catdog.model_card import figures, model_card  # noqa: E402

FIGURES = re.compile(r"(<!-- figures: written by scripts/card.py -->\n).*?(<!-- /figures -->)", re.DOTALL)


@dataclass
class Options:
    """Write a checkpoint's model card beside it; for the shipped one, the READMEs' tables of figures too."""

    checkpoint: Path = SHIPPED


def main() -> int:
    options = tyro.cli(Options, prog="card.py")
    try:
        _, metadata = load_checkpoint(options.checkpoint)
    except CheckpointError as error:
        print(f"card.py: {error}", file=sys.stderr)
        return 2
    card = options.checkpoint.with_suffix(".md")
    card.write_text(model_card(metadata), encoding="utf-8")
    print(f"Wrote {card}.")
    if options.checkpoint == SHIPPED:
        for readme in (ROOT / "README.md", ROOT / "README.zh-CN.md"):
            text = readme.read_text(encoding="utf-8")
            readme.write_text(FIGURES.sub(rf"\g<1>{figures(metadata)}\n\g<2>", text), encoding="utf-8")
            print(f"Wrote the figures of {readme.name}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
