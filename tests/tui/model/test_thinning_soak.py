"""Hours of history, and very wide ones: the memory they take, by the estimate and really."""

from __future__ import annotations

import gc
import random
import tracemalloc
from collections.abc import Iterable, Iterator

import pytest

from collectors.samples import Sample, StackMeasure
from tests.builders import host
from tests.long_runs import wide_push, wide_stacks
from tests.tapes import ALL
from tui.model.thinning import HISTORY_BYTES
from tui.model.timeline import Timeline, TimeRange

HOURS = TimeRange(0.0, 1.5 * 3_600.0)
A_SECOND = 15
REAL_RATIO = 1.5
"""How far the memory that is really taken may be off the estimate."""

pytestmark = pytest.mark.timeout(240)


def kept(samples: Iterable[Sample], budget_bytes: int) -> tuple[Timeline, int, int]:
    """Return a timeline, the most by its estimate, and what it really takes in the end."""
    gc.collect()
    tracemalloc.start()
    try:
        timeline, most = Timeline(0.0, budget_bytes), 0
        before = tracemalloc.get_traced_memory()[0]
        for sample in samples:
            timeline.append(sample)
            most = max(most, timeline.held_bytes)
        del sample
        gc.collect()
        return timeline, most, tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()


def hours() -> Iterator[Sample]:
    """Yield some of fifty endpoints and of four hundred stacks, and the machine, each second."""
    chance = random.Random(1)
    names = [f"/item/{number}" for number in range(50)]
    for second in range(int(HOURS.duration_s)):
        at = second + 0.6
        yield wide_push(at, chance, chance.sample(names, A_SECOND))
        yield host(at, busy_ratio=chance.random())
        yield wide_stacks(at, chance, 4)


def test_hours_of_a_usual_run() -> None:
    """They stay within a budget that is a fraction of what they would take."""
    budget_bytes = 8 << 20
    timeline, most, real = kept(hours(), budget_bytes)
    assert most <= budget_bytes
    assert timeline.held_bytes / REAL_RATIO <= real <= timeline.held_bytes * REAL_RATIO
    seconds = int(HOURS.duration_s)
    assert sum(sample.iterations for sample in timeline.loads) == A_SECOND * seconds
    assert (
        sum(e.requests for sample in timeline.loads for e in sample.endpoints) == A_SECOND * seconds
    )
    assert sum(count.samples for count in timeline.stacks_in(ALL).values()) <= 4 * seconds
    assert timeline.in_detail_since() is not None
    assert timeline.step_s(0.0) < HOURS.duration_s / 4
    assert not timeline.stacks_in(ALL, StackMeasure.OFF_CPU)


def test_many_endpoints_each_second() -> None:
    """What a flood of series brings stays within the budget of a run."""
    chance = random.Random(1)
    names = [f"/item/{number:07d}" for number in range(5_500)]
    pushes = 90
    samples = (wide_push(float(second), chance, names) for second in range(1, pushes + 1))
    timeline, most, real = kept(samples, HISTORY_BYTES)
    assert most <= HISTORY_BYTES
    assert timeline.held_bytes / REAL_RATIO <= real <= timeline.held_bytes * REAL_RATIO
    sums = [sum(part.requests for part in sample.endpoints) for sample in timeline.loads]
    assert sum(sums) == len(names) * pushes
    assert len(sums) < pushes / 2
