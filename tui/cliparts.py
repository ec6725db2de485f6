"""Parts that the commands of the command line share."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from collectors.source import SourceError
from tui.crash import DEBUG_VARIABLE, want_debug
from tui.parameters import Duration, Moment, Range

Function = TypeVar("Function", bound=Callable[..., Any])

DURATION: Final = Duration()
RANGE: Final = Range()
MOMENT: Final = Moment()
FILE: Final = click.Path(path_type=Path)


def option(*names: str, **rest: Any) -> Callable[[Function], Function]:
    """Declare an option that can also be set by `FLASHPOINT_NAME`."""
    long_name = next(name for name in names if name.startswith("--"))
    variable = "FLASHPOINT_" + long_name[2:].replace("-", "_").upper()
    return click.option(*names, envvar=variable, show_envvar=True, **rest)


def debug_option() -> click.Option:
    """Return an option that all commands have; it is heard before anything can break."""

    def hear(_: click.Context, __: click.Parameter, wanted: bool) -> None:
        if wanted:
            want_debug(wanted)

    return click.Option(
        ["--debug"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=hear,
        envvar=DEBUG_VARIABLE,
        show_envvar=True,
        help="Add a traceback, without variables, when flashpoint itself breaks down.",
    )


def refuse_command(ctx: click.Context, name: str) -> None:
    """Refuse what follows `--` where there is no server to start."""
    if ctx.obj:
        raise SourceError(f"{name} starts no server", "leave out what follows --")


def refuse_without_terminal(hint: str) -> None:
    """Refuse to open a screen where there is none."""
    streams = (sys.stdin, sys.stdout, sys.stderr)
    if not all(stream and stream.isatty() for stream in streams):
        raise SourceError("this is no terminal", hint)
