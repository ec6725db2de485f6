"""Two processes run these tests; what measures how soon something is seen runs alone."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def turn(folder: Path, *, is_alone: bool) -> Iterator[None]:
    """Wait until a test may run, and keep those off that may not run beside it.

    Args:
        folder: All processes have the same.
        is_alone: Nothing may run beside it.
    """
    with _open(folder / "queue") as queue, _open(folder / "running") as running:
        # Whoever waits to be alone holds the queue up: else it would wait for ever.
        fcntl.flock(queue, fcntl.LOCK_EX)
        fcntl.flock(running, fcntl.LOCK_EX if is_alone else fcntl.LOCK_SH)
        fcntl.flock(queue, fcntl.LOCK_UN)
        yield


@contextlib.contextmanager
def _open(path: Path) -> Iterator[int]:
    # Children must not go on holding it.
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield fd
    finally:
        os.close(fd)
