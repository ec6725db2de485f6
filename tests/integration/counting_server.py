"""A server that counts what arrives, in a process of its own: the truth that k6 is held against.

It answers every request with 200 and a short body, but for these paths:

- `/delay/MS` is answered after so many milliseconds;
- `/status/CODE` is answered with that status;
- `/header/NAME` is answered with the value of that header of the request;
- `/-/counts` tells what was counted, `/-/reset` also begins anew; both are not counted.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import sys
import time
from array import array
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

TICKS_PER_S: Final = 10
MAX_HEAD_BYTES: Final = 64 << 10

_OK: Final = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nok\n"


@dataclass(frozen=True, slots=True)
class Counts:
    """What arrived since the start or the last reset."""

    total: int
    paths: Mapping[str, int]
    """Requests by path, without the query."""
    in_flight: int
    """Requests that are not answered yet; only `/delay` ones overlap."""
    most_in_flight: int
    gone: int
    """Requests whose client closed the connection before the answer."""
    per_100_ms: Mapping[int, int]
    """Requests by the tenth of a second in which they arrived: CLOCK_MONOTONIC × 10, floored."""

    def between(self, start_s: float, end_s: float) -> int:
        """Return how many arrived in a range of CLOCK_MONOTONIC, its ends floored to 100 ms."""
        first, last = int(start_s * TICKS_PER_S), int(end_s * TICKS_PER_S)
        return sum(n for tick, n in self.per_100_ms.items() if first <= tick < last)


@dataclass(frozen=True, slots=True)
class CountingServer:
    """The server, as a test sees it."""

    port: int
    pid: int

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    async def counts(self) -> Counts:
        """Return what was counted so far."""
        return await asyncio.to_thread(self._ask, "/-/counts")

    async def reset(self) -> Counts:
        """Count from zero again; return what was counted before, with nothing lost in between."""
        return await asyncio.to_thread(self._ask, "/-/reset")

    def _ask(self, path: str) -> Counts:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        with contextlib.closing(connection):
            connection.request("GET", path)
            told: dict[str, Any] = json.loads(connection.getresponse().read())
        told["per_100_ms"] = {int(tick): count for tick, count in told["per_100_ms"]}
        return Counts(**told)


@contextlib.asynccontextmanager
async def counting_server() -> AsyncIterator[CountingServer]:
    """Run a counting server; it ends with the block, or with the tests."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", __file__),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        async with asyncio.timeout(10):
            port = int(await process.stdout.readline())
        yield CountingServer(port, process.pid)
    finally:
        process.stdin.close()
        try:
            async with asyncio.timeout(5):
                await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


class Tally:
    """Counts requests as they arrive and as they are answered."""

    def __init__(self) -> None:
        self.in_flight = 0
        self.begin()

    def begin(self) -> None:
        """Count from zero; what is in flight stays so."""
        self.paths: Counter[bytes] = Counter()
        self.arrivals_s = array("d")
        self.most_in_flight = self.in_flight
        self.gone = 0

    def arrive(self, path: bytes) -> None:
        """Count a request."""
        self.arrivals_s.append(time.monotonic())
        self.paths[path] += 1
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)

    def leave(self, *, gone: bool = False) -> None:
        """Note that a request was answered, or that nobody waits for the answer any more."""
        self.in_flight -= 1
        self.gone += gone

    def encode(self) -> bytes:
        """Return the counts as JSON."""
        ticks = Counter(int(at * TICKS_PER_S) for at in self.arrivals_s)
        return json.dumps(
            {
                "total": len(self.arrivals_s),
                "paths": {path.decode("latin-1"): count for path, count in self.paths.items()},
                "in_flight": self.in_flight,
                "most_in_flight": self.most_in_flight,
                "gone": self.gone,
                "per_100_ms": sorted(ticks.items()),
            }
        ).encode()


class Connection(asyncio.Protocol):
    """One connection: HTTP/1.1, one request after the other."""

    def __init__(self, tally: Tally) -> None:
        self.tally = tally
        self.received = b""
        self.delayed: asyncio.TimerHandle | None = None
        """Ends the delay of the request that is being answered."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep where to write."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody waits for the answer any more."""
        if self.delayed is not None:
            self.delayed.cancel()
            self.delayed = None
            self.tally.leave(gone=True)

    def data_received(self, data: bytes) -> None:
        """Answer what has arrived as a whole."""
        self.received += data
        self._next()

    def _next(self) -> None:
        while self.delayed is None and not self.transport.is_closing():
            head, end, rest = self.received.partition(b"\r\n\r\n")
            if not end:
                if len(head) > MAX_HEAD_BYTES:
                    self.transport.close()
                return
            body_bytes = int(_header(head, b"content-length") or 0)
            if len(rest) < body_bytes:
                return
            self.received = rest[body_bytes:]
            self._request(head)

    def _request(self, head: bytes) -> None:
        path = head.split(b" ", 2)[1].partition(b"?")[0]
        if path.startswith(b"/-/"):
            self._control(path)
            return
        self.tally.arrive(path)
        _, kind, value = path.split(b"/", 2) if path.count(b"/") > 1 else (b"", b"", b"")
        if kind == b"delay":
            delay_s = float(value) / 1_000
            self.delayed = asyncio.get_running_loop().call_later(delay_s, self._delay_ended)
            return
        if kind == b"status":
            self._answer(int(value), b"as asked\n")
        elif kind == b"header":
            self._answer(200, _header(head, value.lower()))
        else:
            self.transport.write(_OK)
        self.tally.leave()

    def _control(self, path: bytes) -> None:
        self._answer(200, self.tally.encode())
        if path == b"/-/reset":
            self.tally.begin()

    def _delay_ended(self) -> None:
        self.delayed = None
        self.transport.write(_OK)
        self.tally.leave()
        self._next()

    def _answer(self, status: int, body: bytes) -> None:
        head = (
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self.transport.write(head.encode() + body)


def _header(head: bytes, name: bytes) -> bytes:
    """Return the value of a header, given in small letters; nothing where there is none."""
    at = head.lower().find(b"\r\n" + name + b":")
    return head[at + 2 :].partition(b":")[2].partition(b"\r\n")[0].strip() if at >= 0 else b""


async def _serve() -> None:
    """Serve until whoever started us closes our standard input, or ends."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    tally = Tally()

    class Owner(asyncio.Protocol):
        def connection_lost(self, exc: Exception | None) -> None:
            ended.set()

    server = await loop.create_server(lambda: Connection(tally), "127.0.0.1", 0, backlog=1_024)
    await loop.connect_read_pipe(Owner, sys.stdin)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await ended.wait()


if __name__ == "__main__":
    asyncio.run(_serve())
