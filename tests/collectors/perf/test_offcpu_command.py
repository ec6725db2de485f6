from __future__ import annotations

import os
import subprocess

from collectors.perf.command import PerfOptions, record_argv
from collectors.perf.offcpu_command import offcpu_record_argv, offcpu_script_argv, pulse_argv
from collectors.process import PIPE, Guard
from tests.waiting import eventually


def test_every_switch_is_asked_for_with_both_ends() -> None:
    """Each one and not a sample of them, beside what all recordings have."""
    argv = offcpu_record_argv("/usr/bin/perf", "fp", [30, 4, 30])
    assert argv[:2] == ["/usr/bin/perf", "record"]
    assert set(argv) >= {
        "--output=-",
        "--no-buffering",
        "--clockid=CLOCK_MONOTONIC",
        "--event=sched:sched_switch",
        "--count=1",
        "--switch-events",
        "--call-graph=fp",
        "--pid=4,30",
    }
    assert not any(argument.startswith("--freq") for argument in argv)
    sampling = record_argv("/usr/bin/perf", PerfOptions(), [4])
    assert argv[:7] == sampling[:7]


def test_stacks_are_unwound_as_for_samples() -> None:
    """But for branch records, which no switch has."""
    assert "--call-graph=dwarf,4096" in offcpu_record_argv("perf", "dwarf,4096", [1])
    assert "--call-graph=fp" in offcpu_record_argv("perf", "lbr", [1])


def test_printing_never_asks_for_names() -> None:
    """Neither of processes nor in the fields of the event, which could forge a record."""
    argv = offcpu_script_argv("perf", "/srv/perf.data")
    assert "--show-switch-events" in argv
    assert "--input=/srv/perf.data" in argv
    assert not any("comm" in argument or "trace" in argument for argument in argv)


async def test_the_pulse_beats_until_all_have_ended(guard: Guard) -> None:
    """It runs while one process does, and switches meanwhile."""
    first = await guard.spawn("first", ["sleep", "60"])
    second = await guard.spawn("second", ["sleep", "60"])
    pulse = await guard.spawn("pulse", pulse_argv([first.pid, second.pid]), stderr=PIPE)
    await eventually(lambda: switches(pulse.pid) > 5)
    await first.stop(grace_s=0.1)
    before = switches(pulse.pid)
    await eventually(lambda: switches(pulse.pid) > before + 2)
    await second.stop(grace_s=0.1)
    assert await pulse.wait() == 0
    assert pulse.stderr is not None
    assert await pulse.stderr.read(100) == b""


def test_a_pulse_for_nobody_ends_at_once() -> None:
    """Processes that are gone already need none."""
    subprocess.run(pulse_argv([2**22 + 1]), check=True, timeout=10, stdin=subprocess.DEVNULL)


def switches(pid: int) -> int:
    """How often a process has waited."""
    with open(os.path.join("/proc", str(pid), "status")) as status:
        return next(
            int(line.split()[1]) for line in status if line.startswith("voluntary_ctxt_switches")
        )
