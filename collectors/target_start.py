"""Starts the system under test, and ends it in the end."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from collectors import pidfd
from collectors.child import Child
from collectors.process import PIPE, Guard
from collectors.process_tree import read_stat
from collectors.samples import LogLine
from collectors.sockets import pid_listening_on
from collectors.source import Clock, SourceError
from collectors.target import Target, create_time_of, tree_of
from collectors.target_log import TargetLogs
from collectors.target_ready import Readiness, local_port_of

STOP_GRACE_S: Final = 5.0
FAILED_GRACE_S: Final = 1.0
KILLED_WITHIN_S: Final = 1.0


class StartedTarget:
    """A server that we started.

    Attributes:
        target: Who it is, as it was when it got ready.
        child: The process that was spawned; a server that puts itself in the background is another.
    """

    def __init__(self, child: Child, target: Target, logs: TargetLogs) -> None:
        self.child = child
        self.target = target
        self._logs = logs

    @property
    def last_log_line(self) -> str:
        """The newest line it wrote, sanitised; may be empty."""
        return self._logs.last

    async def stop(self, grace_s: float = STOP_GRACE_S) -> int:
        """End it: SIGTERM, and after the grace SIGKILL to its group and all that was below it.

        Returns:
            The exit status of what was spawned, or the negative signal number.
        """
        family = _create_times([*tree_of(self.child.pid), *tree_of(self.target.pid)])
        if self.target.pid != self.child.pid:
            pidfd.send(self.target.pid, self.target.create_time, signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                end = pidfd.ended(self.target.pid, self.target.create_time)
                await asyncio.wait_for(end, grace_s)
        await self.child.stop(signal.SIGTERM, grace_s)
        return await _end_family(self.child, family, self._logs)


async def start_target(
    guard: Guard,
    argv: Sequence[str],
    *,
    port: int | None = None,
    ready_url: str | None = None,
    ready_timeout_s: float = 30.0,
    clock: Clock,
    emit_log: Callable[[LogLine], None],
    redact: bool = True,
) -> StartedTarget:
    """Start a server and wait until it is ready.

    It is ready when `ready_url` answers with a status below 500; without one, when one of its
    processes listens on `port`; without either, on any TCP port.

    Args:
        guard: Starts the process.
        argv: Program and arguments, no shell.
        port: The TCP port it is going to listen on.
        ready_url: An `http` or `https` URL.
        ready_timeout_s: How long it may take.
        clock: The session's clock.
        emit_log: Takes what it writes to stdout and stderr.
        redact: Whether secrets in that are masked.

    Raises:
        SourceError: it can't be started, ends early or does not get ready in time, or the port is
            taken by somebody else. Nothing of it is left running then.
    """
    _check_free(port)
    if ready_url is not None:
        _check_free(local_port_of(ready_url))
    deadline = clock() + ready_timeout_s
    child = await guard.spawn("target", argv, stdout=PIPE, stderr=PIPE, core=True)
    logs = TargetLogs(child, clock, emit_log, redact=redact)
    readiness = Readiness(child, guard.pid, port, ready_url)
    try:
        target = await readiness.wait(clock, deadline)
    except BaseException as error:
        await _give_up(child, logs)
        if isinstance(error, TimeoutError):
            raise SourceError(
                f"the server was not {readiness.waited_for} within {ready_timeout_s:g} s"
                f"{_said(logs)}",
                "see --port, --ready-url and --ready-timeout",
            ) from None
        raise
    if target is None:
        await _give_up(child, logs)
        raise SourceError(
            f"the server {show_exit(child.returncode)} before it was ready{_said(logs)}",
            "run its command by itself to see why",
        )
    return StartedTarget(child, target, logs)


async def _give_up(child: Child, logs: TargetLogs) -> None:
    family = _create_times(tree_of(child.pid))
    await child.stop(signal.SIGTERM, FAILED_GRACE_S)
    await _end_family(child, family, logs)


async def _end_family(child: Child, family: Mapping[int, float], logs: TargetLogs) -> int:
    """End what a child had below it, in groups of its own too, and return the child's status."""
    for pid, create_time in family.items():
        pidfd.send(pid, create_time, signal.SIGKILL)
    ends = [pidfd.ended(pid, create_time) for pid, create_time in family.items()]
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(asyncio.gather(*ends), KILLED_WITHIN_S)
    await logs.close()
    return await child.wait()


def _check_free(port: int | None) -> None:
    pid = pid_listening_on(port) if port is not None else None
    if pid is not None:
        stat = read_stat(pid)
        owner = f"{stat.name} (pid {pid})" if stat is not None else f"pid {pid}"
        raise SourceError(
            f"port {port} is taken by {owner}",
            f"stop it, or attach to it: --port {port} without a command",
        )


def _said(logs: TargetLogs) -> str:
    return f"; its last line: {logs.last}" if logs.last else ""


def show_exit(returncode: int | None) -> str:
    """Return how a process ended, in words."""
    if returncode is None:
        return "ended"
    if returncode >= 0:
        return f"exited with status {returncode}"
    try:
        return f"was ended by {signal.Signals(-returncode).name}"
    except ValueError:
        return f"was ended by signal {-returncode}"


def _create_times(pids: Sequence[int]) -> Mapping[int, float]:
    stats = [stat for stat in map(read_stat, pids) if stat is not None and not stat.gone]
    return {stat.pid: create_time_of(stat) for stat in stats}
