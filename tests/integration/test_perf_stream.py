"""Real perf on real programs: what comes out is what ran, and nothing stays behind."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from collectors.perf.command import PerfOptions, perf_environment, record_argv, script_argv
from collectors.perf.decode import PerfScriptDecoder
from collectors.perf.interner import Interner
from collectors.perf.losses import parse_lost_from_stderr
from collectors.perf.pipeline import Attachment, start_pipeline
from collectors.perf.source import PerfSource
from collectors.process import Guard
from collectors.samples import Frame, Sample, SourceState, SourceStatus, Stack, StackBatch
from tests.integration.program import needs_compiler, needs_perf
from tests.waiting import eventually

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(60),
    needs_perf,
    needs_compiler,
]

PROGRAM = """
#include <signal.h>
#include <stdint.h>
#include <unistd.h>
static volatile uint64_t sink;
static volatile sig_atomic_t asked;
/* One multiplication waits for the one before: as long on any processor, wherever the code lies. */
#define CHAIN x = x * 6364136223846793005u + i; __asm__("" : "+r"(x));
#define BURN(n) uint64_t x = sink; for (uint64_t i = 0; i < (n); i++) { CHAIN } sink = x;
__attribute__((noinline)) void burn_three(void) { BURN(3000) }
__attribute__((noinline)) void burn_one(void) { BURN(1000) }
__attribute__((noinline)) void burn_child(void) { for (;;) sink++; }
static void on_usr1(int signum) { asked = signum; }
int main(int argc, char **argv) {
    signal(SIGUSR1, on_usr1);
    if (argc > 1 && fork() == 0) burn_child();
    write(1, "x", 1);
    for (;;) {
        burn_three();
        burn_one();
        if (asked) { asked = 0; if (fork() == 0) burn_child(); }
    }
}
"""

QUIET_PROGRAM = """
import time
while True:
    until = time.thread_time() + 0.02
    while time.thread_time() < until:
        pass
    time.sleep(0.18)
"""


class Samples:
    """Keeps what a source emits and wakes whoever waits for it."""

    def __init__(self) -> None:
        self.statuses: list[SourceStatus] = []
        self.batches: list[StackBatch] = []
        self.stacks: dict[int, Stack] = {}
        self.frames: dict[int, Frame] = {}
        self.first_at: float | None = None
        self._changed = asyncio.Event()

    def emit(self, sample: Sample) -> None:
        if isinstance(sample, SourceStatus):
            self.statuses.append(sample)
        elif isinstance(sample, StackBatch):
            self.first_at = self.first_at or time.monotonic()
            self.batches.append(sample)
            self.stacks.update(sample.stacks)
            self.frames.update(sample.frames)
        self._changed.set()

    async def until(self, condition: Callable[[], bool], deadline_s: float) -> None:
        async with asyncio.timeout(deadline_s):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    def samples(self) -> int:
        return sum(count.samples for batch in self.batches for count in batch.counts.values())

    def lost(self) -> int:
        return sum(batch.lost for batch in self.batches)

    def rejected(self) -> int:
        return sum(sum(batch.rejected.values()) for batch in self.batches)

    def leaves(self) -> Counter[str]:
        """Summed periods by the symbol of the leaf."""
        periods: Counter[str] = Counter()
        for batch in self.batches:
            for stack, count in batch.counts.items():
                periods[self.frames[self.stacks[stack].frames[-1]].symbol] += count.period_ns
        return periods

    def holds(self, symbol: str) -> bool:
        return any(frame.symbol == symbol for frame in self.frames.values())

    def states(self) -> list[SourceState]:
        return [status.state for status in self.statuses]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("burner")
    (folder / "burner.c").write_text(PROGRAM)
    subprocess.run(
        ["gcc", "-O1", "-fno-omit-frame-pointer", "-w", "burner.c", "-o", "burner"],
        cwd=folder,
        check=True,
    )
    return str(folder / "burner")


@contextmanager
def running(*argv: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a target that says when it is ready; its whole group ends with the context."""
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, start_new_session=True)
    assert process.stdout is not None
    try:
        assert process.stdout.read(1) == b"x"
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()


def alive(pid: int) -> bool:
    try:
        state = Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def children_of(pid: int) -> list[int]:
    text = Path("/proc", str(pid), "task", str(pid), "children").read_text()
    return [int(child) for child in text.split()]


async def test_two_functions_show_in_their_proportion(guard: Guard, program: str) -> None:
    """Three to one of work is three to one of the samples, and detaching leaves no process."""
    seen = Samples()
    source = PerfSource(guard, time.monotonic, seen.emit, PerfOptions(frequency_hz=499))
    with running(program) as target:
        began = time.monotonic()
        assert await source.attach([target.pid])
        attached_pids = source.pids
        await seen.until(lambda: seen.samples() >= 1500, 30)
        await source.detach()
    periods = seen.leaves()
    share = periods["burn_three"] / (periods["burn_three"] + periods["burn_one"])
    assert share == pytest.approx(0.75, abs=0.05)
    assert seen.states() == [SourceState.STARTING, SourceState.LIVE, SourceState.ENDED]
    assert seen.statuses[1].message.startswith("cpu-clock 499 Hz, fp")
    assert {stack.process for stack in seen.stacks.values()} == {"burner"}
    assert all(int(batch.start) == int(batch.end) for batch in seen.batches)
    assert all(began <= batch.start <= time.monotonic() for batch in seen.batches)
    assert seen.rejected() == 0
    assert len(attached_pids) == 2
    assert not any(alive(pid) for pid in attached_pids)
    assert source.pids == ()


def test_counts_equal_those_of_perf_report(program: str, tmp_path: Path) -> None:
    """The same recording gives the same self counts as perf's own report."""
    perf = shutil.which("perf")
    assert perf is not None
    env = perf_environment(os.environ)
    data = str(tmp_path / "perf.data")
    with running(program, "fork") as target:
        pids = [target.pid, *children_of(target.pid)]
        argv = [*record_argv(perf, PerfOptions(frequency_hz=499), pids), f"--output={data}"]
        recording = subprocess.Popen(argv, env=env, stderr=subprocess.DEVNULL)
        time.sleep(2)  # what is measured is how much comes in two seconds, whatever it is
        recording.send_signal(signal.SIGINT)
        recording.wait()
    seen = Samples()
    text = subprocess.run(script_argv(perf, data), env=env, capture_output=True, check=True).stdout
    decoder = PerfScriptDecoder(Interner(), lambda _pid, _tid: ("burner", "burner"))
    for batch in [*decoder.feed(text), *decoder.close()]:
        seen.emit(batch)
    report = subprocess.run(
        [
            *(perf, "report", "-i", data, "--stdio", "--no-children", "-g", "none"),
            *("-F", "sample,sym", "-t", "|", "--percent-limit", "0"),
        ],
        env=env,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    expected: Counter[str] = Counter()
    for count, symbol in re.findall(r"^\s*(\d+)\s*\|\[.\] (\S+)", report, re.MULTILINE):
        expected[symbol] += int(count)
    counted: Counter[str] = Counter()
    for batch in seen.batches:
        for stack, stack_count in batch.counts.items():
            leaf = seen.frames[seen.stacks[stack].frames[-1]]
            counted[leaf.symbol] += stack_count.samples
    assert sum(expected.values()) > 200
    assert counted == expected


async def test_stacks_of_a_quiet_target_come_in_time(guard: Guard) -> None:
    """Ten samples a second fill no buffer of perf's, and are there within a second all the same."""
    ages: list[float] = []

    def emit(sample: Sample) -> None:
        if isinstance(sample, StackBatch):
            age_s = time.monotonic() - sample.start  # of its oldest
            ages.extend([age_s] * sum(count.samples for count in sample.counts.values()))

    source = PerfSource(guard, time.monotonic, emit)
    quiet = await asyncio.create_subprocess_exec(sys.executable, "-c", QUIET_PROGRAM)
    try:
        assert await source.attach([quiet.pid])
        await eventually(lambda: len(ages) >= 60, 20)
        in_time = sum(age_s <= 1.0 for age_s in ages)
        assert in_time >= 0.95 * len(ages)
        await source.detach()
    finally:
        quiet.kill()
        await quiet.wait()


async def test_lost_samples_are_as_many_as_perf_says(guard: Guard, program: str) -> None:
    """A stalled reader and a tiny ring lose samples; their number is perf's own."""
    perf = shutil.which("perf")
    assert perf is not None
    options = PerfOptions(frequency_hz=20_000, mmap_pages=1)
    seen = Samples()
    decoder = PerfScriptDecoder(Interner(), lambda _pid, _tid: ("burner", "burner"))
    with running(program) as target:
        pipeline = await start_pipeline(guard, perf, options, [target.pid])
        assert await pipeline.attached(5) is Attachment.DONE
        pipeline.script.send_signal(signal.SIGSTOP)
        await asyncio.sleep(2.5)  # the stall is what is tested
        pipeline.script.send_signal(signal.SIGCONT)
        pipeline.interrupt()
        while chunk := await pipeline.text.read(65536):
            for batch in decoder.feed(chunk):
                seen.emit(batch)
        await pipeline.end()
    for batch in decoder.close():
        seen.emit(batch)
    total = parse_lost_from_stderr(pipeline.script_words(), decoder.printed)
    decoder.note_lost_total(total)
    for batch in decoder.flush():
        seen.emit(batch)
    sentence = re.search(r"Processed (\d+) samples", pipeline.script_words())
    assert sentence is not None
    assert seen.lost() > 1000
    assert seen.lost() == total
    assert seen.samples() + seen.lost() == int(sentence[1])
    assert seen.samples() == decoder.printed


async def test_first_stacks_come_within_two_seconds(guard: Guard, program: str) -> None:
    """From the call to the first stack it takes less than two seconds at 99 Hz."""
    seen = Samples()
    source = PerfSource(guard, time.monotonic, seen.emit)
    with running(program) as target:
        began = time.monotonic()
        assert await source.attach([target.pid])
        await seen.until(lambda: seen.first_at is not None, 10)
        await source.detach()
    assert seen.first_at is not None
    assert seen.first_at - began < 2.0


async def test_killed_profiler_is_started_again(guard: Guard, program: str) -> None:
    """After kill -9 of perf record stacks come again within three seconds, and a status says so."""
    seen = Samples()
    source = PerfSource(guard, time.monotonic, seen.emit)
    with running(program) as target:
        assert await source.attach([target.pid])
        await seen.until(lambda: seen.samples() > 20, 10)
        assert seen.statuses[-1].message == "cpu-clock 99 Hz, fp"
        old = source.pids
        os.kill(old[0], signal.SIGKILL)
        await seen.until(lambda: "restarted (1)" in seen.statuses[-1].message, 3)
        assert seen.statuses[-1].state is SourceState.DEGRADED
        known = seen.samples()
        await seen.until(lambda: seen.samples() > known + 20, 10)
        new = source.pids
        assert not set(new) & set(old)
        await source.detach()
    assert not any(alive(pid) for pid in (*old, *new))
    # Ids went on: each stack has one id.
    assert len(set(seen.stacks.values())) == len(seen.stacks)


async def test_profiler_that_always_dies_is_given_up(guard: Guard, program: str) -> None:
    """After five restarts the source is failed, and the session goes on."""
    seen = Samples()
    source = PerfSource(guard, time.monotonic, seen.emit)
    with running(program) as target:
        assert await source.attach([target.pid])
        for restart in range(1, 7):
            os.kill(source.pids[0], signal.SIGKILL)
            wanted = f"restarted ({restart})" if restart < 6 else "profiler died"
            await seen.until(lambda: seen.statuses[-1].message.endswith(wanted), 5)  # noqa: B023
        assert seen.states()[-1] is SourceState.FAILED
        assert source.pids == ()
        await source.detach()


async def test_forks_before_and_after_attaching_are_sampled(guard: Guard, program: str) -> None:
    """Processes given are sampled, and so are those that start later."""
    seen = Samples()
    source = PerfSource(guard, time.monotonic, seen.emit)
    with running(program, "fork") as target:
        assert await source.attach([target.pid, *children_of(target.pid)])
        await seen.until(lambda: seen.holds("burn_child") and seen.holds("burn_three"), 10)
        await source.detach()
    assert seen.rejected() == 0
    seen = Samples()
    source = PerfSource(guard, time.monotonic, seen.emit)
    with running(program) as target:
        assert await source.attach([target.pid])
        await seen.until(lambda: seen.holds("burn_three"), 10)
        target.send_signal(signal.SIGUSR1)
        await seen.until(lambda: seen.holds("burn_child"), 10)
        await source.detach()
    assert seen.rejected() == 0


async def test_end_of_the_target_is_told(guard: Guard, program: str) -> None:
    """When the target exits the source ends, does not start again, and leaves no process."""
    seen = Samples()
    source = PerfSource(guard, time.monotonic, seen.emit)
    with running(program) as target:
        assert await source.attach([target.pid])
        pids = source.pids
        target.kill()
        await seen.until(lambda: seen.states()[-1] is SourceState.ENDED, 10)
    assert seen.statuses[-1].message == "target exited"
    assert not any(alive(pid) for pid in pids)
    assert not await source.reattach([target.pid])
    assert seen.statuses[-1].message == "target exited"


async def test_unknown_event_falls_back(guard: Guard, program: str) -> None:
    """Where there is no such event cpu-clock is used, and the status says why."""
    seen = Samples()
    source = PerfSource(guard, time.monotonic, seen.emit, PerfOptions(event="nosuchevent"))
    with running(program) as target:
        assert await source.attach([target.pid])
        await seen.until(lambda: seen.samples() > 0, 10)
        await source.detach()
    assert seen.statuses[1].state is SourceState.DEGRADED
    assert seen.statuses[1].message == "cpu-clock 99 Hz, fp (no event nosuchevent here)"


async def test_dwarf_unwinding_works_through_the_pipe(guard: Guard, program: str) -> None:
    """With dwarf stacks the root is the start of the process."""
    seen = Samples()
    options = PerfOptions(call_graph="dwarf,4096")
    source = PerfSource(guard, time.monotonic, seen.emit, options)
    with running(program) as target:
        assert await source.attach([target.pid])
        await seen.until(lambda: seen.samples() > 50, 20)
        await source.detach()
    roots = {seen.frames[stack.frames[0]].symbol for stack in seen.stacks.values()}
    assert "_start" in roots


@pytest.fixture
def hostile(program: str, tmp_path: Path) -> str:
    """The program with a symbol that holds a whole sample of another process."""
    copy = str(tmp_path / "burner")
    at = time.monotonic() + 1
    name = f"x (/y)\n\n    1/1     {at:.9f}:   10101010 \n\t            1145 forged (/y"
    subprocess.run(["objcopy", "--redefine-sym", f"burn_three={name}", program, copy], check=True)
    return copy


async def test_symbol_cannot_forge_a_sample(guard: Guard, hostile: str) -> None:
    """A sample that a symbol forges for another process is rejected, and counted."""
    seen = Samples()
    source = PerfSource(guard, time.monotonic, seen.emit)
    with running(hostile) as target:
        assert await source.attach([target.pid])
        await seen.until(lambda: seen.rejected() > 50, 20)
        await source.detach()
    assert not seen.holds("forged")
    assert {reason for batch in seen.batches for reason in batch.rejected} <= {
        "foreign_process",
        "time_out_of_range",
    }
    assert {stack.process for stack in seen.stacks.values()} == {"burner"}
    assert seen.holds("burn_one")
