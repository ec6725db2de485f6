"""Makes the file of a recording: nobody else's, in nobody else's folder, and never an old one."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final

from collectors.recording.folder import make_folder, refused
from collectors.recording.schema import APPLICATION_ID, CHUNK_SQL, META_SQL, VERSION
from collectors.source import SourceError
from collectors.text import sanitise

RESERVE_RATIO: Final = 0.01
RESERVE_BYTES: Final = 500 << 20
"""What a recording leaves free of a disk: the greater of both, but no more than a tenth."""

BESIDE: Final = ("-wal", "-shm", "-journal")
"""Ends of the names of what SQLite keeps beside a database."""


def create(path: Path) -> None:
    """Make an empty file that only its owner can read; SQLite's own files take after it.

    Raises:
        SourceError: there is something already, or the place can't be written to.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        os.close(os.open(path, flags, 0o600))
    except FileExistsError:
        raise SourceError(
            f"{sanitise(str(path))} is there already", "choose another name; nothing is overwritten"
        ) from None
    except (OSError, ValueError) as error:
        raise refused(path, error) from None
    try:
        # Left over from a file of this name that was removed without them.
        _unlink(*(f"{path}{suffix}" for suffix in BESIDE))
    except OSError as error:
        _unlink(path)
        raise refused(path, error) from None


def remove(path: Path) -> None:
    """Remove a recording and what SQLite keeps beside it, as far as that is possible."""
    for each in (str(path), *(f"{path}{suffix}" for suffix in BESIDE)):
        with contextlib.suppress(OSError):
            os.unlink(each)


def copy_to_new(
    old: sqlite3.Connection, path: Path, open_file: Callable[[Path], sqlite3.Connection]
) -> sqlite3.Connection:
    """Make a file that has everything another one has; return its connection.

    Raises:
        SourceError, sqlite3.Error, OSError: it can't be made; then there is none.
    """
    make_folder(path.parent)
    create(path)
    fresh = None
    try:
        fresh = open_file(path)
        old.backup(fresh)
        fresh.execute("PRAGMA journal_mode=WAL")
        fresh.execute("PRAGMA synchronous=NORMAL")
    except BaseException:
        if fresh is not None:
            fresh.close()
        remove(path)
        raise
    return fresh


def connect(
    path: Path, factory: type[sqlite3.Connection] = sqlite3.Connection
) -> sqlite3.Connection:
    """Open the file of a recording to append to it; make its tables if it is empty.

    A commit is safe against any death of the process at once, and against one of the machine
    since the newest checkpoint (SQLite documentation: write-ahead logging, synchronous=NORMAL).

    Raises:
        sqlite3.Error: it can't be opened.
    """
    # Not by its bare name: it may begin with `file:` or hold what a URI gives a meaning to.
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None,
        check_same_thread=False, timeout=2.0, factory=factory,
    )  # fmt: skip
    try:
        connection.execute("PRAGMA secure_delete=ON")
        if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
            # What arrives in a quarter of a second leaves little of such a page empty.
            connection.execute("PRAGMA page_size=2048")
            # Before there is a log, so that the file itself tells what it is from the beginning.
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(META_SQL)
            connection.execute(CHUNK_SQL)
            connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version={VERSION}")
            connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
    except BaseException:
        connection.close()
        raise
    return connection


def has_room(folder: Path) -> bool:
    """Tell whether a disk has more free than a recording has to leave.

    Raises:
        OSError: the folder is gone.
    """
    usage = shutil.disk_usage(folder)
    reserve = min(max(usage.total * RESERVE_RATIO, RESERVE_BYTES), usage.total * 0.1)
    return usage.free > reserve


def identity(path: Path) -> tuple[int, int] | None:
    """Return which file a path leads to, by device and inode; None: to none."""
    try:
        status = os.stat(path, follow_symlinks=False)
    except OSError:
        return None
    return (status.st_dev, status.st_ino) if stat.S_ISREG(status.st_mode) else None


def _unlink(*paths: Path | str) -> None:
    for path in paths:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
