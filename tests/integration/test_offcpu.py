"""Real perf on programs that wait for known times: what comes out is what they waited for."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from collectors.perf.command import PerfOptions
from collectors.perf.interner import Interner
from collectors.perf.names import is_running
from collectors.perf.offcpu_preflight import TraceEvents, read_tracing
from collectors.perf.offcpu_source import OffCpuSource
from collectors.process import Guard
from collectors.samples import Sample, SourceState, SourceStatus, StackMeasure
from tests.integration.program import needs_compiler, needs_perf
from tests.waiting import eventually
from tui.model.timeline import Timeline, TimeRange
from tui.options import RunOptions
from tui.undertest import SystemUnderTest

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(60),
    needs_perf,
    needs_compiler,
    pytest.mark.skipif(
        os.geteuid() != 0 or read_tracing().events is TraceEvents.NO_TRACEFS,
        reason="to record waits takes root and a kernel with trace events",
    ),
]

PROGRAM = """
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#define MS 1000000L
static volatile uint64_t sink;
static volatile sig_atomic_t asked;
static _Atomic long slept_whole, slept_half;
static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
static long now(clockid_t clock) {
    struct timespec t; clock_gettime(clock, &t); return t.tv_sec * 1000 * MS + t.tv_nsec;
}
/* libc keeps no frame of its own, so perf misses whoever calls it: nap and take, not theirs. */
__attribute__((noinline)) static long nap(long ns) {
    struct timespec t = {ns / (1000 * MS), ns % (1000 * MS)};
    long began = now(CLOCK_MONOTONIC);
    nanosleep(&t, 0);
    return now(CLOCK_MONOTONIC) - began;
}
static void burn(long ns) {
    long end = now(CLOCK_THREAD_CPUTIME_ID) + ns;
    while (now(CLOCK_THREAD_CPUTIME_ID) < end) sink++;
}
__attribute__((noinline)) void doze_whole(void) { slept_whole += nap(20 * MS); sink++; }
__attribute__((noinline)) void doze_half(void) { slept_half += nap(20 * MS); sink++; }
__attribute__((noinline)) static void take(void) { pthread_mutex_lock(&held); sink++; }
__attribute__((noinline)) void stuck(void) { take(); sink++; }
static void *whole(void *_) { for (;;) doze_whole(); }
static void *half(void *_) { for (;;) { doze_half(); burn(20 * MS); } }
static void *busy(void *_) { for (;;) burn(20 * MS); }
static void *brief(void *_) { sink++; return 0; }
static void start(const char *name, void *(*run)(void *)) {
    pthread_t thread; pthread_create(&thread, 0, run, 0); pthread_setname_np(thread, name);
}
static void on_usr1(int signum) { asked = 1; }
static void brief_threads(void) {
    for (;;) {
        pthread_t thread;
        pthread_create(&thread, 0, brief, 0);
        pthread_join(thread, 0);
        nap(5 * MS);
    }
}
int main(int argc, char **argv) {
    signal(SIGUSR1, on_usr1);
    if (!strcmp(argv[1], "stuck")) {
        pthread_mutex_lock(&held);
        write(1, "x", 1);
        while (!asked) doze_whole();
        stuck();
    }
    if (!strcmp(argv[1], "brief")) {
        write(1, "x", 1);
        brief_threads();
    }
    start("whole", whole); start("half", half); start("busy", busy);
    write(1, "x", 1);
    for (;;) {
        printf("%ld %ld %ld\\n", now(CLOCK_MONOTONIC), slept_whole, slept_half);
        fflush(stdout);
        nap(50 * MS);
    }
}
"""


class Waits:
    """Keeps what is emitted, and adds up waits by thread and function."""

    def __init__(self) -> None:
        self.timeline = Timeline(time.monotonic())
        self.statuses: list[SourceStatus] = []

    def emit(self, sample: Sample) -> None:
        self.timeline.append(sample)
        if isinstance(sample, SourceStatus) and sample.source == "off-cpu":
            self.statuses.append(sample)

    def states(self) -> list[SourceState]:
        return [status.state for status in self.statuses]

    def waited_s(
        self, window: TimeRange, thread: str | None = None, function: str | None = None
    ) -> float:
        """Seconds waited in a range, by all threads and in all functions if none is named."""
        return self._sum(window, thread, function)[0]

    def waits(self, window: TimeRange, thread: str) -> int:
        """How many waits of a thread ended in a range."""
        return self._sum(window, thread, None)[1]

    def _sum(
        self, window: TimeRange, thread: str | None, function: str | None
    ) -> tuple[float, int]:
        table, period_ns, samples = self.timeline.stacks, 0, 0
        for number, count in self.timeline.stacks_in(window, StackMeasure.OFF_CPU).items():
            stack = table.stack(number)
            symbols = {frame.symbol for frame in table.frames_of(number)}
            assert stack is not None
            if thread in (None, stack.thread) and (function is None or function in symbols):
                period_ns += count.period_ns
                samples += count.samples
        return period_ns / 1e9, samples


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("waiter")
    (folder / "waiter.c").write_text(PROGRAM)
    subprocess.run(
        ["gcc", "-O1", "-fno-omit-frame-pointer", "-w", "-pthread", "waiter.c", "-o", "waiter"],
        cwd=folder,
        check=True,
    )
    return str(folder / "waiter")


@contextmanager
def running(*argv: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a target that says when it is ready; it ends with the context."""
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, start_new_session=True)
    assert process.stdout is not None
    try:
        assert process.stdout.read(1) == b"x"
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def alive(pids: Iterable[int]) -> list[int]:
    return [pid for pid in pids if is_running(pid)]


def source_of(guard: Guard, seen: Waits) -> OffCpuSource:
    return OffCpuSource(guard, time.monotonic, seen.emit, PerfOptions(), Interner())


async def seconds_recorded(seen: Waits, seconds: int) -> TimeRange:
    """Wait for some whole seconds after those in which waits may have begun unseen."""
    stacked = seen.timeline.stacked
    await eventually(lambda: stacked(StackMeasure.OFF_CPU), 15)
    first = stacked(StackMeasure.OFF_CPU)
    assert first is not None
    window = TimeRange(int(first.start) + 2.0, int(first.start) + 2.0 + seconds)
    await eventually(
        lambda: (now := stacked(StackMeasure.OFF_CPU)) and now.end > window.end, seconds + 15
    )
    return window


class Truth:
    """What the program says of itself, at any moment between two of its lines."""

    def __init__(self, target: subprocess.Popen[bytes], until: float) -> None:
        assert target.stdout is not None
        self._rows: list[list[float]] = []
        while not self._rows or self._rows[-1][0] <= until:
            self._rows.append([int(word) / 1e9 for word in target.stdout.readline().split()])

    def slept_s(self, column: int, window: TimeRange) -> float:
        return self._at(column, window.end) - self._at(column, window.start)

    def _at(self, column: int, moment: float) -> float:
        before, after = next(
            (one, other)
            for one, other in zip(self._rows, self._rows[1:], strict=False)
            if one[0] <= moment < other[0]
        )
        share = (moment - before[0]) / (after[0] - before[0])
        return before[column] + share * (after[column] - before[column])


async def test_waits_are_as_long_as_the_threads_slept(guard: Guard, program: str) -> None:
    """Within 5 %, under the function that sleeps; a thread that computes has hardly any."""
    seen = Waits()
    source = source_of(guard, seen)
    with running(program, "all") as target:
        assert await source.attach([target.pid])
        pids = source.pids
        window = await seconds_recorded(seen, 4)
        await source.detach()
        truth = Truth(target, window.end)
    for column, name in ((1, "whole"), (2, "half")):
        slept_s = truth.slept_s(column, window)
        assert seen.waited_s(window, name, f"doze_{name}") == pytest.approx(slept_s, rel=0.05)
        assert seen.waited_s(window, name) == pytest.approx(slept_s, rel=0.05)
        assert seen.waits(window, name) == pytest.approx(slept_s / 0.02, rel=0.1)
    assert seen.waited_s(window, "busy") < 0.02 * window.duration_s
    assert seen.timeline.drop_counts() == {}
    assert len(pids) == 3
    assert source.pids == ()
    assert not alive(pids)
    assert seen.states() == [SourceState.STARTING, SourceState.LIVE, SourceState.ENDED]


async def test_a_wait_that_does_not_end_is_seen(guard: Guard, program: str) -> None:
    """A server in which nothing moves any more tells where it is stuck, second by second."""
    seen = Waits()
    source = source_of(guard, seen)
    with running(program, "stuck") as target:
        assert await source.attach([target.pid])
        await seconds_recorded(seen, 0)
        target.send_signal(signal.SIGUSR1)
        began = time.monotonic()

        def stuck_s() -> float:
            return seen.waited_s(TimeRange(began - 1, time.monotonic()), function="stuck")

        await eventually(lambda: stuck_s() > 2.0, 10)
        await source.detach()
    whole_second = TimeRange(int(began) + 1.0, int(began) + 2.0)
    assert seen.waited_s(whole_second, function="stuck") == pytest.approx(1.0, abs=1e-6)


async def test_threads_that_have_ended_wait_for_nothing(guard: Guard, program: str) -> None:
    """The last switch of a thread is not the beginning of a wait."""
    seen = Waits()
    source = source_of(guard, seen)
    with running(program, "brief") as target:
        assert await source.attach([target.pid])
        window = await seconds_recorded(seen, 2)
        await source.detach()
    # Only the first thread waits, and there is but one of it.
    assert seen.waited_s(window) == pytest.approx(window.duration_s, rel=0.1)


async def test_the_end_of_the_target_is_the_end(guard: Guard, program: str) -> None:
    """The pulse ends with it, so perf ends too; attaching to what is gone is told."""
    seen = Waits()
    source = source_of(guard, seen)
    with running(program, "all") as target:
        assert await source.attach([target.pid])
        pids = source.pids
        target.kill()
        await eventually(lambda: seen.states()[-1] is SourceState.ENDED, 10)
    assert seen.statuses[-1].message == "target exited"
    await eventually(lambda: not alive(pids))
    assert not await source.attach([target.pid])
    assert source.pids == ()


async def test_a_perf_that_died_is_started_again(guard: Guard, program: str) -> None:
    """With a pulse of its own, and waits come again."""
    seen = Waits()
    source = source_of(guard, seen)
    with running(program, "all") as target:
        assert await source.attach([target.pid])
        await seconds_recorded(seen, 0)
        old = source.pids
        os.kill(old[0], signal.SIGKILL)
        await eventually(lambda: seen.statuses[-1].message.endswith("restarted (1)"), 10)
        began = time.monotonic()
        await eventually(lambda: seen.waited_s(TimeRange(began, time.monotonic()), "whole"), 10)
        new = source.pids
        await source.detach()
    assert not set(old) & set(new)
    assert not alive([*old, *new])


async def test_a_perf_that_is_given_up_takes_the_pulse_with_it(
    guard: Guard, program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing wakes up for a recording that is none."""
    monkeypatch.setattr("collectors.perf.source.MAX_RESTARTS", 0)
    seen = Waits()
    source = source_of(guard, seen)
    with running(program, "all") as target:
        assert await source.attach([target.pid])
        pids = source.pids
        os.kill(pids[0], signal.SIGKILL)
        await eventually(lambda: seen.states()[-1] is SourceState.FAILED, 10)
        await eventually(lambda: not alive(pids))
    assert source.pids == ()


async def test_very_many_switches_are_told(
    guard: Guard, program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They cost the target, so the source says that it is degraded."""
    monkeypatch.setattr("collectors.perf.offcpu_source.MUCH_PER_S", 100)
    monkeypatch.setattr("collectors.perf.offcpu_source.RATE_OVER_S", 0.5)
    seen = Waits()
    source = source_of(guard, seen)
    with running(program, "all") as target:
        assert await source.attach([target.pid])
        await eventually(lambda: seen.states()[-1] is SourceState.DEGRADED, 10)
        await source.detach()
    (told,) = (each for each in seen.statuses if each.state is SourceState.DEGRADED)
    assert re.fullmatch(r"\d+ thread switches/s", told.message)
    assert told.hint


MONITOR = """
import asyncio, sys, time
from collectors.perf.command import PerfOptions
from collectors.perf.interner import Interner
from collectors.perf.offcpu_source import OffCpuSource
from collectors.guard_start import guard_running

async def main():
    async with guard_running() as guard:
        source = OffCpuSource(guard, time.monotonic, lambda _: None, PerfOptions(), Interner())
        assert await source.attach([int(sys.argv[1])])
        print(*source.pids, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


def kill_monitor_of(target: int) -> list[int]:
    """Let a process of its own record the target, kill it, and return what it had started."""
    argv = [sys.executable, "-c", MONITOR, str(target)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as monitor:
        assert monitor.stdout is not None
        pids = [int(word) for word in monitor.stdout.readline().split()]
        monitor.kill()
    return pids


async def test_a_killed_monitor_leaves_nothing_behind(program: str) -> None:
    """Perf and the pulse end with it, the target goes on."""
    with running(program, "all") as target:
        pids = kill_monitor_of(target.pid)
        assert len(pids) == 3
        await eventually(lambda: not alive(pids))
        assert alive([target.pid])


def under_test(guard: Guard, seen: Waits, options: RunOptions) -> SystemUnderTest:
    return SystemUnderTest(options, guard, time.monotonic, seen.emit)


async def test_both_profilers_share_a_table(guard: Guard, program: str) -> None:
    """Switched on and off beside the samples, waits have stacks of the same table."""
    seen = Waits()
    with running(program, "all") as target:
        subject = under_test(guard, seen, RunOptions(Path("x.js"), pid=target.pid))
        assert subject.toggle_off_cpu() == ""
        assert subject.off_cpu
        await subject.open()
        assert len(subject.profiler_pids) == 5
        window = await seconds_recorded(seen, 1)
        assert subject.toggle_off_cpu() == ""
        assert not subject.off_cpu
        await eventually(lambda: len(subject.profiler_pids) == 2)
        await subject.close()
    assert subject.profiler_pids == ()
    assert seen.waited_s(window, "whole", "doze_whole") > 0.9
    table = seen.timeline.stacks
    computed = {
        frame.symbol
        for number in seen.timeline.stacks_in(TimeRange(0.0, time.monotonic()))
        for frame in table.frames_of(number)
    }
    assert "busy" in computed
    assert table.unknown_ids == 0


async def test_waits_follow_a_server_that_is_started_anew(guard: Guard) -> None:
    """After a restart those of the new process are recorded."""
    seen = Waits()
    command = (sys.executable, "-m", "http.server", "0", "--bind", "127.0.0.1")
    options = RunOptions(Path("x.js"), command=command, profile=False)
    subject = under_test(guard, seen, options)
    await subject.open()
    assert subject.toggle_off_cpu() == ""
    await seconds_recorded(seen, 0)
    await subject.restart()
    began = time.monotonic()
    await eventually(lambda: seen.waited_s(TimeRange(began, time.monotonic())) > 0.5, 10)
    assert len(subject.profiler_pids) == 3
    await subject.close()
    assert subject.profiler_pids == ()
