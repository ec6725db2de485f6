"""The HTTP server on loopback that one k6 process pushes its metrics to.

It answers as soon as a push is read, found to be one, and queued; a task decodes the queue in
slices and emits samples, so that neither k6 nor the event loop waits for a large push. Nothing but
the holder of the token can put a number on the screen.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import hmac
import secrets
import time
from collections import deque
from collections.abc import Generator
from dataclasses import dataclass
from typing import Final, TypeVar

from aiohttp import web

from collectors.k6.drops import DropCounter
from collectors.k6.remote_write import (
    HEADER_BYTES,
    BadPush,
    claimed_length,
    decompress,
    series_bounds,
)
from collectors.k6.stream import LoadAssembler
from collectors.source import Clock, Emit, SourceError

PATH: Final = "/api/v1/write"
MAX_BODY_BYTES: Final = 32 << 20
MAX_QUEUE_BYTES: Final = 32 << 20
MAX_WAIT_S: Final = 1.0
"""How long a push waits for room in the queue; k6 goes on meanwhile, and sends no other one."""
SLICE_S: Final = 0.004
SHUTDOWN_S: Final = 1.0
"""How long a connection left open may hold up the end."""
THREAD_FROM_BYTES: Final = 256 << 10
"""Larger bodies are decompressed in a thread; below it the hop costs more than the work."""
SERIES_A_STEP: Final = 256
"""Found in a push, before the event loop may have a turn."""
SETTLE_AFTER: Final = 10_000
"""Details of samples, after which what is kept of them is hidden from the garbage collector."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class _Push:
    at: float
    body: bytes
    raw: bytearray | None
    """What it holds, where it is unpacked already."""


class PushReceiver:
    """Receives the pushes of one k6 process.

    Args:
        assembler: Turns them into samples.
        emit: Takes the samples and the drops.
        clock: Tells when a push arrives.
        max_queue_bytes: Beyond it a push has to wait, and is refused and counted in the end.
    """

    def __init__(
        self,
        assembler: LoadAssembler,
        emit: Emit,
        clock: Clock = time.monotonic,
        *,
        max_queue_bytes: int = MAX_QUEUE_BYTES,
    ) -> None:
        self._assembler = assembler
        self._emit = emit
        self._clock = clock
        self._drops = DropCounter(emit)
        self._max_queue_bytes = max_queue_bytes
        self._queue: deque[_Push] = deque()
        self._queued_bytes = 0
        self._wakened = asyncio.Event()
        self._room = asyncio.Condition()
        self._checking = asyncio.Lock()
        self._idle = asyncio.Event()
        self._idle.set()
        self._runner: web.ServerRunner | None = None
        self._consumer: asyncio.Task[None] | None = None
        self._last_at = 0.0
        self._unsettled = 0
        self.token: Final = secrets.token_urlsafe(32)
        """What k6 has to present; good for this run only."""
        self.url = ""
        """Where k6 pushes to, once started."""
        self.pushes = 0
        """Pushes that became samples."""

    async def start(self) -> None:
        """Listen on an ephemeral port of 127.0.0.1.

        Raises:
            SourceError: nothing can be opened there.
        """
        server = web.Server(self._answer, access_log=None)
        runner = web.ServerRunner(server, shutdown_timeout=SHUTDOWN_S)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        try:
            await site.start()
        except OSError as error:
            await runner.cleanup()
            raise SourceError(
                f"can't listen on 127.0.0.1 for k6's metrics: {error.strerror or error}",
                "check the limits on open files and sockets",
            ) from error
        self._runner = runner
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}{PATH}"
        self._last_at = self._clock()
        self._consumer = asyncio.create_task(self._consume(), name="k6 push decoder")

    async def drain(self) -> None:
        """Wait until every push that was queued has been emitted."""
        if self._consumer is None:
            return
        idle = asyncio.create_task(self._idle.wait())
        await asyncio.wait({idle, self._consumer}, return_when=asyncio.FIRST_COMPLETED)
        if not idle.done():
            idle.cancel()
            self._consumer.result()
        self._drops.flush(self._clock())

    async def close(self) -> None:
        """Stop listening and drop what is still queued."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        if self._consumer is not None:
            self._consumer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._consumer
            self._consumer = None
        if self._queue:
            self._drops.add("push_unread", self._clock(), len(self._queue))
            self._queue.clear()
        self._drops.flush(self._clock())

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        offered = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(offered, f"Bearer {self.token}".encode()):
            return self._refuse(401, "foreign_push")
        if request.path != PATH or request.method != "POST":
            return self._refuse(404, "push_to_unknown_path")
        size = request.content_length if request.content_length is not None else MAX_BODY_BYTES
        if size > MAX_BODY_BYTES:
            return self._refuse(413, "push_too_large")
        body = bytearray()
        try:
            async for chunk in request.content.iter_any():
                is_header = len(body) < HEADER_BYTES <= len(body) + len(chunk)
                body += chunk
                if is_header:
                    claimed_length(bytes(body[:HEADER_BYTES]), size=size)
                if len(body) > MAX_BODY_BYTES:
                    return self._refuse(413, "push_too_large")
            raw = await self._checked(bytes(body))
        except BadPush as error:
            return self._refuse(400, error.reason)
        return await self._accept(bytes(body), raw)

    async def _checked(self, body: bytes) -> bytearray | None:
        """Find the series of a push, for k6 is to be told where there are none to be found.

        One push is looked at at a time, and those that have to wait do so as they came: unpacked
        they may be twenty times as large.

        Returns:
            What it holds, if it can be decoded at once.

        Raises:
            BadPush: it can't be unpacked, or is no `WriteRequest`.
        """
        async with self._checking:
            raw = await _unpacked(body)
            await _in_slices(_found_series(raw))
        return raw if self._idle.is_set() else None

    async def _accept(self, body: bytes, raw: bytearray | None = None) -> web.Response:
        most = self._max_queue_bytes - len(body)
        if most < 0 or not await self._has_room(most):
            return self._refuse(503, "push_queue_full")
        self._queue.append(_Push(self._clock(), body, raw))
        self._queued_bytes += len(body)
        self._idle.clear()
        self._wakened.set()
        return web.Response(status=204)

    async def _has_room(self, most: int) -> bool:
        """Wait until no more than so many bytes are queued; False where that takes too long."""
        if self._queued_bytes <= most:
            return True
        try:
            async with asyncio.timeout(MAX_WAIT_S), self._room:
                await self._room.wait_for(lambda: self._queued_bytes <= most)
        except TimeoutError:
            return False
        return True

    def _refuse(self, status: int, reason: str) -> web.Response:
        self._drops.add(reason, self._clock())
        response = web.Response(status=status)
        response.force_close()
        return response

    async def _consume(self) -> None:
        while True:
            await self._wakened.wait()
            self._wakened.clear()
            while self._queue:
                push = self._queue.popleft()
                try:
                    await self._decode(push)
                except BadPush as error:
                    self._drops.add(error.reason, push.at)
                finally:
                    self._queued_bytes -= len(push.body)
                    del push  # not to be kept until the next one comes
                async with self._room:
                    self._room.notify_all()
            self._idle.set()

    async def _decode(self, push: _Push) -> None:
        raw = push.raw if push.raw is not None else await _unpacked(push.body)
        steps = self._assembler.steps(raw, push.at, push.at - self._last_at)
        try:
            sample = await _in_slices(steps)
        finally:
            self._drops.add_all(self._assembler.take_drops(), push.at)
        self._last_at = push.at
        self.pushes += 1
        self._emit(sample)
        self._settle(len(sample.endpoints))

    def _settle(self, details: int) -> None:
        """Keep the garbage collector from stopping the loop to look through all that is kept.

        Meters and samples hold no cycles and live as long as the run: looking for garbage among
        hundreds of thousands of them takes half a second, again and again, and finds nothing.
        """
        self._unsettled += details
        if self._unsettled >= SETTLE_AFTER:
            self._unsettled = 0
            gc.collect(1)
            gc.freeze()


async def _unpacked(body: bytes) -> bytearray:
    if len(body) < THREAD_FROM_BYTES:
        return decompress(body)
    return await asyncio.to_thread(decompress, body)


def _found_series(raw: bytearray) -> Generator[None, None, int]:
    """Count the series of a push in small steps."""
    count = 0
    for _ in series_bounds(raw):
        count += 1
        if not count % SERIES_A_STEP:
            yield
    return count


async def _in_slices(steps: Generator[None, None, _T]) -> _T:
    """Run a generator to its end, giving the event loop a turn after every few milliseconds."""
    until = time.perf_counter() + SLICE_S
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            found: _T = stop.value
            return found
        if time.perf_counter() >= until:
            await asyncio.sleep(0)
            until = time.perf_counter() + SLICE_S
