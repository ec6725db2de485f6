"""Writes files whole or not at all, readable by their owner only."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path
from typing import Final

from collectors.source import SourceError
from collectors.text import sanitise

# Besides the system's own: a loop of links is a RuntimeError, a NUL in a name a ValueError.
_UNUSABLE: Final = (OSError, RuntimeError, ValueError)


def write_atomically(path: Path, content: bytes) -> None:
    """Put a file in place in one step; what was there before stays until then.

    The file is made 0600. A path that is there but no regular file (a device, a FIFO) is written
    to as it is.

    Raises:
        SourceError: it can't be written.
    """
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(content)
            return
        # Through a link to what it leads to, so that the link survives.
        target = path.resolve()
        # Cut, so that it fits into 255 bytes whatever its characters.
        temporary = target.with_name(f".{target.name[:50]}.{secrets.token_hex(4)}")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        fd = os.open(temporary, flags, 0o600)
        try:
            with os.fdopen(fd, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, target)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
    except _UNUSABLE as error:
        raise _refused(path, error) from None


def check_writable(path: Path) -> None:
    """Find out before a run whether its file can be written after it.

    Raises:
        SourceError: it can't.
    """
    try:
        folder = path.resolve().parent
        is_folder, is_there = path.is_dir(), path.exists()
        # A file is replaced, so its folder counts; a device is written to as it is.
        place = path if is_there and not path.is_file() else folder
        allowed = os.access(place, os.W_OK)
    except _UNUSABLE as error:
        raise _refused(path, error) from None
    if is_folder:
        raise SourceError(f"{sanitise(str(path))} is a folder", "name a file in it")
    if not folder.is_dir():
        raise SourceError(
            f"{sanitise(str(folder))}: there is no such folder", "make it, or choose another"
        )
    if not allowed:
        raise SourceError(
            f"can't write {sanitise(str(path))}: permission denied", "choose another place"
        )


def _refused(path: Path, error: Exception) -> SourceError:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return SourceError(
        f"can't write {sanitise(str(path))}: {sanitise(reason)}",
        "choose a folder that exists and that you may write to",
    )
