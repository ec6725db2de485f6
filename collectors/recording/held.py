"""Tells whether another process has a recording open, by the locks that SQLite holds on it."""

from __future__ import annotations

import fcntl
import os
import struct
from pathlib import Path
from typing import Final

_LOCKS: Final = (0x40000000, 512)
"""Where SQLite's locks lie in a file, and how many (its source, os.h)."""


def is_written_to(path: Path) -> bool:
    """Tell whether another process has a recording open; never raises.

    Not to be asked by the process that writes it: it would let go of SQLite's locks.
    """
    query = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, *_LOCKS, 0)
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (OSError, ValueError):
        return False
    try:
        answer = fcntl.fcntl(fd, fcntl.F_GETLK, query)
        return bool(struct.unpack("hhqqi4x", answer)[0] != fcntl.F_UNLCK)
    except OSError:
        return False
    finally:
        os.close(fd)
