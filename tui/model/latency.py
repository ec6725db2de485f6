"""Arithmetic on native histograms: merging and quantiles. Percentiles are never averaged.

Bucket `i` of schema `s` holds `(b**(i-1), b**i]` with `b = 2**(2**-s)`. Values inside a bucket are
taken as spread evenly over the logarithm, as Prometheus does for exponential buckets
(Prometheus documentation, `histogram_quantile`).
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable

from collectors.samples import EMPTY_HISTOGRAM, Histogram


def merge(histograms: Iterable[Histogram]) -> Histogram:
    """Add histograms up; of different resolutions the coarsest wins."""
    parts = [each for each in histograms if each.count]
    if not parts:
        return EMPTY_HISTOGRAM
    if len(parts) == 1:
        return parts[0]
    schema = min([part.schema for part in parts])
    buckets: dict[int, int] = {}
    for part in parts:
        shift = part.schema - schema
        for index, count in part.buckets.items():
            # Two neighbouring buckets of one schema make one of the next coarser schema.
            coarse = -(-index >> shift) if shift else index
            buckets[coarse] = buckets.get(coarse, 0) + count
    # Lists, not generators: old history is merged of tens of thousands of small ones.
    return Histogram(
        schema=schema,
        buckets=buckets,
        zero_count=sum([part.zero_count for part in parts]),
        count=sum([part.count for part in parts]),
        sum=math.fsum([part.sum for part in parts]),
    )


def quantile(histogram: Histogram, q: float) -> float | None:
    """Return the value below which the share `q` (0 to 1) lies, or None of nothing.

    The unit is the histogram's own (seconds for times). The error is bounded by the width of one
    bucket, a factor of 1.09 at k6's resolution.
    """
    if histogram.count == 0:
        return None
    rank = q * histogram.count
    seen = histogram.zero_count
    if seen and rank <= seen:
        return 0.0
    for index in sorted(histogram.buckets):
        count = histogram.buckets[index]
        if seen + count >= rank:
            return _bound(index - 1 + (rank - seen) / count, histogram.schema)
        seen += count
    return upper_bound(histogram)


def upper_bound(histogram: Histogram) -> float | None:
    """Return the upper edge of the highest bucket: the maximum is not above it."""
    if histogram.count == 0:
        return None
    if not histogram.buckets:
        return 0.0
    return _bound(max(histogram.buckets), histogram.schema)


def mean(histogram: Histogram) -> float | None:
    """Return the exact mean, or None of nothing."""
    return histogram.sum / histogram.count if histogram.count else None


def _bound(index: float, schema: int) -> float:
    # The highest buckets end above what a float can hold.
    exponent = index * 2.0**-schema
    return float(2.0**exponent) if exponent < 1024 else sys.float_info.max
