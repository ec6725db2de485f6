"""Turns what a server or its build writes into log lines, never into more than can be read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from collectors.child import Child
from collectors.lines import LineSplitter
from collectors.redact import Redactor
from collectors.samples import LogLine
from collectors.source import Clock
from collectors.text import sanitise

MAX_LINE_BYTES: Final = 8_192
MAX_LINES_PER_S: Final = 100


class TargetLog:
    """Bytes of one stream in, log lines out; what is over the limit is counted and told.

    Args:
        clock: The session's clock.
        emit: Takes the lines.
        source: Whose lines they are.
        redact: Whether secrets in them are masked.
    """

    def __init__(
        self,
        clock: Clock,
        emit: Callable[[LogLine], None],
        source: str = "target",
        *,
        redact: bool = True,
    ) -> None:
        self._redactor = Redactor(enabled=redact)
        self._clock = clock
        self._emit = emit
        self._source = source
        self._lines = LineSplitter(MAX_LINE_BYTES)
        self._second = 0
        self._emitted = 0
        self._left_out = 0
        self.last = ""
        """The newest line that is not blank, sanitised."""

    def feed(self, chunk: bytes) -> None:
        """Take what was written."""
        self._take(self._lines.feed(chunk))

    def close(self) -> None:
        """Take notice of the end of the stream."""
        self._take(self._lines.close())
        self._tell_left_out(self._clock())

    def _take(self, lines: list[bytes]) -> None:
        at = self._clock()
        if int(at) != self._second:
            self._tell_left_out(at)
            self._second, self._emitted = int(at), 0
        room = MAX_LINES_PER_S - self._emitted
        for line in lines[:room]:
            self._emit(LogLine(at, self._source, "", self._redactor.text(sanitise(line))))
        self._emitted += min(room, len(lines))
        self._left_out += max(0, len(lines) - room)
        newest = next((line for line in reversed(lines) if line.strip()), None)
        if newest is not None:
            self.last = self._redactor.text(sanitise(newest.strip(), 400))

    def _tell_left_out(self, at: float) -> None:
        if self._left_out:
            text = f"({self._left_out} more lines, over {MAX_LINES_PER_S} in a second)"
            self._emit(LogLine(at, self._source, "warning", text))
            self._left_out = 0


class TargetLogs:
    """Reads both streams of a server until they end.

    Args:
        child: The server, started with both of them as pipes.
        clock: The session's clock.
        emit: Takes the lines.
        source: Whose lines they are.
        redact: Whether secrets in them are masked.
    """

    def __init__(
        self,
        child: Child,
        clock: Clock,
        emit: Callable[[LogLine], None],
        source: str = "target",
        *,
        redact: bool = True,
    ) -> None:
        self.last = ""
        """The newest line on either of them, sanitised; may be empty."""
        self._tasks = [
            asyncio.create_task(
                self._read(stream, TargetLog(clock, emit, source, redact=redact)), name="log"
            )
            for stream in (child.stdout, child.stderr)
            if stream is not None
        ]

    async def _read(self, stream: asyncio.StreamReader, log: TargetLog) -> None:
        try:
            while chunk := await stream.read(65536):
                log.feed(chunk)
                self.last = log.last or self.last
        finally:
            log.close()
            self.last = log.last or self.last

    async def close(self, within_s: float = 0.2) -> None:
        """Read what is on its way, then stop: another process may hold the streams open."""
        _, late = await asyncio.wait(self._tasks, timeout=within_s)
        for task in late:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
