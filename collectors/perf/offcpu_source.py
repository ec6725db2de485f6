"""Live waits: keeps perf's record of thread switches on a process tree and emits what it waits for.

It is the sampling source with another event, another decoder and a pulse. It costs with every
switch, so it runs on demand only; where there are too many of them, a status says so. What it can
cost is bounded: perf script prints some ten thousands of switches a second, and the kernel drops
the others, which are counted.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Collection, Iterable
from typing import Final

from collectors.child import Child
from collectors.perf.command import PerfOptions, find_perf
from collectors.perf.interner import Interner
from collectors.perf.names import ProcessNames, is_running
from collectors.perf.offcpu_command import (
    EVENT,
    offcpu_record_argv,
    offcpu_script_argv,
    pulse_argv,
)
from collectors.perf.offcpu_decode import OffCpuDecoder
from collectors.perf.offcpu_preflight import preflight_offcpu, read_tracing
from collectors.perf.pipeline import Pipeline, run_pipeline
from collectors.perf.preflight import read_privileges
from collectors.perf.source import Method, PerfSource
from collectors.process import Guard
from collectors.samples import Sample, SourceState, SourceStatus, StackBatch
from collectors.source import Clock, Emit, SourceError

SOURCE: Final = "off-cpu"
MUCH_PER_S: Final = 50_000
"""Switches out and in that are too many."""
RATE_OVER_S: Final = 5.0


class OffCpuSource:
    """Attaches to processes, detaches, and emits `StackBatch` of waits and `SourceStatus`.

    Args:
        guard: Starts perf and the pulse.
        clock: The session's clock; `CLOCK_MONOTONIC`, which perf's times are on.
        emit: Takes the samples, on the event loop.
        options: As for the sampling source; only how stacks are unwound and perf's path matter.
        interner: Gives the ids of frames and stacks; the sampling source's, to share its table.
    """

    def __init__(
        self, guard: Guard, clock: Clock, emit: Emit, options: PerfOptions, interner: Interner
    ) -> None:
        self._guard = guard
        self._clock = clock
        self._emit = emit
        self._options = options
        self._pulse: Child | None = None
        self._decoder: OffCpuDecoder | None = None
        self._counted = (clock(), 0)
        """When switches were counted last, and how many they were."""
        self._lost = 0
        """Switches lost since then."""
        self._is_much = False
        method = Method(SOURCE, _describe, self._start, self._make_decoder)
        self._profiler = PerfSource(guard, clock, self._take, options, interner, method)

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids of perf and the pulse; empty while nothing is attached."""
        pulse = self._pulse
        if pulse is None or pulse.returncode is not None:
            return self._profiler.pids
        return (*self._profiler.pids, pulse.pid)

    def check(self) -> None:
        """Look whether waits can be recorded here.

        Raises:
            SourceError: they can't; its hint is the command that helps.
        """
        _require(find_perf(self._options.perf_path))

    async def attach(self, pids: Iterable[int]) -> bool:
        """Attach to running processes, instead of those before; what they start is followed.

        Returns:
            True when waits are being recorded. Else a status has been emitted that says why not.
        """
        is_attached = await self._profiler.attach(pids)
        if not is_attached:
            await self._end_pulse()
        return is_attached

    async def detach(self) -> None:
        """End perf; everything it has recorded is emitted before this returns."""
        await self._profiler.detach()
        await self._end_pulse()

    async def _start(
        self, guard: Guard, perf: str, options: PerfOptions, pids: Collection[int]
    ) -> Pipeline:
        _require(perf)
        await self._end_pulse()
        self._pulse = await guard.spawn("off-cpu pulse", pulse_argv(pids))
        recorded = [*pids, self._pulse.pid]
        return await run_pipeline(
            guard,
            offcpu_record_argv(perf, options.call_graph, recorded),
            offcpu_script_argv(perf),
        )

    def _make_decoder(
        self, interner: Interner, names: ProcessNames, started_at: float
    ) -> OffCpuDecoder:
        assert self._pulse is not None
        self._decoder = OffCpuDecoder(interner, names, _is_there, started_at, self._pulse.pid)
        self._counted, self._lost, self._is_much = (started_at, 0), 0, False
        return self._decoder

    async def _end_pulse(self) -> None:
        pulse, self._pulse = self._pulse, None  # the next one may begin while this one ends
        if pulse is not None:
            await pulse.stop(signal.SIGTERM, 0.5)

    def _take(self, sample: Sample) -> None:
        self._emit(sample)
        if isinstance(sample, StackBatch):
            self._lost += sample.lost
            self._watch_cost()
        has_failed = isinstance(sample, SourceStatus) and sample.state is SourceState.FAILED
        if has_failed and self._pulse is not None:
            self._pulse.send_signal(signal.SIGTERM)

    def _watch_cost(self) -> None:
        """Say when switches become too many, and when they are few again."""
        assert self._decoder is not None
        now = self._clock()
        counted_at, counted = self._counted
        if now - counted_at < RATE_OVER_S:
            return
        rate = (self._decoder.switches - counted) / (now - counted_at)
        lost, self._lost = self._lost, 0
        self._counted = (now, self._decoder.switches)
        was_much = self._is_much
        # Half of it, so that the status does not flutter.
        self._is_much = bool(lost) or rate > (MUCH_PER_S / 2 if was_much else MUCH_PER_S)
        if self._is_much and not was_much:
            message = f"{rate:.0f} thread switches/s" + (f", {lost} lost" if lost else "")
            self._say(SourceState.DEGRADED, message, "recording that many slows the target")
        elif was_much and not self._is_much:
            self._say(SourceState.LIVE, _describe(self._options))

    def _say(self, state: SourceState, message: str, hint: str = "") -> None:
        self._emit(SourceStatus(self._clock(), SOURCE, state, message, hint))


def _require(perf: str) -> None:
    preflight = preflight_offcpu(read_privileges(perf), read_tracing())
    if not preflight.can_profile:
        raise SourceError(preflight.message, preflight.hint)


def _describe(options: PerfOptions) -> str:
    return f"{EVENT}, {options.call_graph}"


def _is_there(pid: int, tid: int) -> bool:
    """Tell whether a thread has not ended; the first one of a process can stay as a zombie."""
    return is_running(pid) if tid == pid else os.path.exists(f"/proc/{pid}/task/{tid}")
