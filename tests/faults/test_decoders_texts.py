"""Recordings, the gate's requests and the sanitiser itself, given what nobody sane would give."""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
import unicodedata
import zlib
from typing import Final

import pytest

from collectors.recording.codec import Arrival, CodecError, Decoder, Encoder, pack
from collectors.redact import Redactor
from collectors.samples import LogLine, StackBatch
from collectors.text import sanitise
from tests.faults.conftest import Report
from tests.faults.made_up_recordings import some_samples
from tests.faults.mutation import MAX_SECONDS, SEED, Mutations, survive
from tests.faults.watched_child import ROOT, memory_mib

TOKEN: Final = "t0ken"
HTTP: Final = (
    f"GET /tick.0.1 HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode(),
    f"GET /slot.0.7 HTTP/1.1\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode() * 3,
    b"GET /run.7.1 HTTP/1.1\r\nHost: h\r\n\r\n",
)
RESP: Final = (
    f"*2\r\n$4\r\nAUTH\r\n${len(TOKEN)}\r\n{TOKEN}\r\n*2\r\n$3\r\nGET\r\n$8\r\ntick.0.1\r\n".encode(),
    b"*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n*2\r\n$3\r\nGET\r\n$8\r\nslot.0.7\r\n",
)
HOSTILE: Final = (
    *map(chr, range(0x20)),
    *map(chr, range(0x7F, 0xA0)),
    *"\u00ad\u200b\u200c\u200d\u200e\u202a\u202e\u2066\u2069\u2028\u2029\ufeff\ufe0f\u3164",
    *"\ud800\udc80\udfff\U000e0001\U000e007f\U000e0100\U0001d173",
)

pytestmark = pytest.mark.timeout(1200)


@pytest.mark.parametrize("is_packed", [False, True], ids=["contents", "chunks"])
def test_recordings(report: Report, is_full: bool, is_packed: bool) -> None:
    """A broken chunk raises `CodecError`, or yields samples whose texts can be shown."""
    encoder = Encoder()
    encoded = [encoder.encode(Arrival(1.0, sample)) for sample in some_samples(2)]
    bodies = [pack(encoded[start : start + 3]) for start in range(0, len(encoded), 3)]
    corpus = bodies if is_packed else [zlib.decompress(body) for body in bodies]
    make = Mutations(
        corpus, words=[b"\xdd\xff\xff\xff\xff", b"\xcb\x7f\xf0" + bytes(6), b"\xa4load"]
    )
    decoder = Decoder()

    def read(data: bytes, _: int) -> None:
        body = data if is_packed else zlib.compress(data, 1)
        try:
            samples = [arrival.sample for arrival in decoder.decode(body)]
        except CodecError:
            return
        for sample in samples:
            if isinstance(sample, LogLine):
                assert sample.text == sanitise(sample.text)
            if isinstance(sample, StackBatch):
                texts = [frame.symbol for frame in sample.frames.values()]
                assert texts == list(map(sanitise, texts))

    case = "chunks of recordings" if is_packed else "samples of recordings"
    survive(report, case, 200_000 if is_full else 20_000, make, read)


VISIBLE_FORMATS: Final = frozenset(
    map(chr, (*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD))
) | frozenset(map(chr, range(0x13430, 0x13440)))
"""Of the category of formats, but with glyphs of their own: signs of numbers, quadrats."""


def is_hostile(character: str) -> bool:
    """Tell what must not be shown, by Unicode's own categories: controls, formats, surrogates."""
    is_format = unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")
    return is_format and character not in VISIBLE_FORMATS


def test_sanitised_texts(report: Report, is_full: bool) -> None:
    """Nothing hostile is left, the bound holds, and to do it again changes nothing."""
    tries = 200_000 if is_full else 20_000
    rng = random.Random(SEED)
    slowest_s = 0.0
    for number in range(tries):
        ordinary = [
            chr(rng.randrange(0x20, rng.choice((0x7F, 0x3000, 0x11_0000)))) for _ in range(9)
        ]
        text = "".join(rng.choices([*HOSTILE, *ordinary, "ab", "日本"], k=rng.choice((3, 20, 60))))
        given = text.encode("utf-8", "surrogatepass") if rng.random() < 0.5 else text
        if isinstance(given, bytes) and rng.random() < 0.5:
            given = given[rng.randrange(4) :] + bytes(rng.choices(range(256), k=5))
        limit = rng.choice((1, 2, 8, 40, 4096))
        start = time.thread_time()
        shown = sanitise(given, limit)
        slowest_s = max(slowest_s, time.thread_time() - start)
        told = f"text {number} of seed {SEED}: {given!r}, {limit}"
        assert not any(map(is_hostile, shown)), told
        assert len(shown) <= limit, told
        assert sanitise(shown, limit) == shown, told
        shown.encode()
    report(
        "texts through the sanitiser",
        tries=tries,
        passed=tries if slowest_s <= MAX_SECONDS else 0,
        figure="0 hostile characters",
        target="none, bounded, idempotent",
    )


@pytest.mark.parametrize("text", ["a" * 40_000 + " x://y", "a?" * 20_000])
def test_redaction_of_long_words(report: Report, text: str) -> None:
    """A long word, as scripts print them at their end, is looked through once."""
    start = time.thread_time()
    Redactor().text(text)
    took_s = time.thread_time() - start
    report(
        f"a word of {len(text)} characters is looked through for secrets",
        tries=1,
        passed=int(took_s <= MAX_SECONDS),
        figure=f"{took_s * 1e3:.0f} ms",
        target=f"≤ {MAX_SECONDS * 1e3:.0f} ms",
    )


async def answer(port: int, data: bytes) -> bytes:
    """Send something and its end to the gate; return all that comes back."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(data)
        writer.write_eof()
        return await asyncio.wait_for(reader.read(), 5.0)
    except OSError:  # it hung up on us
        return b""
    finally:
        writer.close()


@pytest.mark.parametrize("transport", ["http", "resp"])
async def test_the_gate(report: Report, is_full: bool, transport: str) -> None:
    """It lives, answers the next honest client at once, and tells strangers nothing."""
    tries = 200_000 if is_full else 20_000
    corpus, honest = (HTTP, HTTP[0]) if transport == "http" else (RESP, RESP[0])
    make = Mutations(corpus, words=[b"$-1\r\n", b"*9\r\n", b"\r\n\r\n", b"Bearer ", b"AUTH"])
    order = {
        "transport": transport,
        "token": TOKEN,
        "slots": [[1]],
        "unit": "vus",
        "points": [[0, 1]],
    }
    gate = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from collectors.k6.gate_server import main; main()"),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert gate.stdin is not None
    assert gate.stdout is not None
    passed, slowest_s = 0, 0.0
    try:
        gate.stdin.write(json.dumps(order).encode() + b"\n")
        port = json.loads(await gate.stdout.readline())["port"]
        expected = len(await answer(port, honest))
        before = memory_mib(gate.pid)
        for number in range(tries):
            data = make(number)
            found = await answer(port, data)
            if TOKEN.encode() not in data:
                assert b"200 OK" not in found, f"input {number} of seed {SEED}: {data!r}"
                assert not found.count(b"$"), f"input {number} of seed {SEED}: {data!r}"
            passed += 1
            if number % 50 == 0:
                start = time.perf_counter()
                # Lengths of lines differ: they tell how far away the next tick is.
                assert abs(len(await answer(port, honest)) - expected) < 40
                slowest_s = max(slowest_s, time.perf_counter() - start)
        grown = memory_mib(gate.pid) - before
        assert gate.returncode is None
    finally:
        gate.stdin.close()
        if gate.returncode is None:
            gate.kill()
        await gate.wait()
    report(
        f"broken requests to the gate, {transport}",
        tries=tries,
        passed=passed if grown <= 16 else 0,
        figure=f"{grown:.1f} MiB more, honest answers within {slowest_s * 1e3:.0f} ms",
        target="it lives, ≤ 16 MiB, nothing told to strangers",
    )
