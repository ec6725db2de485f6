"""The command lines that record waits, and the process that keeps their text flowing.

perf prints a record when later ones have come, for it sorts them, and when what it buffers is full.
From a target in which everything waits nothing would come at all, just when one wants to see where.
So a small process of ours is recorded too; it does nothing but wake up and wait again.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from collectors.perf.command import record_base, script_argv

EVENT: Final = "sched:sched_switch"
PULSE_PROGRAM: Final = Path(__file__).with_name("offcpu_pulse.py")


def offcpu_record_argv(perf: str, call_graph: str, pids: Iterable[int]) -> list[str]:
    """Return the command line that records every switch of processes and writes it to its stdout.

    The event has the stack of a thread that is switched out. That it is back tells a record of its
    own only.

    Args:
        perf: The program.
        call_graph: As in `PerfOptions`; `lbr` has no branches to tell of here, so `fp` is taken.
        pids: The processes.
    """
    return [
        *record_base(perf),
        *("--count=1", f"--event={EVENT}", "--switch-events"),
        f"--call-graph={'fp' if call_graph == 'lbr' else call_graph}",
        "--pid=" + ",".join(str(pid) for pid in sorted(set(pids))),
    ]


def offcpu_script_argv(perf: str, source: str = "-") -> list[str]:
    """Return the command line that prints such records as text; it asks for no names either."""
    return [*script_argv(perf, source), "--show-switch-events"]


def pulse_argv(pids: Iterable[int]) -> list[str]:
    """Return the command line of a process that switches regularly while any of others runs."""
    return [sys.executable, "-I", "-S", str(PULSE_PROGRAM), *(str(pid) for pid in pids)]
