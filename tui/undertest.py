"""The system under test in a session: found or started, followed, profiled, and ended last."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine

from collectors.perf.command import PerfOptions
from collectors.perf.interner import Interner
from collectors.perf.offcpu_source import OffCpuSource
from collectors.perf.source import PerfSource
from collectors.process import Guard
from collectors.pyspy import PySpySource, has_pyspy, is_plain_python
from collectors.samples import SourceState, SourceStatus
from collectors.source import Clock, Emit, SourceError
from collectors.target import Target, attach_pid, attach_port, find_target
from collectors.target_start import StartedTarget, start_target
from collectors.target_watch import TargetWatch
from tui.export.summary import ProfileFacts
from tui.options import RunOptions

FIND_DEADLINE_S = 5.0
"""Between two reports that k6's connections lead to no process that we can see."""


class SystemUnderTest:
    """Knows the server's processes and keeps the profilers on them.

    Attributes:
        profiler: Takes stacks where the server computes; None where that was not wanted.
        off_cpu: Whether waits are recorded too.

    Args:
        options: How the server was named, and how to profile.
        guard: Starts what has to be started.
        clock: The session's clock.
        emit: Takes samples.
        never: Tells more processes that are no server, beside the guard and the profiler.
    """

    def __init__(
        self,
        options: RunOptions,
        guard: Guard,
        clock: Clock,
        emit: Emit,
        never: Callable[[], Collection[int]] = tuple,
    ) -> None:
        self._never = never
        self._options = options
        self._guard = guard
        self._clock = clock
        self._emit = emit
        self._started: StartedTarget | None = None
        self._watch: TargetWatch | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._interner = Interner()
        self.off_cpu = False
        self._waits = OffCpuSource(
            guard, clock, emit, PerfOptions(call_graph=options.call_graph), self._interner
        )
        self.profiler: PerfSource | PySpySource | None = None
        if options.profile:
            perf_options = PerfOptions(
                frequency_hz=options.perf_frequency_hz,
                event=options.perf_event,
                call_graph=options.call_graph,
            )
            self.profiler = PerfSource(guard, clock, emit, perf_options, self._interner)

    @property
    def target(self) -> Target | None:
        """The server as it is now, None while unknown."""
        return self._watch.target if self._watch is not None else None

    @property
    def facts(self) -> ProfileFacts | None:
        """How stacks are taken; None without."""
        frequency_hz = self._options.perf_frequency_hz
        if isinstance(self.profiler, PySpySource):
            return ProfileFacts("py-spy", "threads that hold the GIL", frequency_hz)
        if self.profiler is not None:
            return ProfileFacts("perf", self._options.perf_event, frequency_hz)
        return None

    @property
    def profiler_text(self) -> str:
        """How stacks are taken, for the screen; empty without."""
        facts = self.facts
        if facts is None:
            return ""
        name = facts.event if facts.profiler == "perf" else facts.profiler
        return f"{name} {facts.frequency_hz} Hz"

    @property
    def pids(self) -> Collection[int]:
        """Its living processes."""
        return self._watch.pids() if self._watch is not None else ()

    @property
    def profiler_pids(self) -> Collection[int]:
        """The processes of the profilers that run."""
        profiler = self.profiler.pids if self.profiler is not None else ()
        return (*profiler, *self._waits.pids)

    def toggle_off_cpu(self) -> str:
        """Begin or end to record waits; return why that can't be, or nothing."""
        if not self.off_cpu:
            try:
                self._waits.check()
            except SourceError as error:
                return str(error)
        self.off_cpu = not self.off_cpu
        self._spawn(self._attach_waits() if self.off_cpu else self._waits.detach())
        return ""

    async def open(self) -> None:
        """Start the server or attach to it, where it was named; and profile it.

        Raises:
            SourceError: it can't be started or is not there.
        """
        options = self._options
        if options.command:
            await self._start()
        elif options.pid is not None:
            await self._follow(await asyncio.to_thread(attach_pid, options.pid, self._own_pids()))
        elif options.port is not None:
            await self._follow(await asyncio.to_thread(attach_port, options.port, self._own_pids()))

    async def restart(self) -> None:
        """End the server that we started, and start it again.

        Raises:
            SourceError: it can't be started; none runs then.
        """
        await self._let_go()
        if self._started is not None:
            await self._started.stop()
            self._started = None
        await self._start()

    async def _start(self) -> None:
        options = self._options
        self._started = await start_target(
            self._guard,
            options.command,
            port=options.port,
            ready_url=options.ready_url,
            ready_timeout_s=options.ready_timeout_s,
            clock=self._clock,
            emit_log=self._emit,
            redact=options.redact,
        )
        await self._follow(self._started.target)

    async def find(self, generator_pid: int) -> None:
        """Look for the server at the other end of k6's connections, until it is found."""
        while self._watch is None:
            search = await find_target(
                [generator_pid], (), self._clock, FIND_DEADLINE_S, never=self._own_pids()
            )
            if search.target is not None:
                await self._follow(search.target)
            else:
                self._say(SourceState.DEGRADED, search.message, search.hint)

    async def close(self) -> None:
        """Stop following and profiling; then end the server, if we started it."""
        await self._let_go()
        if self._started is not None:
            await self._started.stop()

    async def _let_go(self) -> None:
        if self.profiler is not None:
            await self.profiler.detach()
        await self._waits.detach()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _own_pids(self) -> Collection[int]:
        return (self._guard.pid, *self.profiler_pids, *self._never())

    async def _follow(self, target: Target) -> None:
        self._watch = TargetWatch(
            target,
            clock=self._clock,
            child=self._started.child if self._started is not None else None,
            never=self._own_pids,
        )
        self._spawn(self._watch.run(self._emit, self._changed))
        await self._attach()
        await self._attach_waits()

    async def _attach_waits(self) -> None:
        if self.off_cpu and self._watch is not None:
            await self._waits.attach(self._watch.pids())

    async def _attach(self) -> None:
        if self.profiler is None or self._watch is None:
            return
        if is_plain_python(self._watch.target.pid) and has_pyspy():
            # perf would show the interpreter's own functions only.
            await self.profiler.detach()
            self.profiler = PySpySource(
                self._guard,
                self._clock,
                self._emit,
                self._options.perf_frequency_hz,
                self._interner,
            )
        await self.profiler.attach(self._watch.pids())

    def _changed(self, target: Target) -> None:
        self._spawn(self._attach())
        self._spawn(self._attach_waits())

    def _say(self, state: SourceState, message: str, hint: str) -> None:
        self._emit(SourceStatus(self._clock(), "target", state, message, hint))

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
