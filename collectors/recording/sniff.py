"""Tells a recording from other files by its first bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from collectors.recording.schema import APPLICATION_ID

_MAGIC: Final = b"SQLite format 3\0"
_ID_PLACE: Final = slice(68, 72)
"""Of the application's id in the header of a database (SQLite's file format, section 1.3)."""


def is_recording(path: Path) -> bool:
    """Tell whether a file looks like a recording; never raises."""
    try:
        with path.open("rb") as file:
            head = file.read(100)
    except (OSError, ValueError):
        return False
    return head.startswith(_MAGIC) and head[_ID_PLACE] == APPLICATION_ID.to_bytes(4, "big")
