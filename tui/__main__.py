"""`flashpoint` and `python -m tui`."""

from __future__ import annotations

import sys

from collectors.ownlimits import tighten
from tui.crash import run_told


def main() -> None:
    """Run the program and exit with its status."""
    tighten()
    sys.exit(run_told(_program))


def _program() -> int:
    # In here, so that what breaks while it is imported is told like anything else.
    from tui.cli import main as run_cli

    return run_cli()


if __name__ == "__main__":
    main()
