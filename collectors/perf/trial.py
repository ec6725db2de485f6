"""Tries perf out: whether it attaches at all, and what its stacks of a program look like."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from collectors.perf.command import PerfOptions
from collectors.perf.pipeline import Attachment, start_pipeline
from collectors.perf.preflight import Failure, Preflight, explain
from collectors.perf.source import PerfSource
from collectors.process import Guard
from collectors.samples import Sample, SourceState, SourceStatus, StackBatch
from collectors.source import Clock

TRIAL_HZ: Final = 499
"""So that a program that keeps a fifth of a core busy gives a hundred samples in a second."""
TRIAL_S: Final = 1.0
DETACHED: Final = "detached"
"""What the source says when it was told to end."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of a short recording."""

    batches: Sequence[StackBatch] = ()
    error: str = ""
    """Why there is none; empty where there is."""
    hint: str = ""


async def try_event(
    guard: Guard, perf: str, pid: int, preflight: Preflight, deadline_s: float
) -> Failure | None:
    """Attach perf to a process with the event that works everywhere, and end it at once.

    Args:
        guard: Starts perf.
        perf: The program.
        pid: A process of ours.
        preflight: What is expected.
        deadline_s: How long attaching may take.

    Returns:
        Why perf gave up; None where it has attached.

    Raises:
        SourceError: perf can't be executed.
    """
    pipeline = await start_pipeline(guard, perf, PerfOptions(), [pid])
    try:
        outcome = await pipeline.attached(deadline_s)
    finally:
        await pipeline.abandon()
    if outcome is Attachment.DIED:
        return explain(pipeline.record_words(), preflight)
    if outcome is Attachment.TIMED_OUT:
        return Failure(
            f"perf did not attach within {deadline_s:g} s", "look at the load of this machine"
        )
    return None


async def try_stacks(
    guard: Guard, perf: str, pids: Collection[int], clock: Clock, seconds: float = TRIAL_S
) -> Trial:
    """Record the stacks of processes for a moment, the way a run does.

    Args:
        guard: Starts perf.
        perf: The program.
        pids: All processes of the target.
        clock: As of a session.
        seconds: How long.
    """
    seen: list[Sample] = []
    source = PerfSource(
        guard, clock, seen.append, PerfOptions(frequency_hz=TRIAL_HZ, perf_path=perf)
    )
    try:
        if await source.attach(pids):
            await asyncio.sleep(seconds)
    finally:
        await source.detach()
    bad = (SourceState.FAILED, SourceState.ENDED)
    for sample in seen:
        if isinstance(sample, SourceStatus) and sample.state in bad and sample.message != DETACHED:
            return Trial(error=sample.message, hint=sample.hint)
    return Trial(tuple(each for each in seen if isinstance(each, StackBatch)))
