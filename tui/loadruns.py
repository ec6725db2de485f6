"""Runs k6, one process after another: how each is begun, stopped, forced, and what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine
from typing import Final

from collectors.k6.exit_codes import THRESHOLDS_CROSSED
from collectors.k6.run import K6Plan, K6Result, K6Run
from collectors.process import Guard
from collectors.samples import LoadSample, Mark, MarkKind, SourceState, SourceStatus
from collectors.source import Clock, Emit, SourceError
from tui.model.phase import Phase
from tui.model.runclock import RunClock
from tui.operator import Operator

AS_WRITTEN_GRACE_S: Final = 30.0
"""k6's default gracefulStop."""
TEARDOWN_S: Final = 15.0
"""For k6 to end after that."""


class LoadRuns:
    """The runs of k6 in a session.

    Attributes:
        phase: Where the newest is.
        current: The newest k6; None before the first, and while another one is about to begin.
        result: What came of it; None while it runs.
        start_error: Why k6 could not be started at all.
        operator: Who moves the load; None where k6 keeps its own schedule.
        ended: Set whenever no k6 is at work.
        count: How many were begun.
        time: When the newest began, and ended.

    Args:
        guard: Starts k6.
        clock: The session's.
        emit: Takes what k6 tells, and marks.
        duration_s: How long each is to last; None: until it is stopped.
    """

    def __init__(self, guard: Guard, clock: Clock, emit: Emit, duration_s: float | None) -> None:
        self.phase = Phase.STARTING
        self.current: K6Run | None = None
        self.result: K6Result | None = None
        self.start_error: SourceError | None = None
        self.operator: Operator | None = None
        self.ended = asyncio.Event()
        self.count = 0
        self.time = RunClock(duration_s)
        self._guard = guard
        self._clock = clock
        self._emit = emit
        self._duration_s = duration_s
        self._we_stopped = False
        self._before: tuple[K6Run | None, K6Result | None, bool, RunClock] = (
            None,
            None,
            False,
            self.time,
        )
        """The run before this one."""

    @property
    def is_under_way(self) -> bool:
        """Whether one has been begun and not ended."""
        return self.phase.loading and self.count > 0

    def begin(self) -> bool:
        """Make ready for another run; tell whether it may begin: only where none is under way."""
        if self.count and self.phase is not Phase.STOPPED:
            return False
        self.count += 1
        self.phase = Phase.STARTING
        self._before = (self.current, self.result, self._we_stopped, self.time)
        self.current = self.result = None
        self._we_stopped = False
        self.time = RunClock(self._duration_s)
        self.ended.clear()
        return True

    async def run(
        self,
        plan: K6Plan,
        beside: Callable[[int], Coroutine[None, None, None] | None],
        at_end: Callable[[], None],
    ) -> None:
        """Run k6 to its end.

        Args:
            plan: What to run.
            beside: Returns what else is to be done while it runs, told k6's pid; None: nothing.
            at_end: Called when it has ended, before anybody else is told; not where it never began.
        """
        run = self.current = K6Run(self._guard, plan, self._emit, self._clock)
        tasks: list[asyncio.Task[None]] = []
        try:
            if self.phase is Phase.STOPPING:  # meanwhile
                run.stop()
            if not await run.start():
                return
            if self.operator is not None and run.control is not None:
                self.operator.take(run.control)
            self._emit(Mark(self._clock(), MarkKind.START, f"start {run.instance}"))
            tasks.append(asyncio.create_task(self._watch_time()))
            work = beside(run.pid) if run.pid is not None else None
            if work is not None:
                tasks.append(asyncio.create_task(work))
            self.result = await run.wait()
        except SourceError as error:
            self._failed(error)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if self.time.ended_at is None:
                self.time.ended_at = self._clock()
            if run.pid is not None:
                at_end()
            if self.operator is not None:
                self.operator.end()
            self.phase = Phase.STOPPED
            self.ended.set()

    def stop(self) -> None:
        """Ask k6 to end; when it was asked already, end it at once."""
        if not self.is_under_way:
            return
        again = self.phase is Phase.STOPPING
        self.phase = Phase.STOPPING
        self._we_stopped = True
        if not again:
            grace_s = AS_WRITTEN_GRACE_S
            if self.operator is not None:
                self.operator.end()
                grace_s = self.operator.script.graceful_stop_s
            self.time.forced_at = self._clock() + grace_s + TEARDOWN_S
            self._emit(Mark(self._clock(), MarkKind.STOP, "stop"))
        if self.current is not None:
            self.current.stop(force=again)

    def take(self, sample: LoadSample) -> None:
        """Take notice of what k6 sent: as written, its first push tells when the load began."""
        if self.phase is Phase.STARTING and self.operator is None:
            self._has_begun(sample.at - sample.interval_s)

    @property
    def aborted(self) -> bool:
        """Whether k6 ended by itself before it did anything: nothing will come to be seen."""
        if self.start_error is not None:
            return True
        result = self.result
        return (
            result is not None
            and result.exit_code != 0
            and not self._we_stopped
            and self.time.started_at is None
        )

    @property
    def exit_status(self) -> int:
        """What the program exits with: k6's own status, or the verdict of a run that we ended."""
        result = self.result
        if result is None:
            return 0
        if not self._we_stopped:
            return result.exit_code if result.exit_code >= 0 else 128 - result.exit_code
        crossed = result.summary is not None and result.summary.thresholds_crossed
        return THRESHOLDS_CROSSED if crossed else 0

    @property
    def pids(self) -> Collection[int]:
        """Of k6, while it is at work."""
        run = self.current
        return [run.pid] if run is not None and run.pid is not None and self.phase.loading else []

    @property
    def control_pids(self) -> Collection[int]:
        """Of what lets VUs in, while k6 is at work."""
        control = self.current.control if self.current is not None else None
        return control.pids if control is not None and self.phase.loading else ()

    def _failed(self, error: SourceError) -> None:
        if self.count == 1:
            self.start_error = error
        else:  # what is known of the run before stays
            self.current, self.result, self._we_stopped, self.time = self._before
        status = SourceStatus(self._clock(), "k6", SourceState.FAILED, error.message, error.hint)
        self._emit(status)

    async def _watch_time(self) -> None:
        """Stop the load when its time is over, and force it when its grace is."""
        while True:
            await asyncio.sleep(0.05)
            is_over = self._poll_operator() or self.time.is_over(self._clock())
            if (self.phase is Phase.RUNNING and is_over) or self.time.must_be_forced(self._clock()):
                self.stop()

    def _poll_operator(self) -> bool:
        """Let the operator's wishes follow the time; return whether their schedule is over."""
        if self.operator is None:
            return False
        is_over = self.operator.poll()
        if self.phase is Phase.STARTING and self.operator.begun_at is not None:
            self._has_begun(self.operator.begun_at)
        return is_over

    def _has_begun(self, at: float) -> None:
        self.phase = Phase.RUNNING
        self.time.started_at = at
