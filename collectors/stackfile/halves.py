"""Reads the second half of a long text of perf script in a process of its own.

The process is a fork: it shares the open file and nothing else, hands over what it counted through
a pipe, and is gone. Whatever goes wrong in it, the text is read as if there were none.
"""

from __future__ import annotations

import contextlib
import marshal
import os
import signal
from dataclasses import dataclass
from typing import Final, NoReturn, cast

from collectors.stackfile.perf_text import Counted, PerfTextDecoder
from collectors.stackfile.tally import Tally

CHUNK_BYTES: Final = 1 << 17
"""Of a file: few calls, and small enough to stay near the core until it is read."""
LEAST_BYTES: Final = 16 << 20
"""Below it a second process is not worth its start."""
SEARCHED_BYTES: Final = 1 << 20
MOST_THREADS: Final = 1
"""A fork has one thread only, but the locks of all the others."""


@dataclass(frozen=True, slots=True)
class SecondHalf:
    """A process that reads on from the middle; to be ended by `counted` or `give_up`."""

    start: int
    """Where in the file."""
    pid: int
    pipe: int

    def counted(self) -> Counted | None:
        """Wait for what the process counted; None if it can't tell."""
        parts = []
        while part := os.read(self.pipe, 1 << 20):
            parts.append(part)
        if self._end() != 0:
            return None
        # Whole, as its writer ended well; and from ourselves, so it is no foreign data.
        return cast("Counted | None", marshal.loads(b"".join(parts))) if parts else None

    def give_up(self) -> None:
        """End the process, whatever it does."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self._end()

    def _end(self) -> int:
        with contextlib.suppress(OSError):
            os.close(self.pipe)  # closed already where waiting was interrupted
        try:
            return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        except ChildProcessError:
            return 1  # where SIGCHLD is ignored, nothing is known


def read_second_half(fd: int, first_event: str, limit: int) -> SecondHalf | None:
    """Begin to read the second half of a file of perf's text.

    Args:
        fd: Of the file, which is plain text.
        first_event: The event that counts; empty where the text has not named one yet.
        limit: Bytes that the whole file may have.

    Returns:
        None where it is better read by one process.
    """
    size = os.fstat(fd).st_size
    if not LEAST_BYTES <= size <= limit or len(os.sched_getaffinity(0)) < 2:
        return None
    middle = size // 2
    place = os.pread(fd, SEARCHED_BYTES, middle).find(b"\n\n")
    if place < 0 or len(os.listdir("/proc/self/task")) > MOST_THREADS:
        return None
    start = middle + place + 2
    parent = os.getpid()
    pipe, out = os.pipe()
    try:
        pid = os.fork()
    except OSError:
        os.close(pipe)
        os.close(out)
        return None
    if pid == 0:
        os.close(pipe)
        _count(fd, start, first_event, limit, out, parent)
    os.close(out)
    return SecondHalf(start, pid, pipe)


def _count(fd: int, start: int, first_event: str, limit: int, out: int, parent: int) -> NoReturn:
    """Read on to the end, write what was counted, and leave without any of Python's farewells."""
    status = 1
    try:
        decoder = PerfTextDecoder(Tally(), first_event)
        # Ends of chunks where they were for one process: blocks that are too long are cut there.
        length = CHUNK_BYTES - start % CHUNK_BYTES
        while (chunk := os.pread(fd, length, start)) and os.getppid() == parent:
            decoder.feed(chunk)
            start += len(chunk)
            length = CHUNK_BYTES - start % CHUNK_BYTES
        decoder.close()
        # Without a name from the first half, nobody knows here which event counts.
        is_sure = decoder.first_event == first_event and start <= limit and not chunk
        data = memoryview(marshal.dumps(decoder.counted() if is_sure else None))
        while data:
            data = data[os.write(out, data) :]
        status = 0
    finally:
        os._exit(status)
