"""What functions of a name cost themselves, together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from typing import Final

from tui.model.calldiff import FunctionChange
from tui.model.costchange import Cost, CostChange
from tui.model.failif import Symbols
from tui.model.search import matches
from tui.views.names import readable_name

_FILE: Final = re.compile(r" \([^()]*\)$")
"""In which a script's function is."""


def cost_of(functions: Iterable[FunctionChange], symbols: Symbols) -> CostChange | None:
    """Return what all functions of a name cost themselves, as one; None where there are none.

    Unlike for a table of all functions, nothing is corrected for: the name was chosen before
    anything was seen.
    """
    found = [each.own for each in functions if is_named(each.frame.symbol, symbols)]
    if not found:
        return None
    return CostChange(_sum([c.before for c in found]), _sum([c.after for c in found]))


def is_named(symbol: str, symbols: Symbols) -> bool:
    """Tell whether a function is meant.

    A name means the function of which it is the symbol, the readable name, or the end of one of
    them from a `::` or `.` on: `parse_json` is `app::parse_json` and `parse_json (app.py)`, but
    neither `parse_json_fast` nor `try_parse_json`. An expression is searched in both.
    """
    if symbols.pattern is not None:
        return matches(symbols.pattern, symbol, readable_name)
    word = symbols.word
    return any(
        name == word or name.endswith((f"::{word}", f".{word}")) for name in _names_of(symbol)
    )


def nearest_name(functions: Iterable[FunctionChange], symbols: Symbols) -> str | None:
    """Return the name of a function that may have been meant; None: none is like it."""
    if symbols.pattern is not None:
        return None
    known = {_last_part(readable_name(each.frame.symbol)): None for each in functions}
    near = get_close_matches(symbols.word, known, n=1)
    return near[0] if near else None


def _names_of(symbol: str) -> Iterator[str]:
    yield symbol
    name = readable_name(symbol)
    yield name
    yield _FILE.sub("", name)


def _last_part(name: str) -> str:
    return re.split(r"::|\.(?=\w+$)", _FILE.sub("", name))[-1]


def _sum(costs: Sequence[Cost]) -> Cost:
    samples = sum(cost.samples for cost in costs)
    if not samples:
        return costs[0]
    return Cost(samples, sum(cost.us for cost in costs) / samples)
