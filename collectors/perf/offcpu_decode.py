"""Turns perf's text of thread switches into waits, without I/O.

A thread that leaves its core is told of twice: by a sample, which has the stack, and by a line
`PERF_RECORD_SWITCH OUT`, which says `preempt` where the thread could have gone on. Those are no
waits and are left out. A line `PERF_RECORD_SWITCH IN` ends the wait; so a wait lasts until the
thread computes again, and what it stood in the queue for a core after it was woken is part of it.

A wait counts in every second that it touches with the time that it has there, also while it goes
on, and as one wait in the second in which it ends. So ranges add up, and a wait that is longer than
a range is in it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from collectors.perf.decode import Names, PerfScriptDecoder, SampleHeader
from collectors.perf.interner import Interner
from collectors.perf.second import Seen
from collectors.samples import StackBatch, StackMeasure

IsThere: TypeAlias = Callable[[int, int], bool]
"""Process id and thread id → whether there is such a thread still."""

_SWITCH: Final = re.compile(
    rb" *(\d{1,10})/(\d{1,10}) +(\d{1,10}\.\d{6,9}): +PERF_RECORD_SWITCH +(IN|OUT|OUT preempt) *"
)


@dataclass(slots=True)
class _Wait:
    """A thread that waits now."""

    pid: int
    seen: Seen
    since: float
    """Up to here it is counted."""
    is_there: bool = False
    """Whether the thread was seen to exist during it."""


class OffCpuDecoder(PerfScriptDecoder):
    """perf script's text of switches in, batches of waits out.

    Args:
        interner: As for the samples.
        names: As for the samples.
        is_there: Asked once for each wait that is counted before its end: the last switch of a
            thread that ends looks like any other.
        started_at: As for the samples.
        pulse_pid: A process that only tells how far the text is.
    """

    measure = StackMeasure.OFF_CPU

    def __init__(
        self,
        interner: Interner,
        names: Names,
        is_there: IsThere,
        started_at: float = 0.0,
        pulse_pid: int | None = None,
    ) -> None:
        super().__init__(interner, names, started_at)
        self._is_there = is_there
        self._pulse_pid = pulse_pid
        self._leaving: dict[int, Seen] = {}
        """Thread id → stack, between the sample and the line that says why."""
        self._waits: dict[int, _Wait] = {}
        self.switches = 0
        """Lines of threads that left or came back, those of the pulse too."""

    def flush(self) -> list[StackBatch]:
        """Return all that was taken and not returned yet, with what goes on up to now.

        Now is the time of the newest record: perf prints them in order.
        """
        for tid, wait in list(self._waits.items()):
            wait.is_there = wait.is_there or self._is_there(wait.pid, tid)
            if wait.is_there:
                self._count_time(wait, self._newest_at)
            else:
                del self._waits[tid]
        return super().flush()

    def _take_sample(self, header: SampleHeader, body: bytes) -> None:
        self._newest_at = max(self._newest_at, header.at)
        if header.pid == self._pulse_pid:
            self.printed += 1
        else:
            super()._take_sample(header, body)

    def _count(self, header: SampleHeader, seen: Seen) -> None:
        self.printed += 1
        self._leaving[header.tid] = seen
        # If it waited, its way back was lost: how long it waited is not known.
        self._waits.pop(header.tid, None)

    def _take_record(self, line: bytes, until: float) -> None:
        match = _SWITCH.fullmatch(line)
        if match is None:
            return super()._take_record(line, until)
        pid, tid, at = int(match[1]), int(match[2]), float(match[3])
        if not self._started_at <= at <= until:
            return self._reject("time_out_of_range")
        self.switches += 1
        self._newest_at = max(self._newest_at, at)
        seen = self._leaving.pop(tid, None)
        if match[4] == b"IN":
            self._end(tid, at)
        elif match[4] == b"OUT" and seen is not None:
            self._waits[tid] = _Wait(pid, seen, at)
        return None

    def _end(self, tid: int, at: float) -> None:
        wait = self._waits.pop(tid, None)
        if wait is not None:
            self._count_time(wait, at)
            self._second(at).add(wait.seen, 1, 0)

    def _count_time(self, wait: _Wait, until: float) -> None:
        """Count a wait up to a moment, in each second what belongs there."""
        while wait.since < until:
            next_second = math.floor(wait.since) + 1.0
            end = min(until, next_second)
            second = self._second(wait.since)
            second.end = max(second.end, min(end, math.nextafter(next_second, 0.0)))
            second.add(wait.seen, 0, round((end - wait.since) * 1e9))
            wait.since = end
