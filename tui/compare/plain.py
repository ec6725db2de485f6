"""A comparison as plain text for a terminal, a log or a mail: no escape sequences, no colours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from tui.compare.comparison import Comparison
from tui.compare.doubts import doubts
from tui.compare.failing import Verdict
from tui.compare.sketch import LEGEND, sketch
from tui.compare.words import (
    change_text,
    facts,
    function_cost,
    function_interval,
    function_ratio,
    interval_text,
    quantity,
    sign,
    title,
)
from tui.model.calldiff import FunctionChange
from tui.model.overlay import overlay
from tui.views.format import ABSENT, cell_width, fit, pad
from tui.views.load import NOUNS
from tui.views.names import readable_name

LEAST_WIDTH: Final = 72
HISTOGRAM_ROWS: Final = 20
FUNCTIONS: Final = 20
UNCHANGED_FUNCTIONS: Final = 5
"""So many that did not change are told after those that did, the greatest difference first."""
_GAP: Final = 2
_LEAST_NAME: Final = 8
_QUOTE_WIDTH: Final = 40


def comparison_text(comparison: Comparison, width: int, verdicts: Sequence[Verdict] = ()) -> str:
    """Return the text; its last line ends as the others do.

    Args:
        comparison: What is told.
        width: Columns; less than 72 are taken as 72.
        verdicts: What conditions say of it; they come last, where one looks first.
    """
    width = max(width, LEAST_WIDTH)
    sections = [
        _facts(comparison, width),
        _doubts(comparison, width),
        _figures(comparison, width),
        _latency(comparison, width),
        _functions(comparison, width),
        [line for verdict in verdicts for line in _verdict(verdict, width)],
    ]
    lines = "\n\n".join("\n".join(map(str.rstrip, lines)) for lines in sections if lines)
    return lines + "\n"


def _facts(comparison: Comparison, width: int) -> list[str]:
    before, after = facts(comparison.before), facts(comparison.after)
    rows = [("", "before", "after")]
    rows += [
        (name, before[name] or ABSENT, after[name] or ABSENT)
        for name in before
        if before[name] or after[name]
    ]
    first = max(len(row[0]) for row in rows)
    room = (width - first - 2 * _GAP) // 2
    # The end of a path or of a version says more than its beginning.
    texts = [[fit(cell, room, keep="end") for cell in row] for row in rows]
    return _aligned(texts, "lll", width)


def _doubts(comparison: Comparison, width: int) -> list[str]:
    found = doubts(comparison)
    lines = []
    for doubt in found:
        said = doubt.said(lambda text: fit(text, _QUOTE_WIDTH, keep="end"))
        lines += _wrapped(f"! {said}", width)
    return lines


def _figures(comparison: Comparison, width: int) -> list[str]:
    rows = [["", "", "before", "after", "change", "95 % of the change"]]
    for metric, change in comparison.figures.items():
        if change.before is None and change.after is None:
            continue
        dimension = metric.dimension
        values = [
            quantity(None if each is None else each.value, dimension)
            for each in (change.before, change.after)
        ]
        said = change_text(change, dimension), interval_text(change, dimension)
        rows.append([sign(change), title(metric, comparison.kind), *values, *said])
    if len(rows) == 1:
        return ["No figure was measured, neither before nor after."]
    return _aligned(rows, "llrrrr", width)


def _latency(comparison: Comparison, width: int) -> list[str]:
    rows = overlay(comparison.before.latency, comparison.after.latency, HISTOGRAM_ROWS)
    lines = sketch(rows, width)
    return [f"latency of {NOUNS[comparison.kind]}s   {LEGEND}", *lines] if lines else []


def _functions(comparison: Comparison, width: int) -> list[str]:
    functions = comparison.functions
    if not functions:
        return ["Functions can't be compared: no requests or no samples on one side."]
    changed = [each for each in functions if each.own.is_changed]
    same = [each for each in functions if not each.own.is_changed]
    unit = "self time" if comparison.is_time else "own samples"
    noun = NOUNS[comparison.kind]
    said = (
        f"{len(changed)} of {len(functions)} functions changed in {unit} per {noun} "
        "(exact test, 5 % for any false alarm)"
    )
    shown = [*changed[:FUNCTIONS], *same[:UNCHANGED_FUNCTIONS]]
    head = ["", "function", "before", "after", "ratio", "95 % of the change"]
    rows = [head, *(_function_row(each, is_time=comparison.is_time) for each in shown)]
    lines = [*_wrapped(said, width), *_aligned(rows, "llrrrr", width, keep="end")]
    if len(shown) < len(functions):
        more = max(0, len(changed) - FUNCTIONS)
        rest = f"and {len(functions) - len(shown)} more functions"
        lines.append(f"{rest}, {more} of them changed" if more else f"{rest}, unchanged")
    return lines


def _function_row(each: FunctionChange, *, is_time: bool) -> list[str]:
    own = each.own
    return [
        sign(own),
        readable_name(each.frame.symbol),
        function_cost(own.before.us, is_time=is_time),
        function_cost(own.after.us, is_time=is_time),
        function_ratio(own),
        function_interval(own, is_time=is_time),
    ]


def _verdict(verdict: Verdict, width: int) -> list[str]:
    return _wrapped(f"{'FAIL' if verdict.is_failed else 'pass'} {verdict.text}", width)


def _aligned(
    rows: Sequence[Sequence[str]], sides: str, width: int, keep: Literal["start", "end"] = "start"
) -> list[str]:
    """Set rows in columns as wide as they need; the second one gives way where there is no room.

    Args:
        rows: Of equal length.
        sides: `l` or `r` for each column.
        width: Columns of the terminal.
        keep: Which end is left of what has to be cut.
    """
    widths = [max(cell_width(row[place]) for row in rows) for place in range(len(sides))]
    gaps = ["", *(" " * (1 if each <= 1 else _GAP) for each in widths[:-1])]
    over = sum(widths) + sum(map(len, gaps)) - width
    widths[1] = max(_LEAST_NAME, widths[1] - max(0, over))
    return [
        "".join(
            gap + pad(fit(text, room, keep=keep), room, align="right" if side == "r" else "left")
            for gap, text, room, side in zip(gaps, row, widths, sides, strict=True)
        )
        for row in rows
    ]


def _wrapped(text: str, width: int) -> list[str]:
    """Break a sentence between its words; a word longer than a line is cut."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".lstrip() if len(lines) == 1 else f"{lines[-1]} {word}"
        if cell_width(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(f"  {fit(word, width - 2)}")
    return lines
