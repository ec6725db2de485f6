"""One process prints what another records: nothing printed is lost, and nothing is left of them."""

from __future__ import annotations

import os

from collectors.perf.pipeline import Pipeline, run_pipeline
from collectors.process import Guard
from tests.waiting import eventually

PRINTS = "echo told; echo told more; exec sleep 600"


async def running(guard: Guard) -> Pipeline:
    """Return a pipeline that has printed two lines and goes on."""
    pipeline = await run_pipeline(guard, ["sleep", "600"], ["sh", "-c", PRINTS])
    assert await pipeline.text.read(5) == b"told\n"
    return pipeline


async def test_what_was_printed_is_read_after_a_kill(guard: Guard) -> None:
    """A profiler that can't be ended in order has taken its samples all the same."""
    pipeline = await running(guard)
    # The second line may not have been written yet.
    rest = await pipeline.text.read(64)
    await pipeline.kill()
    while chunk := await pipeline.text.read(64):
        rest += chunk
    assert rest == b"told more\n"
    await pipeline.end()


async def test_nothing_is_left_of_what_is_abandoned(guard: Guard) -> None:
    """Neither a process nor a descriptor, and there is nothing more to read."""
    before = len(os.listdir("/proc/self/fd"))
    pipeline = await running(guard)
    await pipeline.abandon()
    assert pipeline.record.returncode is not None
    assert pipeline.script.returncode is not None
    assert await pipeline.text.read(64) == b""
    await eventually(lambda: len(os.listdir("/proc/self/fd")) == before)
