"""What is said when the program itself breaks down: a line, its exit status, and a record in a log.

Nothing of it shows a variable or a line of source: these may hold secrets.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Callable
from typing import Final, TextIO

from collectors.exception_text import name_of, place_of, root_of, trace_lines
from collectors.logfile import LogFile, log_path
from collectors.redact import Redactor
from collectors.text import sanitise
from tui.unhandled import logging_to

EXIT_BROKEN: Final = 70
"""The program broke down; EX_SOFTWARE of sysexits.h."""
DEBUG_VARIABLE: Final = "FLASHPOINT_DEBUG"

PARTS: Final = (
    ("tui/widgets", "the screen"),
    ("tui/screens", "the screen"),
    ("tui/views", "the screen"),
    ("tui/export", "an export"),
    ("tui/compare", "the comparison"),
    ("tui/demo", "the demo"),
    ("tui/app", "the screen"),
    ("tui/session", "the run"),
    ("tui/config", "the configuration"),
    ("collectors/k6", "what watches k6"),
    ("collectors/perf", "what watches the stacks"),
    ("collectors/pyspy", "what watches the stacks"),
    ("collectors/stackfile", "what reads stacks"),
    ("collectors/recording", "the recording"),
    ("collectors/host", "what watches the machine"),
    ("collectors/target", "what watches the server"),
)
"""Where a file is → what it is to whoever uses the program; the first that fits."""

_log = logging.getLogger("flashpoint")
_logged: list[BaseException] = []
_debug: list[bool] = []


def want_debug(wanted: bool) -> None:
    """Add tracebacks to what is said, also where the environment does not ask for it."""
    _debug[:] = [wanted]


def part_of(error: BaseException) -> str:
    """Return in which part of the program something broke, in the words of its users."""
    place = place_of(error)
    file = place.file if place is not None and place.is_ours else ""
    return next((part for start, part in PARTS if file.startswith(start)), "the program")


def record_crash(error: BaseException) -> None:
    """Write to the log what broke; the same exception once, however often it is caught."""
    if any(each is root_of(error) for each in _logged):
        return
    _logged[:] = [root_of(error)]
    _log.critical("%s broke down (%s)", part_of(error), _versions(), exc_info=error)


def crash_text(error: BaseException, log: LogFile) -> str:
    """Return what broke, where, and what to do next, in one line."""
    place = place_of(error)
    where = f" at {place}" if place is not None else ""
    kept = f"please report it with the end of {sanitise(str(log.path))}"
    if log.problem:
        kept = f"please report it; there is no log: {sanitise(log.problem, 200)}"
    return f"flashpoint: {part_of(error)} broke down: {name_of(root_of(error))}{where} ({kept})"


def run_told(program: Callable[[], int]) -> int:
    """Run the program and return its exit status; what breaks is logged and told in one line."""
    log = LogFile(log_path(os.environ))
    _logged.clear()
    _debug.clear()
    with logging_to(log):
        try:
            return program()
        except KeyboardInterrupt:
            return 130
        except SystemExit:
            raise
        except BaseException as error:
            record_crash(error)
            _tell(error, log, sys.stderr)
            return EXIT_BROKEN


def _tell(error: BaseException, log: LogFile, stream: TextIO | None) -> None:
    lines = [crash_text(error, log)]
    if any(_debug) or os.environ.get(DEBUG_VARIABLE, "") not in ("", "0", "false"):
        redactor = Redactor()
        lines += [redactor.text(line) for line in trace_lines(error)]
    # Whoever should read it may be gone, with the terminal or the other end of a pipe.
    with contextlib.suppress(OSError, ValueError):
        if stream is not None:
            stream.write("".join(f"{line}\n" for line in lines))
            stream.flush()


def _versions() -> str:
    from importlib.metadata import version  # takes as long as a small command

    found = [f"Python {sys.version.split()[0]}"]
    for name in ("flashpoint", "textual"):
        with contextlib.suppress(Exception):
            found.insert(0, f"{name} {version(name)}")
    return ", ".join(found)
