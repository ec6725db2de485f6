"""Pushes that are made to break their reader: refused before anything is allocated, or counted."""

from __future__ import annotations

import asyncio
import io
import json
import struct
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp
import cramjam
import pytest
from google.protobuf.empty_pb2 import Empty as Nothing
from google.protobuf.message import DecodeError
from google.protobuf.unknown_fields import UnknownFieldSet

from collectors.k6.remote_write import BadPush, decompress
from tests.faults.conftest import Report
from tests.faults.mutation import Mutations
from tests.faults.watched_child import ROOT, memory_mib

GROUP: Final = 3
"""The wire type that is written no more: protobuf still reads it, and a field 0; we do not."""
CAPTURED: Final = (Path(__file__).parents[1] / "data" / "k6_push_1.bin").read_bytes()
MAX_GROWTH_MIB: Final = 16.0
MAX_ANSWER_S: Final = 0.25
MIB: Final = 1 << 20

pytestmark = pytest.mark.timeout(120)


def varint(value: int) -> bytes:
    """Return a number as protobuf and snappy write it."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def part(content: bytes, tag: int = 0x0A) -> bytes:
    """Return a field of bytes."""
    return bytes([tag]) + varint(len(content)) + content


def packed(raw: bytes) -> bytes:
    """Return the body of a push."""
    return bytes(cramjam.snappy.compress_raw(raw))


def labelled(*rest: bytes) -> bytes:
    """Return a push of one series."""
    name = part(part(b"__name__") + part(b"k6_http_reqs_total", 0x12))
    return part(b"".join([name, *rest]))


LIES: Final[Mapping[str, bytes]] = {
    "256 MiB in five bytes": varint(256 * MIB),
    "256 MiB in twelve": varint(256 * MIB) + bytes(12 * MIB),
    "100 MiB in one KiB": varint(100 * MIB) + bytes(1024),
    "a length without an end": b"\xff" * 4096,
    "a length cut off": b"\x80",
    "nothing": b"",
}
"""Snappy blocks that are refused by their first bytes."""

BROKEN: Final[Mapping[str, Callable[[], bytes]]] = {
    "a block cut in half": lambda: CAPTURED[: len(CAPTURED) // 2],
    "a copy from before the begin": lambda: varint(64) + b"\xfe\xff\x00",
    "a block of another length": lambda: varint(4000) + CAPTURED[2:],
    "a length of 2⁶³": lambda: packed(b"\x0a" + varint(1 << 63) + b"x"),
    "a varint without an end": lambda: packed(b"\x0a" + b"\xff" * 1000),
    "groups": lambda: packed(b"\x0b" * 10_000),
    "a fixed field cut off": lambda: packed(b"\x09\x00\x00"),
}
"""Blocks that are none, or hold no `WriteRequest`: they are refused."""

CONTENTS: Final[Mapping[str, Callable[[], bytes]]] = {
    "10 M empty labels": lambda: packed(part(b"\x0a\x00" * 10_000_000)),
    "10 M empty values": lambda: packed(labelled(b"\x12\x00" * 10_000_000)),
    "10 M empty histograms": lambda: packed(labelled(b"\x22\x00" * 10_000_000)),
    "1 M empty series": lambda: packed(b"\x0a\x00" * 1_000_000),
    "a number as labels": lambda: packed(part(b"\x08\x01" * 1000)),
    "not a number": lambda: packed(labelled(part(b"\x09" + struct.pack("<d", float("nan")), 0x12))),
    "a span of 2³² buckets": lambda: packed(
        labelled(part(b"\x08\x01" + part(b"\x08\x00\x10" + varint((1 << 32) - 1), 0x5A), 0x22))
    ),
    "a span 2³¹ away": lambda: packed(
        labelled(
            part(b"\x08\x01" + part(b"\x08" + varint((1 << 32) - 1) + b"\x10\x01", 0x5A), 0x22)
        )
    ),
}
"""Blocks with series that are found out later: they are answered, and counted."""


class Child:
    """The process that receives."""

    def __init__(self, process: asyncio.subprocess.Process, url: str, token: str) -> None:
        self.pid = process.pid
        self._process = process
        self._url = url
        self.token = token
        self._session = aiohttp.ClientSession()

    async def post(self, body: bytes, authorization: str | None) -> int:
        """Send a push; return how it was answered."""
        headers = {} if authorization is None else {"Authorization": authorization}
        try:
            async with self._session.post(
                self._url, data=io.BytesIO(body), headers=headers
            ) as answer:
                return answer.status
        except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError):
            return 0  # it hung up while we still sent

    async def emitted(self) -> dict[str, Any]:
        """Return what has become of all that was sent."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(b"\n")
        found: dict[str, Any] = json.loads(await self._process.stdout.readline())
        return found

    def begin_to_measure(self) -> float:
        """Let the peak begin anew (proc_pid_clear_refs(5)); return the memory now."""
        Path("/proc", str(self.pid), "clear_refs").write_text("5")
        return memory_mib(self.pid, "VmRSS")

    async def close(self) -> None:
        """End it."""
        await self._session.close()
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()


@asynccontextmanager
async def receiving() -> AsyncIterator[Child]:
    """Start a process that receives, and has received something."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.faults.receiving_child"),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    child = Child(process, **json.loads(await process.stdout.readline()))
    try:
        assert await child.post(CAPTURED, f"Bearer {child.token}") == 204
        await child.emitted()
        yield child
    finally:
        await child.close()


async def test_lies_about_the_length_are_refused_at_once(report: Report) -> None:
    """They are answered with 400 and counted, and take no memory."""
    passed, most_mib, slowest_s = 0, 0.0, 0.0
    async with receiving() as child:
        for body in LIES.values():
            before = child.begin_to_measure()
            start = time.perf_counter()
            status = await child.post(body, f"Bearer {child.token}")
            slowest_s = max(slowest_s, time.perf_counter() - start)
            grown = memory_mib(child.pid) - before
            most_mib = max(most_mib, grown)
            passed += status in (0, 400) and grown <= MAX_GROWTH_MIB
        drops = (await child.emitted())["drops"]
    assert sum(drops.values()) == len(LIES)
    report(
        "snappy blocks that lie about their length",
        tries=len(LIES),
        passed=passed if slowest_s <= MAX_ANSWER_S else 0,
        figure=f"{most_mib:.1f} MiB more, {slowest_s * 1e3:.0f} ms",
        target=f"400, counted, ≤ {MAX_GROWTH_MIB:.0f} MiB",
    )


async def test_broken_contents_are_counted(report: Report) -> None:
    """Each is counted, takes no more than its own bytes, and the next honest push is used.

    What is no push as a whole is refused; a push with series that can't be used is taken.
    """
    passed, most_mib = 0, 0.0
    failed = []
    async with receiving() as child:
        emitted = await child.emitted()
        for name, make in {**BROKEN, **CONTENTS}.items():
            body = make()
            answer = 400 if name in BROKEN else 204
            drops = sum(emitted["drops"].values())
            before = child.begin_to_measure()
            status = await child.post(body, f"Bearer {child.token}")
            status_after = await child.post(CAPTURED, f"Bearer {child.token}")
            emitted = await child.emitted()
            claimed = cramjam.snappy.decompress_raw_len(body) / MIB
            grown = memory_mib(child.pid) - before - claimed
            most_mib = max(most_mib, grown)
            counted = sum(emitted["drops"].values()) - drops
            if (status, status_after) == (answer, 204) and counted and grown <= MAX_GROWTH_MIB:
                passed += 1
            else:
                failed.append((name, status, status_after, counted, grown))
    assert not failed, failed
    report(
        "pushes with broken contents",
        tries=len(BROKEN) + len(CONTENTS),
        passed=passed,
        figure=f"{most_mib:.1f} MiB more than their bytes",
        target=f"{len(BROKEN)} answered 400, all counted, ≤ {MAX_GROWTH_MIB:.0f} MiB",
    )


@pytest.mark.parametrize("is_packed", [False, True], ids=["contents", "blocks"])
async def test_broken_pushes_are_answered_so(
    report: Report, is_full: bool, is_packed: bool
) -> None:
    """With 400 where they can't be read as a whole, and counted; with 204 otherwise."""
    corpus = CAPTURED if is_packed else bytes(decompress(CAPTURED))
    make = Mutations([corpus], words=[b"\x0a\x00" * 9, b"\xff" * 9, b"__name__"])
    tries = 20_000 if is_full else 500
    passed = refused = 0
    async with receiving() as child:
        before = sum((await child.emitted())["drops"].values())
        for number in range(tries):
            data = make(number)
            body = data if is_packed else packed(data)
            expected = 204 if is_whole(body) else 400
            refused += expected == 400
            passed += await child.post(body, f"Bearer {child.token}") == expected
        counted = sum((await child.emitted())["drops"].values()) - before
    assert 0 < refused < tries
    assert counted >= refused
    report(
        f"answers to broken {'snappy blocks' if is_packed else 'contents of pushes'}",
        tries=tries,
        passed=passed,
        figure=f"{refused} answered 400",
        target="400 and counted where nothing can be read, else 204",
    )


def is_whole(body: bytes) -> bool:
    """Tell whether a body is a snappy block around a `WriteRequest`, by protobuf's own reader."""
    try:
        message = Nothing.FromString(bytes(decompress(body)))
    except (BadPush, DecodeError):
        return False
    found = UnknownFieldSet(message)
    fields = [found[place] for place in range(len(found))]
    return all(field.wire_type != GROUP and field.field_number for field in fields)


async def test_strangers_are_not_in_the_figures(report: Report) -> None:
    """Whoever does not know the token is refused, counted, and reaches no figure."""
    async with receiving() as child:
        known = await child.emitted()
        offers = [
            *(None, "", "Bearer", "Bearer ", f"bearer {child.token}", f"Basic {child.token}"),
            *(f"Bearer {child.token}x", f"Bearer {child.token[:-1]}", "Bearer \xfc", child.token),
        ]
        answers = [await child.post(CAPTURED, offer) for offer in offers]
        large = await child.post(bytes(8 * MIB), "Bearer guess")
        found = await child.emitted()
    tries = len(offers) + 1
    passed = sum(status in (401, 403) for status in answers) + (large in (0, 401))
    assert found["requests"] == known["requests"]
    assert found["drops"] == {"foreign_push": tries}
    report(
        "pushes of strangers",
        tries=tries,
        passed=passed,
        figure="0 accepted",
        target="401, counted, not in any figure",
    )
