"""A run that is stopped before it has begun: nothing is started, or nothing of it is left."""

from __future__ import annotations

import asyncio
from pathlib import Path

import psutil
import pytest

from collectors.k6.binary import K6Binary
from collectors.k6.plan import K6Plan
from collectors.k6.run import K6Run
from collectors.process import Guard
from collectors.samples import Mark, Sample, SourceState, SourceStatus
from tests.waiting import eventually
from tui.loadruns import LoadRuns


@pytest.fixture
def plan(tmp_path: Path) -> K6Plan:
    """A k6 that runs until it is ended, whatever the script."""
    program = tmp_path / "k6"
    program.write_text("#!/bin/sh\nexec sleep 600\n")
    program.chmod(0o700)
    script = tmp_path / "s.js"
    script.write_text("export default function () {}\n")
    return K6Plan(K6Binary(str(program), "1.1.0", (1, 1, 0)), str(script))


def below(guard: Guard) -> list[psutil.Process]:
    """Return what the guard has running."""
    found = psutil.Process(guard.pid).children(recursive=True)
    return [each for each in found if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]


async def turns(number: int) -> None:
    """Let everything else go on a little."""
    for _ in range(number):
        await asyncio.sleep(0)


@pytest.mark.parametrize("waited", [0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 40])
async def test_a_stop_while_it_starts_is_a_stop(guard: Guard, plan: K6Plan, waited: int) -> None:
    """At whatever moment: k6 is not started, or asked to end."""
    told: list[Sample] = []
    run = K6Run(guard, plan, told.append)
    starting = asyncio.create_task(run.start())
    await turns(waited)
    run.stop()
    async with asyncio.timeout(5):
        if await starting:
            run.stop()
            await run.wait()
        else:
            statuses = [each for each in told if isinstance(each, SourceStatus)]
            assert statuses[-1].state is SourceState.ENDED
            assert "stopped before it began" in statuses[-1].message
    await eventually(lambda: not below(guard), 2)
    assert run._folder is None


async def test_stopped_first_it_does_not_start(guard: Guard, plan: K6Plan) -> None:
    """Nor is a process made."""
    run = K6Run(guard, plan, lambda _: None)
    run.stop()
    assert not await run.start()
    assert run.pid is None
    assert not below(guard)


async def test_whoever_waits_for_the_start_can_be_cancelled(guard: Guard, plan: K6Plan) -> None:
    """That is no stop: it is cancelled, and nothing is left."""
    run = K6Run(guard, plan, lambda _: None)
    starting = asyncio.create_task(run.start())
    await turns(2)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    await eventually(lambda: not below(guard), 2)


async def test_a_session_can_be_stopped_at_once_and_started_again(
    guard: Guard, plan: K6Plan
) -> None:
    """Before the run has done anything; it is no run, and no baseline is made of it."""
    told: list[Sample] = []
    runs = LoadRuns(guard, asyncio.get_running_loop().time, told.append, None)
    ended: list[float] = []

    def run() -> asyncio.Task[None]:
        assert runs.begin()
        return asyncio.create_task(
            runs.run(plan, lambda _: None, lambda: ended.append(0.0)), name="run"
        )

    task = run()
    runs.stop()
    assert runs.phase.value == "stopping"
    async with asyncio.timeout(5):
        await task
    assert runs.phase.value == "stopped"
    assert runs.ended.is_set()
    assert (ended, runs.exit_status, runs.aborted) == ([], 0, False)

    task = run()
    await eventually(lambda: runs.pids)
    assert [each.kind.value for each in told if isinstance(each, Mark)].count("start") == 1
    runs.stop()
    async with asyncio.timeout(5):
        await task
    assert len(ended) == 1
    await eventually(lambda: not below(guard), 2)
