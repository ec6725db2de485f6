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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from collectors.source import SourceError
from collectors.text import sanitise

PROJECT_FILE = "flashpoint.toml"


@dataclass(frozen=True, slots=True)
class FileOption:
    """What a file may say about one option."""

    parameter: str
    """The parser's own name for it."""
    repeatable: bool
    """Whether it takes a list."""


def load_defaults(
    files: Iterable[Path], commands: Mapping[str, Mapping[str, FileOption]]
) -> dict[str, dict[str, str | list[str]]]:
    """Read default option values for each command.

    Args:
        files: The weakest first; files that do not exist are passed over.
        commands: The options that each command has, by their long names without the dashes in
            front.

    Returns:
        Command → parameter → value as it would stand on the command line, so that the parser
        checks it the same way.

    Raises:
        SourceError: a file is not TOML, names an option that no command has, or gives one a list
            or a table where it takes a single value.
    """
    defaults: dict[str, dict[str, str | list[str]]] = {command: {} for command in commands}
    for path in files:
        for key, value in _read(path).items():
            owners, entries = list(commands), {key: value}
            if isinstance(value, dict):
                if key not in commands:
                    raise _unknown(path, f"table [{sanitise(key, 60)}]", commands)
                owners, entries = [key], value
            for name, given in entries.items():
                long_name = name.replace("_", "-")
                having = [command for command in owners if long_name in commands[command]]
                if not having:
                    known = {option for command in owners for option in commands[command]}
                    raise _unknown(path, f"option {sanitise(name, 60)}", known)
                for command in having:
                    option = commands[command][long_name]
                    defaults[command][option.parameter] = _as_given(path, name, given, option)
    return defaults


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise SourceError(
            f"{sanitise(str(path))}: {sanitise(str(error), 200)}",
            "mend the file or move it away",
        ) from None


def _unknown(path: Path, what: str, known: Iterable[str]) -> SourceError:
    names = ", ".join(sorted(known))
    return SourceError(f"{sanitise(str(path))}: unknown {what}", f"known are: {names}")


def _as_given(path: Path, name: str, value: Any, option: FileOption) -> str | list[str]:
    """Return a value as the command line would hold it."""
    values = value if option.repeatable and isinstance(value, list) else [value]
    # A NUL can't stand on a command line, and no file has one in its name.
    if not all(isinstance(each, str | int | float) and "\0" not in str(each) for each in values):
        raise SourceError(
            f"{sanitise(str(path))}: {name} takes {'texts' if option.repeatable else 'one value'}",
            'write it like name = "value"',
        )
    words = [str(each).lower() if isinstance(each, bool) else str(each) for each in values]
    return words if option.repeatable else words[0]
