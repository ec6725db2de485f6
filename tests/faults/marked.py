"""Finds the processes of one try, wherever they went: by a mark in their environment."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

from collectors.process_tree import list_pids, read_stat


def environment(folder: Path) -> dict[str, str]:
    """Return an environment in which the folder is first on the PATH: that is the mark.

    The PATH is what perf is given too.
    """
    return {"PATH": f"{folder}:{os.environ['PATH']}"}


def marked(folder: Path) -> list[int]:
    """Return the living processes whose PATH has the folder; zombies have none."""
    return list(_marked(os.fsencode(f"PATH={folder}:")))


def _marked(mark: bytes) -> Iterable[int]:
    for pid in list_pids():
        with contextlib.suppress(OSError):
            environ = Path(f"/proc/{pid}/environ").read_bytes()
            stat = read_stat(pid)
            if mark in environ and stat is not None and not stat.gone:
                yield pid


def command_line(pid: int) -> tuple[str, ...]:
    """Return the words a process was started with; none if it is gone."""
    with contextlib.suppress(OSError):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").split(b"\0")
        return tuple(word.decode(errors="replace") for word in words)
    return ()


def describe(pids: Iterable[int]) -> str:
    """Return command lines, shortened, for messages: to be read, not to be searched."""
    lines = ((pid, " ".join(command_line(pid))) for pid in pids)
    return "; ".join(f"{pid} {line[:120]}" for pid, line in lines if line)
