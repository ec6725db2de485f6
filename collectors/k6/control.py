"""Moves the load of a running k6: starts the gate, tells it the course, hears what comes of it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec

from collectors.child import Child
from collectors.course import Course
from collectors.k6.wrapper import Crew, Transport
from collectors.lines import LineSplitter
from collectors.process import PIPE, Guard
from collectors.source import SourceError

STEER_S: Final = 0.25
"""Between two changes of the course: at most four a second."""
ALIVE_S: Final = 1.0
ORDER_S: Final = 0.01
"""Until a full pipe is tried again."""
READY_DEADLINE_S: Final = 10.0
STOP_GRACE_S: Final = 0.2
PROGRAM: Final = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from collectors.k6.gate_server import main; main()"
)
ROOT: Final = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class ControlState:
    """How the load follows the target."""

    known: int = 0
    """VUs that have asked so far."""
    running: int = 0
    """VUs that run the script now; the others wait."""
    first_at: float | None = None
    """When the first VU asked: the load could begin."""
    silent: bool = False
    """We said nothing for so long that the load was ended."""
    is_lost: bool = False
    """Nobody can move the load any more."""


class LoadControl(Protocol):
    """A way to move the load."""

    @property
    def state(self) -> ControlState:
        """How the load follows."""

    @property
    def pids(self) -> Collection[int]:
        """Processes of ours that k6 talks to; they are no server under test."""

    def steer(self, course: Course) -> None:
        """Follow another course; of several within a quarter of a second the last one counts."""

    async def drain(self, deadline_s: float) -> bool:
        """Let no VU run any more; return whether none does before the deadline."""

    async def close(self) -> None:
        """End what was started."""


class GateControl:
    """Control through the gate, in a process of its own.

    Args:
        guard: Starts it.
        crew: The VUs.
        course: The first target.
        changed: Called whenever the state is another one.
    """

    def __init__(
        self,
        guard: Guard,
        crew: Crew,
        course: Course,
        changed: Callable[[ControlState], None] = lambda _: None,
    ) -> None:
        self._guard = guard
        self._crew = crew
        self._course = course
        self._changed = changed
        self._child: Child | None = None
        self._write_fd: int | None = None
        self._port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._tasks: list[asyncio.Task[None]] = []
        self._sent = 0
        """Number of the newest course that the gate was told."""
        self._followed = 0
        self._to_send = asyncio.Event()
        self._reported = asyncio.Event()
        self.token = secrets.token_urlsafe(24)
        self.state = ControlState()

    async def start(self, transport: Transport) -> int:
        """Start the gate and return its port.

        Raises:
            SourceError: it does not start.
        """
        reader, self._write_fd = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(self._write_fd, False)
        try:
            argv = [sys.executable, "-I", "-S", "-c", PROGRAM, str(ROOT)]
            self._child = await self._guard.spawn("gate", argv, stdin=reader, stdout=PIPE)
        finally:
            os.close(reader)
        order = _message(
            transport="http" if transport is Transport.SECRETS else "resp",
            token=self.token,
            slots=self._crew.slots,
            unit=self._course.unit.value,
            points=self._course.points,
        )
        self._tasks = [asyncio.create_task(self._read(self._child), name="gate reader")]
        try:
            async with asyncio.timeout(READY_DEADLINE_S):
                await self._order(self._write_fd, order)
                port = await asyncio.shield(self._port)
        except TimeoutError:
            raise SourceError("the gate for k6's VUs did not start", "try again") from None
        self._tasks.append(asyncio.create_task(self._write(), name="gate writer"))
        return port

    @property
    def pids(self) -> Collection[int]:
        """The gate."""
        return () if self._child is None else (self._child.pid,)

    def steer(self, course: Course) -> None:
        """Follow another course."""
        self._course = course
        self._to_send.set()

    async def drain(self, deadline_s: float) -> bool:
        """Let no VU run any more; return whether none does before the deadline."""
        at = self._course.points[-1][0]
        self._course = Course.constant(self._course.unit, 0.0, at)
        self._to_send.clear()
        self._tell_course()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(deadline_s):
                while not self.state.is_lost and (
                    self._followed < self._sent or self.state.running
                ):
                    self._reported.clear()
                    await self._reported.wait()
        return not self.state.running and not self.state.is_lost

    async def close(self) -> None:
        """End the gate."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._write_fd is not None:
            os.close(self._write_fd)
            self._write_fd = None
        if self._child is not None and self._child.returncode is None:
            await self._child.stop(grace_s=STOP_GRACE_S)

    def _tell_course(self) -> None:
        self._sent += 1
        self._send(
            op="course",
            number=self._sent,
            unit=self._course.unit.value,
            points=self._course.points,
        )

    async def _order(self, fd: int, order: bytes) -> None:
        """Send the first message, which names every VU: it may be longer than the pipe."""
        while order and not self._port.done():
            try:
                order = order[os.write(fd, order) :]
            except BrokenPipeError:
                return
            except BlockingIOError:
                await asyncio.sleep(ORDER_S)

    def _send(self, **message: Any) -> None:
        if self._write_fd is None:
            return
        # A gate that does not read any more is as good as gone; its reader tells that.
        with contextlib.suppress(BlockingIOError, BrokenPipeError):
            os.write(self._write_fd, _message(**message))

    async def _write(self) -> None:
        while True:
            try:
                await asyncio.wait_for(self._to_send.wait(), ALIVE_S)
            except TimeoutError:
                self._send(op="alive")
                continue
            self._to_send.clear()
            self._tell_course()
            await asyncio.sleep(STEER_S)

    async def _read(self, child: Child) -> None:
        assert child.stdout is not None
        lines = LineSplitter()
        while chunk := await child.stdout.read(1 << 16):
            for line in lines.feed(chunk):
                self._take(msgspec.json.decode(line))
        if not self._port.done():
            self._port.set_exception(
                SourceError("the gate for k6's VUs ended at once", "try again")
            )
        self._set(replace(self.state, running=0, is_lost=True))

    def _take(self, message: dict[str, Any]) -> None:
        if message["op"] == "ready":
            if not self._port.done():
                self._port.set_result(message["port"])
            return
        self._followed = message["course"]
        self._set(
            ControlState(
                known=message["known"],
                running=message["running"],
                first_at=message["first_at"],
                silent=message["silent"],
            )
        )

    def _set(self, state: ControlState) -> None:
        self.state = state
        self._reported.set()
        self._changed(state)


def _message(**message: Any) -> bytes:
    return msgspec.json.encode(message) + b"\n"
