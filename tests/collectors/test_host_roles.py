from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.host_counters import HostReading, Memory, ProcessCounters, RoleCounters
from collectors.host_roles import RoleDeltas
from collectors.samples import Role, RoleUsage

ROOT, INIT = 10, 1


def counters(
    pid: int, own: float, reaped: float = 0, parent: int = INIT, start: int = 0
) -> ProcessCounters:
    return ProcessCounters(
        pid=pid,
        start_ticks=start,
        parent=parent,
        own_cpu_s=own,
        reaped_cpu_s=reaped,
        rss_bytes=1000,
        threads=2,
        open_files=3,
        switches={pid: (10, 1)},
        read_bytes=int(own + reaped) * 100,
        written_bytes=0,
    )


def reading(
    *processes: ProcessCounters,
    ticks: int = 0,
    role: Role = Role.TARGET,
    throttled: Mapping[str, float] | None = None,
) -> HostReading:
    return HostReading(
        at=ticks / 100,
        boot_ticks=ticks,
        cores={},
        load_1m=0,
        memory=Memory(0, 0, 0),
        disks={},
        networks={},
        pressure=None,
        roles={role: RoleCounters(processes, throttled or {})},
    )


def usage(before: HostReading, now: HostReading) -> RoleUsage:
    (only,) = RoleDeltas().usage(before, now)
    return only


@dataclass
class Simulated:
    """One process of the simulated machine."""

    pid: int
    parent: int
    born: int
    own: float = 0
    reaped: float = 0
    is_zombie: bool = False


@dataclass
class Machine:
    """A kernel's bookkeeping of CPU time, in whole seconds, with the exact total beside it.

    Parents wait for their children; who has lost its parent goes to init, outside the tree.
    """

    ticks: int = 0
    exact: float = 0
    next_pid: int = ROOT + 1
    alive: dict[int, Simulated] = field(default_factory=lambda: {ROOT: Simulated(ROOT, INIT, 0)})

    def pick(self, number: int, *, zombies: bool = False) -> Simulated | None:
        found = [one for one in self.alive.values() if one.is_zombie is zombies]
        return found[number % len(found)] if found else None

    def burn(self, number: int) -> None:
        if process := self.pick(number):
            process.own += 1
            self.exact += 1

    def fork(self, number: int) -> None:
        if parent := self.pick(number):
            self.alive[self.next_pid] = Simulated(self.next_pid, parent.pid, self.ticks)
            self.next_pid += 1

    def end(self, number: int) -> None:
        process = self.pick(number)
        if process and process.pid != ROOT:
            process.is_zombie = True
            for child in list(self.alive.values()):
                if child.parent == process.pid:
                    child.parent = INIT
                    if child.is_zombie:
                        del self.alive[child.pid]

    def reap(self, number: int) -> None:
        if (zombie := self.pick(number, zombies=True)) is None:
            return
        del self.alive[zombie.pid]
        if zombie.parent in self.alive:
            self.alive[zombie.parent].reaped += zombie.own + zombie.reaped

    def read(self) -> HostReading:
        self.ticks += 1
        return reading(
            *(
                counters(one.pid, one.own, one.reaped, one.parent, one.born)
                for one in self.alive.values()
            ),
            ticks=self.ticks,
        )


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["burn", "burn", "fork", "end", "reap", "read"]),
        st.integers(0, 20),
    ),
    min_size=40,
    max_size=80,
)


def play(steps: list[tuple[str, int]], *, orphans: bool) -> tuple[float, float, list[float]]:
    """Return the CPU time counted, the exact total, and how much each reading was over it."""
    machine = Machine()
    deltas = RoleDeltas()
    before = machine.read()
    counted = 0.0
    over = []
    for action, number in [*steps, ("read", 0)]:
        if action == "read":
            now = machine.read()
            (role,) = deltas.usage(before, now)
            before = now
            counted += role.cpu_seconds
            over.append(counted - machine.exact)
        elif action == "end" and not orphans:
            process = machine.pick(number)
            if process and not any(one.parent == process.pid for one in machine.alive.values()):
                machine.end(number)
        else:
            getattr(machine, action)(number)
    return counted, machine.exact, over


@given(STEPS)
def test_nothing_is_lost_and_nothing_counted_twice(steps: list[tuple[str, int]]) -> None:
    """Where parents outlive their children the sum is exact, however short they lived."""
    counted, exact, _ = play(steps, orphans=False)
    assert counted == exact


@given(STEPS)
def test_orphans_are_never_counted_twice(steps: list[tuple[str, int]]) -> None:
    """What is lost with an orphan stays lost: at no reading more is counted than was used."""
    _, _, over = play(steps, orphans=True)
    assert max(over) <= 0


def test_a_process_that_joins_brings_nothing_of_its_past() -> None:
    """What was used before the tree was watched does not count; new processes count in full."""
    before = reading(counters(10, 5), ticks=100)
    joined = counters(11, 50, parent=10, start=20)
    born = counters(12, 2, parent=10, start=130)
    assert usage(before, reading(counters(10, 6), joined, born, ticks=200)).cpu_seconds == 3


def test_a_child_reaped_while_it_was_read_is_not_counted_again() -> None:
    """The parent was read before it took its child's time: the next reading has it both ways."""
    child = counters(11, 8, parent=10)
    deltas = RoleDeltas()
    first = reading(counters(10, 1), child)
    second = reading(counters(10, 1))  # the child is gone, its time not yet there
    third = reading(counters(10, 1, reaped=9))
    totals = [deltas.usage(a, b)[0].cpu_seconds for a, b in ((first, second), (second, third))]
    assert totals == [0, 1]


def test_a_parent_that_never_waits_does_not_hide_the_next_child() -> None:
    """A child whose time went nowhere is taken off for one reading, not for ever."""
    deltas = RoleDeltas()
    first = reading(counters(10, 0), counters(11, 8, parent=10))
    empty = reading(counters(10, 0))
    deltas.usage(first, empty)
    deltas.usage(empty, empty)
    assert deltas.usage(empty, reading(counters(10, 0, reaped=5)))[0].cpu_seconds == 5


def test_a_pid_given_away_again_is_another_process() -> None:
    """The counters of two processes with one pid are never compared."""
    before = reading(counters(10, 50, start=1), ticks=100)
    assert usage(before, reading(counters(10, 3, start=150), ticks=200)).cpu_seconds == 3


def test_the_monitor_does_not_count_what_it_waited_for() -> None:
    """The guard waits for k6 and the target; their time is theirs."""
    before = reading(counters(10, 1, reaped=1), role=Role.MONITOR)
    now = reading(counters(10, 3, reaped=100), role=Role.MONITOR)
    assert usage(before, now).cpu_seconds == 2


def test_storage_of_a_reaped_child_counts_once() -> None:
    """A parent's counters of storage hold those of its children, which are counted already."""
    before = reading(counters(10, 1), counters(11, 4, parent=10))
    assert usage(before, reading(counters(10, 2, reaped=5))).read_bytes == 200


@pytest.mark.parametrize("name", ["open_files", "read_bytes", "written_bytes"])
def test_what_one_process_hides_is_unknown_for_the_role(name: str) -> None:
    """A sum without one of its parts would be a wrong number, so it is none."""
    hidden = replace(counters(11, 1, parent=10), **{name: None})  # type: ignore[arg-type]
    before = reading(counters(10, 1), hidden)
    found = usage(before, before)
    assert getattr(found, name) is None
    assert (found.processes, found.threads, found.rss_bytes) == (2, 4, 2000)


def test_switches_are_summed_over_threads() -> None:
    """Threads that came count from zero, threads that ended leave no hole."""
    before = reading(replace(counters(10, 0), switches={10: (5, 5), 11: (7, 7)}))
    now = reading(replace(counters(10, 0), switches={10: (6, 5), 12: (3, 2)}))
    found = usage(before, now)
    assert (found.voluntary_switches, found.involuntary_switches) == (4, 2)
    hidden = reading(replace(counters(10, 0), switches=None))
    assert usage(hidden, now).voluntary_switches is None


def test_throttling_is_that_of_the_tightest_quota() -> None:
    """Quotas of a group and of one above hold back the same time: it counts once."""
    before = reading(throttled={"/a": 1.0, "/a/b": 5.0})
    assert usage(before, reading(throttled={"/a": 1.5, "/a/b": 5.2})).throttled_seconds == 0.5
    assert usage(before, reading(throttled={"/c": 1.5})).throttled_seconds is None
