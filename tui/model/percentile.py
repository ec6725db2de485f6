"""Percentiles with their intervals, from the histograms of a range.

The interval runs from one order statistic to another. How many values lie below the true
percentile is binomial, whatever their distribution, so two ranks hold it between them; what is
known of the values at those ranks is their bucket, so the interval ends at edges of buckets.
Source: David and Nagaraja, Order Statistics (2003), 7.1.

Latencies of one second are alike, so there are fewer independent ones than there are requests: as
many as `effective_size` finds for the share below the percentile. Source: Woodruff, Confidence
intervals for medians and other position measures, JASA 47 (1952).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from collectors.samples import Histogram
from tui.model.estimate import Estimate, batches, effective_size
from tui.model.latency import merge, quantile
from tui.model.poisson import CONFIDENCE


class _Place(NamedTuple):
    """Where a rank is in a histogram, in the histogram's unit."""

    value: float
    """Interpolated."""
    low: float
    high: float
    """The edges of the bucket that it is in."""


def percentile(parts: Sequence[Histogram], q: float) -> Estimate | None:
    """Return a percentile of everything and its interval; None of nothing.

    Args:
        parts: The histograms of a range in order of time, one a second or so.
        q: Above 0, below 1.
    """
    whole = merge(parts)
    value = quantile(whole, q)
    if value is None:
        return None
    size = effective_size(_below(parts, whole, q))
    if size is None:
        return Estimate(value)
    number = max(1, math.floor(size))
    first, last = ranks(number, q)
    scale = whole.count / number
    low = _Place(0.0, 0.0, 0.0)
    high = _Place(math.inf, math.inf, math.inf)
    if first:
        low = _place(whole, max(1.0, first * scale))
    if last <= number:
        high = _place(whole, min(float(whole.count), last * scale))
    return Estimate(
        value,
        (min(value, low.value), max(value, high.value)),
        (min(value, low.low), max(value, high.high)),
    )


def ranks(number: int, q: float) -> tuple[int, int]:
    """Return between which ranks (1 to `number`) the true percentile is, with a confidence of 95 %.

    0 and `number + 1` where no value is far enough out to be a bound.
    """
    tail = (1 - CONFIDENCE) / 2
    mean, deviation = number * q, math.sqrt(number * q * (1 - q))
    # What is further out than eight deviations and some has no weight that a float could tell.
    start = max(0, math.floor(mean - 8 * deviation - 20))
    end = min(number, math.ceil(mean + 8 * deviation + 20))
    chances = _binomial(number, q, start, end)
    first, below = start, 0.0
    for chance in chances:
        below += chance
        if below > tail:
            break
        first += 1
    last, above = end + 1, 0.0
    for chance in reversed(chances):
        above += chance
        if above > tail:
            break
        last -= 1
    return first, last


def _binomial(number: int, q: float, start: int, end: int) -> list[float]:
    """Return the chances of `start` to `end` of a number, each of which is one with a chance q."""
    log_first = (
        math.lgamma(number + 1) - math.lgamma(start + 1) - math.lgamma(number - start + 1)
        + start * math.log(q) + (number - start) * math.log1p(-q)
    )  # fmt: skip
    odds = math.log(q) - math.log1p(-q)
    logs = [log_first]
    for k in range(start + 1, end + 1):
        logs.append(logs[-1] + math.log((number - k + 1) / k) + odds)
    return [math.exp(each) for each in logs]


def _below(parts: Sequence[Histogram], whole: Histogram, q: float) -> list[tuple[float, float]]:
    """Return how many values of each batch are below the percentile, and how many there are."""
    edge = _nearest_edge(whole, q)
    found = []
    for batch in batches([part for part in parts if part.count]):
        part = merge([*batch])
        below = part.zero_count
        for index, count in part.buckets.items():
            # An edge of the coarser buckets is one of the finer buckets as well.
            if edge is not None and index <= edge * 2 ** (part.schema - whole.schema):
                below += count
        found.append((float(below), float(part.count)))
    return found


def _nearest_edge(whole: Histogram, q: float) -> int | None:
    """Return the bucket whose upper edge has a share below it that is nearest to q; None: zero."""
    best, found = abs(whole.zero_count / whole.count - q), None
    seen = whole.zero_count
    for index in sorted(whole.buckets):
        seen += whole.buckets[index]
        off = abs(seen / whole.count - q)
        if off < best:
            best, found = off, index
    return found


def _place(whole: Histogram, rank: float) -> _Place:
    seen = whole.zero_count
    if rank <= seen:
        return _Place(0.0, 0.0, 0.0)
    value = quantile(whole, rank / whole.count) or 0.0
    index = max(whole.buckets)
    for each in sorted(whole.buckets):
        seen += whole.buckets[each]
        # By the same comparison the value was found, but for a rounding error.
        if seen >= rank * (1 - 1e-12):
            index = each
            break
    width = 2.0**-whole.schema
    low, high = (2.0 ** min(1023.0, (index + step) * width) for step in (-1, 0))
    return _Place(min(max(value, low), high), low, high)
