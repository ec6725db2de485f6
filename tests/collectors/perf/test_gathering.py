"""A pipe is read in larger pieces than it is written, to its end, and can be given up."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator

import pytest

from collectors.perf.gathering import Gathering


@pytest.fixture
def ends() -> Iterator[tuple[int, int]]:
    """A pipe; whoever reads has its first end from then on."""
    reads, writes = os.pipe()
    yield reads, writes
    os.close(writes)


async def test_small_writes_come_as_one(ends: tuple[int, int]) -> None:
    """What is written in the moment after the first byte is not read apart."""
    text = Gathering(ends[0], gather_s=0.05)
    reading = asyncio.create_task(text.read(4096))
    await asyncio.sleep(0)
    for _ in range(20):
        os.write(ends[1], b"sample")
        await asyncio.sleep(0)
    assert await reading == b"sample" * 20
    text.close()


async def test_a_piece_is_no_larger_than_asked(ends: tuple[int, int]) -> None:
    """The rest comes at once with the next readings, and then the end."""
    text = Gathering(os.dup(ends[0]), gather_s=0.0)
    os.write(ends[1], b"abcdef")
    assert [await text.read(4), await text.read(4)] == [b"abcd", b"ef"]
    text.close()
    assert await text.read(4) == b""
    os.close(ends[0])


async def test_the_writers_end_is_the_end() -> None:
    """Also while a reading waits; what was written before is read."""
    reads, writes = os.pipe()
    text = Gathering(reads, gather_s=0.0)
    reading = asyncio.create_task(text.read(4))
    await asyncio.sleep(0)
    os.write(writes, b"last")
    os.close(writes)
    assert await reading == b"last"
    assert await text.read(4) == b""
    text.close()


async def test_who_waits_is_told_when_it_is_given_up(ends: tuple[int, int]) -> None:
    """A reading that waits ends; closing once more does nothing."""
    text = Gathering(ends[0], gather_s=0.0)
    reading = asyncio.create_task(text.read(4))
    await asyncio.sleep(0)
    text.close()
    text.close()
    assert await reading == b""


async def test_a_reading_can_be_cancelled(ends: tuple[int, int]) -> None:
    """The next one has all of it."""
    text = Gathering(ends[0], gather_s=0.0)
    reading = asyncio.create_task(text.read(4))
    await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    os.write(ends[1], b"all")
    assert await text.read(4) == b"all"
    text.close()
