"""What the program denies itself: files for others, and images of its memory.

A core dump would hold the tokens of the receiver and of the gate. What the user's programs get is
what the user had set: it is remembered here, and the guard gives it back to them.
"""

from __future__ import annotations

import contextlib
import os
import resource
from dataclasses import dataclass
from pathlib import Path
from typing import Final

UMASK: Final = 0o077


@dataclass(frozen=True, slots=True)
class Limits:
    """What a process begins with."""

    umask: int
    core_bytes: int
    """The soft RLIMIT_CORE; -1 is no limit."""


_before: list[Limits] = []


def tighten() -> None:
    """Let nobody else read what we make, and leave no core dump; once, at the start.

    Only the soft limit is lowered: the hard one could not be given back to children.
    """
    if not _before:
        _before.append(_present())
    os.umask(UMASK)
    with contextlib.suppress(OSError, ValueError):
        hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
        resource.setrlimit(resource.RLIMIT_CORE, (0, hard))


def users_own() -> Limits:
    """Return what the user had set, before it was tightened."""
    return _before[0] if _before else _present()


def _present() -> Limits:
    return Limits(_umask(), resource.getrlimit(resource.RLIMIT_CORE)[0])


def _umask() -> int:
    # Asking the kernel: to read it by os.umask would set it, for a moment, for all threads.
    with contextlib.suppress(OSError, ValueError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("Umask:"):
                return int(line.split()[1], 8)
    os.umask(mask := os.umask(UMASK))
    return mask
