from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.host_counters import (
    CoreTimes,
    DiskCounters,
    HostReading,
    Memory,
    NetworkCounters,
    PressureTotals,
    RoleCounters,
)
from collectors.host_deltas import HostDeltas
from collectors.samples import (
    CoreUsage,
    DiskUsage,
    HostSample,
    NetworkUsage,
    Pressure,
    Role,
)

START = HostReading(
    at=100.0,
    boot_ticks=10_000,
    cores={0: CoreTimes(10, 5, 1, 0, 50), 1: CoreTimes(20, 5, 1, 0, 40)},
    load_1m=0.5,
    memory=Memory(1000, 400, 10),
    disks={"vda": DiskCounters(10, 20, 4096, 8192, 1.0)},
    networks={"lo": NetworkCounters(500, 700)},
    pressure=PressureTotals(1.0, 2.0, 3.0),
    roles={Role.TARGET: RoleCounters((), {})},
)
LATER = replace(
    START,
    at=102.0,
    cores={0: CoreTimes(11, 5.5, 1.2, 0.1, 50.2), 1: CoreTimes(20, 5, 1, 0, 42)},
    memory=Memory(1000, 450, 20),
    disks={"vda": DiskCounters(14, 22, 8192, 8192, 2.5)},
    networks={"lo": NetworkCounters(1500, 1700)},
    pressure=PressureTotals(1.5, 2.0, 9.0),
)


def sample_of(before: HostReading, now: HostReading, interval_s: float = 1.0) -> HostSample:
    deltas = HostDeltas(interval_s)
    assert deltas.feed(before) is None
    sample = deltas.feed(now)
    assert sample is not None
    return sample


def test_a_sample_holds_rates_and_shares() -> None:
    """Counters become shares of the time and rates a second; levels stay as they are."""
    sample = sample_of(START, LATER)
    assert (sample.at, sample.interval_s) == (102.0, 2.0)
    assert sample.cores[1] == CoreUsage(0, 0, 0, 0)
    core = sample.cores[0]
    assert core.user_ratio == pytest.approx(1 / 2)
    assert core.system_ratio == pytest.approx(0.25)
    assert core.iowait_ratio == pytest.approx(0.1)
    assert core.steal_ratio == pytest.approx(0.05)
    assert sample.disks == (DiskUsage("vda", 2048, 0, 2, 1, 0.75),)
    assert sample.networks == (NetworkUsage("lo", 500, 500),)
    assert sample.pressure == Pressure(0.25, 0, 1.0)
    assert (sample.memory_used_bytes, sample.swap_used_bytes) == (450, 20)
    assert [role.role for role in sample.roles] == [Role.TARGET]


def test_a_core_that_went_or_came_is_left_out() -> None:
    """Switching a core off or on gives a gap for it, not a spike."""
    gone = replace(LATER, cores={1: LATER.cores[1]})
    assert len(sample_of(START, gone).cores) == 1
    assert len(sample_of(gone, replace(LATER, at=103.0)).cores) == 1


def test_iowait_may_run_backwards() -> None:
    """The kernel's iowait is not monotonic; the rest of the core stays."""
    core = CoreTimes(11, 5, 0.5, 0, 50)
    (usage,) = sample_of(START, replace(LATER, cores={0: core})).cores
    assert usage == CoreUsage(1.0, 0.0, 0.0, 0.0)


def test_counters_that_went_backwards_are_a_gap() -> None:
    """A reset, a wrap or a device plugged in again leaves its entry out for one sample."""
    reset = replace(
        LATER,
        cores={0: CoreTimes(0, 0, 0, 0, 1), 1: LATER.cores[1]},
        disks={"vda": DiskCounters(1, 1, 9_999_999, 0, 0)},
        networks={"lo": NetworkCounters(5, 9_999_999)},
        pressure=PressureTotals(0, 9, 9),
    )
    sample = sample_of(START, reset)
    assert len(sample.cores) == 1
    assert (sample.disks, sample.networks, sample.pressure) == ((), (), None)


def test_devices_that_came_have_no_rate_yet() -> None:
    """A device's first reading is its baseline, however much it did before."""
    plugged = replace(LATER, disks={"sdb": DiskCounters(10**9, 0, 10**12, 0, 5)})
    assert sample_of(START, plugged).disks == ()


@pytest.mark.parametrize("at", [103.5, 700.0, 99.0])
def test_a_gap_starts_afresh(at: float) -> None:
    """After more than three intervals, or back in time, the reading is only a baseline."""
    deltas = HostDeltas(1.0)
    deltas.feed(START)
    assert deltas.feed(replace(LATER, at=at)) is None
    sample = deltas.feed(replace(LATER, at=at + 1))
    assert sample is not None
    assert sample.networks == (NetworkUsage("lo", 0, 0),)


def test_readings_too_close_together_are_skipped() -> None:
    """A rate over a few milliseconds says nothing; the baseline stays the older one."""
    deltas = HostDeltas(1.0)
    deltas.feed(START)
    assert deltas.feed(replace(LATER, at=100.05)) is None
    sample = deltas.feed(replace(LATER, at=101.0))
    assert sample is not None
    assert sample.interval_s == 1.0


COUNTERS = st.floats(0, 1e15)
CORES = st.dictionaries(
    st.integers(0, 3), st.builds(CoreTimes, COUNTERS, COUNTERS, COUNTERS, COUNTERS, COUNTERS)
)
COUNTS = st.integers(0, 2**64)
DISKS = st.dictionaries(
    st.sampled_from("ab"), st.builds(DiskCounters, COUNTS, COUNTS, COUNTS, COUNTS, COUNTERS)
)


@given(CORES, CORES, DISKS, DISKS)
def test_no_counters_make_an_impossible_share(
    cores: dict[int, CoreTimes],
    later_cores: dict[int, CoreTimes],
    disks: dict[str, DiskCounters],
    later_disks: dict[str, DiskCounters],
) -> None:
    """Whatever the counters do, shares stay between 0 and 1 and rates are not negative."""
    sample = sample_of(
        replace(START, cores=cores, disks=disks),
        replace(LATER, cores=later_cores, disks=later_disks),
    )
    for core in sample.cores:
        assert 0 <= core.busy_ratio + core.iowait_ratio <= 1.000_001
    for disk in sample.disks:
        assert 0 <= disk.busy_ratio <= 1
        assert min(disk.read_bytes_per_s, disk.written_bytes_per_s, disk.reads_per_s) >= 0
