"""Start the page: python app.py, then open the address that it prints."""

import sys

from catdog.cli.app import main

if __name__ == "__main__":
    sys.exit(main())
