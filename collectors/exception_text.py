"""Tells of an exception where it passed, without a local variable and without a line of source.

A traceback as Python or Rich print it shows what stood in the code and in its variables, and so
whatever secret was in either. Here a frame is a file, a line and a function, and no more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final

from collectors.text import sanitise

MAX_FRAMES: Final = 40
"""Of one exception; what is left out of a longer one is in its middle."""
MAX_CHAINED: Final = 8
"""Exceptions that one leads to: its causes, what it was raised over, the members of a group."""
MAX_SAID_CHARS: Final = 500

_ROOT: Final = str(Path(__file__).parent.parent) + "/"
_OURS: Final = ("tui/", "collectors/", "themes/")
_ELSEWHERE: Final = re.compile(r".*/(?:site-packages|dist-packages|python3\.\d+)/")


@dataclass(frozen=True, slots=True)
class Place:
    """A line of code that an exception passed."""

    file: str
    """From the root of the program or of the library that it is of; sanitised."""
    line: int
    function: str
    is_ours: bool

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}, in {self.function}"


def name_of(error: BaseException) -> str:
    """Return what kind of exception it is."""
    return sanitise(type(error).__qualname__, 120)


def root_of(error: BaseException) -> BaseException:
    """Return what really went wrong: of a failed worker and of a group, the first that is in it."""
    for _ in range(MAX_CHAINED):
        inner = getattr(error, "error", None)  # Textual's WorkerFailed
        if isinstance(error, BaseExceptionGroup):
            inner = error.exceptions[0]
        if not isinstance(inner, BaseException):
            break
        error = inner
    return error


def place_of(error: BaseException) -> Place | None:
    """Return where it happened: the deepest line that is ours, else the deepest of all."""
    places = list(_places(root_of(error).__traceback__))
    ours = [each for each in places if each.is_ours]
    found = ours or places
    return found[-1] if found else None


def trace_lines(error: BaseException) -> list[str]:
    """Return the exception and what led to it, a frame a line, the oldest first; sanitised."""
    lines: list[str] = []
    for each, why in reversed(list(_chain(error))):
        lines += _frames(each)
        lines.append(f"{name_of(each)}: {_said(each)}".rstrip(": "))
        if why:
            lines.append(why)
    return lines


def _chain(error: BaseException) -> Iterator[tuple[BaseException, str]]:
    """Walk from an exception to what led to it, each with what joins it to the one before."""
    seen: set[int] = set()
    waiting: list[tuple[BaseException, str]] = [(error, "")]
    while waiting and len(seen) < MAX_CHAINED:
        each, why = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each, why
        if each.__cause__ is not None:
            waiting.append((each.__cause__, "which led to:"))
        elif each.__context__ is not None and not each.__suppress_context__:
            waiting.append((each.__context__, "and while that was handled:"))
        if isinstance(each, BaseExceptionGroup):
            waiting += [(one, "in a group:") for one in each.exceptions[:MAX_CHAINED]]
        inner = getattr(each, "error", None)
        if isinstance(inner, BaseException):
            waiting.append((inner, "which led to:"))


def _frames(error: BaseException) -> list[str]:
    lines = [f"  {place}" for place in _places(error.__traceback__)]
    if len(lines) > MAX_FRAMES:
        half = MAX_FRAMES // 2
        lines[half:-half] = [f"  ... {len(lines) - 2 * half} more ..."]
    return lines


def _places(traceback: TracebackType | None) -> Iterator[Place]:
    while traceback is not None:
        code = traceback.tb_frame.f_code
        file = code.co_filename
        below = file.removeprefix(_ROOT)
        is_ours = below != file and below.startswith(_OURS)
        short = below if is_ours else _ELSEWHERE.sub("", below)
        yield Place(
            sanitise(short, 200), traceback.tb_lineno, sanitise(code.co_qualname, 200), is_ours
        )
        traceback = traceback.tb_next


def _said(error: BaseException) -> str:
    """Return what it says of itself; that may fail as well."""
    try:
        return sanitise(str(error), MAX_SAID_CHARS)
    except Exception:
        return "?"
