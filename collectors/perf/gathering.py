"""A pipe whose writer writes little at a time, read in larger pieces.

A stream of asyncio wakes the event loop at each write. What takes a sample a write would cost us
more than all that we do with the samples.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from typing import Final

GATHER_S: Final = 0.01
"""From the first byte to the reading. A pipe of 64 KiB still passes on 6 MB in a second."""


class Gathering:
    """The reading end of a pipe.

    Args:
        fd: Its descriptor, which is ours from now on.
        gather_s: How long to let more come before reading.
    """

    def __init__(self, fd: int, gather_s: float = GATHER_S) -> None:
        os.set_blocking(fd, False)
        self._fd: int | None = fd
        self._gather_s = gather_s
        self._readable: asyncio.Future[None] | None = None

    async def read(self, most_bytes: int) -> bytes:
        """Return what there is, waiting for it if need be; nothing at the end, and once closed."""
        while self._fd is not None:
            with contextlib.suppress(BlockingIOError):
                return os.read(self._fd, most_bytes)
            await self._wait(self._fd)
            await asyncio.sleep(self._gather_s)
        return b""

    def close(self) -> None:
        """Give up the pipe, and what is in it; whoever waits for more is told of the end."""
        if self._fd is None:
            return
        if self._readable is not None and not self._readable.done():
            self._readable.set_result(None)
            asyncio.get_running_loop().remove_reader(self._fd)
        os.close(self._fd)
        self._fd = None

    async def _wait(self, fd: int) -> None:
        loop = asyncio.get_running_loop()
        readable = self._readable = loop.create_future()

        def tell() -> None:
            loop.remove_reader(fd)
            if not readable.done():
                readable.set_result(None)

        loop.add_reader(fd, tell)
        try:
            await readable
        except asyncio.CancelledError:
            if self._fd is not None:
                loop.remove_reader(fd)
            raise
