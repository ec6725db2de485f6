"""Estimates of the memory that samples take: cheap, for tens of thousands of endpoints a second.

Each object counts with its size in CPython on a 64-bit machine, rounded up as its allocator does.
Texts are left out: the collectors keep one copy of each, which all samples share.
"""

from __future__ import annotations

from collections.abc import Mapping
from sys import getsizeof
from typing import Final

from collectors.samples import Histogram, HostSample, LoadSample, StackCount

_NUMBER: Final = 32
"""An int or a float, rounded up."""
_PLACE: Final = 8
"""In a tuple or a list."""
_OBJECT: Final = 32
"""A slotted object without its fields, as the garbage collector keeps it."""
_HISTOGRAM: Final = _OBJECT + 5 * _PLACE + 2 * _NUMBER
_ENDPOINT: Final = _PLACE + _OBJECT + 9 * _PLACE
_CHECK: Final = _PLACE + _OBJECT + 4 * _PLACE + _NUMBER
_METRIC: Final = _PLACE + _OBJECT + 5 * _PLACE + _NUMBER
_TRAFFIC: Final = _PLACE + _OBJECT + 4 * _PLACE + 2 * _NUMBER
_LOAD: Final = 64 + _OBJECT + 15 * _PLACE + 8 * _NUMBER + 6 * 48 + 360
"""With its place in the lists, its tuples and the mapping of phases."""
_COUNT: Final = _OBJECT + 2 * _PLACE + 2 * _NUMBER
"""Of a stack: two numbers; the id is the one that the stacks are known by."""
_CORE: Final = _PLACE + _OBJECT + 4 * _PLACE + 4 * _NUMBER
_DISK: Final = _PLACE + _OBJECT + 6 * _PLACE + 5 * _NUMBER
_NETWORK: Final = _PLACE + _OBJECT + 3 * _PLACE + 2 * _NUMBER
_ROLE: Final = _PLACE + _OBJECT + 11 * _PLACE + 10 * _NUMBER
_HOST: Final = 64 + _OBJECT + 11 * _PLACE + 6 * _NUMBER + 4 * 48 + _OBJECT + 3 * (_PLACE + _NUMBER)


def load_bytes(sample: LoadSample) -> int:
    """Estimate the bytes of a sample of the load."""
    histograms = [each.latency for each in sample.endpoints]
    histograms += [each.latency for each in sample.traffic]
    histograms += sample.phases.values()
    histograms += [each.trend for each in sample.metrics]
    return (
        _LOAD
        + _ENDPOINT * len(sample.endpoints)
        + _TRAFFIC * len(sample.traffic)
        + _CHECK * len(sample.checks)
        + _METRIC * len(sample.metrics)
        + _histogram_bytes(histograms)
    )


def _histogram_bytes(histograms: list[Histogram]) -> int:
    # That of nothing is one for all; in others most numbers are not among those kept by Python.
    buckets = [each.buckets for each in histograms if each.count]
    return (
        _HISTOGRAM * len(buckets) + sum(map(getsizeof, buckets)) + _NUMBER * sum(map(len, buckets))
    )


def host_bytes(sample: HostSample) -> int:
    """Estimate the bytes of a sample of the machine."""
    return (
        _HOST
        + _CORE * len(sample.cores)
        + _DISK * len(sample.disks)
        + _NETWORK * len(sample.networks)
        + _ROLE * len(sample.roles)
    )


def counts_bytes(counts: Mapping[int, StackCount]) -> int:
    """Estimate the bytes of counts of stacks."""
    return getsizeof(counts) + _COUNT * len(counts)
