"""Puts a terminal back whose program died with a screen open; imports the standard library only."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import termios
import time
from collections.abc import Iterator
from typing import Any, Final

DEADLINE_S: Final = 0.5
"""For what is written; a terminal that does not read gets it when it does, or not at all."""
RESET: Final = (
    b"\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1015l\x1b[?1016l"  # mouse
    b"\x1b[?1004l\x1b[?2004l\x1b[?2026l"  # focus events, bracketed paste, synchronised output
    b"\x1b[?2048l\x1b[?7h"  # resizes as input, line wrap
    b"\x1b[<u\x1b[?25h\x1b[0m\x1b[?1049l"  # kitty keys, cursor, colours, alternate screen
)
_IGNORED: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGTSTP)


def put_back(fd: int, attributes: list[Any]) -> None:
    """Give a terminal its modes back, as far as it lets us.

    Args:
        fd: The terminal.
        attributes: As `termios.tcgetattr` told them before.
    """
    with contextlib.suppress(OSError, termios.error):
        # At once: waiting for the output to drain could take for ever on a stopped terminal,
        # and a child's end would interrupt it.
        termios.tcsetattr(fd, termios.TCSANOW, attributes)
        termios.tcflush(fd, termios.TCIFLUSH)
    with contextlib.suppress(OSError):
        os.set_blocking(fd, False)
        _write_all(fd, RESET)


@contextlib.contextmanager
def terminal_watched() -> Iterator[None]:
    """Have the terminal put back should this process be killed meanwhile.

    For programs that start nothing and so have no guard: a fork of this process does nothing but
    wait for its end. To be entered before there is a second thread. Without a terminal, or a
    process to spare, nothing is watched.
    """
    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        yield
        return
    try:
        attributes = termios.tcgetattr(terminal)
        reader, writer = os.pipe2(os.O_CLOEXEC)
        try:
            pid = os.fork()
        except OSError:
            pid = -1
        if pid == 0:
            _wait(reader, terminal, attributes)
        os.close(reader)
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                os.write(writer, b"!")  # we are alive, and put it back ourselves
            os.close(writer)
            if pid > 0:
                os.waitpid(pid, 0)
    finally:
        os.close(terminal)


def _wait(reader: int, terminal: int, attributes: list[Any]) -> None:
    """Wait for the end of the process that made us; never returns."""
    try:
        # Neither its keys nor its window are ours.
        os.setsid()
        for signum in _IGNORED:
            signal.signal(signum, signal.SIG_IGN)
        kept = sorted((reader, terminal))
        for low, high in zip((0, kept[0] + 1, kept[1] + 1), (*kept, 1 << 16), strict=True):
            os.closerange(low, high)
        if not os.read(reader, 1):
            put_back(terminal, attributes)
    finally:
        os._exit(0)


def _write_all(fd: int, data: bytes) -> None:
    """Write to a terminal that may still be busy with what its last owner wrote."""
    until = time.monotonic() + DEADLINE_S
    while data and (left := until - time.monotonic()) > 0:
        select.select([], [fd], [], left)
        with contextlib.suppress(BlockingIOError):
            data = data[os.write(fd, data) :]
