"""`flashpoint` and `python -m tui`."""

from __future__ import annotations

import sys

from tui.cli import main as run_cli


def main() -> None:
    """Run the program and exit with its status."""
    sys.exit(run_cli())


if __name__ == "__main__":
    main()
