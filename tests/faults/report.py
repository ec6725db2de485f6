"""What the fault tests found, as one table: case, tries, passed, figure, target."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final


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


MANY: Final = 5
"""So many cases of one kind become one row, where all of them are good."""


def gathered(rows: Sequence[Row]) -> list[Row]:
    """Return the rows with those of one kind, `kind: case`, as one where there are many."""
    kinds = Counter(_kind(row) for row in rows)
    found: dict[tuple[str, str, str], Row] = {}
    for place, row in enumerate(rows):
        kind = _kind(row)
        if not row.is_good or kinds[kind] < MANY:
            found[str(place), "", ""] = row
            continue
        before = found.get(kind)
        tries = row.tries + (before.tries if before is not None else 0)
        case = f"{kind[0]} ({kinds[kind]} kinds)"
        found[kind] = Row(case, tries, tries, row.figure, row.target)
    return list(found.values())


def _kind(row: Row) -> tuple[str, str, str]:
    return row.case.partition(": ")[0], row.figure, row.target


def table(rows: Sequence[Row]) -> str:
    """Return the table, in the order in which the cases ran."""
    rows = gathered(rows)
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
