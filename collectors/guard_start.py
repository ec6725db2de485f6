"""Starts the guard, and ends it: for the time of a context, children can be started."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from collectors.ownlimits import users_own
from collectors.process import Guard, no_guard

GUARD_PROGRAM: Final = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); from collectors.guard import main; main()"
)
ROOT: Final = Path(__file__).parents[1]


@contextlib.asynccontextmanager
async def guard_running() -> AsyncIterator[Guard]:
    """Run a guard for the time of the context; at its end nothing that it started is left.

    Raises:
        SourceError: the guard can't be started.
    """
    with contextlib.ExitStack() as ours_only:
        try:
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
            ours_only.enter_context(ours)
            ours.setblocking(False)
            with theirs:
                reader, farewell = os.pipe2(os.O_CLOEXEC)
                ours_only.callback(os.close, farewell)
                try:
                    process = await _start_guard(theirs.fileno(), reader)
                finally:
                    os.close(reader)
        except OSError as error:
            raise no_guard(error.strerror or str(error)) from None
        except RuntimeError as error:  # no thread to wait for it; without us it ends
            raise no_guard(str(error)) from None
        ours_only.pop_all()
    guard = Guard(ours, process, farewell)
    try:
        await guard.ready()
        yield guard
    finally:
        await guard.close()


async def _start_guard(fd: int, farewell: int) -> asyncio.subprocess.Process:
    limits = users_own()
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-I", "-S", "-c", GUARD_PROGRAM, str(ROOT), str(fd)),
        *(f"{limits.umask:o}", str(limits.core_bytes)),
        pass_fds=[fd],
        stdin=farewell,
        stdout=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
