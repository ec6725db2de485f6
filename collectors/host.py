"""The machine and the three roles on it, once a second: yields `HostSample`."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Final, TypeAlias

import psutil

from collectors.host_counters import HostReading
from collectors.host_deltas import HostDeltas
from collectors.host_reader import HostReader
from collectors.samples import Role, SourceState, SourceStatus
from collectors.source import Clock, Emit
from collectors.text import sanitise

Roots: TypeAlias = Mapping[Role, Collection[int]]
Read: TypeAlias = Callable[[Roots], HostReading]
Sleep: TypeAlias = Callable[[float], Awaitable[None]]

HUNG_AFTER_S: Final = 2.0
"""A reading takes a few milliseconds; this long, and something in the kernel is stuck."""


class HostSource:
    """Samples the machine on whole intervals of the session's clock.

    What belongs to a role: TARGET and GENERATOR are the given processes and everything below them;
    MONITOR is exactly the given ones, because k6, perf and a started target are children of the
    guard. A process counts once: as MONITOR before GENERATOR before TARGET.

    Args:
        clock: The session's clock.
        roles: Tells the root processes of each role; asked on the event loop at every interval.
        interval_s: Time between samples.
        read: Takes one reading, in a thread, unless testing.
        sleep: Waits, unless testing.
    """

    name: Final = "host"

    def __init__(
        self,
        clock: Clock = time.monotonic,
        roles: Callable[[], Roots] = dict,
        interval_s: float = 1.0,
        *,
        read: Read | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._clock = clock
        self._roles = roles
        self._interval_s = interval_s
        self._read = read or HostReader(clock).read
        self._sleep = sleep
        self._state: SourceState | None = None

    async def run(self, emit: Emit) -> None:
        """Emit a sample each interval until cancelled.

        Late ticks are skipped. One reading is in flight at most: while it hangs the source is
        DEGRADED, and it goes on when the reading returns.
        """
        deltas = HostDeltas(self._interval_s)
        while True:
            try:
                reading = await self._reading(emit)
            except (OSError, ValueError, psutil.Error) as error:
                self._tell(
                    emit,
                    SourceState.DEGRADED,
                    f"the machine's counters can't be read: {sanitise(str(error), 200)}",
                    "look at the permissions and mount options of /proc",
                )
            else:
                self._tell(emit, SourceState.LIVE, f"every {self._interval_s:g} s")
                sample = deltas.feed(reading)
                if sample is not None:
                    emit(sample)
            await self._sleep(self._until_next())

    def _until_next(self) -> float:
        now = self._clock()
        return (math.floor(now / self._interval_s) + 1) * self._interval_s - now

    async def _reading(self, emit: Emit) -> HostReading:
        reading = _in_thread(self._read, self._roles())
        done, _ = await asyncio.wait([reading], timeout=HUNG_AFTER_S)
        if not done:
            self._tell(
                emit,
                SourceState.DEGRADED,
                f"reading the machine's counters takes longer than {HUNG_AFTER_S:g} s",
                "something in the kernel hangs; samples go on when it answers",
            )
        return await reading

    def _tell(self, emit: Emit, state: SourceState, message: str, hint: str = "") -> None:
        if state is not self._state:
            self._state = state
            emit(SourceStatus(self._clock(), self.name, state, message, hint))


def _in_thread(read: Read, roots: Roots) -> asyncio.Future[HostReading]:
    """Take a reading in a thread of its own.

    A daemon thread and not the loop's pool: a reading that never returns must not keep the
    program from ending.
    """
    loop = asyncio.get_running_loop()
    result: asyncio.Future[HostReading] = loop.create_future()

    def settle(reading: HostReading | None, error: Exception | None) -> None:
        if result.done():
            return
        if error is not None:
            result.set_exception(error)
        elif reading is not None:
            result.set_result(reading)

    def work() -> None:
        reading, failure = None, None
        try:
            reading = read(roots)
        except Exception as error:
            failure = error
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, reading, failure)

    threading.Thread(target=work, name="host reading", daemon=True).start()
    return result
