"""What the CPU quota of a control group is, and how long it has held a process back.

Reads `cpu.stat` and the quota of the groups that a process is in, of cgroup v2 and of v1's `cpu`
controller, and of all groups above: a quota further up throttles everything below it, and is
counted there only. Source: `Documentation/admin-guide/cgroup-v2.rst`,
`Documentation/scheduler/sched-bwc.rst`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from collectors.process_tree import PROC, read_small

_V1_KEY: Final = b"throttled_time"
_V2_KEY: Final = b"throttled_usec"


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """A mounted tree of control groups that can throttle."""

    version: int
    mount: Path
    root: PurePosixPath
    """Which group the mount point shows; `/` unless in a container."""


def parse_mountinfo(text: str) -> tuple[Hierarchy, ...]:
    """Find the hierarchies with CPU quotas in `/proc/self/mountinfo` (proc_pid_mountinfo(5))."""
    found = []
    for line in text.splitlines():
        before, _, after = line.partition(" - ")
        fields, kind = before.split(), after.split()
        if len(fields) < 5 or len(kind) < 3:
            continue
        if kind[0] == "cgroup2":
            version = 2
        elif kind[0] == "cgroup" and "cpu" in kind[2].split(","):
            version = 1
        else:
            continue
        found.append(Hierarchy(version, Path(_unescape(fields[4])), PurePosixPath(fields[3])))
    return tuple(found)


def _unescape(path: str) -> str:
    return path.replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\")


def parse_membership(text: str) -> Mapping[int, PurePosixPath]:
    """Read `/proc/PID/cgroup`: version → group, for v2 and for v1's `cpu` controller."""
    groups = {}
    for line in text.splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0" and not controllers:
            groups[2] = PurePosixPath(path)
        elif "cpu" in controllers.split(","):
            groups[1] = PurePosixPath(path)
    return groups


def parse_throttled(data: bytes) -> float | None:
    """Return the seconds of throttling in a `cpu.stat`; None where it tells none."""
    for line in data.splitlines():
        key, _, value = line.partition(b" ")
        if key == _V1_KEY:
            return int(value) / 1e9
        if key == _V2_KEY:
            return int(value) / 1e6
    return None


def parse_quota(data: bytes) -> float | None:
    """Return the cores that `cpu.max` allows, or v1's quota and period; None without a limit.

    Raises:
        ValueError: it is something else.
    """
    fields = data.split()
    if fields[:1] == [b"max"]:
        return None
    if len(fields) != 2:
        raise ValueError("no quota and period")
    quota, period = int(fields[0]), int(fields[1])
    return quota / period if quota > 0 and period > 0 else None


def quota_cores(pid: int, proc: Path = PROC) -> float | None:
    """Return how many cores the groups of a process allow it at most; None without a limit."""
    return Throttling(proc).quota_cores(pid)


class Throttling:
    """Reads the quotas and the throttled time of processes' groups.

    Args:
        proc: Where `/proc` is, unless testing.
    """

    def __init__(self, proc: Path = PROC) -> None:
        self._proc = proc
        try:
            # Longer than one read of a small file where many file systems are mounted.
            text = (proc / "self" / "mountinfo").read_text("utf-8", "surrogateescape")
        except OSError:
            text = ""
        self._hierarchies = parse_mountinfo(text)

    def read(self, pid: int) -> Mapping[str, float]:
        """Return group → seconds of throttling since it was made, own group and all above.

        Empty where the process is gone, or nothing tells.
        """
        totals = {}
        for _, level in self._levels(pid):
            seconds = self._throttled(level)
            if seconds is not None:
                totals[str(level)] = seconds
        return totals

    def quota_cores(self, pid: int) -> float | None:
        """Return how many cores the tightest of its groups allows; None without a limit."""
        limits = [
            limit
            for version, level in self._levels(pid)
            if (limit := self._quota(version, level)) is not None
        ]
        return min(limits, default=None)

    def _levels(self, pid: int) -> Iterator[tuple[int, Path]]:
        """Yield the version and the folder of each group that a process is in, and those above."""
        try:
            text = read_small(f"{self._proc}/{pid}/cgroup").decode("utf-8", "surrogateescape")
        except OSError:
            return
        groups = parse_membership(text)
        for hierarchy in self._hierarchies:
            group = groups.get(hierarchy.version)
            # `..` stands for what another cgroup namespace hides.
            if group is None or ".." in group.parts or not group.is_relative_to(hierarchy.root):
                continue
            folder = hierarchy.mount / group.relative_to(hierarchy.root)
            for level in (folder, *folder.parents):
                yield hierarchy.version, level
                if level == hierarchy.mount:
                    break

    @staticmethod
    def _quota(version: int, folder: Path) -> float | None:
        try:
            if version == 2:
                return parse_quota(read_small(folder / "cpu.max"))
            quota = read_small(folder / "cpu.cfs_quota_us")
            return parse_quota(quota + b" " + read_small(folder / "cpu.cfs_period_us"))
        except (OSError, ValueError):
            return None

    @staticmethod
    def _throttled(folder: Path) -> float | None:
        try:
            return parse_throttled(read_small(folder / "cpu.stat"))
        except (OSError, ValueError):
            return None
