"""What perf loses is told to the sample; a profiler or a target that dies is told soon."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from collectors.perf.command import PerfOptions
from collectors.perf.source import MAX_RESTARTS, PerfSource
from collectors.process import Guard
from collectors.samples import SourceState
from tests.faults.busy_target import Records, Seen, built, children_of, keeping_perf, running
from tests.faults.conftest import Report
from tests.integration.program import needs_compiler, needs_perf
from tests.waiting import eventually

STALL_S = 3.0
MAX_RESTART_S = 3.0
MAX_TOLD_S = 2.0

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(300),
    needs_perf,
    needs_compiler,
]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("burner"))


@pytest.mark.parametrize("stopped", ["perf record", "its reader", "nobody"])
async def test_lost_samples_are_perfs_own(
    guard: Guard, program: Path, tmp_path: Path, report: Report, stopped: str
) -> None:
    """The number shown is the kernel's own counter; none is shown where none were lost."""
    perf, copy = keeping_perf(tmp_path)
    is_calm = stopped == "nobody"
    options = PerfOptions(
        perf_path=perf,
        frequency_hz=99 if is_calm else 20_000,
        mmap_pages=None if is_calm else 1,
    )
    seen = Seen()
    source = PerfSource(guard, time.monotonic, seen.take, options)
    async with running(program) as target:
        assert await source.attach([target.pid])
        await seen.until(lambda: seen.samples > 20)
        record, script = source.pids
        victims = {"perf record": [record], "its reader": children_of(script)}.get(stopped, [])
        assert victims or is_calm
        moment = time.monotonic() + STALL_S
        try:
            for pid in victims:
                os.kill(pid, signal.SIGSTOP)
            await eventually(lambda: time.monotonic() >= moment, STALL_S + 1)
        finally:
            for pid in victims:
                os.kill(pid, signal.SIGCONT)
        known = seen.samples
        await seen.until(lambda: seen.samples > known + 20)
        await source.detach()
    truth = Records.read(copy)
    passed = (
        seen.lost == truth.lost
        and seen.samples == truth.samples
        and seen.rejected == 0
        and (seen.lost > 1000 or is_calm)
    )
    report(
        f"{stopped} stands still for {STALL_S:g} s",
        tries=1,
        passed=int(passed),
        figure=f"{seen.lost} lost of {truth.samples + truth.lost}, {seen.lost - truth.lost} wrong; "
        f"{seen.samples - truth.samples} samples too many or few",
        target="0 wrong" + ("; 0 lost" if is_calm else ""),
    )
    assert not is_calm or seen.lost == 0


async def test_killed_perf_starts_again_and_gives_up_in_the_end(
    guard: Guard, program: Path, report: Report, is_full: bool
) -> None:
    """Each time stacks come again soon; after the last time the state says what to do."""
    rounds = 5 if is_full else 1
    slowest_s, restarts, given_up = 0.0, 0, 0
    for _ in range(rounds):
        seen = Seen()
        source = PerfSource(guard, time.monotonic, seen.take)
        async with running(program) as target:
            assert await source.attach([target.pid])
            for number in range(1, MAX_RESTARTS + 1):
                before = seen.samples
                await seen.until(lambda: seen.samples > before)  # noqa: B023
                told = f"profiler died, restarted ({number})"
                start = time.monotonic()
                os.kill(source.pids[0], signal.SIGKILL)
                await seen.until(lambda: seen.statuses[-1].message == told)  # noqa: B023
                slowest_s = max(slowest_s, time.monotonic() - start)
                restarts += seen.state is SourceState.DEGRADED
            os.kill(source.pids[0], signal.SIGKILL)
            await seen.until(lambda: seen.state is SourceState.FAILED)  # noqa: B023
            given_up += seen.statuses[-1].hint == f"gave up after {MAX_RESTARTS} restarts"
            assert source.pids == ()
            await source.detach()
    report(
        "kill -9 of perf record, until it is given up",
        tries=rounds * (MAX_RESTARTS + 1),
        passed=(restarts + given_up) if slowest_s <= MAX_RESTART_S else 0,
        figure=f"again after {slowest_s:.1f} s at most",
        target=f"≤ {MAX_RESTART_S:g} s, {MAX_RESTARTS} times, then failed",
    )


async def test_the_end_of_the_target_is_told(
    guard: Guard, program: Path, report: Report, is_full: bool
) -> None:
    """Soon after its end, and nothing is started again."""
    tries = 20 if is_full else 3
    slowest_s, passed = 0.0, 0
    for _ in range(tries):
        seen = Seen()
        source = PerfSource(guard, time.monotonic, seen.take)
        async with running(program) as target:
            assert await source.attach([target.pid])
            start = time.monotonic()
            target.kill()
            await seen.until(lambda: seen.state is SourceState.ENDED)  # noqa: B023
            slowest_s = max(slowest_s, time.monotonic() - start)
        passed += [status.state for status in seen.statuses] == [
            SourceState.STARTING,
            SourceState.LIVE,
            SourceState.ENDED,
        ]
        await source.detach()
    report(
        "the target ends",
        tries=tries,
        passed=passed if slowest_s <= MAX_TOLD_S else 0,
        figure=f"told after {slowest_s:.1f} s at most",
        target=f"≤ {MAX_TOLD_S:g} s, not started again",
    )
