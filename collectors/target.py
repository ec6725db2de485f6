"""The system under test: who it is, however it was named.

By its pid, by the port it listens on, or found from the load generator's own connections. Starting
one is `target_start`, following one over its restarts is `target_watch`. Nothing here ever signals
a process.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from collectors.process_tree import (
    PROC,
    TICKS_PER_SECOND,
    ProcessStat,
    ProcessTable,
    ancestors,
    read_stat,
)
from collectors.sockets import (
    Address,
    Peers,
    is_loopback,
    listeners,
    peers_of,
    pid_listening_on,
    show_address,
)
from collectors.source import Clock, SourceError
from collectors.text import sanitise

How: TypeAlias = Literal["started", "pid", "port", "found"]

FIND_POLL_S: Final = 0.2
FIND_CONFIRMATIONS: Final = 3
"""Polls in which the same process must lead, so that a login server called first does not win."""


@dataclass(frozen=True, slots=True)
class Target:
    """One life of the system under test."""

    pid: int
    """The root of its process tree."""
    create_time: float
    """Seconds from boot to its start; with the pid it names the process for good."""
    name: str
    command: str
    """The program and the number of its arguments, which may hold secrets themselves."""
    ports: tuple[int, ...]
    """TCP ports that its process tree listens on."""
    started_by_us: bool
    how: How

    def __str__(self) -> str:
        return f"{self.name} (pid {self.pid}){show_ports(self.ports, ', ')}"


@dataclass(frozen=True, slots=True)
class Search:
    """What came of looking for the target."""

    target: Target | None
    message: str
    hint: str = ""


def show_ports(ports: Collection[int], before: str = "") -> str:
    """Return `port 8080` or `ports 80, 443`; nothing for none."""
    if not ports:
        return ""
    word = "port" if len(ports) == 1 else "ports"
    return f"{before}{word} {', '.join(map(str, sorted(ports)))}"


def tree_of(pid: int) -> list[int]:
    """Return a process and everything below it; empty when it is gone."""
    table = ProcessTable()
    table.refresh()
    return table.descendants([pid])


def program_of(pid: int) -> str:
    """Return the file name of the program that a process runs; empty where not permitted."""
    try:
        path = os.readlink(f"{PROC}/{pid}/exe")
    except OSError:
        return ""
    return sanitise(os.path.basename(path.removesuffix(" (deleted)")), 200)


def arguments_of(pid: int) -> tuple[bytes, ...]:
    """Return the command line of a process; it is never shown or kept."""
    try:
        data = (PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return ()
    return tuple(data.removesuffix(b"\0").split(b"\0")) if data else ()


def create_time_of(stat: ProcessStat) -> float:
    """Return a process's start as `Target.create_time` has it."""
    return stat.start_ticks / TICKS_PER_SECOND


def describe(pid: int, how: How) -> Target | None:
    """Describe a running process and its ports; None when it is gone."""
    stat = read_stat(pid)
    if stat is None or stat.gone:
        return None
    count = max(0, len(arguments_of(pid)) - 1)
    arguments = "1 argument" if count == 1 else f"{count} arguments"
    return Target(
        pid=pid,
        create_time=create_time_of(stat),
        name=stat.name,
        command=f"{program_of(pid) or stat.name} ({arguments})",
        ports=listeners(tree_of(pid)),
        started_by_us=how == "started",
        how=how,
    )


def attach_pid(pid: int, never: Collection[int] = ()) -> Target:
    """Take a running process as the target.

    Args:
        pid: The root of its process tree.
        never: Our own processes, beside this one.

    Raises:
        SourceError: there is no such process, or it is one of ours.
    """
    _refuse_own(pid, never)
    target = describe(pid, "pid")
    if target is None:
        raise SourceError(f"there is no running process {pid}", "look it up, or use --port")
    return target


def attach_port(port: int, never: Collection[int] = ()) -> Target:
    """Take whoever listens on a TCP port of this machine as the target.

    Raises:
        SourceError: nobody does, we may not see who, or it is one of ours (see `attach_pid`).
    """
    pid = pid_listening_on(port)
    target = None
    if pid is not None:
        _refuse_own(pid, never)
        target = describe(pid, "port")
    if target is None:
        raise SourceError(
            f"nobody listens on port {port}",
            "start the server first, or give its command after --",
        )
    return target


def _refuse_own(pid: int, never: Collection[int]) -> None:
    if pid == os.getpid() or pid in never:
        raise SourceError(f"process {pid} is flashpoint's own", "name the server instead")


async def find_target(
    generator_pids: Collection[int],
    ignored_ports: Collection[int],
    clock: Clock,
    deadline_s: float,
    *,
    never: Collection[int] = (),
    poll_s: float = FIND_POLL_S,
) -> Search:
    """Find the server from the load generator's connections.

    Args:
        generator_pids: k6's processes.
        ignored_ports: Remote ports that do not count: our receiver, our gate.
        clock: The session's clock.
        deadline_s: How long to look, from now.
        never: Our own processes, beside this one.
        poll_s: Time between looks.

    Returns:
        The local process with the most connections, all looks together; or none, and why.
    """
    until = clock() + deadline_s
    total: Counter[int] = Counter()
    remotes: Counter[Address] = Counter()
    leads = 0
    leader: int | None = None
    while True:
        try:
            peers = await asyncio.to_thread(peers_of, generator_pids, ignored_ports)
        except SourceError as error:
            return Search(None, error.message, error.hint)
        _forget_own(peers, never)
        total.update(peers.pids)
        remotes.update(peers.remotes)
        best = total.most_common(1)
        if peers.pids and best:
            leads = leads + 1 if best[0][0] == leader else 1
            leader = best[0][0]
        is_late = clock() >= until
        if leader is not None and (leads >= FIND_CONFIRMATIONS or is_late):
            target = await asyncio.to_thread(_behind, leader)
            if target is not None:
                return Search(target, f"found {target}")
            del total[leader]
            leader, leads = None, 0
        if is_late:
            return Search(None, *_not_found(remotes))
        await asyncio.sleep(poll_s)


def _forget_own(peers: Peers, never: Collection[int]) -> None:
    for pid in (os.getpid(), *never):
        peers.pids.pop(pid, None)


def _behind(worker: int) -> Target | None:
    """Describe the server that a process which talks to k6 belongs to.

    That is the process itself, or an ancestor that listens on the same socket: the master of a
    pre-forking server.
    """
    table = ProcessTable()
    table.refresh()
    above = ancestors(table.parents, worker)
    root = worker
    for port in listeners([worker]):
        try:
            owner = pid_listening_on(port)
        except SourceError:
            continue
        if owner in above:
            root = owner
    return describe(root, "found") or describe(worker, "found")


def _not_found(remotes: Counter[Address]) -> tuple[str, str]:
    hint = "name the server with --pid or --port"
    if not remotes:
        return "the target was not found: k6 has no connections yet", hint
    end = remotes.most_common(1)[0][0]
    where = "to a process that we may not look into" if is_loopback(end) else "not to this machine"
    return f"the target was not found: k6's connections go to {show_address(end)}, {where}", hint
