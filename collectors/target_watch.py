"""Follows the system under test: its processes, its end, and its coming back as another process.

Nothing here ever signals a process.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Final

from collectors import pidfd
from collectors.child import Child
from collectors.process_tree import ProcessTable, read_stat, topmost
from collectors.samples import SourceState, SourceStatus
from collectors.sockets import listeners
from collectors.source import Clock, Emit, SourceError
from collectors.target import Target, create_time_of, show_ports
from collectors.target_start import show_exit
from collectors.target_successor import Likeness, Stranger, next_life, succeed

POLL_S: Final = 0.5
PORTS_EVERY: Final = 4
"""Polls between looks at the ports, which cost more than the rest."""
MAX_LIKENESSES: Final = 16
STATUS_WITHIN_S: Final = 0.5
"""How long the exit status of a child of ours may take after its end."""


class TargetWatch:
    """Follows one target over its lives.

    Args:
        target: Its first life.
        clock: The session's clock.
        child: The process of a target that we started; it knows the exit status.
        never: Tells our own processes, beside this one: they are never taken for the target.
        poll_s: Time between looks.
    """

    name: Final = "target"

    def __init__(
        self,
        target: Target,
        *,
        clock: Clock,
        child: Child | None = None,
        never: Callable[[], Collection[int]] = tuple,
        poll_s: float = POLL_S,
    ) -> None:
        self._clock = clock
        self._child = child
        self._never = never
        self._poll_s = poll_s
        self._table = ProcessTable()
        self._members: dict[int, int] = {}
        self._likenesses: tuple[Likeness, ...] = (Likeness.of(target.pid),)
        self.target = target
        """Its newest life."""
        self.generation = 1
        """How many lives it had."""
        self._look_at_members()

    def pids(self) -> tuple[int, ...]:
        """Return its living processes as of the last look, parents first.

        Those that once belonged to it still do when their parent has ended.
        """
        return tuple(self._members)

    async def run(self, emit: Emit, on_change: Callable[[Target], None]) -> None:
        """Follow the target until cancelled.

        Args:
            emit: Takes a status at every change.
            on_change: Takes the target when it is another process than before.
        """
        self._tell(emit, SourceState.LIVE, str(self.target))
        try:
            await self._follow_lives(emit, on_change)
        except SourceError as error:
            message = f"the target is not followed any more: {error.message}"
            self._tell(emit, SourceState.FAILED, message, error.hint)

    async def _follow_lives(self, emit: Emit, on_change: Callable[[Target], None]) -> None:
        while True:
            await self._until_ended(emit)
            heir = await asyncio.to_thread(self._heir)
            if heir is not None:
                self._follow(heir)
                word = f"goes on as pid {heir.pid}"
            else:
                self._tell_end(emit, await self._ending())
                heir = await self._until_back(emit)
                self.generation += 1
                self._members = {}
                self._follow(heir)
                word = f"restarted as pid {heir.pid} ({ordinal(self.generation)} generation)"
            ports = show_ports(heir.ports, ", ")
            self._tell(emit, SourceState.LIVE, f"{heir.name} {word}{ports}")
            on_change(heir)

    def _tell(self, emit: Emit, state: SourceState, message: str, hint: str = "") -> None:
        emit(SourceStatus(self._clock(), self.name, state, message, hint))

    async def _until_ended(self, emit: Emit) -> None:
        polls = 0
        end = asyncio.create_task(pidfd.ended(self.target.pid, self.target.create_time))
        try:
            while not end.done():
                is_turn = not self.target.ports or polls % PORTS_EVERY == 0
                ports = await asyncio.to_thread(self._look, is_turn)
                if ports and ports != self.target.ports and not end.done():
                    self.target = replace(self.target, ports=ports)
                    self._tell(emit, SourceState.LIVE, str(self.target))
                polls += 1
                await asyncio.wait([end], timeout=self._poll_s)
        finally:
            end.cancel()

    def _look(self, is_ports_turn: bool) -> tuple[int, ...]:
        """Look at its processes and, in turn, at their ports; no ports where not looked at."""
        self._look_at_members()
        if not is_ports_turn or self.target.pid not in self._members:
            return ()
        listening = {pid: ports for pid in self._members if (ports := listeners([pid]))}
        self._remember(self.target.pid, *listening)
        return tuple(sorted({port for ports in listening.values() for port in ports}))

    def _remember(self, *pids: int) -> None:
        # Older ones stay: a process that ends while it is looked at has no likeness any more.
        found = dict.fromkeys([*map(Likeness.of, pids), *self._likenesses])
        self._likenesses = tuple(found)[:MAX_LIKENESSES]

    def _look_at_members(self) -> None:
        self._table.refresh()
        roots = {self.target.pid: None, **dict.fromkeys(self._members)}
        members: dict[int, int] = {}
        for pid in self._table.descendants(roots, without={os.getpid(), *self._never()}):
            stat = read_stat(pid)
            if stat is None or stat.gone:
                continue
            if pid == self.target.pid:
                is_member = create_time_of(stat) == self.target.create_time
            else:
                # Below a member, or the same one as before: its pid may be a stranger's by now.
                is_member = stat.parent in members or self._members.get(pid) == stat.start_ticks
            if is_member:
                members[pid] = stat.start_ticks
        self._members = members

    def _heir(self) -> Target | None:
        """Return which of its processes carries on when its root has ended.

        The server put itself in the background, or its workers hold its ports still.
        """
        self._look_at_members()
        ports = set(self.target.ports)
        holding = [pid for pid in self._members if ports.intersection(listeners([pid]))]
        root = topmost(self._table.parents, holding)
        return succeed(self.target, root) if root is not None else None

    def _follow(self, heir: Target) -> None:
        self.target = heir
        self._child = None
        self._look_at_members()
        self._remember(heir.pid)

    async def _ending(self) -> str:
        if self._child is None or self._child.pid != self.target.pid:
            return "ended"
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._child.wait(), STATUS_WITHIN_S)
        return show_exit(self._child.returncode)

    def _tell_end(self, emit: Emit, ending: str) -> None:
        self._tell(
            emit,
            SourceState.DEGRADED,
            f"{self.target.name} (pid {self.target.pid}) {ending}, waiting for it to come back"
            f"{show_ports(self.target.ports, ' on ')}",
            "start it again, or end the run",
        )

    async def _until_back(self, emit: Emit) -> Target:
        told = None
        while True:
            found = await asyncio.to_thread(next_life, self.target, self._likenesses, self._never())
            if isinstance(found, Stranger):
                if found != told:
                    told = found
                    self._tell(emit, SourceState.DEGRADED, found.message, "name it with --pid")
            elif found is not None:
                return found
            await asyncio.sleep(self._poll_s)


def ordinal(number: int) -> str:
    """Return `1st`, `2nd`, `3rd`, `4th` …, `11th` …."""
    if number % 100 in (11, 12, 13):
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"
