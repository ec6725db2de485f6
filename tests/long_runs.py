"""Runs made up second by second, for tests of how long ones are kept."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from collectors.samples import (
    CheckRatio,
    CustomMetric,
    DiskUsage,
    Endpoint,
    Histogram,
    LoadSample,
    MetricType,
    Pressure,
    RequestKind,
    Role,
    Sample,
    StackBatch,
    StackCount,
    StackMeasure,
    Traffic,
)
from tests.builders import histogram, host, usage
from tests.tapes import BEGIN, stacks

STACKS: Final = 40


def long_run(seconds: int, seed: int = 1, endpoints: int = 3, depth: int = 5) -> Iterator[Sample]:
    """Yield a load of two k6, the machine and the stacks, some of them late.

    Args:
        seconds: How long.
        seed: Of all chances.
        endpoints: How many change each second.
        depth: Stacks that are seen each second.
    """
    chance = random.Random(seed)
    at = BEGIN + 0.2
    for second in range(1, seconds + 1):
        # A push of k6 comes when it likes.
        before, at = at, BEGIN + second + chance.uniform(0.0, 0.4)
        instance = "k6-1" if second <= seconds * 0.6 else "k6-2"
        yield push(at, at - before, chance, instance, endpoints)
        yield replace(
            host(at + 0.01, busy_ratio=chance.random(), interval_s=at - before),
            memory_used_bytes=chance.randrange(1 << 30),
            disks=tuple(
                DiskUsage(name, 1e6 * chance.random(), 1e6 * chance.random(), 3.0, 4.0, 0.5)
                for name in ("sda", "sdb")[: chance.randrange(1, 3)]
            ),
            pressure=Pressure(*(chance.random() for _ in range(3))) if second % 200 > 3 else None,
            roles=tuple(
                replace(usage(role, chance.random()), rss_bytes=chance.randrange(1 << 30))
                for role in (Role.TARGET, Role.GENERATOR)[: 2 if second > 5 else 1]
            ),
        )
        yield seen(at - 0.3, chance, depth)
        if chance.random() < 0.1:  # of a second that is over, or long over
            yield seen(at - chance.choice((2.0, 4.0, 30.0, 300.0)), chance, 2)
        if chance.random() < 0.3:
            yield replace(seen(at - 0.5, chance, 2), measure=StackMeasure.OFF_CPU, lost=0)


def push(
    at: float, interval_s: float, chance: random.Random, instance: str, endpoints: int
) -> LoadSample:
    """Return a push of HTTP requests to some endpoints."""
    parts = [_endpoint(number, chance) for number in range(endpoints)]
    requests, failed = (sum(getattr(p, n) for p in parts) for n in ("requests", "failed"))
    latency = histogram([chance.lognormvariate(-4, 1) for _ in range(requests)])
    return LoadSample(
        at=at,
        interval_s=interval_s,
        instance=instance,
        vus=chance.randrange(9),
        vus_max=9,
        iterations=requests,
        dropped_iterations=chance.randrange(3),
        bytes_sent=chance.randrange(999),
        bytes_received=chance.randrange(999_999),
        traffic=(
            Traffic(RequestKind.HTTP, requests, failed, latency),
            Traffic(RequestKind.ITERATION, requests, 0, latency),
        ),
        phases={"waiting": latency} if chance.random() < 0.9 else {},
        endpoints=tuple(parts),
        checks=(CheckRatio(f"check {chance.randrange(3)}", "", "", chance.random()),),
        metrics=(
            CustomMetric("sold", MetricType.COUNTER, chance.randrange(9), histogram([]), ""),
            CustomMetric("price", MetricType.TREND, 0.0, histogram([chance.uniform(1, 9)]), ""),
            CustomMetric("stock", MetricType.GAUGE, chance.randrange(99), histogram([]), ""),
        ),
    )


def _endpoint(number: int, chance: random.Random) -> Endpoint:
    requests = chance.randrange(1, 4)
    # Now and then in another resolution, as if it were of another k6.
    schema = 2 if chance.random() < 0.05 else 3
    latency = histogram([chance.lognormvariate(-4, 1) for _ in range(requests)], schema)
    status = "200" if chance.random() < 0.9 else "500"
    name = f"/item/{number}"
    failed = requests * (status == "500")
    return Endpoint(RequestKind.HTTP, name, "GET", status, "s", "", requests, failed, latency)


def seen(at: float, chance: random.Random, number: int) -> StackBatch:
    """Return some stacks, and how many were lost."""
    counts = {chance.randrange(STACKS): chance.randrange(1, 9) for _ in range(number)}
    return replace(stacks(at, counts), lost=chance.randrange(3) * (chance.random() < 0.2))


def wide_push(at: float, chance: random.Random, names: list[str]) -> LoadSample:
    """Return a push in which each endpoint has one request, of a latency of its own."""
    one = RequestKind.HTTP
    indices = chance.choices(range(-60, -44), k=len(names))
    parts = tuple(
        Endpoint(one, name, "GET", "200", "s", "", 1, 0, Histogram(3, {i: 1}, 0, 1, 0.01 * n))
        for n, (name, i) in enumerate(zip(names, indices, strict=True))
    )
    buckets = {i: indices.count(i) for i in set(indices)}
    latency = Histogram(3, buckets, 0, len(names), 0.01)
    many = len(names)
    traffic = (Traffic(one, many, 0, latency), Traffic(RequestKind.ITERATION, many, 0, latency))
    return LoadSample(at, 1.0, "k6-1", 9, 9, many, 0, 1, 1, traffic, {}, parts, (), ())


def wide_stacks(at: float, chance: random.Random, number: int) -> StackBatch:
    """Return stacks of so many, of a hundred times as many that there are; their names are left."""
    counts = {
        chance.randrange(100 * number): StackCount(1, chance.randrange(10_000_000, 20_000_000))
        for _ in range(number)
    }
    return StackBatch(at, at, counts)
