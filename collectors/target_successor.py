"""Recognises the next life of a target that has ended.

A new process is the target again when it listens on one of its ports and runs the same program as
one of those that did; a target that listened nowhere, when it runs the same command line.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from collectors.process_tree import ProcessTable, read_stat, topmost
from collectors.sockets import pid_listening_on
from collectors.source import SourceError
from collectors.target import Target, arguments_of, create_time_of, describe, program_of


@dataclass(frozen=True, slots=True)
class Likeness:
    """What tells a new life of a program from a stranger; compared only, never shown."""

    program: str
    name: str
    arguments: tuple[bytes, ...]

    @classmethod
    def of(cls, pid: int) -> Likeness:
        """Look at a process; a process that is gone is like no other."""
        stat = read_stat(pid)
        return cls(program_of(pid), stat.name if stat is not None else "", arguments_of(pid))

    def is_same_program(self, other: Likeness) -> bool:
        """Tell whether both run the same program, or at least call themselves the same."""
        if self.program and self.program == other.program:
            return True
        return (bool(self.name) and self.name == other.name) or self.is_same_command(other)

    def is_same_command(self, other: Likeness) -> bool:
        """Tell whether both have the same command line."""
        return bool(self.arguments) and self.arguments == other.arguments


@dataclass(frozen=True, slots=True)
class Stranger:
    """Somebody else has the target's port."""

    message: str


def next_life(
    last: Target, likenesses: Iterable[Likeness], never: Collection[int] = ()
) -> Target | Stranger | None:
    """Look for the next life of a target that has ended.

    Args:
        last: The life that has ended.
        likenesses: Those of its root and of its processes that listened.
        never: Our own processes, beside this one.
    """
    known = tuple(likenesses)
    own = {os.getpid(), *never}
    if not last.ports:
        pid = _same_command(last, known, own)
        return succeed(last, pid) if pid is not None else None
    stranger = None
    for port in last.ports:
        try:
            pid = pid_listening_on(port)
        except SourceError as error:
            stranger = Stranger(error.message)
            continue
        if pid is None or pid in own:
            continue
        likeness = Likeness.of(pid)
        if any(likeness.is_same_program(one) for one in known):
            return succeed(last, pid)
        stranger = Stranger(f"port {port} now belongs to {likeness.name} (pid {pid})")
    return stranger


def succeed(last: Target, pid: int) -> Target | None:
    """Describe a process as the next life of a target; None when it is gone already."""
    found = describe(pid, last.how)
    return replace(found, started_by_us=last.started_by_us) if found is not None else None


def _same_command(last: Target, known: Collection[Likeness], own: Collection[int]) -> int | None:
    table = ProcessTable()
    table.refresh()
    found = []
    for pid in table.parents:
        stat = read_stat(pid)
        if pid in own or stat is None or stat.gone or create_time_of(stat) < last.create_time:
            continue
        if (pid, create_time_of(stat)) == (last.pid, last.create_time):
            continue
        likeness = Likeness.of(pid)
        if any(likeness.is_same_command(one) for one in known):
            found.append(pid)
    return topmost(table.parents, found)
