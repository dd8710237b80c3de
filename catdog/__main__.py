"""python -m catdog COMMAND, as the `catdog` command."""

import sys

from catdog.cli import main

sys.exit(main())
