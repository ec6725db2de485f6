from __future__ import annotations

from dataclasses import replace

import pytest

from collectors.samples import CoreUsage, DiskUsage, Role
from tests.builders import host, usage
from tui.model.usage import busy_cores, role_usage, summarise_host, summarise_role


def test_a_role_is_summed_over_its_own_time() -> None:
    """CPU seconds add up; cores are those of the samples in which the role was there."""
    samples = [
        host(1.0),
        host(2.0, roles=(usage(Role.TARGET, 0.5),)),
        host(4.0, interval_s=2.0, roles=(usage(Role.TARGET, 2.5), usage(Role.MONITOR, 9.0))),
    ]
    role = summarise_role(samples, Role.TARGET)
    assert (role.cpu_seconds, role.cpu_cores_mean) == (3.0, 1.0)
    assert (role.read_bytes, role.written_bytes) == (12, 14)
    assert (role.voluntary_switches, role.involuntary_switches) == (8, 10)
    assert role.throttled_seconds == 0.0


def test_levels_are_the_newest_and_the_greatest() -> None:
    """Memory, threads, processes and files are no sums."""
    big = replace(usage(Role.TARGET, 0.5), rss_bytes=9_000, threads=8, processes=3, open_files=7)
    small = usage(Role.TARGET, 0.5)
    samples = [host(1.0, roles=(big,)), host(2.0, roles=(small,))]
    role = summarise_role(samples, Role.TARGET)
    assert (role.rss_bytes, role.rss_bytes_max) == (1_000, 9_000)
    assert (role.threads, role.processes, role.open_files) == (2, 1, 3)


def test_a_role_that_is_not_there_is_not_known() -> None:
    """None, not zero; but it used no CPU."""
    role = summarise_role([host(1.0)], Role.GENERATOR)
    assert role.cpu_seconds == 0
    known = (role.cpu_cores_mean, role.rss_bytes, role.rss_bytes_max, role.threads)
    assert known == (None,) * 4
    assert (role.read_bytes, role.throttled_seconds, role.voluntary_switches) == (None,) * 3
    assert role_usage(host(1.0), Role.GENERATOR) is None


def test_what_only_some_samples_tell_is_summed_over_those() -> None:
    """A process that may not be read for a moment does not spoil the sum."""
    blind = replace(usage(Role.TARGET, 0.5), read_bytes=None, voluntary_switches=None)
    samples = [host(1.0, roles=(blind,)), host(2.0, roles=(usage(Role.TARGET, 0.5),))]
    role = summarise_role(samples, Role.TARGET)
    assert (role.read_bytes, role.voluntary_switches) == (6, 4)


def test_the_machine_is_summed_over_its_cores_and_disks() -> None:
    """Rates times their time; waiting for a disk is not busy."""
    disk = DiskUsage("vda", 100.0, 50.0, 1.0, 1.0, 0.5)
    samples = [
        host(1.0, busy_ratio=0.75, disks=(disk, disk)),
        host(3.0, busy_ratio=0.375, interval_s=2.0, disks=(disk,)),
    ]
    made = summarise_host(samples)
    assert (made.cpu_seconds, made.cpu_cores_mean, made.cores) == (3.0, 1.0, 2)
    assert (made.read_bytes, made.written_bytes) == (400.0, 200.0)
    assert (made.memory_used_bytes, made.memory_total_bytes) == (1 << 20, 1 << 30)


def test_user_system_and_steal_are_busy() -> None:
    """Input and output wait is not."""
    sample = replace(host(1.0), cores=(CoreUsage(0.1, 0.2, 0.4, 0.3), CoreUsage(0, 0, 1.0, 0)))
    assert busy_cores(sample) == pytest.approx(0.6)


def test_of_no_machine_nothing_is_known() -> None:
    """None, and no cores."""
    made = summarise_host([])
    assert (made.cpu_cores_mean, made.memory_used_bytes, made.memory_total_bytes) == (None,) * 3
    assert (made.cores, made.cpu_seconds) == (0, 0)
