"""Write the page as files for any host."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # a checkout works without being installed

from catdog.cli import run

if __name__ == "__main__":
    sys.exit(run("build_site"))
