from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

import pytest

from collectors.cgroup import Throttling, parse_membership, parse_mountinfo, parse_throttled

HYBRID = """\
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
33 31 0:31 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
"""


def test_both_versions_are_found_beside_one_another() -> None:
    """A hybrid machine has v1's cpu controller and the v2 tree; cpuset is not cpu."""
    found = parse_mountinfo(HYBRID)
    assert [(item.version, str(item.mount)) for item in found] == [
        (1, "/sys/fs/cgroup/cpu,cpuacct"),
        (2, "/sys/fs/cgroup/unified"),
    ]


def test_membership_of_both_versions() -> None:
    """The group is told for v2 and for v1's cpu controller, whatever stands beside it."""
    text = "9:name=systemd:/a\n3:cpuset:/b\n2:cpu,cpuacct:/c:d\n0::/e\nbroken\n"
    assert parse_membership(text) == {1: PurePosixPath("/c:d"), 2: PurePosixPath("/e")}


@pytest.mark.parametrize(
    ("data", "seconds"),
    [
        (b"nr_periods 9\nnr_throttled 4\nthrottled_time 2500000000\n", 2.5),
        (b"usage_usec 88561628\nnr_throttled 3\nthrottled_usec 1250000\n", 1.25),
        (b"usage_usec 88561628\nuser_usec 1\n", None),
        (b"", None),
    ],
)
def test_throttled_time_in_either_unit(data: bytes, seconds: float | None) -> None:
    """v1 counts nanoseconds, v2 microseconds; a group without a quota says nothing."""
    assert parse_throttled(data) == seconds


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    mount = tmp_path / "my group"
    group = mount / "app" / "web"
    group.mkdir(parents=True)
    (mount / "cpu.stat").write_text("usage_usec 1\n")
    (mount / "app" / "cpu.stat").write_text("throttled_usec 3000000\n")
    (group / "cpu.stat").write_text("throttled_usec 500000\n")
    for folder in ("self", "7", "8"):
        (tmp_path / folder).mkdir()
    escaped = str(mount).replace(" ", "\\040")
    (tmp_path / "self" / "mountinfo").write_text(f"1 0 0:1 /pod {escaped} rw - cgroup2 none rw\n")
    (tmp_path / "7" / "cgroup").write_text("0::/pod/app/web\n")
    (tmp_path / "8" / "cgroup").write_text("0::/../elsewhere\n")
    return tmp_path


def test_the_quotas_above_are_read_too(machine: Path) -> None:
    """A process is held back by its own group and by every group above, to the mount point."""
    mount = machine / "my group"
    assert Throttling(machine).read(7) == {
        str(mount / "app" / "web"): 0.5,
        str(mount / "app"): 3.0,
    }


@pytest.mark.parametrize("pid", [8, 9])
def test_hidden_and_vanished_processes_tell_nothing(machine: Path, pid: int) -> None:
    """Another namespace's group, or a process that is gone, gives an empty answer."""
    assert Throttling(machine).read(pid) == {}


def test_this_machine_can_be_read() -> None:
    """On the real machine all totals are times."""
    assert all(seconds >= 0 for seconds in Throttling().read(os.getpid()).values())
