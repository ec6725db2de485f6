"""A recording like that of a busy server, made up: the same every time.

99 Hz on 8 cores are 792 samples a second, of some 500 stacks out of 3 000: few are hot, most are
rare. k6 tells of 50 endpoints once a second, the machine of 8 cores, perf's stacks come four times
a second, and it is committed as often, as the recorder does it.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from collectors.recording.about import Card, Ending, Header
from collectors.recording.codec import Arrival, Encoder, pack
from collectors.recording.file import connect, create
from collectors.recording.schema import CARD_KEY, END_KEY, HEADER_KEY
from collectors.runstate import RunState
from collectors.samples import (
    CoreUsage,
    DiskUsage,
    Endpoint,
    Frame,
    FrameKind,
    Histogram,
    HostSample,
    LoadSample,
    NetworkUsage,
    Pressure,
    RequestKind,
    Role,
    RoleUsage,
    Sample,
    SourceState,
    SourceStatus,
    Stack,
    StackBatch,
    StackCount,
    Traffic,
)

BEGIN: Final = 50_000.0
CORES: Final = 8
SAMPLES_PER_S: Final = 99 * CORES
STACKS: Final = 3_000
ENDPOINTS: Final = 50
REQUESTS_PER_S: Final = 4_000
PARTS: Final = 4
"""Of a second: as often come stacks, and as often is committed."""
PERIOD_NS: Final = 10_101_010
DRAWN: Final = 100
"""Latencies of a histogram that are drawn at random."""
_PHASES: Final = ("blocked", "connecting", "sending", "waiting", "receiving")


class Server:
    """What there is to be measured of the made up server.

    Args:
        seed: Of all chance.
    """

    def __init__(self, seed: int = 1) -> None:
        self._chance = random.Random(seed)
        self._stacks = _stacks(random.Random(seed + 1))
        self.frames = {
            number: Frame(
                f"shop::part{number % 60}::step_{number}<{number % 7}>", "server", FrameKind.USER
            )
            for number in range(2_000)
        }
        # Some are hot and most are rare: some 500 of them are seen in a second.
        self._weights = [1 / (rank + 18) for rank in range(STACKS)]
        self._known_stacks: set[int] = set()
        self._known_frames: set[int] = set()
        self._shares = [1 / (rank + 3) for rank in range(ENDPOINTS)]

    def second(self, begin: float) -> Iterator[tuple[float, Sample]]:
        """Yield when each sample of a second comes, and the sample, in order."""
        for part in range(PARTS):
            end = begin + (part + 1) / PARTS
            yield end - 0.01, self._batch(end - 1 / PARTS + 0.004, end - 0.03)
        yield begin + 1.0, self._load(begin + 1.0)
        yield begin + 1.002, self._host(begin + 1.0)

    def _batch(self, start: float, end: float) -> StackBatch:
        seen = Counter(self._chance.choices(range(STACKS), self._weights, k=SAMPLES_PER_S // PARTS))
        fresh = {each: self._stacks[each] for each in seen if each not in self._known_stacks}
        frames = {
            each: self.frames[each]
            for stack in fresh.values()
            for each in stack.frames
            if each not in self._known_frames
        }
        self._known_stacks |= fresh.keys()
        self._known_frames |= frames.keys()
        counts = {each: StackCount(n, n * PERIOD_NS) for each, n in seen.items()}
        return StackBatch(start, end, counts, fresh, frames)

    def _load(self, at: float) -> LoadSample:
        requests = round(REQUESTS_PER_S * self._chance.gauss(1.0, 0.05))
        whole = sum(self._shares)
        endpoints = []
        for number, share in enumerate(self._shares):
            count = max(1, round(requests * share / whole * self._chance.gauss(1.0, 0.1)))
            latency = self._histogram(count, 20 + 3 * number)
            name = f"http://shop.example/api/v1/part{number}"
            endpoints.append(
                Endpoint(RequestKind.HTTP, name, "GET", "200", "default", "", count, 0, latency)
            )
        count = sum(each.requests for each in endpoints)
        return LoadSample(
            at=at,
            interval_s=1.0,
            instance="k6-1",
            vus=200,
            vus_max=200,
            iterations=count // 5,
            dropped_iterations=0,
            bytes_sent=count * 180,
            bytes_received=count * 2_300,
            traffic=(
                Traffic(RequestKind.HTTP, count, 0, self._histogram(count, 60)),
                Traffic(RequestKind.ITERATION, count // 5, 0, self._histogram(count // 5, 300)),
            ),
            phases={name: self._histogram(count, 5) for name in _PHASES},
            endpoints=tuple(endpoints),
            checks=(),
            metrics=(),
        )

    def _histogram(self, count: int, middle_ms: float) -> Histogram:
        """Return latencies with a long tail, some of them drawn and the rest like these."""
        drawn = Counter(
            round(8 * (math.log2(middle_ms / 1e3) + self._chance.gauss(0.0, 0.6)))
            for _ in range(min(count, DRAWN))
        )
        each, rest = divmod(count, drawn.total())
        buckets = {index: n * each for index, n in sorted(drawn.items())}
        buckets[max(buckets)] += rest
        total = count * middle_ms / 1e3 * self._chance.uniform(1.0, 1.2)
        return Histogram(3, buckets, 0, count, total)

    def _host(self, at: float) -> HostSample:
        chance = self._chance
        cores = tuple(
            CoreUsage(chance.uniform(0.5, 0.9), chance.uniform(0.0, 0.1), 0.0, 0.0)
            for _ in range(CORES)
        )
        roles = tuple(
            RoleUsage(
                role, 1, chance.uniform(0.1, 6.0), 200 << 20, 20, 60, chance.randrange(9_000),
                chance.randrange(900), 0, chance.randrange(1 << 20), None,
            )
            for role in Role
        )  # fmt: skip
        disk = DiskUsage("sda", 0.0, chance.uniform(0, 1e6), 0.0, chance.uniform(0, 90), 0.1)
        network = NetworkUsage("lo", chance.uniform(0, 1e8), chance.uniform(0, 1e8))
        pressure = Pressure(chance.uniform(0, 0.2), 0.0, 0.01)
        return HostSample(
            at, 1.0, cores, 6.5, 16 << 30, chance.randrange(8 << 30), 0, (disk,), (network,),
            pressure, roles,
        )  # fmt: skip


def _stacks(chance: random.Random) -> list[Stack]:
    """Return stacks that share their callers, as those of a server do."""
    paths: list[tuple[int, ...]] = [(0, 1, 2)]
    while len(paths) < STACKS:
        path = paths[int(len(paths) * chance.random())]
        kept = path[: chance.randrange(3, len(path) + 1)]
        paths.append(
            (*kept, *(chance.randrange(2_000) for _ in range(chance.randrange(1, 9))))[:40]
        )
    return [Stack("server", "worker", path) for path in paths]


def state_at(at: float, phase: str) -> RunState:
    """Return where the run is."""
    return RunState(
        at, phase, "shop.js", "1.1.0", "server (pid 7)", "cpu-clock 99 Hz", "as written",
        started_at=BEGIN,
    )  # fmt: skip


def header(begin: float = BEGIN) -> Header:
    """Return what the recording tells of itself."""
    return Header(begin, 1.7e9, "shop.js", "0.1.0", "Linux, 8 cores", 1, 1, "cpu-clock")


def write_recording(path: Path, seconds: int, seed: int = 1) -> None:
    """Write a recording of some seconds to a new file."""
    server, encoder = Server(seed), Encoder()
    create(path)
    connection = connect(path)

    def put(key: str, value: Header | Card | Ending) -> None:
        text = msgspec.json.encode(value).decode()
        connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, text))

    def commit(arrivals: list[Arrival]) -> None:
        body = pack([encoder.encode(each) for each in arrivals])
        connection.execute(
            "INSERT INTO chunk (first_at, last_at, body) VALUES (?, ?, ?)",
            (arrivals[0].at, arrivals[-1].at, body),
        )

    put(HEADER_KEY, header())
    live = SourceStatus(BEGIN, "perf", SourceState.LIVE, "cpu-clock 99 Hz")
    waiting = [Arrival(BEGIN, state_at(BEGIN, "running")), Arrival(BEGIN, live)]
    for second in range(seconds):
        for at, sample in server.second(BEGIN + second):
            waiting.append(Arrival(at, sample))
            if isinstance(sample, StackBatch):
                commit(waiting)
                waiting = []
    end = BEGIN + seconds + 0.1
    commit([*waiting, Arrival(end, state_at(end, "closed"))])
    put(CARD_KEY, Card("shop.js", "server (pid 7)", float(seconds), REQUESTS_PER_S * seconds))
    put(END_KEY, Ending(end, "closed"))
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.execute("PRAGMA journal_mode=DELETE")
    connection.close()
