from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.child import Child
from collectors.course import Course, CourseUnit
from collectors.k6.gate import TICK_MS, GateState, blanks
from collectors.k6.gate_server import MAX_REQUEST_BYTES, REPORT_S, HttpGate, RespGate
from collectors.lines import LineSplitter
from collectors.process import Guard
from tests.waiting import eventually

ROOT = Path(__file__).parents[3]
TOKEN = "0123abcd"
SLOT = blanks([1, 2])


class FakeTransport(asyncio.Transport):
    """Keeps what is written; nobody reads on after it is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.closed, "written after it was closed"
        self.written += data

    def close(self) -> None:
        self.closed = True


def talk(make: type[HttpGate | RespGate], pieces: Sequence[bytes]) -> FakeTransport:
    """Send pieces to a new connection until it is closed."""
    state = GateState([[1, 2]], Course.constant(CourseUnit.VUS, 5.0, 0.0), lambda: 7.0, lambda: 7.0)
    transport, protocol = FakeTransport(), make(state, TOKEN)
    protocol.connection_made(transport)
    for piece in pieces:
        if not transport.closed:
            protocol.data_received(piece)
    return transport


def split(data: bytes) -> list[bytes]:
    return [data[place : place + 1] for place in range(len(data))]


# HTTP


def get(path: str, token: str | None = TOKEN, method: str = "GET") -> bytes:
    given = "" if token is None else f"Authorization: Bearer {token}\r\n"
    return f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{given}\r\n".encode()


def http_answers(written: bytes) -> list[tuple[int, bytes]]:
    """Read answers by their lengths, as a client does."""
    answers = []
    while written:
        head, end, written = written.partition(b"\r\n\r\n")
        assert end
        status, *fields = head.split(b"\r\n")
        version, code, _ = status.split(b" ", 2)
        assert version == b"HTTP/1.1"
        lengths = [int(each[15:]) for each in fields if each.startswith(b"Content-Length:")]
        assert len(lengths) == 1
        answers.append((int(code), written[: lengths[0]]))
        assert len(answers[-1][1]) == lengths[0]
        written = written[lengths[0] :]
    return answers


def http(*pieces: bytes) -> list[tuple[int, bytes]]:
    return http_answers(talk(HttpGate, pieces).written)


def test_http_answers_a_key() -> None:
    """With the numbers as they are, blanks at the ends included."""
    assert http(get("/slot.0.1")) == [(200, SLOT)]
    assert http(get("/tick.0.0"))[0][1].startswith(blanks([0, 5_000, 5_000]))


def test_http_keeps_the_connection() -> None:
    """One request after the other, and also several at once."""
    requests = [get("/slot.0.1"), get("/run.1.1"), get("/nothing"), get("/park.1.2")]
    expected = [(200, SLOT), (200, blanks([1])), (404, b""), (200, blanks([1]))]
    assert http(*requests) == expected
    assert http(b"".join(requests)) == expected


def test_http_requests_may_come_in_any_pieces() -> None:
    """Every byte on its own, or cut in two anywhere."""
    requests = get("/slot.0.1") + get("/nothing") + get("/run.1.1")
    expected = [(200, SLOT), (404, b""), (200, blanks([1]))]
    assert http(*split(requests)) == expected
    for place in range(len(requests)):
        assert http(requests[:place], requests[place:]) == expected


@pytest.mark.parametrize("token", [None, "", "0123abc", "0123abcde", "0123ABCD", "ü", TOKEN + " x"])
def test_http_tells_nothing_without_the_token(token: str | None) -> None:
    """Not even whether the key exists."""
    assert http(get("/slot.0.1", token)) == [(401, b"")]
    assert http(get("/nothing", token, "POST")) == [(401, b"")]


def test_http_strangers_are_sent_away() -> None:
    """Whoever does not know the token has one try a connection."""
    transport = talk(HttpGate, [get("/slot.0.1", "wrong") + get("/slot.0.1")])
    assert http_answers(transport.written) == [(401, b"")]
    assert transport.closed


def test_resp_strangers_are_sent_away() -> None:
    """A client greets once or twice before it tells the token, not for ever."""
    assert talk(RespGate, [command("GET", "slot.0.1") * 100]).closed
    greeting = command("HELLO", "3") + command("CLIENT", "SETINFO", "x", "y")
    assert not talk(RespGate, [greeting, command("AUTH", TOKEN), greeting * 100]).closed


@pytest.mark.parametrize(
    "field",
    [
        f"Authorization: Bearer {TOKEN}",
        f"authorization:bearer {TOKEN}",
        f"AUTHORIZATION: \t BEARER {TOKEN} ",
    ],
)
def test_http_field_names_and_schemes_have_no_case(field: str) -> None:
    """Blanks around a value mean nothing (RFC 9110, 5.5 and 11.1)."""
    assert http(f"GET /slot.0.1 HTTP/1.1\r\n{field}\r\n\r\n".encode()) == [(200, SLOT)]


@pytest.mark.parametrize("field", [f"Authorization: Basic {TOKEN}", f"X: Bearer {TOKEN}", TOKEN])
def test_http_takes_the_token_in_one_place_only(field: str) -> None:
    """As a bearer, in its own field."""
    assert http(f"GET /slot.0.1 HTTP/1.1\r\n{field}\r\n\r\n".encode()) == [(401, b"")]


@pytest.mark.parametrize(
    "key", ["/", "/favicon.ico", "/slot.9.1", "/slot.0.1/.2", "/run.9.1", "/tick.0.\u00b2", "/%00"]
)
def test_http_unknown_keys_are_not_found(key: str) -> None:
    """And change nothing."""
    assert http(get(key), get("/slot.0.5")) == [(404, b""), (200, SLOT)]


@pytest.mark.parametrize("method", ["POST", "PUT", "HEAD", "get", "", "GET "])
def test_http_takes_get_only(method: str) -> None:
    """Nothing else means anything here."""
    assert http(get("/slot.0.1", method=method)) == [(400, b"")]


def test_http_a_head_without_end_closes_the_connection() -> None:
    """Nothing is kept for somebody who never ends a request."""
    endless = b"GET /slot.0.1 HTTP/1.1\r\nX: " + b"x" * MAX_REQUEST_BYTES
    assert talk(HttpGate, [endless]).closed
    pieces = talk(HttpGate, [endless[place : place + 100] for place in range(0, len(endless), 100)])
    assert pieces.closed
    assert pieces.written == b""
    assert not talk(HttpGate, [get("/slot.0.1") * 1_000]).closed


# RESP


def command(*words: str | bytes) -> bytes:
    data = [word.encode() if isinstance(word, str) else word for word in words]
    return b"*%d\r\n" % len(data) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in data)


AUTH = command("AUTH", TOKEN)


def bulk(answer: bytes) -> bytes:
    return b"$%d\r\n%s\r\n" % (len(answer), answer)


def resp(*pieces: bytes) -> bytes:
    transport = talk(RespGate, pieces)
    assert not transport.closed
    return transport.written


def test_resp_answers_a_key_to_whom_it_knows() -> None:
    """A key that does not exist is nil."""
    assert resp(AUTH, command("GET", "slot.0.1"), command("get", "nothing")) == (
        b"+OK\r\n" + bulk(SLOT) + b"$-1\r\n"
    )


def test_resp_takes_a_user_name_too() -> None:
    """Some clients send one always; the password counts."""
    assert resp(command("auth", "default", TOKEN)) == b"+OK\r\n"
    assert resp(command("AUTH", TOKEN, "default")) == b"-WRONGPASS\r\n"


def test_resp_tells_nothing_before_auth() -> None:
    """Nor after a wrong one, not even when an earlier one was right."""
    asking = command("GET", "slot.0.1")
    wrong = command("AUTH", "wrong")
    assert resp(asking) == b"-NOAUTH\r\n"
    assert resp(wrong, asking) == b"-WRONGPASS\r\n-NOAUTH\r\n"
    assert resp(AUTH, wrong, asking) == b"+OK\r\n-WRONGPASS\r\n-NOAUTH\r\n"
    assert resp(command("AUTH", "ü"), command("AUTH", "")) == b"-WRONGPASS\r\n" * 2


@pytest.mark.parametrize(
    "words",
    [
        ("HELLO", "3", "AUTH", "default", TOKEN),
        ("HELLO", "2"),
        ("CLIENT", "SETINFO", "LIB-NAME", "any"),
        ("SET", "slot.0.1", "5"),
        ("GET",),
        ("GET", "slot.0.1", "slot.0.2"),
        ("AUTH",),
        ("",),
        (),
    ],
)
def test_resp_refuses_other_commands_and_goes_on(words: tuple[str, ...]) -> None:
    """Its client falls back to RESP2 when HELLO is unknown."""
    unknown = b"-ERR unknown command\r\n"
    asking = command("GET", "slot.0.1")
    assert resp(command(*words), asking) == unknown + b"-NOAUTH\r\n"
    assert resp(AUTH, command(*words), asking) == b"+OK\r\n" + unknown + bulk(SLOT)


def test_resp_commands_may_come_in_any_pieces() -> None:
    """Every byte on its own, all at once, or cut in two anywhere."""
    commands = command("HELLO", "3") + AUTH + command("GET", "slot.0.1") + command("GET", "a\r\nb")
    expected = b"-ERR unknown command\r\n+OK\r\n" + bulk(SLOT) + b"$-1\r\n"
    assert resp(*split(commands)) == expected
    for place in range(len(commands)):
        assert resp(commands[:place], commands[place:]) == expected


def test_resp_words_are_bytes() -> None:
    """Line ends within them end nothing, other bytes are no error."""
    assert resp(AUTH, command("GET", b"\r\n$3\r\nGET\r\n\xff\x00")) == b"+OK\r\n$-1\r\n"


@pytest.mark.parametrize(
    "garbage",
    [
        *(b"GET / HTTP/1.1\r\n\r\n", b"PING\r\n", b"\r\n", b"$3\r\nGET\r\n", b"+OK\r\n"),
        *(b"*\r\n", b"*-1\r\n", b"*1_0\r\n", b"* 1\r\n", b"*+1\r\n", b"*1 \r\n", b"*1.0\r\n"),
        *(b"*\xb2\r\n", b"*99999\r\n", b"*" + b"9" * 5_000 + b"\r\n", b"*0x1\r\n"),
        *(b"*1\r\nGET\r\n", b"*1\r\n*1\r\n", b"*1\r\n$\r\n", b"*1\r\n$-1\r\n", b"*1\r\n$ 5\r\n"),
        *(b"*1\r\n$1_0\r\n", b"*1\r\n$16385\r\n", b"*1\r\n$" + b"9" * 5_000 + b"\r\n"),
        *(b"*1\r\n$3\r\nGETxx", b"*1\r\n$3\r\nGET\n\r", b"*1\r\n$2\r\nGET\r\n"),
    ],
)
def test_resp_ends_with_who_does_not_speak_it(garbage: bytes) -> None:
    """As soon as that shows; what follows is not read."""
    for pieces in ([garbage + AUTH], [*split(garbage), AUTH]):
        transport = talk(RespGate, [AUTH, *pieces])
        assert transport.closed
        assert transport.written == b"+OK\r\n-ERR protocol\r\n"


@pytest.mark.parametrize(
    "endless",
    [b"*" + b"1" * 20_000, b"*2\r\n$" + b"1" * 20_000, b"*1\r\n$16384\r\n" + b"x" * 16_384],
)
def test_resp_a_command_without_end_closes_the_connection(endless: bytes) -> None:
    """Nothing is kept for somebody who never ends a command."""
    assert talk(RespGate, [endless]).closed
    whole = talk(RespGate, [endless[place : place + 500] for place in range(0, len(endless), 500)])
    assert whole.closed
    assert whole.written == b""


resp_parts = st.one_of(
    st.binary(max_size=8),
    st.sampled_from([b"\r\n", b"*1\r\n", b"*2\r\n", b"$3\r\nGET\r\n", b"$4\r\nAUTH\r\n", AUTH]),
    st.lists(st.binary(max_size=9), max_size=4).map(lambda words: command(*words)),
)
http_parts = st.one_of(
    st.binary(max_size=8),
    st.sampled_from([b"\r\n", b"\r\n\r\n", b"GET ", b"/slot.0.1", b" HTTP/1.1", b"Authorization:"]),
    st.text(max_size=9).map(lambda path: get("/" + path)),
)


@given(st.one_of(st.lists(resp_parts, max_size=12), st.lists(st.binary(), max_size=5)))
def test_no_bytes_break_resp(pieces: list[bytes]) -> None:
    """They are answered, or the connection is closed."""
    talk(RespGate, pieces)


@given(st.one_of(st.lists(http_parts, max_size=12), st.lists(st.binary(), max_size=5)))
def test_no_bytes_break_http(pieces: list[bytes]) -> None:
    """They are answered, or the connection is closed."""
    transport = talk(HttpGate, pieces)
    assert all(code in (200, 400, 401, 404) for code, _ in http_answers(transport.written))


@given(st.lists(st.lists(st.binary(max_size=9), max_size=4), max_size=5), st.data())
def test_resp_commands_are_the_same_in_any_pieces(
    commands: list[list[bytes]], data: st.DataObject
) -> None:
    """Where the pieces end changes no answer."""
    sent = AUTH + b"".join(command(*words) for words in commands)
    places = sorted(data.draw(st.lists(st.integers(0, len(sent)), max_size=5)))
    edges = [0, *places, len(sent)]
    pieces = [sent[a:b] for a, b in pairwise(edges)]
    assert resp(*pieces) == resp(sent)


# The process

PROGRAM = (
    "import sys; sys.path.insert(0, sys.argv[1]);"
    " from collectors.k6.gate_server import main; main()"
)


class Running:
    """The gate as a process, and our ends of its pipes."""

    def __init__(self, child: Child, stdin: int, stdout: int, their_stdout: int) -> None:
        self.child = child
        self.port = 0
        self.stdin = stdin
        self._stdout = stdout
        self._their_stdout = their_stdout
        self._lines = LineSplitter()
        self._heard: list[dict[str, Any]] = []

    def say(self, **message: Any) -> None:
        os.write(self.stdin, json.dumps(message).encode() + b"\n")

    async def hears(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Wait for a message; it and those before it are used up."""

        def is_there() -> bool:
            with contextlib.suppress(BlockingIOError):
                lines = self._lines.feed(os.read(self._stdout, 1 << 16))
                self._heard += [json.loads(each) for each in lines if each]
            return any(map(wanted, self._heard))

        await eventually(is_there)
        while not wanted(message := self._heard.pop(0)):
            pass
        return message

    def fill_stdout(self) -> None:
        """Leave no room for another byte in the pipe that the gate writes to."""
        for filler in (b'{"op": "filler"}\n', b"\n"):
            with contextlib.suppress(BlockingIOError):
                while True:
                    os.write(self._their_stdout, filler)

    def close(self) -> None:
        for fd in (self.stdin, self._stdout, self._their_stdout):
            with contextlib.suppress(OSError):
                os.close(fd)


@pytest.fixture
async def start(guard: Guard) -> AsyncIterator[Callable[..., Any]]:
    """Starts the gate with one scenario; nobody reads what it says unless the test does."""
    started: list[Running] = []

    async def begin(transport: str, level: float = 5.0, vus: int = 3) -> Running:
        theirs_in, ours_in = os.pipe()
        ours_out, theirs_out = os.pipe()
        os.set_blocking(ours_out, False)
        argv = [sys.executable, "-I", "-S", "-c", PROGRAM, str(ROOT)]
        child = await guard.spawn("gate", argv, env={}, stdin=theirs_in, stdout=theirs_out)
        os.close(theirs_in)
        running = Running(child, ours_in, ours_out, theirs_out)
        started.append(running)
        running.say(
            transport=transport,
            token=TOKEN,
            slots=[list(range(1, vus + 1))],
            unit="vus",
            points=[[time.monotonic() - 60, level]],
        )
        running.port = (await running.hears(lambda said: said["op"] == "ready"))["port"]
        return running

    yield begin
    for running in started:
        running.close()


def tick_now() -> str:
    return f"tick.0.{int(time.time() * 1_000 / TICK_MS)}"


def numbers(answer: bytes) -> list[int]:
    digits = answer.decode().replace(" ", "0").replace("\t", "1")
    return [int(each, 2) for each in digits.split("\n")]


class RespClient:
    """A client of the real process."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def say(self, *words: str) -> bytes:
        self._writer.write(command(*words))
        line = await self._reader.readuntil(b"\r\n")
        if not line.startswith(b"$") or line == b"$-1\r\n":
            return line
        return (await self._reader.readexactly(int(line[1:]) + 2))[:-2]

    def close(self) -> None:
        self._writer.close()


@contextlib.asynccontextmanager
async def connected(port: int) -> AsyncIterator[RespClient]:
    client = RespClient(*await asyncio.open_connection("127.0.0.1", port))
    try:
        assert await client.say("AUTH", TOKEN) == b"+OK\r\n"
        yield client
    finally:
        client.close()


async def test_the_process_answers_http(start: Callable[..., Any]) -> None:
    """To a client that knows nothing of it, on one connection."""
    running = await start("http")
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    url = f"http://127.0.0.1:{running.port}"
    connector = aiohttp.TCPConnector(limit=1)
    async with aiohttp.ClientSession(url, headers=bearer, connector=connector) as session:
        async with session.get("/slot.0.1") as answer:
            assert (answer.status, await answer.read()) == (200, blanks([1, 3]))
        async with session.get("/" + tick_now()) as answer:
            assert numbers(await answer.read())[:4] == [0, 5_000, 5_000, 3_000]
        async with session.get("/nothing") as answer:
            assert answer.status == 404
        async with session.get("/slot.0.2", headers={"Authorization": "Bearer no"}) as answer:
            assert answer.status == 401
    state = await running.hears(lambda said: said["op"] == "state" and said["known"] == 1)
    assert state["running"] == 0
    assert state["first_at"] <= time.monotonic()


async def test_the_process_answers_resp(start: Callable[..., Any]) -> None:
    """And tells the monitor who runs."""
    running = await start("resp")
    async with connected(running.port) as client:
        assert await client.say("HELLO", "3") == b"-ERR unknown command\r\n"
        assert await client.say("GET", "slot.0.1") == blanks([1, 3])
        assert await client.say("GET", "run.1.1") == blanks([1])
        assert await client.say("GET", "slot.7.2") == b"$-1\r\n"
    await running.hears(lambda said: said["op"] == "state" and said["running"] == 1)


async def test_a_course_changes_what_is_answered(start: Callable[..., Any]) -> None:
    """From the next tick asked for, and the monitor learns that it arrived."""
    running = await start("resp")
    async with connected(running.port) as client:
        assert numbers(await client.say("GET", tick_now()))[:3] == [0, 5_000, 5_000]
        running.say(op="alive")
        now = time.monotonic()
        running.say(
            op="course", number=4, unit="iterations", points=[[now, 20.0], [now + 60, 80.0]]
        )
        await running.hears(lambda said: said.get("course") == 4)
        mode, begin, end, *_ = numbers(await client.say("GET", tick_now()))
        assert mode == 1
        assert 20_000 <= begin < end < 80_000


async def test_the_process_ends_with_the_monitor(start: Callable[..., Any]) -> None:
    """When the monitor's end of the pipe is closed; whoever is connected does not matter."""
    running = await start("http")
    _, writer = await asyncio.open_connection("127.0.0.1", running.port)
    os.close(running.stdin)
    async with asyncio.timeout(5):
        assert await running.child.wait() == 0
    writer.close()


async def test_the_port_is_for_this_machine_only(start: Callable[..., Any]) -> None:
    """Another address of it does not answer."""
    running = await start("http")
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.2", running.port)


async def test_the_process_serves_while_nobody_reads_it(start: Callable[..., Any]) -> None:
    """A monitor that is stopped must not stop the load; afterwards the last state arrives."""
    running = await start("resp")
    async with connected(running.port) as client:
        await client.say("GET", "slot.0.1")
        await running.hears(lambda said: said["op"] == "state" and said["known"] == 1)
        running.fill_stdout()
        until = time.monotonic() + 5 * REPORT_S  # in which it has something to say all the time
        while time.monotonic() < until:
            assert await client.say("GET", "run.1.1") == blanks([1])
            assert await client.say("GET", "park.1.2") == blanks([1])
        assert await client.say("GET", "run.1.3") == blanks([1])
        assert await client.say("GET", "slot.0.2") == blanks([2, 3])
        await running.hears(lambda said: said["op"] == "filler")
        state = await running.hears(lambda said: said["op"] == "state" and said["known"] == 2)
        assert state["running"] == 1


async def test_a_crowd_gets_one_answer_each(start: Callable[..., Any]) -> None:
    """Connections that all come at once each get a rank of their own."""
    running = await start("resp", vus=200)

    async def ask(vu: int) -> int:
        async with connected(running.port) as client:
            rank, count = numbers(await client.say("GET", f"slot.0.{vu}"))
            assert count == 200
            return rank

    ranks = await asyncio.gather(*(ask(vu) for vu in range(200)))
    assert sorted(ranks) == list(range(1, 201))
