"""What is written to the terminal, on its way there: nobody waits for one that does not read.

A terminal may stop reading, for a moment or for an hour: Ctrl-S, a connection that is stuck, a
window that hangs. A thread of its own hands over what it takes. Frames that find too much waiting
are left out, whole; once all that waits has been taken, the screen is asked to paint itself anew.
A terminal that has gone away takes everything and shows nothing.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import select
import threading
from collections import deque
from collections.abc import Callable
from typing import Final

MAX_WAITING_BYTES: Final = 64 << 10
SHORT_BYTES: Final = 64
"""A frame is longer; what is shorter switches a mode, and must not be lost."""
CLOSE_S: Final = 1.0
POLL_S: Final = 0.2


class Outlet(threading.Thread):
    """Writes to a terminal in the background.

    Args:
        fd: The terminal; another file works too.
        caught_up: Called, in this thread, when everything is written after frames were left out.
    """

    def __init__(self, fd: int, caught_up: Callable[[], None]) -> None:
        super().__init__(daemon=True, name="terminal output")
        self._fd = _unblocking(fd)
        self._caught_up = caught_up
        self._changed = threading.Condition()
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._is_behind = False
        self._is_closing = False
        self.frames_left_out = 0
        """Since the start."""

    def write(self, data: bytes) -> None:
        """Hand over a frame or a change of modes; never waits."""
        with self._changed:
            room = MAX_WAITING_BYTES if len(data) > SHORT_BYTES else 2 * MAX_WAITING_BYTES
            if self._waiting_bytes > room and not self._is_closing:
                self.frames_left_out += 1
                self._is_behind = True
                return
            self._waiting.append(data)
            self._waiting_bytes += len(data)
            self._changed.notify()

    def close(self, last: bytes) -> None:
        """Hand over what comes last, whatever waits, and wait for a terminal that reads.

        One that does not is given the rest by the end of the process, if it reads by then.
        """
        with self._changed:
            self._is_closing = True
            self._waiting.append(last)
            self._changed.notify()
        self.join(CLOSE_S)
        if self.is_alive():
            atexit.register(self.join, CLOSE_S)

    def run(self) -> None:
        """Write until closed, and all is written."""
        with contextlib.suppress(OSError):
            while (data := self._next()) is not None:
                self._put(data)
        with self._changed:
            self._waiting = deque(maxlen=0)  # the terminal has gone away
            self._waiting_bytes = 0
        os.close(self._fd)

    def _next(self) -> bytes | None:
        with self._changed:
            is_anew = self._is_behind and not self._waiting
            if is_anew:
                self._is_behind = False
            elif not self._waiting and not self._is_closing:
                self._changed.wait()
            data = self._waiting.popleft() if self._waiting else None
            if data is None and self._is_closing:
                return None
        if is_anew:
            self._caught_up()
        return data or b""

    def _put(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            select.select([], [self._fd], [], POLL_S)
            with contextlib.suppress(BlockingIOError):
                written = os.write(self._fd, rest)
                rest = rest[written:]
        with self._changed:
            self._waiting_bytes = max(0, self._waiting_bytes - len(data))


def _unblocking(fd: int) -> int:
    """Open the same terminal once more: not to block is up to us alone then, not to its users."""
    try:
        flags = os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC
        return os.open(os.ttyname(fd), flags)
    except OSError:
        return os.dup(fd)
