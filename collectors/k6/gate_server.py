"""The gate: a small process that k6's VUs ask whether they may go on.

It runs beside the guard, never in the screen's loop, so that a busy screen can't hold up the load.
Standard library only. It listens on a free port of 127.0.0.1 and talks HTTP (to a URL source of
k6/secrets) or RESP (to k6/experimental/redis); who does not know its token is told nothing.

Messages, JSON a line. The first one to it: {transport, token, slots, unit, points}; then course
{number, unit, points} and alive {}. From it: ready {port}, and when something changed, at most
every tenth of a second, state {course, known, running, first_at, silent}.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import os
import sys
from typing import Any, Final

from collectors.course import Course, CourseUnit
from collectors.k6.gate import GateState

REPORT_S: Final = 0.1
MAX_REQUEST_BYTES: Final = 16_384
MAX_WORDS: Final = 16
"""Of one command; those that are answered have two or three."""
MAX_DIGITS: Final = 9
BACKLOG: Final = 4_096
UNAUTHORIZED: Final = b"401 Unauthorized"
MAX_STRANGE_COMMANDS: Final = 16
"""Of a client that has not told the token: some greet first."""


class Connection(asyncio.Protocol):
    """One client of the gate; what it sends is kept until a request is whole."""

    def __init__(self, state: GateState, token: str) -> None:
        self._state = state
        self._token = token.encode()
        self._buffer = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the connection."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport


class HttpGate(Connection):
    """Answers `GET /KEY` with the token in `Authorization`; HTTP/1.1 (RFC 9112), kept alive."""

    def data_received(self, data: bytes) -> None:
        """Answer each request that is complete; none of them has a body."""
        self._buffer += data
        while b"\r\n\r\n" in self._buffer:
            head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
            status, body = self._respond(head)
            self._transport.write(
                b"HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s"
                % (status, len(body), body)
            )
            if status == UNAUTHORIZED:
                # Whoever this is must not keep the VUs waiting.
                self._buffer = b""
                self._transport.close()
        if len(self._buffer) > MAX_REQUEST_BYTES:
            self._transport.close()

    def _respond(self, head: bytes) -> tuple[bytes, bytes]:
        request, *fields = head.split(b"\r\n")
        given = b""
        for each in fields:
            name, _, value = each.partition(b":")
            if name.strip().lower() == b"authorization":
                given = value.strip()
        scheme, _, secret = given.partition(b" ")
        if not hmac.compare_digest(scheme.lower() + b" " + secret, b"bearer " + self._token):
            return UNAUTHORIZED, b""
        words = request.split(b" ")
        if len(words) != 3 or words[0] != b"GET":
            return b"400 Bad Request", b""
        answer = self._state.answer(words[1].decode("latin-1").removeprefix("/"))
        return (b"404 Not Found", b"") if answer is None else (b"200 OK", answer)


class RespGate(Connection):
    """Answers AUTH and GET; RESP2 (redis.io/docs/latest/develop/reference/protocol-spec)."""

    def __init__(self, state: GateState, token: str) -> None:
        super().__init__(state, token)
        self._is_known = False
        self._strange = 0

    def data_received(self, data: bytes) -> None:
        """Answer each command that is complete."""
        self._buffer += data
        try:
            while (taken := _resp_command(self._buffer)) is not None:
                words, used = taken
                self._buffer = self._buffer[used:]
                self._transport.write(self._respond(words))
                self._strange += not self._is_known
                if self._strange > MAX_STRANGE_COMMANDS and not self._is_known:
                    raise ValueError("a stranger")
        except ValueError:
            self._buffer = b""
            self._transport.write(b"-ERR protocol\r\n")
            self._transport.close()
        if len(self._buffer) > MAX_REQUEST_BYTES:
            self._transport.close()

    def _respond(self, words: list[bytes]) -> bytes:
        name = words[0].upper() if words else b""
        if name == b"AUTH" and len(words) > 1:
            self._is_known = hmac.compare_digest(words[-1], self._token)
            return b"+OK\r\n" if self._is_known else b"-WRONGPASS\r\n"
        if name != b"GET" or len(words) != 2:
            # HELLO too: its client then goes on in the older protocol.
            return b"-ERR unknown command\r\n"
        if not self._is_known:
            return b"-NOAUTH\r\n"
        answer = self._state.answer(words[1].decode("latin-1"))
        return b"$-1\r\n" if answer is None else b"$%d\r\n%s\r\n" % (len(answer), answer)


def _resp_command(buffer: bytes) -> tuple[list[bytes], int] | None:
    """Return the first whole command and its length, None if there is none yet.

    Raises:
        ValueError: this is no command.
    """
    end = buffer.find(b"\r\n")
    if end < 0:
        return None
    if buffer[:1] != b"*":
        raise ValueError("not an array")
    position = end + 2
    words: list[bytes] = []
    for _ in range(_size(buffer[1:end], MAX_WORDS)):
        end = buffer.find(b"\r\n", position)
        if end < 0:
            return None
        if buffer[position : position + 1] != b"$":
            raise ValueError("not a bulk string")
        start = end + 2
        size = _size(buffer[position + 1 : end])
        if len(buffer) < start + size + 2:
            return None
        if buffer[start + size : start + size + 2] != b"\r\n":
            raise ValueError("a word of another length")
        words.append(buffer[start : start + size])
        position = start + size + 2
    return words, position


def _size(digits: bytes, limit: int = MAX_REQUEST_BYTES) -> int:
    # Checked first: `int` takes signs, blanks and underscores too.
    if not digits.isdigit() or len(digits) > MAX_DIGITS or (size := int(digits)) > limit:
        raise ValueError("no size")
    return size


class Gate:
    """The process: one listener, one connection to the monitor."""

    def __init__(self, state: GateState, transport: str, token: str) -> None:
        self._state = state
        self._protocol: type[Connection] = {"http": HttpGate, "resp": RespGate}[transport]
        self._token = token
        self._said: dict[str, Any] = {}

    async def run(self) -> None:
        """Serve until the monitor's end of the pipe is closed, and then without load."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: self._protocol(self._state, self._token), "127.0.0.1", 0, backlog=BACKLOG
        )
        _say({"op": "ready", "port": server.sockets[0].getsockname()[1]})
        reader = asyncio.StreamReader(limit=1 << 20)
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        listening = asyncio.create_task(self._listen(reader))
        while True:
            await asyncio.sleep(REPORT_S)
            self._state.watch_silence()
            report = self._state.report()
            if report != self._said and _say(report):
                self._said = report
            if listening.done():
                return

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        while line := await reader.readline():
            message = json.loads(line)
            self._state.hear()
            if message["op"] == "course":
                points = tuple((at, level) for at, level in message["points"])
                course = Course(CourseUnit(message["unit"]), points)
                self._state.steer(course, message["number"])


def _say(message: dict[str, Any]) -> bool:
    """Write a message; a monitor that is stopped must not stop the gate, so it may be left out."""
    try:
        os.write(sys.stdout.fileno(), json.dumps(message).encode() + b"\n")
    except (BlockingIOError, BrokenPipeError):
        return False
    return True


def _first_line(fd: int) -> bytes:
    """Read up to the first line end and no further."""
    # It names every VU: bytes, copied for each one more, would take minutes.
    line = bytearray()
    while not line.endswith(b"\n") and (byte := os.read(fd, 1)):
        line += byte
    return bytes(line)


def main() -> None:
    """Run the gate as the first line of standard input says: {transport, token, slots, course}."""
    order = json.loads(_first_line(sys.stdin.fileno()))
    course = Course(CourseUnit(order["unit"]), tuple((at, level) for at, level in order["points"]))
    state = GateState(order["slots"], course)
    os.set_blocking(sys.stdout.fileno(), False)
    asyncio.run(Gate(state, order["transport"], order["token"]).run())
