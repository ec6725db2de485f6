"""Frames of a call tree whose names match a regular expression.

Symbols are foreign text, and Python's expressions can take for ever. So an expression is short and
has few repeats, none inside of another, each name is tried once, and there is a deadline between
names; two repeats in a name of 512 bytes made for them are the worst, about 0.3 s.
"""

from __future__ import annotations

import re
import time
import warnings
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from collectors.samples import Frame
from tui.model.calltree import CallTree, Path, frame_order

MAX_PATTERN_LENGTH: Final = 200
MAX_COST: Final = 20
REPEAT_COST: Final = 9
"""Of * + and {}: for each one, as many tries as a name of 512 (2 to the 9th) bytes is long."""
CHOICE_COST: Final = 2
"""Of ? and of | in a group."""
DEADLINE_S: Final = 0.5

_TOKEN = re.compile(
    r"(?P<atom>\\.|\[\^?\]?(?:\\.|[^]\\])*\])|(?P<open>\((?:\?:)?)|(?P<close>\))|(?P<or>\|)"
    r"|(?P<repeat>(?:[*+?]|\{(?:\d+|\d*,\d*)\})[?+]?)|(?P<other>.)",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Where a tree matches; numbers are of the whole tree, drawn or not."""

    count: int
    total_samples: int
    """Of the matching frames; one below another is not counted again."""
    total_period_ns: int
    nodes: frozenset[int]
    """`id` of each matching node."""
    paths: tuple[Path, ...]
    """In drawing order: from left to right, callers before their callees."""


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Compile an expression that finishes; case counts if it has capitals.

    Of `* + {}` there may be two.

    Raises:
        ValueError: why it can't be used, in one short sentence.
    """
    if len(pattern) > MAX_PATTERN_LENGTH:
        raise ValueError(f"The pattern is longer than {MAX_PATTERN_LENGTH} characters.")
    _check_repeats(pattern)
    plain = re.sub(r"\\.", "", pattern, flags=re.DOTALL)
    flags = 0 if plain.lower() != plain else re.IGNORECASE
    try:
        with warnings.catch_warnings(action="ignore"):
            return re.compile(pattern, flags)
    except (re.error, OverflowError, RecursionError) as error:
        reason = error.msg if isinstance(error, re.error) else "it is too large"
        raise ValueError(f"The pattern can't be read: {reason}.") from None


def _check_repeats(pattern: str) -> None:
    """Refuse what takes a time that grows with more than a small power of a name's length."""
    cost = 0
    groups = [False]
    """For each open group, whether there is more than one way through it."""
    is_risky = False
    before = ""
    for match in _TOKEN.finditer(pattern):
        kind = match.lastgroup or ""
        if kind == "repeat":
            if before == "open" and match[0][0] == "?":
                raise ValueError("Of groups with (? only (?: can be used.")
            if is_risky and match[0][0] != "?":
                raise ValueError("A group with a repeat or a choice can't be repeated.")
            cost += CHOICE_COST if match[0][0] == "?" else REPEAT_COST
        if kind == "or" and len(groups) > 1:
            cost += CHOICE_COST
        if kind in ("repeat", "or"):
            groups[-1] = True
        elif kind == "open":
            groups.append(False)
        is_risky = kind == "close" and groups[-1]
        if kind == "close" and len(groups) > 1:
            inner = groups.pop()
            groups[-1] = groups[-1] or inner
        before = kind
    if cost > MAX_COST:
        raise ValueError("The pattern would take too long: use less of * + ? { and |.")


def search(
    tree: CallTree,
    pattern: str,
    readable: Callable[[str], str] = str,
    clock: Callable[[], float] = time.monotonic,
) -> SearchResult:
    """Find the frames of a tree whose names match.

    Args:
        tree: Where to look; its root is no frame.
        pattern: A regular expression; case counts if it has capitals.
        readable: What a symbol is shown as; either form may match.
        clock: Tells seconds.

    Raises:
        ValueError: the expression can't be used, or takes too long; in one short sentence.
    """
    matches = _matching(tree, compile_pattern(pattern), readable, clock)
    nodes: set[int] = set()
    paths: list[Path] = []
    samples = period_ns = 0
    line: list[Frame] = []
    counted_depth: int | None = None
    for depth, node in tree.walk():
        if depth == 0:
            continue
        del line[depth - 1 :]
        line.append(node.frame)
        if counted_depth is not None and depth <= counted_depth:
            counted_depth = None
        if id(node.frame) not in matches:
            continue
        nodes.add(id(node))
        paths.append(tuple(line))
        if counted_depth is None:
            counted_depth = depth
            samples += node.total_samples
            period_ns += node.total_period_ns
    return SearchResult(len(paths), samples, period_ns, frozenset(nodes), tuple(paths))


def _matching(
    tree: CallTree,
    expression: re.Pattern[str],
    readable: Callable[[str], str],
    clock: Callable[[], float],
) -> set[int]:
    """Return the `id` of each frame whose name matches."""
    frames = {id(node.frame): node.frame for depth, node in tree.walk() if depth}
    deadline = clock() + DEADLINE_S
    found = set()
    for number, frame in frames.items():
        if matches(expression, frame.symbol, readable):
            found.add(number)
        if clock() > deadline:
            raise ValueError("The pattern takes too long.")
    return found


def matches(expression: re.Pattern[str], symbol: str, readable: Callable[[str], str]) -> bool:
    """Tell whether a symbol matches, as it is or as it is shown."""
    return bool(expression.search(symbol) or expression.search(readable(symbol)))


def next_match(result: SearchResult, path: Path, step: int = 1) -> Path | None:
    """Return the match that is some steps from a path, beginning again at either end.

    Args:
        result: The matches.
        path: Where one is; it need not match.
        step: 1 for the next one, -1 for the one before.
    """
    if not result.paths:
        return None
    if step > 0:
        index = bisect_right(result.paths, _place(path), key=_place) + step - 1
    else:
        index = bisect_left(result.paths, _place(path), key=_place) + step
    return result.paths[index % len(result.paths)]


def _place(path: Path) -> tuple[tuple[bool, str, str, str], ...]:
    return tuple(frame_order(frame) for frame in path)
