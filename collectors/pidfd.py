"""Waits for, and signals, exactly one process: never another one that has got its pid since."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Iterator
from typing import Final

from collectors.process_tree import TICKS_PER_SECOND, read_stat

POLL_S: Final = 0.2


def is_alive(pid: int, create_time: float) -> bool:
    """Tell whether this very process still runs.

    Args:
        pid: Its process id.
        create_time: Seconds from boot to its start.
    """
    stat = read_stat(pid)
    return stat is not None and not stat.gone and stat.start_ticks / TICKS_PER_SECOND == create_time


@contextlib.contextmanager
def _opened(pid: int, create_time: float) -> Iterator[int | None]:
    try:
        fd = os.pidfd_open(pid)
    except OSError:
        yield None
        return
    try:
        # Asked once the descriptor is held: from here on it can't become somebody else's.
        yield fd if is_alive(pid, create_time) else None
    finally:
        os.close(fd)


async def ended(pid: int, create_time: float) -> None:
    """Wait until the process has ended; at once where it has already."""
    with _opened(pid, create_time) as fd:
        if fd is not None:
            end = asyncio.Event()
            loop = asyncio.get_running_loop()
            loop.add_reader(fd, end.set)
            try:
                await end.wait()
            finally:
                loop.remove_reader(fd)
        # No descriptor where the kernel is too old or we have too many: look now and then.
        while True:
            if not is_alive(pid, create_time):
                return
            await asyncio.sleep(POLL_S)


def send(pid: int, create_time: float, signum: int) -> None:
    """Signal the process; nothing happens when it has ended, or belongs to somebody else."""
    with _opened(pid, create_time) as fd:
        if fd is not None:
            with contextlib.suppress(OSError):
                signal.pidfd_send_signal(fd, signum)
