"""Strategies for samples of every type, with whatever values a collector could give them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hypothesis import strategies as st

from collectors.course import Course, CourseUnit
from collectors.recording.limits import MAX_COUNT
from collectors.recording.plausible import MAX_NUMBER, MAX_TIME_S
from collectors.runstate import RunEnd, RunState
from collectors.samples import (
    Baseline,
    CheckRatio,
    CoreUsage,
    CustomMetric,
    DiskUsage,
    Drop,
    Endpoint,
    Frame,
    FrameKind,
    Histogram,
    HostSample,
    LoadSample,
    LoadTarget,
    LogLine,
    Mark,
    MarkKind,
    MetricType,
    NetworkUsage,
    Pressure,
    RequestKind,
    Role,
    RoleUsage,
    Sample,
    SourceState,
    SourceStatus,
    Stack,
    StackBatch,
    StackCount,
    StackMeasure,
    Traffic,
)
from collectors.text import sanitise

TEXTS: Final = st.text(max_size=30).map(sanitise)
COUNTS: Final = st.integers(0, 1 << 60)
TIMES: Final = st.floats(-MAX_TIME_S, MAX_TIME_S, exclude_min=True, exclude_max=True)
INTERVALS: Final = st.floats(0.0, MAX_TIME_S, exclude_min=True, exclude_max=True)
NUMBERS: Final = st.floats(-MAX_NUMBER, MAX_NUMBER, exclude_min=True, exclude_max=True)
USED: Final = st.floats(0.0, 1e15)


def _tuples(each: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(each, max_size=3).map(tuple)


@st.composite
def histograms(draw: st.DrawFn) -> Histogram:
    """Histograms whose count is that of their buckets."""
    schema = draw(st.integers(-4, 8))
    most = int(1000 * 2.0**schema)
    buckets = draw(st.dictionaries(st.integers(-most, most), st.integers(1, 1 << 50), max_size=4))
    zeros = draw(st.integers(0, 1 << 50))
    return Histogram(schema, buckets, zeros, sum(buckets.values()) + zeros, draw(NUMBERS))


@st.composite
def stack_batches(draw: st.DrawFn) -> StackBatch:
    """Batches with counts that stand for any time, new stacks and frames or none."""
    ids = st.integers(0, 1 << 40)
    counts = st.builds(StackCount, st.integers(0, 1 << 30), st.integers(0, MAX_COUNT - 1))
    frames = st.builds(Frame, TEXTS, TEXTS, st.sampled_from(FrameKind))
    seen = draw(st.dictionaries(ids, counts, max_size=5))
    parts = st.builds(
        StackCount,
        st.integers(0, sum(count.samples for count in seen.values())),
        st.integers(0, min(sum(count.period_ns for count in seen.values()), MAX_COUNT - 1)),
    )
    return StackBatch(
        start=draw(TIMES),
        end=draw(TIMES),
        counts=seen,
        stacks=draw(
            st.dictionaries(
                ids, st.builds(Stack, TEXTS, TEXTS, _tuples(ids), st.booleans()), max_size=3
            )
        ),
        frames=draw(st.dictionaries(ids, frames, max_size=3)),
        lost=draw(COUNTS),
        rejected=draw(st.dictionaries(TEXTS, COUNTS, max_size=2)),
        measure=draw(st.sampled_from(StackMeasure)),
        cut=draw(st.dictionaries(ids, parts, max_size=3)),
    )


_KINDS = st.sampled_from(RequestKind)
_ENDPOINTS = st.builds(
    Endpoint, _KINDS, TEXTS, TEXTS, TEXTS, TEXTS, TEXTS, COUNTS, COUNTS, histograms()
)
_METRICS = st.builds(CustomMetric, TEXTS, st.sampled_from(MetricType), NUMBERS, histograms(), TEXTS)
_USAGES = st.builds(
    RoleUsage,
    *(st.sampled_from(Role), COUNTS, USED, COUNTS, COUNTS),
    *([st.none() | COUNTS] * 5),
    st.none() | USED,
)
_COURSES = st.builds(
    Course,
    st.sampled_from(CourseUnit),
    st.lists(st.tuples(TIMES, NUMBERS), min_size=1, max_size=4).map(lambda p: tuple(sorted(p))),
)
_MAYBE_TIME = st.none() | TIMES

BY_TYPE: Final[Mapping[type[Any], st.SearchStrategy[Any]]] = {
    LoadSample: st.builds(
        LoadSample,
        *(TIMES, INTERVALS, TEXTS, *([COUNTS] * 6)),
        _tuples(st.builds(Traffic, _KINDS, COUNTS, COUNTS, histograms())),
        st.dictionaries(TEXTS, histograms(), max_size=2),
        _tuples(_ENDPOINTS),
        _tuples(st.builds(CheckRatio, TEXTS, TEXTS, TEXTS, NUMBERS)),
        _tuples(_METRICS),
    ),
    HostSample: st.builds(
        HostSample,
        *(TIMES, INTERVALS),
        _tuples(st.builds(CoreUsage, NUMBERS, NUMBERS, NUMBERS, NUMBERS)),
        *(NUMBERS, COUNTS, COUNTS, COUNTS),
        _tuples(st.builds(DiskUsage, TEXTS, NUMBERS, NUMBERS, NUMBERS, NUMBERS, NUMBERS)),
        _tuples(st.builds(NetworkUsage, TEXTS, NUMBERS, NUMBERS)),
        st.none() | st.builds(Pressure, NUMBERS, NUMBERS, NUMBERS),
        _tuples(_USAGES),
    ),
    StackBatch: stack_batches(),
    SourceStatus: st.builds(SourceStatus, TIMES, TEXTS, st.sampled_from(SourceState), TEXTS, TEXTS),
    LogLine: st.builds(LogLine, TIMES, TEXTS, TEXTS, TEXTS),
    Drop: st.builds(Drop, TIMES, TEXTS, COUNTS),
    Mark: st.builds(Mark, TIMES, st.sampled_from(MarkKind), TEXTS),
    LoadTarget: st.builds(LoadTarget, TIMES, _COURSES, st.booleans()),
    Baseline: st.builds(Baseline, TIMES, TEXTS, TIMES, TIMES),
    RunState: st.builds(
        RunState,
        TIMES,
        *([TEXTS] * 8),
        *(_MAYBE_TIME, _MAYBE_TIME, _MAYBE_TIME, _MAYBE_TIME),
        st.none() | NUMBERS,
    ),
    RunEnd: st.builds(
        RunEnd,
        *(TIMES, TEXTS, TIMES, TIMES, NUMBERS),
        *(st.none() | st.integers(-1000, 1000), st.integers(-1000, 1000), COUNTS),
        *(st.none() | COUNTS, st.none() | COUNTS, st.booleans()),
        st.dictionaries(TEXTS, NUMBERS, max_size=3),
    ),
}
"""A strategy for each type of sample."""

SAMPLES: Final[st.SearchStrategy[Sample]] = st.one_of(*BY_TYPE.values())
