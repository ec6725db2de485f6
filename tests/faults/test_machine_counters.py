"""Counters that reset, wrap or lie, devices that come and go: a gap and never a spike."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

import cramjam
import pytest

from collectors.course import Course, CourseUnit
from collectors.host_counters import (
    CoreTimes,
    DiskCounters,
    HostReading,
    Memory,
    NetworkCounters,
    PressureTotals,
)
from collectors.host_deltas import HostDeltas
from collectors.k6.gate import TICK_MS, GateState
from collectors.k6.messages import WriteRequest
from collectors.k6.receiver import PushReceiver
from collectors.k6.remote_write import decompress
from collectors.k6.stream import LoadAssembler
from collectors.samples import HostSample, LoadSample, Sample
from tests.faults.conftest import Report
from tests.faults.load_pusher import CAPTURED
from tests.faults.mutation import SEED

HOUR_S: Final = 3600.0
MAX_BYTES_PER_S: Final = 10e9
MAX_OPERATIONS_PER_S: Final = 1e6


@dataclass
class Machine:
    """One whose true rates are known; its counters can be made to lie."""

    rng: random.Random
    at: float = 1000.0
    network: tuple[int, int] = (7 << 40, 3 << 40)
    disk: tuple[int, int, int, int] = (10**9, 10**9, 5 << 40, 4 << 40)
    busy_s: float = 1e6
    core: tuple[float, ...] = (1e6, 1e6, 1e5, 1e4, 1e7)
    pressure: tuple[float, float, float] = (1e5, 1e5, 1e5)

    def pass_time(self) -> None:
        """Let a second pass, with all of it as busy as can be."""
        self.at += 1.0
        share = self.rng.random()
        moved = int(share * MAX_BYTES_PER_S)
        done = int(share * MAX_OPERATIONS_PER_S)
        self.network = (self.network[0] + moved, self.network[1] + moved)
        reads, writes, read, written = self.disk
        self.disk = (reads + done, writes + done, read + moved, written + moved)
        self.busy_s += share
        parts = [self.rng.random() for _ in self.core]
        self.core = tuple(c + p / sum(parts) for c, p in zip(self.core, parts, strict=True))
        cpu, memory, io = self.pressure
        self.pressure = (cpu + share, memory + share, io + share)

    def reading(self) -> HostReading:
        """Return what the kernel tells."""
        return HostReading(
            at=self.at,
            boot_ticks=int(self.at * 100),
            cores={0: CoreTimes(*self.core), 1: CoreTimes(*self.core)},
            load_1m=1.0,
            memory=Memory(1, 0, 0),
            disks={"sda": DiskCounters(*self.disk, self.busy_s)},
            networks={"eth0": NetworkCounters(*self.network)},
            pressure=PressureTotals(*self.pressure),
            roles={},
        )

    def faulty(self) -> HostReading:
        """Return a reading with something wrong in it."""
        true = self.reading()
        match self.rng.randrange(8):
            case 0:  # reset, for this once
                return replace(true, networks={"eth0": NetworkCounters(0, 0)})
            case 1:  # the low 32 bits
                low = [value & 0xFFFF_FFFF for value in self.network]
                return replace(true, networks={"eth0": NetworkCounters(*low)})
            case 2:  # unplugged
                return replace(true, networks={}, disks={})
            case 3:  # one field reset
                reads, _, read, written = self.disk
                disk = DiskCounters(reads, 0, read, written, self.busy_s)
                return replace(true, disks={"sda": disk, "sdb": disk})
            case 4:  # all ones
                return replace(true, networks={"eth0": NetworkCounters((1 << 64) - 1, 0)})
            case 5:  # a core less, and one that is new
                return replace(true, cores={0: true.cores[0], 7: true.cores[1]})
            case 6:  # a core that began anew
                return replace(true, cores={0: CoreTimes(0, 0, 0, 0, 0), 1: true.cores[1]})
            case _:
                return replace(true, pressure=PressureTotals(0, 0, 0))


def spikes(sample: HostSample) -> Iterator[str]:
    """Yield what is above what the machine can do, or below nothing."""
    rates: Mapping[str, tuple[float, float]] = {
        **{
            f"network {each.interface}": (
                min(each.sent_bytes_per_s, each.received_bytes_per_s),
                max(each.sent_bytes_per_s, each.received_bytes_per_s) / MAX_BYTES_PER_S,
            )
            for each in sample.networks
        },
        **{
            f"disk {each.device}": (
                min(each.read_bytes_per_s, each.writes_per_s, each.busy_ratio),
                max(
                    each.read_bytes_per_s / MAX_BYTES_PER_S,
                    each.written_bytes_per_s / MAX_BYTES_PER_S,
                    each.reads_per_s / MAX_OPERATIONS_PER_S,
                    each.writes_per_s / MAX_OPERATIONS_PER_S,
                    each.busy_ratio,
                ),
            )
            for each in sample.disks
        },
    }
    for number, core in enumerate(sample.cores):
        rates = {**rates, f"core {number}": (core.iowait_ratio, core.busy_ratio)}
    if sample.pressure is not None:
        rates = {**rates, "pressure": (sample.pressure.io_ratio, sample.pressure.io_ratio)}
    for name, (least, most) in rates.items():
        if least < 0 or most > 1.000001:
            yield f"{name}: {least}, {most}"


def test_lying_counters_are_gaps(report: Report, is_full: bool) -> None:
    """Whatever a counter does, no rate is above what the machine can do; true ones come again."""
    tries = 100_000 if is_full else 5_000
    machine = Machine(random.Random(SEED))
    deltas = HostDeltas()
    found: list[str] = []
    whole = 0
    for _ in range(tries):
        machine.pass_time()
        is_faulty = machine.rng.random() < 0.3
        sample = deltas.feed(machine.faulty() if is_faulty else machine.reading())
        if sample is not None:
            found += spikes(sample)
            whole += len(sample.networks) == len(sample.disks) == 1 and len(sample.cores) == 2
    assert whole > tries / 4
    report(
        "counters that reset, wrap or lie, devices that come and go",
        tries=tries,
        passed=tries - len(found),
        figure=f"{len(found)} spikes, {whole} whole samples",
        target="0 above the physical maximum",
    )


@pytest.mark.parametrize("step_s", [HOUR_S, -HOUR_S])
async def test_steps_of_the_wall_clock_move_no_rate(report: Report, step_s: float) -> None:
    """k6's times step with the wall's clock; intervals and counts are of the other one."""
    now = [100.0]
    emitted: list[Sample] = []
    receiver = PushReceiver(LoadAssembler("k6-1"), emitted.append, lambda: now[0])
    await receiver.start()
    request = WriteRequest.FromString(bytes(decompress(CAPTURED.read_bytes())))
    try:
        for number in range(1, 9):
            now[0] += 1.0
            for series in request.timeseries:
                for value in (*series.samples, *series.histograms):
                    value.timestamp += 1000 + int(step_s * 1000) * (number == 4)
            raw = request.SerializeToString()
            answer = await receiver._accept(bytes(cramjam.snappy.compress_raw(raw)))
            assert answer.status == 204
        await receiver.drain()
    finally:
        await receiver.close()
    loads = [sample for sample in emitted if isinstance(sample, LoadSample)]
    passed = len(loads) == 8 and all(load.interval_s == 1.0 for load in loads)
    passed = passed and not any(load.iterations for load in loads[1:])
    report(
        f"the wall's clock steps by {step_s:+.0f} s between pushes",
        tries=1,
        passed=int(passed),
        figure=f"{len(loads)} intervals of {max(load.interval_s for load in loads):g} s",
        target="no interval moves",
    )


@pytest.mark.parametrize("step_s", [HOUR_S, -HOUR_S])
def test_steps_of_the_wall_clock_move_no_load(report: Report, step_s: float) -> None:
    """VUs ask by the wall's clock, the target is on the other one: the level asked for stays."""
    clock, wall = [500.0], [1_700_000_000.0]
    course = Course(CourseUnit.VUS, ((0.0, 7.0), (10_000.0, 7.0)))
    state = GateState([[1]], course, clock=lambda: clock[0], wall=lambda: wall[0])
    passed = 0
    before = b""
    for second in range(20):
        clock[0] += 1.0
        wall[0] += 1.0 + step_s * (second == 10)
        tick = int(wall[0] * 1000 / TICK_MS)
        told = state.answer(f"tick.0.{tick}") or b""
        before = before or told
        passed += told == before
    report(
        f"the wall's clock steps by {step_s:+.0f} s while VUs ask",
        tries=20,
        passed=passed,
        figure="the same level all the time",
        target="the load does not move",
    )
