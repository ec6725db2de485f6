"""Two histograms of latency over each other, in the same buckets, as shares."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from collectors.samples import Histogram
from tui.model.latency import quantile

COARSEST_SCHEMA: Final = -4
"""Below it there are no buckets."""
_MIDDLE: Final = (0.005, 0.995)
"""What is drawn in buckets of its own; a few outliers may not make all others one bucket."""


@dataclass(frozen=True, slots=True)
class OverlayRow:
    """One bucket of both; the unit of latency here is ms, that of histograms is seconds."""

    lower_ms: float
    upper_ms: float
    before_ratio: float
    """Share of all requests before."""
    after_ratio: float


def overlay(before: Histogram, after: Histogram, rows: int | None = None) -> list[OverlayRow]:
    """Return the buckets of both from the lowest to the highest that is not empty, none left out.

    Args:
        before: Seconds.
        after: Seconds.
        rows: How many there may be, 4 at least: buckets are then made wider, and what lies far out
            at either end is one row. None: the coarser buckets of the two.

    Returns:
        No rows where both are empty; else the shares of a side that has values add up to 1.
    """
    if not before.count and not after.count:
        return []
    schema = min(each.schema for each in (before, after) if each.count)
    sides = (_at(before, schema), _at(after, schema))
    indices = sorted({index for side in sides for index in side})
    low, high = (indices[0], indices[-1]) if indices else (0, -1)
    zeros = any(each.zero_count for each in (before, after))
    if rows is not None:
        room = max(2, rows - 2 - zeros)
        low, high = _middle(before, after, schema)
        while high - low + 1 > room and schema > COARSEST_SCHEMA:
            schema -= 1
            low, high = -(-low >> 1), -(-high >> 1)
        sides = (_at(before, schema), _at(after, schema))
        indices = sorted({index for side in sides for index in side})
    found = []
    if zeros:
        found.append(OverlayRow(0.0, 0.0, *(_ratio(e, e.zero_count) for e in (before, after))))
    if not indices:
        return found
    edges = [(index - 1, index) for index in range(low, high + 1)]
    if indices[0] < low:
        edges.insert(0, (indices[0] - 1, low - 1))
    if indices[-1] > high:
        edges.append((high, indices[-1]))
    for under, upper in edges:
        counts = (sum(n for i, n in side.items() if under < i <= upper) for side in sides)
        ratios = [_ratio(each, n) for each, n in zip((before, after), counts, strict=True)]
        found.append(OverlayRow(_edge_ms(under, schema), _edge_ms(upper, schema), *ratios))
    return found


def _at(histogram: Histogram, schema: int) -> dict[int, int]:
    """Return the counts of buckets that are as wide or wider."""
    shift = histogram.schema - schema
    found: dict[int, int] = {}
    if histogram.count:
        for index, count in histogram.buckets.items():
            coarse = -(-index >> shift)
            found[coarse] = found.get(coarse, 0) + count
    return found


def _middle(before: Histogram, after: Histogram, schema: int) -> tuple[int, int]:
    ends = [quantile(each, q) or 0.0 for each in (before, after) if each.count for q in _MIDDLE]
    known = [math.ceil(math.log2(end) * 2.0**schema - 1e-9) for end in ends if end > 0]
    return (min(known), max(known)) if known else (0, -1)


def _ratio(histogram: Histogram, count: int) -> float:
    return count / histogram.count if histogram.count else 0.0


def _edge_ms(index: int, schema: int) -> float:
    return float(1000 * 2.0 ** min(1000.0, index * 2.0**-schema))
