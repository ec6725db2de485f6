"""Defaults from files: `flashpoint.toml` of the project, then the user's own.

A file holds the long names of options, dashes or underscores, at its top level or in a table named
after the command:

    perf-frequency = 199
    [run]
    port = 8080
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from collectors.source import SourceError
from collectors.text import sanitise

PROJECT_FILE = "flashpoint.toml"


def load_defaults(
    files: Iterable[Path], commands: Mapping[str, frozenset[str]]
) -> dict[str, dict[str, Any]]:
    """Read default option values for each command.

    Args:
        files: The weakest first; files that do not exist are passed over.
        commands: Names of the options that each command has, with underscores.

    Returns:
        Command → option → value, for the command line parser.

    Raises:
        SourceError: a file is not TOML, or names an option that no command has.
    """
    defaults: dict[str, dict[str, Any]] = {command: {} for command in commands}
    for path in files:
        for key, value in _read(path).items():
            if isinstance(value, dict):
                if key not in commands:
                    raise _unknown(path, f"table [{sanitise(key, 60)}]", commands)
                for name, own in value.items():
                    option = name.replace("-", "_")
                    if option not in commands[key]:
                        raise _unknown(path, f"option {sanitise(name, 60)}", commands[key])
                    defaults[key][option] = own
                continue
            option = key.replace("-", "_")
            having = [command for command, options in commands.items() if option in options]
            if not having:
                raise _unknown(path, f"option {sanitise(key, 60)}", commands["run"])
            for command in having:
                defaults[command][option] = value
    return defaults


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SourceError(
            f"{sanitise(str(path))}: {sanitise(str(error), 200)}",
            "mend the file or move it away",
        ) from None


def _unknown(path: Path, what: str, known: Iterable[str]) -> SourceError:
    names = ", ".join(sorted(name.replace("_", "-") for name in known))
    return SourceError(f"{sanitise(str(path))}: unknown {what}", f"known are: {names}")
