"""What changed while a real server runs is found, and nothing else is called changed."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from collectors.process import Guard
from tests.integration.conftest import Server
from tests.integration.controlled import passed
from tests.integration.k6_versions import k6_1
from tests.integration.program import needs_perf
from tests.waiting import eventually
from tui.demo.build import script_path
from tui.demo.cost import set_factor
from tui.model.calldiff import FunctionChange, diff_functions
from tui.model.calltree import build_tree
from tui.model.costchange import DiffSide
from tui.model.load import kind_of, summarise
from tui.model.perrequest import matched_requests
from tui.model.timeline import Timeline, TimeRange
from tui.options import RunOptions
from tui.session import Session

pytestmark = [pytest.mark.integration, pytest.mark.timeout(90)]

RANGE_S = 7.0


@contextlib.asynccontextmanager
async def loaded(guard: Guard, server: Server) -> AsyncIterator[Session]:
    """Load the demo server in a session without a screen."""
    options = RunOptions(
        Path(script_path()),
        port=server.port,
        k6=k6_1(),
        headless=True,
        vus=6,
        perf_frequency_hz=499,
    )
    env = {"TARGET": server.url, "DURATION": "10m"}
    session = Session(options, guard, script_env=lambda _: env)
    await session.open()
    session.start_load()
    try:
        await eventually(lambda: bool(session.timeline.loads), 20)
        yield session
    finally:
        await session.close()


def side(timeline: Timeline, range_: TimeRange) -> DiffSide:
    """Return the stacks and requests of a range."""
    load = summarise(timeline.loads_in(range_), kind_of(timeline.loads))
    requests = matched_requests(timeline, range_, load)
    assert requests is not None
    return DiffSide(build_tree(timeline.stacks, timeline.stacks_in(range_)), requests)


async def a_range(session: Session) -> TimeRange:
    """Wait for whole seconds, and until all that belongs to them has come."""
    start = float(int(time.monotonic()) + 2)
    await passed(start + RANGE_S + 1.6)
    return TimeRange(start, start + RANGE_S)


def own(changes: tuple[FunctionChange, ...]) -> list[FunctionChange]:
    """Return the functions of the server's own code."""
    return [each for each in changes if each.frame.module.startswith("flashpoint-demo")]


@needs_perf
async def test_a_function_that_costs_twice_as_much_is_first(
    guard: Guard, demo_server: Server
) -> None:
    """Its ratio is 2 within its interval; no other function has changed by more than a quarter."""
    async with loaded(guard, demo_server) as session:
        before = await a_range(session)
        await set_factor(demo_server.url, "mine_block", 2)
        after = await a_range(session)
    changes = diff_functions(side(session.timeline, before), side(session.timeline, after))
    first, *others = own(changes)
    assert changes[0] is first
    assert first.frame.symbol.split("::")[1].startswith("mine_block")
    assert first.own.is_changed
    low, high = first.own.ratio_interval
    assert low <= 2.0 <= high, f"{first.own.ratio:.2f} ({low:.2f} to {high:.2f})"
    for each in others:
        ratio = each.own.ratio
        is_much = ratio is None or abs(ratio - 1) > 0.25
        assert not (each.own.is_changed and is_much), each
