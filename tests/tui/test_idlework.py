from __future__ import annotations

import asyncio
import random

from tests.long_runs import wide_push
from tests.waiting import eventually
from tui.idlework import thin
from tui.model.thinning import BEGIN_RATIO
from tui.model.timeline import Timeline


async def test_old_history_is_merged_while_nothing_comes() -> None:
    """Without another sample, a little at a time, until there is room; nothing is lost by it."""
    chance, names = random.Random(1), [f"/item/{number}" for number in range(2_000)]
    timeline, pushes = Timeline(0.0, 24 << 20), 0
    while timeline.held_bytes <= BEGIN_RATIO * (24 << 20):
        pushes += 1
        timeline.append(wide_push(float(pushes), chance, names))
    assert timeline.in_detail_since() is None
    revision = timeline.revision
    task = asyncio.create_task(thin(timeline))
    try:
        await eventually(lambda: timeline.in_detail_since() is not None)
    finally:
        task.cancel()
    assert timeline.revision > revision
    while timeline.thin():
        pass
    assert sum(each.iterations for each in timeline.loads) == len(names) * pushes


def test_there_is_nothing_to_do_without_a_budget_or_below_it() -> None:
    """There is nothing to wait for."""
    for timeline in (Timeline(0.0), Timeline(0.0, 1 << 20)):
        timeline.append(wide_push(1.0, random.Random(1), ["/"]))
        timeline.thin()
        assert not timeline.thin()
        assert timeline.revision == 1
