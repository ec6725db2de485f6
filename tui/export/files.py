"""Writes files whole or not at all, readable by their owner only."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from collectors.source import SourceError
from collectors.text import sanitise


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
        temporary = target.with_name(f".{target.name[:100]}.{secrets.token_hex(4)}")
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
    except OSError as error:
        raise SourceError(
            f"can't write {sanitise(str(path))}: {error.strerror or error}",
            "choose a folder that exists and that you may write to",
        ) from None


def check_writable(path: Path) -> None:
    """Find out before a run whether its file can be written after it.

    Raises:
        SourceError: it can't.
    """
    folder = path.resolve().parent
    if path.is_dir():
        raise SourceError(f"{sanitise(str(path))} is a folder", "name a file in it")
    if not folder.is_dir():
        raise SourceError(
            f"{sanitise(str(folder))}: there is no such folder", "make it, or choose another"
        )
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise SourceError(
            f"can't write {sanitise(str(path))}: permission denied", "choose another place"
        )
