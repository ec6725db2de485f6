"""The counting server counts: what other tests hold to be true has to be so."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import aiohttp
import psutil
import pytest

from tests.integration.counting_server import CountingServer, Counts, counting_server
from tests.waiting import eventually


@pytest.fixture
async def client(server: CountingServer) -> AsyncIterator[aiohttp.ClientSession]:
    """Asks it."""
    async with aiohttp.ClientSession(server.url) as client:
        yield client


async def ask(client: aiohttp.ClientSession, path: str, **headers: str) -> tuple[int, str]:
    async with client.get(path, headers=headers) as answer:
        return answer.status, await answer.text()


async def in_flight(server: CountingServer, expected: int) -> Counts:
    """Wait for a number of requests in flight."""
    for _ in range(500):
        if (counts := await server.counts()).in_flight == expected:
            return counts
        await asyncio.sleep(0.01)
    raise AssertionError(f"not {expected} in flight within 5 s")


async def test_every_path_is_counted(server: CountingServer, client: aiohttp.ClientSession) -> None:
    """Without its query; what is asked for is answered."""
    start_s = time.monotonic()
    assert await ask(client, "/a?x=1") == (200, "ok\n")
    assert await ask(client, "/a?x=2") == (200, "ok\n")
    assert (await ask(client, "/status/503"))[0] == 503
    assert await ask(client, "/header/X-Api-Key", **{"x-api-key": "k1"}) == (200, "k1")
    async with client.post("/b", data=b"x" * 200_000) as answer:
        assert answer.status == 200
    counts = await server.counts()
    assert counts.paths == {"/a": 2, "/status/503": 1, "/header/X-Api-Key": 1, "/b": 1}
    assert counts.total == 5
    assert counts.in_flight == counts.gone == 0
    assert counts.most_in_flight == 1
    assert counts.between(start_s, time.monotonic() + 0.1) == 5
    assert counts.between(0.0, start_s) == 0


async def test_a_reset_tells_what_was_and_begins_anew(
    server: CountingServer, client: aiohttp.ClientSession
) -> None:
    """Nothing is lost in between."""
    await ask(client, "/a")
    assert (await server.reset()).total == 1
    counts = await server.counts()
    assert counts.total == counts.most_in_flight == 0
    assert not counts.paths
    assert not counts.per_100_ms


async def test_delayed_requests_are_in_flight(
    server: CountingServer, client: aiohttp.ClientSession
) -> None:
    """The greatest number at one time is kept."""
    async with asyncio.TaskGroup() as group:
        for _ in range(5):
            group.create_task(ask(client, "/delay/200"))
    counts = await server.counts()
    assert counts.most_in_flight == counts.total == 5
    assert counts.in_flight == 0


async def test_a_request_that_nobody_waits_for_is_gone(
    server: CountingServer, client: aiohttp.ClientSession
) -> None:
    """It has arrived, and is in flight no more."""
    asking = asyncio.create_task(ask(client, "/delay/60000"))
    await in_flight(server, 1)
    asking.cancel()
    counts = await in_flight(server, 0)
    assert counts.total == counts.gone == counts.most_in_flight == 1


async def test_requests_that_arrive_together_are_answered_in_order(
    server: CountingServer,
) -> None:
    """Also behind a delayed one, and in pieces."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"GET /delay/50 HTTP/1.1\r\n\r\nGET /status/404 HTTP/1.1\r\n\r\nGET /x HT")
    await writer.drain()
    writer.write(b"TP/1.1\r\n\r\n")
    statuses: list[bytes] = []
    async with asyncio.timeout(5):
        while len(statuses) < 3:
            line = await reader.readline()
            if line.startswith(b"HTTP/1.1 "):
                statuses.append(line.split()[1])
    writer.close()
    await writer.wait_closed()
    assert statuses == [b"200", b"404", b"200"]


async def test_it_ends_with_its_block() -> None:
    """Nothing is left running."""
    async with counting_server() as server:
        process = psutil.Process(server.pid)
    await eventually(lambda: not process.is_running())
