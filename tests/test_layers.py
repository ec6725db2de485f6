"""What the layers promise, seen from a fresh interpreter."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEADLESS = ["tui.session", "tui.headless", "tui.commands", "tui.undertest", "tui.views.monitor"]


@pytest.mark.parametrize("module", HEADLESS)
def test_everything_below_the_widgets_runs_without_a_terminal(module: str) -> None:
    """Importing it loads neither Textual nor rich."""
    code = f"import sys, {module}; sys.exit(bool({{'textual', 'rich'}} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
