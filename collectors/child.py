"""A process that the guard has started: what it is to us, its end, and how it is asked to end."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import Protocol


class Signals(Protocol):
    """Signals what it has started: the guard's connection."""

    def signal(self, pid: int, signum: int, *, group: bool = False) -> None:
        """Signal a process, or its whole process group."""


class Child:
    """A process that the guard started for us.

    Attributes:
        name: What it is to us: `k6`, `perf record`, `target`.
        pid: Its process id, also its session and process group.
        returncode: Its exit status, the negative signal number, or None while it runs.
        stdout: What it writes, where it was started with `PIPE`. Use `read(n)` only: asyncio's
            `readline` stops for ever at a long line.
        stderr: As `stdout`.
    """

    def __init__(self, guard: Signals, name: str, pid: int) -> None:
        self._guard = guard
        self._ended = asyncio.get_running_loop().create_future()
        self.name = name
        self.pid = pid
        self.returncode: int | None = None
        self.stdout: asyncio.StreamReader | None = None
        self.stderr: asyncio.StreamReader | None = None

    async def wait(self) -> int:
        """Wait until it has ended and return its exit status."""
        await asyncio.shield(self._ended)
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, signum: int) -> None:
        """Signal the process itself; nothing happens when it has ended."""
        if self.returncode is None:
            self._guard.signal(self.pid, signum)

    async def stop(self, signum: int = signal.SIGINT, grace_s: float = 5.0) -> int:
        """End it: `signum`, and after the grace SIGKILL to its whole process group."""
        self.send_signal(signum)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.wait(), grace_s)
        self._guard.signal(self.pid, signal.SIGKILL, group=True)
        return await self.wait()

    def set_ended(self, returncode: int) -> None:
        """Note its end; called by the guard's connection only."""
        if self.returncode is None:
            self.returncode = returncode
            self._ended.set_result(None)
