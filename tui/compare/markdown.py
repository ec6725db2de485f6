"""A comparison as Markdown, for a pull request.

Format: GitHub Flavored Markdown, https://github.github.com/gfm/
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from tui.compare.comparison import Comparison
from tui.compare.doubts import doubts
from tui.compare.failing import Verdict
from tui.compare.sketch import LEGEND, sketch
from tui.compare.words import change_text, facts, interval_text, quantity, sign, title
from tui.export.report.markdown_changes import changes_table
from tui.export.report.markdown_text import Heading, code, figure, table
from tui.model.overlay import overlay
from tui.views.load import NOUNS

FUNCTIONS: Final = 20
HISTOGRAM_ROWS: Final = 16
NAME_WIDTH: Final = 100
_SKETCH_WIDTH: Final = 80
_OWN_WORDS: Final = frozenset({"when", "duration"})
"""Facts that hold no text from outside."""


def comparison_markdown(comparison: Comparison, verdicts: Sequence[Verdict] = ()) -> str:
    """Return the text; its last line ends as the others do.

    Args:
        comparison: What is told.
        verdicts: What conditions say of it; they come first.
    """
    before, after = comparison.before.side.name, comparison.after.side.name
    sections = [
        [f"## {code(before, NAME_WIDTH)} and {code(after, NAME_WIDTH)} compared"],
        [f"- {'❌' if each.is_failed else '✅'} {code(each.text)}" for each in verdicts],
        [f"- ⚠️ {doubt.said(partial(code, width=NAME_WIDTH))}" for doubt in doubts(comparison)],
        _facts(comparison),
        ["### Figures", "", *_figures(comparison)],
        _latency(comparison),
        ["### What changed", "", *_functions(comparison)],
    ]
    return "\n\n".join("\n".join(lines) for lines in sections if lines) + "\n"


def _facts(comparison: Comparison) -> list[str]:
    before, after = facts(comparison.before), facts(comparison.after)
    rows = [
        (name, *(_fact(name, each[name]) for each in (before, after)))
        for name in before
        if before[name] or after[name]
    ]
    return table((Heading(""), Heading("before"), Heading("after")), rows)


def _fact(name: str, text: str) -> str:
    return figure(text) if name in _OWN_WORDS else code(text, NAME_WIDTH)


def _figures(comparison: Comparison) -> list[str]:
    rows = []
    for metric, change in comparison.figures.items():
        if change.before is None and change.after is None:
            continue
        dimension = metric.dimension
        values = [None if each is None else each.value for each in (change.before, change.after)]
        rows.append(
            (
                f"{sign(change)} {title(metric, comparison.kind)}".strip(),
                *(figure(quantity(value, dimension)) for value in values),
                figure(change_text(change, dimension)),
                figure(interval_text(change, dimension)),
            )
        )
    if not rows:
        return ["No figure was measured, neither before nor after."]
    titles = ("before", "after", "change", "95 % of the change")
    return table((Heading(""), *(Heading(each, is_right=True) for each in titles)), rows)


def _latency(comparison: Comparison) -> list[str]:
    rows = overlay(comparison.before.latency, comparison.after.latency, HISTOGRAM_ROWS)
    lines = [line.rstrip() for line in sketch(rows, _SKETCH_WIDTH)]
    if not lines:
        return []
    # There are numbers and words of our own in it, and nothing that could end the fence.
    return ["### Latency", "", "```text", LEGEND, *lines, "```"]


def _functions(comparison: Comparison) -> list[str]:
    functions = comparison.functions
    if not functions:
        return ["Functions can't be compared: no requests or no samples on one side."]
    noun = NOUNS[comparison.kind]
    changed = [each for each in functions if each.own.is_changed]
    said = (
        f"{len(changed)} of {len(functions)} functions changed what they cost per {noun} "
        "themselves (exact test, 5 % for any false alarm)."
    )
    if not changed:
        return [said]
    shown = changed[:FUNCTIONS]
    lines = [said, "", *changes_table(shown, noun, NAME_WIDTH, is_time=comparison.is_time)]
    if len(shown) < len(changed):
        lines += ["", f"… and {len(changed) - len(shown)} more functions."]
    return lines
