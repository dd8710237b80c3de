"""Start the page: python app.py, then open the address that it prints."""

import sys

from catdog.cli import run

if __name__ == "__main__":
    sys.exit(run("app"))
