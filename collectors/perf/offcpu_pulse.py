"""Wakes up and waits, twenty times a second, until the processes it was given have ended.

It runs as a program of its own, `python -I -S offcpu_pulse.py PID…`, and imports the standard
library only. It has to end with the target: perf would record for as long as it runs.
"""

from __future__ import annotations

import os
import select
import sys

BEAT_MS = 50


def main(pids: list[int]) -> None:
    """Beat until all processes have ended."""
    running = select.poll()
    left = set()
    for pid in pids:
        try:
            left.add(os.pidfd_open(pid))
        except ProcessLookupError:
            continue
    for process in left:
        running.register(process, select.POLLIN)
    while left:
        for process, _ in running.poll(BEAT_MS):
            running.unregister(process)
            left.remove(process)


if __name__ == "__main__":
    main([int(pid) for pid in sys.argv[1:]])
