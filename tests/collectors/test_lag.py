"""A loop that is held up is told, once it matters; and that it is well again."""

from __future__ import annotations

import asyncio

from collectors.lag import CALM_S, LATE_S, PERIOD_S, LagWatch, watch_lag
from collectors.samples import Sample, SourceState, SourceStatus
from tests.waiting import eventually


def test_small_lags_are_nobodys_business() -> None:
    """Below half a second nothing is told; the worst is known all the same."""
    watch = LagWatch()
    assert [watch.take(float(at), 0.9 * LATE_S) for at in range(100)] == [None] * 100
    assert watch.worst_s == 0.9 * LATE_S


def test_a_late_loop_is_told_until_it_has_been_calm() -> None:
    """How late it was, what that means, and the end of it."""
    watch = LagWatch()
    late = watch.take(10.0, 0.8)
    assert late is not None
    assert (late.state, late.message) == (
        SourceState.DEGRADED,
        "late by 0.8 s: what is shown is as old",
    )
    assert watch.take(10.0 + 0.9 * CALM_S, 0.0) is None
    again = watch.take(10.0 + CALM_S, 0.0)
    assert again is not None
    assert again.state is SourceState.LIVE
    assert watch.take(30.0 + CALM_S, 0.0) is None


async def test_what_holds_a_loop_up_is_measured() -> None:
    """The clock jumps while the loop sleeps, as it does when something else has it."""
    found: list[Sample] = []
    jumps = iter([0.0, PERIOD_S + 2.0, *(2.1 + PERIOD_S * n for n in range(1, 1000))])
    task = asyncio.create_task(watch_lag(lambda: next(jumps), found.append, LagWatch()))
    await eventually(lambda: found)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert isinstance(found[0], SourceStatus)
    assert found[0].message.startswith("late by 2.0 s")
