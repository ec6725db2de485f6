"""Live stacks: keeps perf attached to a process tree and emits what it samples.

A profiler that fails is a status, never an error of the session: it is started again a few times,
and after that the session goes on without stacks.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from collectors.perf.command import DEFAULT_EVENT, PerfOptions, find_perf
from collectors.perf.decode import PerfScriptDecoder
from collectors.perf.interner import Interner
from collectors.perf.losses import parse_lost_from_stderr
from collectors.perf.names import ProcessNames, boot_clock, is_running
from collectors.perf.pipeline import Attachment, Pipeline, start_pipeline
from collectors.perf.preflight import Failure, Preflight, check, explain, read_privileges
from collectors.process import Guard
from collectors.samples import SourceState, SourceStatus, StackBatch
from collectors.source import Clock, Emit, SourceError

ATTACH_DEADLINE_S: Final = 5.0
FLUSH_S: Final = 0.25
READ_BYTES: Final = 16_384
"""What one turn of the loop decodes: a few milliseconds even where every stack is new."""
BELIEVABLE_S: Final = 1.0
"""How far ahead of our clock a sample's time may be."""
MAX_RESTARTS: Final = 5
BACKOFF_S: Final = (0.1, 0.25, 0.5, 1.0, 2.0)
TARGET_EXITED: Final = "target exited"


@dataclass(frozen=True, slots=True)
class Method:
    """What one way of taking stacks has of its own."""

    source: str
    """What its statuses call it."""
    describe: Callable[[PerfOptions], str]
    start: Callable[[Guard, str, PerfOptions, Collection[int]], Awaitable[Pipeline]]
    decoder: Callable[[Interner, ProcessNames, float], PerfScriptDecoder]


SAMPLING: Final = Method(
    "perf",
    lambda options: f"{options.event} {options.frequency_hz} Hz, {options.call_graph}",
    start_pipeline,
    PerfScriptDecoder,
)


class PerfSource:
    """Attaches perf to processes, detaches it, and emits `StackBatch` and `SourceStatus`.

    Args:
        guard: Starts perf.
        clock: The session's clock; `CLOCK_MONOTONIC`, which perf's times are on.
        emit: Takes the samples, on the event loop.
        options: How to profile.
        interner: Gives the ids of frames and stacks; pass one to share them with other sources.
        method: How stacks are taken.
    """

    def __init__(
        self,
        guard: Guard,
        clock: Clock,
        emit: Emit,
        options: PerfOptions | None = None,
        interner: Interner | None = None,
        method: Method = SAMPLING,
    ) -> None:
        self._method = method
        self._guard = guard
        self._clock = clock
        self._emit = emit
        self._options = options or PerfOptions()
        self._interner = interner or Interner()
        self._turn = asyncio.Lock()
        self._pipeline: Pipeline | None = None
        self._names: ProcessNames | None = None
        self._decoder: PerfScriptDecoder | None = None
        self._task: asyncio.Task[None] | None = None
        self._detaching = False
        self._restarts = 0
        self._note = ""

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids of perf record and perf script; empty while nothing is attached."""
        return self._pipeline.pids if self._pipeline else ()

    async def attach(self, pids: Iterable[int]) -> bool:
        """Attach to running processes; what they start later is followed by itself.

        Args:
            pids: All processes of the target that run now.

        Returns:
            True when samples are being taken. Else a status has been emitted that says why not.
        """
        async with self._turn:
            await self._detach()
            self._restarts = 0
            self._note = ""
            self._say(SourceState.STARTING, "attaching perf")
            try:
                await self._start({pid for pid in pids if is_running(pid)})
            except _NotAttachedError as error:
                self._tell_failure(error.failure)
                return False
            self._task = asyncio.create_task(self._run(), name="perf source")
            return True

    async def detach(self) -> None:
        """End perf; everything it has sampled and lost is emitted before this returns."""
        async with self._turn:
            was_running = self._task is not None and not self._task.done()
            await self._detach()
            if was_running:
                self._say(SourceState.ENDED, "detached")

    async def reattach(self, pids: Iterable[int]) -> bool:
        """Detach and attach to other processes: the target was restarted."""
        return await self.attach(pids)

    async def _detach(self) -> None:
        self._detaching = True
        try:
            if self._pipeline is not None:
                self._pipeline.interrupt()
            if self._task is not None:
                if self._pipeline is None:  # waiting to start again
                    self._task.cancel()
                elif not await _done_within(self._task, ATTACH_DEADLINE_S):
                    await self._pipeline.kill()
                await asyncio.gather(self._task, return_exceptions=True)
        finally:
            self._detaching = False
            self._task = None
            self._pipeline = None

    async def _start(self, pids: Collection[int]) -> None:
        """Start perf on running processes and wait until it has attached.

        Raises:
            _NotAttachedError: why it has not.
        """
        if not pids:
            raise _NotAttachedError(Failure(TARGET_EXITED, target_gone=True))
        try:
            perf = await asyncio.to_thread(find_perf, self._options.perf_path)
            preflight = check(read_privileges(perf), _owner(pids))
            started_at, since = self._clock(), boot_clock()
            pipeline = await self._method.start(self._guard, perf, self._options, pids)
        except SourceError as error:
            raise _NotAttachedError(Failure(error.message, error.hint)) from None
        try:
            outcome = await pipeline.attached(ATTACH_DEADLINE_S)
        except BaseException:
            await pipeline.abandon()
            raise
        if outcome is not Attachment.DONE:
            await pipeline.abandon()
            await self._fall_back(pids, _failure(outcome, pipeline, preflight))
            return
        self._pipeline = pipeline
        self._names = ProcessNames(self._clock, since, pids)
        self._decoder = self._method.decoder(self._interner, self._names, started_at)
        self._tell_attached(preflight)

    async def _fall_back(self, pids: Collection[int], failure: Failure) -> None:
        """Try again with the event that works everywhere, where the event was the reason."""
        if not failure.event_unknown or self._options.event == DEFAULT_EVENT:
            raise _NotAttachedError(failure)
        self._note = f"no event {self._options.event} here"
        self._options = replace(self._options, event=DEFAULT_EVENT)
        await self._start(pids)

    async def _run(self) -> None:
        """Read until perf ends; start it again while the target lives and nobody has detached."""
        while True:
            await self._read_all()
            if self._detaching:
                return
            assert self._names is not None
            living = self._names.living()
            self._pipeline = None
            if not living:
                self._say(SourceState.ENDED, TARGET_EXITED)
                return
            if not await self._restart(living):
                return

    async def _restart(self, pids: Collection[int]) -> bool:
        failure = Failure("profiler died", f"gave up after {MAX_RESTARTS} restarts")
        while self._restarts < MAX_RESTARTS:
            self._restarts += 1
            self._say(SourceState.DEGRADED, "profiler died, restarting")
            await asyncio.sleep(BACKOFF_S[self._restarts - 1])
            try:
                await self._start({pid for pid in pids if is_running(pid)})
            except _NotAttachedError as error:
                failure = error.failure
                if failure.target_gone:
                    break
            else:
                return True
        self._tell_failure(failure)
        return False

    async def _read_all(self) -> None:
        """Decode script's text to its end, then what the two said on stderr."""
        pipeline, decoder = self._pipeline, self._decoder
        assert pipeline is not None
        assert decoder is not None
        flushing = asyncio.create_task(self._flush_regularly(decoder), name="perf flush")
        try:
            while chunk := await pipeline.text.read(READ_BYTES):
                self._emit_all(decoder.feed(chunk, self._clock() + BELIEVABLE_S))
                await asyncio.sleep(0)  # a backlog must not keep the loop to itself
            await pipeline.end()
        finally:
            flushing.cancel()
        self._emit_all(decoder.close())
        decoder.note_lost_total(parse_lost_from_stderr(pipeline.script_words(), decoder.printed))
        self._emit_all(decoder.flush())

    async def _flush_regularly(self, decoder: PerfScriptDecoder) -> None:
        while True:
            await asyncio.sleep(FLUSH_S)
            self._emit_all(decoder.flush())

    def _emit_all(self, batches: Iterable[StackBatch]) -> None:
        for batch in batches:
            self._emit(batch)

    def _tell_attached(self, preflight: Preflight) -> None:
        how = self._method.describe(self._options)
        if self._restarts:
            message = f"profiler died, restarted ({self._restarts})"
            self._say(SourceState.DEGRADED, message, f"{how} again; samples between are missing")
        elif self._note:
            self._say(SourceState.DEGRADED, f"{how} ({self._note})", "`perf list` names the events")
        elif not preflight.kernel_frames:
            self._say(SourceState.LIVE, f"{how}, user frames only", preflight.hint)
        else:
            self._say(SourceState.LIVE, how)

    def _tell_failure(self, failure: Failure) -> None:
        state = SourceState.ENDED if failure.target_gone else SourceState.FAILED
        message = TARGET_EXITED if failure.target_gone else failure.message
        self._say(state, message, failure.hint)

    def _say(self, state: SourceState, message: str, hint: str = "") -> None:
        self._emit(SourceStatus(self._clock(), self._method.source, state, message, hint))


class _NotAttachedError(Exception):
    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


def _failure(outcome: Attachment, pipeline: Pipeline, preflight: Preflight) -> Failure:
    if outcome is Attachment.DIED:
        return explain(pipeline.record_words(), preflight)
    return Failure(
        f"perf did not attach within {ATTACH_DEADLINE_S:g} s", "look at the load of this machine"
    )


def _owner(pids: Iterable[int]) -> int | None:
    """Return the user id that processes belong to; another than ours where they differ."""
    owners = set()
    for pid in pids:
        try:
            owners.add(Path("/proc", str(pid)).stat().st_uid)
        except OSError:
            continue
    foreign = owners - {os.geteuid()}
    return next(iter(foreign or owners), None)


async def _done_within(task: asyncio.Task[None], seconds: float) -> bool:
    done, _ = await asyncio.wait([task], timeout=seconds)
    return bool(done)
