"""Who listens where, and who talks to whom: TCP sockets of this machine and their processes.

Reads `/proc/net/tcp` and `tcp6`, of every network namespace that the asked processes are in, and
finds the owner of a socket by its inode among `/proc/PID/fd`. The kernel prints the tables at some
2 µs a row; the descriptors are the dear part, so they are read for the asked processes only where
that is enough.
"""

from __future__ import annotations

import ipaddress
import os
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from collectors.process_tree import PROC, ProcessTable, list_pids, read_stat, topmost
from collectors.source import SourceError

Address: TypeAlias = tuple[bytes, int]
"""IP address (4 bytes, also for IPv4 in IPv6, or 16) and port."""

ESTABLISHED: Final = 0x01
LISTEN: Final = 0x0A
_MAPPED: Final = b"\0" * 10 + b"\xff\xff"
_ANY: Final = (b"\0" * 4, b"\0" * 16)


@dataclass(frozen=True, slots=True)
class Socket:
    """One row of the kernel's table. Source: proc_pid_net(5), net/ipv4/tcp_ipv4.c."""

    local: Address
    remote: Address
    state: int
    uid: int
    """User id of its owner."""
    inode: int
    """0 while no process has accepted it."""


def parse_address(text: bytes) -> Address:
    """Read `0100007F:1F90`: 32-bit words in the machine's byte order, and the port.

    Raises:
        ValueError: it is no such text.
    """
    words, _, port = text.partition(b":")
    raw = bytes.fromhex(words.decode("ascii"))
    if len(raw) not in (4, 16):
        raise ValueError("neither an IPv4 nor an IPv6 address")
    if sys.byteorder == "little":
        raw = b"".join(raw[i : i + 4][::-1] for i in range(0, len(raw), 4))
    return raw.removeprefix(_MAPPED), int(port, 16)


def is_loopback(address: Address) -> bool:
    """Tell whether connections to the address never leave this machine."""
    return ipaddress.ip_address(address[0]).is_loopback


def show_address(address: Address) -> str:
    """Return `127.0.0.1:8080` or `[::1]:8080`."""
    host, port = address
    text = str(ipaddress.ip_address(host))
    return f"[{text}]:{port}" if ":" in text else f"{text}:{port}"


def parse_table(data: bytes, states: Collection[int] = (ESTABLISHED, LISTEN)) -> list[Socket]:
    """Read a table, only rows in these states; a row that makes no sense is left out."""
    wanted = {b"%02X" % state for state in states}
    found = []
    for line in data.splitlines()[1:]:
        fields = line.split(None, 10)
        if len(fields) < 10 or fields[3] not in wanted:
            continue
        try:
            local, remote = parse_address(fields[1]), parse_address(fields[2])
            found.append(Socket(local, remote, int(fields[3], 16), int(fields[7]), int(fields[9])))
        except ValueError:
            continue
    return found


def inodes_of(pid: int, proc: Path = PROC) -> set[int] | None:
    """Return the inodes of the sockets a process has open; None where not permitted."""
    found = set()
    folder = f"{proc}/{pid}/fd"
    try:
        names = os.listdir(folder)
    except PermissionError:
        return None
    except OSError:
        return set()
    for name in names:
        try:
            link = os.readlink(f"{folder}/{name}")
        except OSError:
            continue
        if link.startswith("socket:["):
            found.add(int(link[8:-1]))
    return found


def read_sockets(
    pids: Iterable[int] = (),
    states: Collection[int] = (ESTABLISHED, LISTEN),
    proc: Path = PROC,
) -> list[Socket]:
    """Read the TCP sockets of our network namespace and those of the given processes.

    Raises:
        SourceError: not even our own table can be read.
    """
    found: list[Socket] = []
    seen: set[str] = set()
    for owner in ("self", *map(str, pids)):
        try:
            namespace = os.readlink(f"{proc}/{owner}/ns/net")
        except OSError:
            namespace = owner if owner == "self" else ""
        if not namespace or namespace in seen:
            continue
        seen.add(namespace)
        found.extend(_read_tables(owner, states, proc))
    return found


def _read_tables(owner: str, states: Collection[int], proc: Path) -> Iterator[Socket]:
    for name in ("tcp", "tcp6"):
        try:
            data = (proc / owner / "net" / name).read_bytes()
        except FileNotFoundError:
            continue  # the process is gone, or the kernel has no IPv6
        except OSError as error:
            if owner == "self":
                raise SourceError(
                    f"the TCP sockets of this machine can't be read: {error.strerror}",
                    "name the process by its pid: --pid",
                ) from None
            continue
        yield from parse_table(data, states)


def listeners(pids: Collection[int], proc: Path = PROC) -> tuple[int, ...]:
    """Return the TCP ports that some of the processes listen on, in order."""
    inodes: set[int] = set()
    for pid in pids:
        inodes |= inodes_of(pid, proc) or set()
    if not inodes:
        return ()
    sockets = read_sockets(pids, (LISTEN,), proc)
    return tuple(sorted({row.local[1] for row in sockets if row.inode in inodes}))


def holders(inodes: Collection[int], proc: Path = PROC) -> dict[int, list[int]]:
    """Return pid → those of the sockets that it has open, over all processes we may look into."""
    found = {}
    for pid in list_pids(proc) if inodes else ():
        held = inodes_of(pid, proc)
        if held and (mine := held.intersection(inodes)):
            found[pid] = sorted(mine)
    return found


def pid_listening_on(port: int, proc: Path = PROC) -> int | None:
    """Return the process that listens on a TCP port of ours; None for nobody.

    Where several share the socket (a server and its workers) it is the topmost of them.

    Raises:
        SourceError: somebody listens, but we may not see who.
    """
    rows = [row for row in read_sockets((), (LISTEN,), proc) if row.local[1] == port]
    if not rows:
        return None
    owners = holders({row.inode for row in rows}, proc)
    if not owners:
        raise SourceError(
            f"port {port} belongs to a process of user id {rows[0].uid} that we may not look into",
            "run as that user or as root",
        )
    return responsible(owners, proc)


def responsible(pids: Collection[int], proc: Path = PROC) -> int | None:
    """Return the topmost of processes that share a socket, a service manager left out.

    systemd keeps a descriptor of every socket that it activates a service with.
    """
    table = ProcessTable(proc)
    table.refresh()
    return _responsible(pids, table.parents, proc)


def _responsible(pids: Collection[int], parents: Mapping[int, int], proc: Path) -> int | None:
    if len(pids) == 1:
        return next(iter(pids))
    servers = [pid for pid in pids if not _is_service_manager(pid, proc)]
    return topmost(parents, servers or pids)


def _is_service_manager(pid: int, proc: Path) -> bool:
    stat = read_stat(pid, proc)
    return stat is not None and (pid == 1 or stat.name == "systemd")


@dataclass(frozen=True, slots=True)
class Peers:
    """The other ends of some processes' connections."""

    pids: Counter[int]
    """Local process → connections to it."""
    remotes: Counter[Address]
    """Address → connections to it, wherever it is."""


def peers_of(
    pids: Collection[int], ignored_ports: Collection[int] = (), proc: Path = PROC
) -> Peers:
    """Count the connections from some processes to others.

    A connection that the server has not accepted yet, or whose owner we may not see, counts for
    whoever listens at its address.

    Args:
        pids: The processes whose connections are followed, usually k6's. They never count
            themselves.
        ignored_ports: Remote ports that do not count, usually our own receiver's.
        proc: Where `/proc` is, unless testing.

    Raises:
        SourceError: the table of sockets, or the processes' descriptors, can't be read.
    """
    mine: set[int] = set()
    for pid in pids:
        held = inodes_of(pid, proc)
        if held is None:
            raise SourceError(
                f"the connections of process {pid} can't be read",
                "name the server: --pid or --port",
            )
        mine |= held
    sockets = read_sockets(pids, proc=proc)
    outgoing = [
        row
        for row in sockets
        if row.state == ESTABLISHED and row.inode in mine and row.remote[1] not in ignored_ports
    ]
    counts = _count_peers(outgoing, sockets, set(pids), proc) if outgoing else Counter()
    return Peers(counts, Counter(row.remote for row in outgoing))


def _count_peers(
    outgoing: list[Socket], sockets: list[Socket], without: set[int], proc: Path
) -> Counter[int]:
    by_ends = {(row.local, row.remote): row for row in sockets if row.state == ESTABLISHED}
    listening = {row.local: row for row in sockets if row.state == LISTEN}
    peers = [by_ends.get((row.remote, row.local)) for row in outgoing]
    # Only an address of this machine, seen as such by a local row, has its listener here.
    ears = [
        _listener(listening, row.remote) if peer is not None else None
        for row, peer in zip(outgoing, peers, strict=True)
    ]
    wanted = {row.inode for row in (*peers, *ears) if row is not None and row.inode}
    owners: dict[int, list[int]] = {}
    for owner, inodes in holders(wanted, proc).items():
        if owner not in without:
            for inode in inodes:
                owners.setdefault(inode, []).append(owner)
    table = ProcessTable(proc)
    if any(len(pids) > 1 for pids in owners.values()):
        table.refresh()
    counts: Counter[int] = Counter()
    for peer, ear in zip(peers, ears, strict=True):
        held = next((owners[row.inode] for row in (peer, ear) if row and row.inode in owners), ())
        pid = _responsible(held, table.parents, proc)
        if pid is not None:
            counts[pid] += 1
    return counts


def _listener(listening: dict[Address, Socket], address: Address) -> Socket | None:
    port = address[1]
    for host in (address[0], *_ANY):
        row = listening.get((host, port))
        if row is not None:
            return row
    return None
