"""Tells a recording from other files by its first bytes."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

from collectors.recording.schema import APPLICATION_ID

_MAGIC: Final = b"SQLite format 3\0"
_ID_PLACE: Final = slice(68, 72)
"""Of the application's id in the header of a database (SQLite's file format, section 1.3)."""


def is_recording(path: Path) -> bool:
    """Tell whether a file looks like a recording; never raises, and takes nothing out of a pipe."""
    try:
        # Without waiting for whoever would write to it, if it is a pipe.
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (OSError, ValueError):
        return False
    try:
        head = os.read(fd, 100) if stat.S_ISREG(os.fstat(fd).st_mode) else b""
    except OSError:
        return False
    finally:
        os.close(fd)
    return head.startswith(_MAGIC) and head[_ID_PLACE] == APPLICATION_ID.to_bytes(4, "big")
