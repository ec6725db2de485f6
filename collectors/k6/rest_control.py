"""Control over k6's own REST server: the last resort, for a k6 1.x that can't use the gate.

k6 ends VUs in the midst of an iteration, so its counts may lack requests that the server saw.
Source: grafana.com/docs/k6/latest/misc/k6-rest-api.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Callable, Collection
from typing import Final

import aiohttp

from collectors.course import Course
from collectors.k6.control import ControlState
from collectors.sockets import listeners
from collectors.source import Clock

POLL_S: Final = 0.25
TIMEOUT_S: Final = 2.0
LOST_AFTER_S: Final = 5.0


class RestControl:
    """Moves the VUs of an externally-controlled scenario.

    Args:
        course: The first target, in VUs.
        changed: Called whenever the state is another one.
        clock: The session's clock.
    """

    def __init__(
        self,
        course: Course,
        changed: Callable[[ControlState], None] = lambda _: None,
        clock: Clock = time.monotonic,
    ) -> None:
        self._course = course
        self._changed = changed
        self._clock = clock
        self._pid = 0
        self._is_ours = False
        self._task: asyncio.Task[None] | None = None
        self._reported = asyncio.Event()
        self._answered_at = clock()
        self.port = _free_port()
        self.state = ControlState()

    def start(self, pid: int) -> None:
        """Begin to steer the k6 of this process id."""
        self._pid = pid
        self._answered_at = self._clock()
        self._task = asyncio.create_task(self._follow(), name="k6 REST control")

    @property
    def pids(self) -> Collection[int]:
        """None: k6 itself serves."""
        return ()

    def steer(self, course: Course) -> None:
        """Follow another course."""
        self._course = course

    async def drain(self, deadline_s: float) -> bool:
        """Let no VU run any more; return whether none does before the deadline."""
        self._course = Course.constant(self._course.unit, 0.0, self._clock())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(deadline_s):
                while self.state.running and not self.state.is_lost:
                    self._reported.clear()
                    await self._reported.wait()
        return not self.state.running and not self.state.is_lost

    async def close(self) -> None:
        """End the conversation."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _follow(self) -> None:
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        base = f"http://127.0.0.1:{self.port}"
        async with aiohttp.ClientSession(base, timeout=timeout, trust_env=False) as client:
            while True:
                with contextlib.suppress(aiohttp.ClientError, TimeoutError, ValueError, KeyError):
                    await self._exchange(client)
                    self._answered_at = self._clock()
                if self._clock() - self._answered_at > LOST_AFTER_S:
                    self._set(ControlState(is_lost=True, first_at=self.state.first_at))
                    return
                await asyncio.sleep(POLL_S)

    async def _exchange(self, client: aiohttp.ClientSession) -> None:
        # Somebody else may have taken the port between our look and k6's.
        if not self._is_ours:
            ports = await asyncio.to_thread(listeners, (self._pid,))
            self._is_ours = self.port in ports
            if not self._is_ours:
                return
        async with client.get("/v1/status") as response:
            status = (await response.json())["data"]["attributes"]
        vus = int(status["vus"])
        wanted = round(self._course.level(self._clock()))
        if vus != wanted:
            attributes = {"vus": wanted}
            body = {"data": {"type": "status", "id": "default", "attributes": attributes}}
            async with client.patch("/v1/status", json=body) as response:
                status = (await response.json())["data"]["attributes"]
            vus = int(status["vus"])
        first_at = self.state.first_at
        if first_at is None and status.get("running"):
            first_at = self._clock()
        self._set(ControlState(known=vus, running=vus, first_at=first_at))

    def _set(self, state: ControlState) -> None:
        self.state = state
        self._reported.set()
        self._changed(state)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
