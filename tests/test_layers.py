"""What the layers promise, seen from a fresh interpreter."""

from __future__ import annotations

import ast
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("collectors", "tui", "themes")
PROBE = """
import importlib, sys
banned, modules = sys.argv[1].split(","), sys.argv[2:]
for module in modules:
    importlib.import_module(module)
    for name in banned:
        if name in sys.modules:
            sys.exit(f"{module} imports {name}")
"""


def below(package: str) -> list[str]:
    """Return the names of all modules of a package, itself first."""
    folder = ROOT.joinpath(*package.split("."))
    found = pkgutil.walk_packages([str(folder)], f"{package}.")
    return [package, *(each.name for each in found)]


@pytest.mark.parametrize(
    ("modules", "banned"),
    [
        (
            [
                *below("tui.model"),
                *below("tui.views"),
                *below("tui.export"),
                *below("tui.doctor"),
                *("tui.session", "tui.headless", "tui.commands", "tui.undertest", "tui.options"),
            ],
            "textual,rich",
        ),
        (below("collectors"), "textual,rich,click,tui,themes"),
    ],
    ids=["below the widgets", "collectors"],
)
def test_layers_run_without_what_is_above_them(modules: list[str], banned: str) -> None:
    """Importing every module of them loads nothing of it, not even by a detour."""
    argv = [sys.executable, "-c", PROBE, banned, *modules]
    done = subprocess.run(argv, check=False, capture_output=True, text=True, cwd=ROOT)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("package", PACKAGES)
def test_every_module_says_what_it_is(package: str) -> None:
    """In a docstring that starts with one line."""
    for path in (ROOT / package).rglob("*.py"):
        said = ast.get_docstring(ast.parse(path.read_bytes()))
        assert said, path
        assert said.splitlines()[0].endswith((".", ":")), path
