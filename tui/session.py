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
from collectors.k6.preflight import require_k6, require_script
from collectors.k6.run import K6Plan
from collectors.lag import LagWatch, watch_lag
from collectors.process import Guard
from collectors.recording.recorder import Recorder
from collectors.runstate import RunState
from collectors.samples import (
    LoadSample,
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
from tui.idlework import thin
from tui.loadruns import LoadRuns
from tui.logbook import Logbook, end_of
from tui.model.facts import facts_of
from tui.model.phase import Phase, RunFacts
from tui.model.thinning import HISTORY_BYTES
from tui.model.timeline import Timeline
from tui.operator import Operator, find_operator
from tui.options import RunOptions
from tui.rebuild import NO_COMMAND, keep_run, rebuild_target
from tui.undertest import SystemUnderTest
from tui.watched import Offer

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
        self.timeline = Timeline(clock(), HISTORY_BYTES)
        self.load = LoadRuns(guard, clock, self.append, options.duration_s)
        self.offers: tuple[Offer, ...] = ()
        self.leaving = False
        """Whether the program was told to end: the screen closes when the load has ended."""
        self.no_control_reason = ""
        """Why there is no operator."""
        self._guard = guard
        self._logbook = Logbook(self.timeline, clock)
        self._name = name or sanitise(options.script.name, 60)
        self._note = note
        self._script_env = script_env
        self._binary: K6Binary | None = None
        self._under_test = SystemUnderTest(
            options, guard, clock, self.append, lambda: self.load.control_pids
        )
        self._is_rebuilding = False
        self._tasks: set[asyncio.Task[None]] = set()

    def append(self, sample: Sample) -> None:
        """Take one sample from a source."""
        self.timeline.append(sample)
        if isinstance(sample, LoadSample):
            self.load.take(sample)
            for at in self.load.time.edges(self.options.warm_up_s):
                self.timeline.keep_border(at)

    @property
    def phase(self) -> Phase:
        """Where the load is."""
        return self.load.phase

    @property
    def operator(self) -> Operator | None:
        """Who moves the load; None where k6 keeps its own schedule."""
        return self.load.operator

    @property
    def aborted(self) -> bool:
        """Whether nothing will come to be seen."""
        return self.load.aborted

    def record_to(self, recorder: Recorder) -> None:
        """Keep everything from now on in a recording too."""
        self._logbook.record_to(recorder)
        self._logbook.note(self.state())

    async def open(self) -> None:
        """Check what can be checked, start or find the server, attach the profiler.

        Raises:
            SourceError: something that the run needs is missing.
        """
        require_script(self.options.script)
        self._binary = await require_k6(self._guard, self.options.k6, os.environ)
        env = {**os.environ, **self._script_env(None)}
        self.load.operator, self.no_control_reason = await find_operator(
            self._guard, self._binary, self.options, env, self.timeline, self.clock
        )
        if not self.options.redact:
            self.append(SourceStatus(self.clock(), "secrets", SourceState.DEGRADED, *UNREDACTED))
        await self._under_test.open()
        host = HostSource(self.clock, self._roles)
        self._spawn(host.run(self.append))
        self._spawn(self._logbook.keep(self.state))
        self._spawn(watch_lag(self.clock, self.append, LagWatch()))
        self._spawn(thin(self.timeline))

    def start_load(self) -> None:
        """Start k6; a new process every time."""
        if self.load.begin():
            self._spawn(self.load.run(self._plan(), self._find_target, self._load_has_ended))

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
                await self.load.ended.wait()
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
        return f"run {self.load.count}"

    def leave(self) -> None:
        """End the load, and then the program; a second time: at once."""
        self.leaving = True
        self.stop_load()

    def stop_load(self) -> None:
        """Ask k6 to end; when it was asked already, end it at once."""
        self.load.stop()

    async def close(self) -> None:
        """End everything in order. Nothing that we started is running afterwards."""
        if self.load.is_under_way:
            self.stop_load()
            await self.load.ended.wait()
        await self._under_test.close()
        self.load.phase = Phase.CLOSED
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._logbook.close(self.state())

    @property
    def target(self) -> Target | None:
        """The server as it is now, None while unknown."""
        return self._under_test.target

    def facts(self) -> RunFacts:
        """Return what the status lines say beside the timeline."""
        aim = self.operator.aim() if self.operator is not None else None
        return facts_of(self.state(), self.timeline, self.clock(), aim)

    def about(self) -> About:
        """Return what exports tell of the run."""
        return self._logbook.about(self.state())

    def state(self) -> RunState:
        """Return what is known of the run beside what was measured."""
        target, clock = self._under_test.target, self.load.time
        return RunState(
            at=self.clock(),
            phase=self.phase.value,
            script=self._name,
            k6_version=self._binary.version if self._binary else "",
            target=str(target) if target is not None else "",
            profiler=self._under_test.profiler_text,
            control=self.control_name if self._binary is not None else "",
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
        load, now = self.load, self.clock()
        result = load.result
        target = self._under_test.target
        return RunRecord(
            mode="interactive" if self.operator is not None else "as-written",
            control=self.control_name,
            started_at=load.time.started_at if load.time.started_at is not None else now,
            ended_at=load.time.ended_at if load.time.ended_at is not None else now,
            warm_up_s=self.options.warm_up_s,
            k6_version=self._binary.version,
            k6_path=self._binary.path,
            k6_exit_code=result.exit_code if result else None,
            exit_status=load.exit_status,
            target=str(target) if target is not None else "",
            instance=load.current.instance if load.current is not None else "",
            figures=result.summary if result else None,
            withheld=(result.withheld_requests or 0) if result else 0,
            profile=self._under_test.facts,
        )

    def _plan(self) -> K6Plan:
        assert self._binary is not None
        return K6Plan(
            binary=self._binary,
            script=str(self.options.script),
            arguments=self.options.k6_args,
            env={**os.environ, **self._script_env(self._under_test.target)},
            redact=self.options.redact,
            instance=f"k6-{self.load.count}",
            interactive=self.operator.new_run() if self.operator is not None else None,
        )

    def _find_target(self, k6_pid: int) -> Coroutine[None, None, None] | None:
        return self._under_test.find(k6_pid) if self.target is None else None

    def _load_has_ended(self) -> None:
        """Keep the run as a baseline, and what came of it."""
        ended_at = self.load.time.ended_at
        kept = keep_run(self.timeline, self.run_name, ended_at) if ended_at is not None else None
        if kept is not None:
            self.append(kept)
        if self.load.time.started_at is not None:
            self.append(end_of(self.record(), self.clock()))

    def _warm_up_note(self) -> str:
        seconds, started_at = self.options.warm_up_s, self.load.time.started_at
        if not seconds:
            return ""
        if started_at is None or self.clock() < started_at + seconds:
            return f"warming up: the first {seconds:g} s are left out of the summary"
        return f"without the first {seconds:g} s"

    def _roles(self) -> Mapping[Role, Collection[int]]:
        guard = (self._guard.pid, self._guard.keeper_pid)
        own = [os.getpid(), *guard, *self._under_test.profiler_pids, *self.load.control_pids]
        return {
            Role.TARGET: self._under_test.pids,
            Role.GENERATOR: self.load.pids,
            Role.MONITOR: own,
        }

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
