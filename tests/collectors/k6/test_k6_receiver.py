from __future__ import annotations

import asyncio
import io
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias

import aiohttp
import cramjam
import pytest

from collectors.k6.receiver import MAX_BODY_BYTES, PushReceiver
from collectors.k6.remote_write import decompress
from collectors.k6.stream import LoadAssembler
from collectors.samples import Drop, Histogram, LoadSample, RequestKind, Sample
from tests.faults.mutation import what_is_there_left_alone

DATA = Path(__file__).parents[2] / "data"
Push: TypeAlias = Callable[[Sequence[tuple[str, dict[str, str], Any]]], bytes]


class StubClock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Running:
    """A started receiver, what it emitted, and a client."""

    def __init__(self, receiver: PushReceiver, samples: list[Sample], clock: StubClock) -> None:
        self.receiver = receiver
        self.samples = samples
        self.clock = clock
        self.session = aiohttp.ClientSession()

    async def post(self, body: bytes, token: str | None = None, path: str = "") -> int:
        headers = {"Authorization": f"Bearer {token or self.receiver.token}"}
        headers["Content-Encoding"] = "snappy"
        async with self.session.post(
            self.receiver.url + path, data=io.BytesIO(body), headers=headers
        ) as answer:
            return answer.status

    def loads(self) -> list[LoadSample]:
        return [sample for sample in self.samples if isinstance(sample, LoadSample)]

    def drops(self) -> Counter[str]:
        counts: Counter[str] = Counter()
        for sample in self.samples:
            if isinstance(sample, Drop):
                counts[sample.reason] += sample.count
        return counts


@asynccontextmanager
async def receiving(**options: Any) -> AsyncIterator[Running]:
    samples: list[Sample] = []
    clock = StubClock()
    receiver = PushReceiver(LoadAssembler("k6-1"), samples.append, clock, **options)
    await receiver.start()
    running = Running(receiver, samples, clock)
    try:
        yield running
    finally:
        await running.session.close()
        await receiver.close()


async def test_a_push_becomes_a_sample() -> None:
    """The first interval begins at the start, the next one at the push before."""
    async with receiving() as running:
        for seconds, number in ((1.5, 1), (1.0, 2)):
            running.clock.now += seconds
            assert await running.post((DATA / f"k6_push_{number}.bin").read_bytes()) == 204
        await running.receiver.drain()
        assert [(load.at, load.interval_s) for load in running.loads()] == [
            (101.5, 1.5),
            (102.5, 1.0),
        ]
        assert [load.iterations for load in running.loads()] == [3305, 3574]
        assert running.receiver.pushes == 2
        assert running.receiver.url.startswith("http://127.0.0.1:")


async def test_a_foreign_push_is_refused_and_counted() -> None:
    """Without the token nothing gets in."""
    body = (DATA / "k6_push_1.bin").read_bytes()
    async with receiving() as running:
        assert await running.post(body, token="guess") == 401
        assert await running.post(body, token="ü") == 401
        async with running.session.post(running.receiver.url, data=body) as answer:
            assert answer.status == 401
        await running.receiver.drain()
        assert running.loads() == []
        assert running.drops() == {"foreign_push": 3}


async def test_unusable_pushes_are_counted_by_reason() -> None:
    """Broken headers and broken contents are answered with 400, and counted."""
    async with receiving() as running:
        assert await running.post(b"\x80\x80\x80\x80\x01") == 400
        assert await running.post(b"") == 400
        running.clock.now += 2
        assert await running.post(b"\x02\x04abc") == 400
        assert await running.post((DATA / "k6_push_1.bin").read_bytes(), path="x") == 404
        await running.receiver.drain()
        assert running.loads() == []
        assert running.drops() == {
            "push_too_large": 1,
            "push_snappy_corrupt": 2,
            "push_to_unknown_path": 1,
        }


@pytest.mark.parametrize(
    "raw",
    [
        b"\x0a\x05abc",
        b"\x0a" + b"\xff" * 20,
        b"\x0b\x0b",
        b"\x09\x00\x00",
        b"\x02\x00",
        bytes(decompress((DATA / "k6_push_2.bin").read_bytes()))[:-5],
        bytes(decompress((DATA / "k6_push_2.bin").read_bytes())) * 4000 + b"\x0a",
    ],
    ids=["too long", "endless", "group", "cut number", "field 0", "cut push", "large push"],
)
async def test_what_is_no_write_request_is_refused(raw: bytes) -> None:
    """Whole inside its snappy block, but no protobuf: k6 is told, and nothing of it counts."""
    async with receiving() as running:
        assert await running.post(bytes(cramjam.snappy.compress_raw(raw))) == 400
        assert await running.post((DATA / "k6_push_1.bin").read_bytes()) == 204
        await running.receiver.drain()
        assert running.drops() == {"push_protobuf_corrupt": 1}
        assert [load.iterations for load in running.loads()] == [3305]


async def test_a_bad_series_is_no_bad_push(push: Push) -> None:
    """One series that can't be used is counted by reason; the push is taken."""
    scenario = {"scenario": "a"}
    body = push([("k6_iterations_total", scenario, 3.0), ("k6_vus", scenario, float("nan"))])
    async with receiving() as running:
        assert await running.post(body) == 204
        await running.receiver.drain()
        assert running.drops() == {"value_not_finite": 1}
        assert [load.iterations for load in running.loads()] == [3]


async def test_a_huge_body_is_refused_by_its_header() -> None:
    """A body over the limit is not read."""
    async with receiving() as running:
        host, port = running.receiver.url.removeprefix("http://").split("/")[0].split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(
            f"POST /api/v1/write HTTP/1.1\r\nHost: x\r\nContent-Length: {MAX_BODY_BYTES + 1}\r\n"
            f"Authorization: Bearer {running.receiver.token}\r\n\r\n".encode()
        )
        assert b" 413 " in await reader.readline()
        writer.close()
        await writer.wait_closed()
        await running.receiver.drain()
        assert running.drops() == {"push_too_large": 1}


async def test_a_full_queue_refuses_and_counts() -> None:
    """What can't be queued is refused; the next push makes up for it."""
    async with receiving(max_queue_bytes=100) as running:
        assert await running.post((DATA / "k6_push_1.bin").read_bytes()) == 503
        await running.receiver.drain()
        assert running.drops() == {"push_queue_full": 1}


async def test_a_large_push_does_not_hold_up_the_loop(push: Push) -> None:
    """While tens of thousands of series are decoded, the loop keeps turning."""
    count = 1200
    labels = {"method": "GET", "scenario": "default", "status": "200", "group": "::g"}
    names = ("duration", "blocked", "connecting", "sending", "waiting", "receiving")
    series: list[tuple[str, dict[str, str], Any]] = []
    values = Histogram(3, {-60: 2, -59: 1}, 0, 3, 0.02)
    for number in range(count):
        named = {**labels, "name": f"http://127.0.0.1/{number}"}
        series += [(f"k6_http_req_{name}_seconds", named, values) for name in names]
        series.append(("k6_http_reqs_total", named, 3.0))
    body = push(series)
    turns: list[float] = []

    async def watch() -> None:
        before = time.perf_counter()
        while True:
            await asyncio.sleep(0)
            now = time.perf_counter()
            turns.append(now - before)
            before = now

    async with receiving() as running:
        with what_is_there_left_alone():
            assert await running.post(body) == 204
            watcher = asyncio.create_task(watch())
            await running.receiver.drain()
            watcher.cancel()
        (load,) = running.loads()
        assert load.traffic[0].kind is RequestKind.HTTP
        assert load.traffic[0].requests == 3 * count
        assert len(load.endpoints) == count
        # Many turns, and none anywhere near the whole; exact times belong to a quiet machine.
        assert len(turns) > 10
        assert max(turns) < sum(turns) / 2


async def test_the_port_is_closed_at_the_end() -> None:
    """After close nothing listens, and closing again does no harm."""
    async with receiving() as running:
        url = running.receiver.url
        await running.receiver.close()
        with pytest.raises(aiohttp.ClientConnectionError):
            await running.session.post(url)
