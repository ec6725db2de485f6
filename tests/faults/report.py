"""What the fault tests found, as one table: case, tries, passed, figure, target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """The outcome of one case."""

    case: str
    """What was injected, and what must happen."""
    tries: int
    passed: int
    figure: str
    """What was measured, like `0 survivors` or `41 ms`."""
    target: str

    @property
    def is_good(self) -> bool:
        """Whether every try passed."""
        return self.passed == self.tries > 0


def table(rows: Sequence[Row]) -> str:
    """Return the table, in the order in which the cases ran."""
    titles = ("case", "tries", "passed", "figure", "target")
    cells = [(r.case, str(r.tries), str(r.passed), r.figure, r.target) for r in rows]
    widths = [max(len(row[place]) for row in (titles, *cells)) for place in range(len(titles))]
    lines = ["  ".join(_cell(text, widths, i) for i, text in enumerate(titles)).rstrip()]
    for row, each in zip(rows, cells, strict=True):
        line = "  ".join(_cell(text, widths, i) for i, text in enumerate(each)).rstrip()
        lines.append(line if row.is_good else f"{line}  ← FAILED")
    return "\n".join(lines)


def _cell(text: str, widths: Sequence[int], place: int) -> str:
    return text.rjust(widths[place]) if place in (1, 2) else text.ljust(widths[place])
