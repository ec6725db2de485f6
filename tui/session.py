"""One run from start to end: the only place that appends to the timeline.

The same session runs under the screen and without one. It starts what was asked for, feeds every
sample into the timeline, carries out commands, and ends everything in order: k6 first, so that it
can finish its requests, then the profiler, and last the server, if it is ours.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Collection, Coroutine, Mapping
from typing import Final

from collectors.host import HostSource
from collectors.k6.binary import K6Binary
from collectors.k6.exit_codes import THRESHOLDS_CROSSED
from collectors.k6.preflight import require_k6, require_script
from collectors.k6.run import K6Plan, K6Result, K6Run
from collectors.lag import LagWatch, watch_lag
from collectors.process import Guard
from collectors.recording.recorder import Recorder
from collectors.runstate import RunState
from collectors.samples import (
    LoadSample,
    Mark,
    MarkKind,
    Role,
    Sample,
    SourceState,
    SourceStatus,
)
from collectors.source import Clock, SourceError
from collectors.target import Target
from collectors.text import sanitise
from tui.export.about import About
from tui.export.summary import RunRecord
from tui.logbook import Logbook, end_of
from tui.model.facts import facts_of
from tui.model.phase import Phase, RunFacts
from tui.model.runclock import RunClock
from tui.model.timeline import Timeline
from tui.operator import Operator, find_operator
from tui.options import RunOptions
from tui.rebuild import NO_COMMAND, keep_run, rebuild_target
from tui.undertest import SystemUnderTest
from tui.watched import Offer

AS_WRITTEN_GRACE_S: Final = 30.0
"""k6's default gracefulStop."""
TEARDOWN_S: Final = 15.0
"""For k6 to end after that."""

UNREDACTED: Final = (
    "--no-redact: query values, user names, passwords and tokens in URLs and logs are kept",
    "think of who may see the screen, the recording and what is exported",
)


class Session:
    """A run of k6 against a server, observed.

    Args:
        options: What was asked for.
        guard: Starts all children.
        clock: `time.monotonic`, unless testing.
        name: What the screen calls the script.
        note: Something to know about the whole run.
        script_env: Tells what k6 gets into its environment once the server is known.
    """

    def __init__(
        self,
        options: RunOptions,
        guard: Guard,
        clock: Clock = time.monotonic,
        *,
        name: str = "",
        note: str = "",
        script_env: Callable[[Target | None], Mapping[str, str]] = lambda _: {},
    ) -> None:
        self.options = options
        self.clock = clock
        self.timeline = Timeline(clock())
        self.phase = Phase.STARTING
        self.offers: tuple[Offer, ...] = ()
        self.run: K6Run | None = None
        self.result: K6Result | None = None
        self.start_error: SourceError | None = None
        """Why k6 could not be started at all."""
        self.leaving = False
        """Whether the program was told to end: the screen closes when the load has ended."""
        self.operator: Operator | None = None
        """Who moves the load; None where k6 keeps its own schedule."""
        self.no_control_reason = ""
        """Why there is no operator."""
        self.load_ended = asyncio.Event()
        """Set whenever no k6 is at work."""
        self._guard = guard
        self._logbook = Logbook(self.timeline, clock)
        self._name = name or sanitise(options.script.name, 60)
        self._note = note
        self._script_env = script_env
        self._binary: K6Binary | None = None
        self._under_test = SystemUnderTest(options, guard, clock, self.append, self._control_pids)
        self._runs = 0
        self._we_stopped = False
        self._time = RunClock(options.duration_s)
        self._before: tuple[K6Run | None, K6Result | None, bool, RunClock] = (
            None,
            None,
            False,
            self._time,
        )
        """The run before this one."""
        self._is_rebuilding = False
        self._tasks: set[asyncio.Task[None]] = set()

    def append(self, sample: Sample) -> None:
        """Take one sample from a source."""
        self.timeline.append(sample)
        has_begun = self.phase is Phase.STARTING and self.operator is None
        if has_begun and isinstance(sample, LoadSample):
            self._load_has_begun(sample.at - sample.interval_s)

    def record_to(self, recorder: Recorder) -> None:
        """Keep everything from now on in a recording too."""
        self._logbook.record_to(recorder)

    async def open(self) -> None:
        """Check what can be checked, start or find the server, attach the profiler.

        Raises:
            SourceError: something that the run needs is missing.
        """
        require_script(self.options.script)
        self._binary = await require_k6(self._guard, self.options.k6, os.environ)
        env = {**os.environ, **self._script_env(None)}
        self.operator, self.no_control_reason = await find_operator(
            self._guard, self._binary, self.options, env, self.timeline, self.clock
        )
        if not self.options.redact:
            self.append(SourceStatus(self.clock(), "secrets", SourceState.DEGRADED, *UNREDACTED))
        await self._under_test.open()
        host = HostSource(self.clock, self._roles)
        self._spawn(host.run(self.append))
        self._spawn(self._logbook.keep(self.state))
        self._spawn(watch_lag(self.clock, self.append, LagWatch()))

    def start_load(self) -> None:
        """Start k6; a new process every time."""
        if self._runs and self.phase is not Phase.STOPPED:
            return
        self._runs += 1
        self.phase = Phase.STARTING
        self._before = (self.run, self.result, self._we_stopped, self._time)
        self.result = None
        self._we_stopped = False
        self._time = RunClock(self.options.duration_s)
        self.load_ended.clear()
        self._spawn(self._load())

    def rebuild(self) -> str:
        """Build and start the server anew, and load it again; return why not, or nothing."""
        if not self.options.command:
            return NO_COMMAND
        if self._is_rebuilding:
            return "the server is being built"
        self._is_rebuilding = True
        self._spawn(self._rebuild())
        return ""

    async def _rebuild(self) -> None:
        try:
            if self.phase.loading:
                self.stop_load()
                await self.load_ended.wait()
            await rebuild_target(
                self._guard, self.options, self._under_test, self.clock, self.append
            )
            self._is_rebuilding = False
            self.start_load()
        except SourceError as error:
            state = SourceStatus(
                self.clock(), "target", SourceState.FAILED, error.message, error.hint
            )
            self.append(state)
        finally:
            self._is_rebuilding = False

    @property
    def off_cpu(self) -> bool:
        """Whether waits are recorded too."""
        return self._under_test.off_cpu

    def toggle_off_cpu(self) -> str:
        """Begin or end to record waits; return why that can't be, or nothing."""
        return self._under_test.toggle_off_cpu()

    @property
    def run_name(self) -> str:
        """What the newest run is called as a baseline, once it has ended."""
        return f"run {self._runs}"

    def leave(self) -> None:
        """End the load, and then the program; a second time: at once."""
        self.leaving = True
        self.stop_load()

    def stop_load(self) -> None:
        """Ask k6 to end; when it was asked already, end it at once."""
        if self.run is None or not self.phase.loading:
            return
        again = self.phase is Phase.STOPPING
        self.phase = Phase.STOPPING
        self._we_stopped = True
        if not again:
            grace_s = AS_WRITTEN_GRACE_S
            if self.operator is not None:
                self.operator.end()
                grace_s = self.operator.script.graceful_stop_s
            self._time.forced_at = self.clock() + grace_s + TEARDOWN_S
            self._mark(MarkKind.STOP, "stop")
        self.run.stop(force=again)

    async def close(self) -> None:
        """End everything in order. Nothing that we started is running afterwards."""
        if self.phase.loading and self._runs:
            self.stop_load()
            await self.load_ended.wait()
        await self._under_test.close()
        self.phase = Phase.CLOSED
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._logbook.close(self.state())

    @property
    def target(self) -> Target | None:
        """The server as it is now, None while unknown."""
        return self._under_test.target

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
            and self._time.started_at is None
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

    def facts(self) -> RunFacts:
        """Return what the status lines say beside the timeline."""
        aim = self.operator.aim() if self.operator is not None else None
        return facts_of(self.state(), self.timeline, self.clock(), aim)

    def about(self) -> About:
        """Return what exports tell of the run."""
        return self._logbook.about(self.state())

    def state(self) -> RunState:
        """Return what is known of the run beside what was measured."""
        target, clock = self._under_test.target, self._time
        return RunState(
            at=self.clock(),
            phase=self.phase.value,
            script=self._name,
            k6_version=self._binary.version if self._binary else "",
            target=str(target) if target is not None else "",
            profiler=self._under_test.profiler_text,
            control=self.control_name,
            note=self._warm_up_note() or ("building" if self._is_rebuilding else self._note),
            no_control_reason=self.no_control_reason if self.options.is_interactive else "",
            started_at=clock.started_at,
            ended_at=clock.ended_at,
            forced_at=clock.forced_at,
            duration_s=self.options.duration_s,
            ceiling=self.operator.ceiling if self.operator is not None else None,
        )

    @property
    def control_name(self) -> str:
        """How the load is moved, as the screen calls it."""
        return self.operator.script.transport.value if self.operator is not None else "as written"

    def record(self) -> RunRecord:
        """Return what the summary file says beside the timeline."""
        assert self._binary is not None
        result, now = self.result, self.clock()
        target = self._under_test.target
        return RunRecord(
            mode="interactive" if self.operator is not None else "as-written",
            control=self.control_name,
            started_at=self._time.started_at if self._time.started_at is not None else now,
            ended_at=self._time.ended_at if self._time.ended_at is not None else now,
            warm_up_s=self.options.warm_up_s,
            k6_version=self._binary.version,
            k6_path=self._binary.path,
            k6_exit_code=result.exit_code if result else None,
            exit_status=self.exit_status,
            target=str(target) if target is not None else "",
            instance=self.run.instance if self.run is not None else "",
            figures=result.summary if result else None,
            withheld=(result.withheld_requests or 0) if result else 0,
            profile=self._under_test.facts,
        )

    async def _load(self) -> None:
        assert self._binary is not None
        plan = K6Plan(
            binary=self._binary,
            script=str(self.options.script),
            arguments=self.options.k6_args,
            env={**os.environ, **self._script_env(self._under_test.target)},
            redact=self.options.redact,
            instance=f"k6-{self._runs}",
            interactive=self.operator.new_run() if self.operator is not None else None,
        )
        run = self.run = K6Run(self._guard, plan, self.append, self.clock)
        helpers: list[asyncio.Task[None]] = []
        try:
            await run.start()
            if self.operator is not None and run.control is not None:
                self.operator.take(run.control)
            self._mark(MarkKind.START, f"start {run.instance}")
            helpers.append(asyncio.create_task(self._watch_time()))
            if self._under_test.target is None and run.pid is not None:
                helpers.append(asyncio.create_task(self._under_test.find(run.pid)))
            self.result = await run.wait()
        except SourceError as error:
            self._failed(error)
        finally:
            for helper in helpers:
                helper.cancel()
            await asyncio.gather(*helpers, return_exceptions=True)
            if self._time.ended_at is None:
                self._time.ended_at = self.clock()
            kept = keep_run(self.timeline, self.run_name, self._time.ended_at)
            if kept is not None:
                self.append(kept)
            if self._time.started_at is not None:
                self.append(end_of(self.record(), self.clock()))
            if self.operator is not None:
                self.operator.end()
            self.phase = Phase.STOPPED
            self.load_ended.set()

    def _failed(self, error: SourceError) -> None:
        if self._runs == 1:
            self.start_error = error
        else:  # what is known of the run before stays
            self.run, self.result, self._we_stopped, self._time = self._before
        status = SourceStatus(self.clock(), "k6", SourceState.FAILED, error.message, error.hint)
        self.timeline.append(status)

    async def _watch_time(self) -> None:
        """Stop the load when its time is over, and force it when its grace is."""
        while True:
            await asyncio.sleep(0.05)
            is_over = self._poll_operator() or self._time.is_over(self.clock())
            if (self.phase is Phase.RUNNING and is_over) or self._time.must_be_forced(self.clock()):
                self.stop_load()

    def _poll_operator(self) -> bool:
        """Let the operator's wishes follow the time; return whether their schedule is over."""
        if self.operator is None:
            return False
        is_over = self.operator.poll()
        if self.phase is Phase.STARTING and self.operator.begun_at is not None:
            self._load_has_begun(self.operator.begun_at)
        return is_over

    def _load_has_begun(self, at: float) -> None:
        self.phase = Phase.RUNNING
        self._time.started_at = at

    def _warm_up_note(self) -> str:
        seconds, started_at = self.options.warm_up_s, self._time.started_at
        if not seconds:
            return ""
        if started_at is None or self.clock() < started_at + seconds:
            return f"warming up: the first {seconds:g} s are left out of the summary"
        return f"without the first {seconds:g} s"

    def _roles(self) -> Mapping[Role, Collection[int]]:
        run = self.run
        generator = [run.pid] if run is not None and run.pid is not None else []
        own = [os.getpid(), self._guard.pid, *self._under_test.profiler_pids]
        own += self._control_pids()
        return {
            Role.TARGET: self._under_test.pids,
            Role.GENERATOR: generator if self.phase.loading else [],
            Role.MONITOR: own,
        }

    def _control_pids(self) -> Collection[int]:
        control = self.run.control if self.run is not None else None
        return control.pids if control is not None and self.phase.loading else ()

    def _mark(self, kind: MarkKind, text: str) -> None:
        self.timeline.append(Mark(self.clock(), kind, text))

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
