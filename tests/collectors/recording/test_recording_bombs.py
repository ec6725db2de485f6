"""Bytes that are made or damaged so as to cost too much are refused, and cost little."""

from __future__ import annotations

import random
import tracemalloc
import zlib
from contextlib import suppress

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.recording.codec import (
    MAX_BODY_BYTES,
    MAX_SAMPLE_BYTES,
    MAX_SAMPLES,
    CodecError,
    Decoder,
)
from collectors.runstate import RunEnd
from collectors.samples import Histogram, LogLine
from tests.builders import batch, host, load
from tests.collectors.recording.written_chunks import UNREADABLE, body, plain, raw_body, read


def refused_within(content: bytes, reason: str, at_most_bytes: int) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(CodecError, match=reason):
            list(Decoder().decode(content))
        assert tracemalloc.get_traced_memory()[1] < at_most_bytes
    finally:
        tracemalloc.stop()


def test_what_unpacks_to_more_than_the_cap_is_refused_within_the_cap() -> None:
    packer = zlib.compressobj(9)
    bomb = b"".join([*(packer.compress(bytes(1 << 20)) for _ in range(256)), packer.flush()])
    assert len(bomb) < MAX_BODY_BYTES // 50
    refused_within(bomb, "too large", 2 * MAX_BODY_BYTES + (1 << 20))


def test_what_unpacks_a_thousandfold_is_refused_within_the_cap() -> None:
    refused_within(
        zlib.compress(bytes(MAX_BODY_BYTES - 1), 9), "damaged", 2 * MAX_BODY_BYTES + (1 << 20)
    )


def test_many_tiny_samples_are_refused_before_they_are_made() -> None:
    row = msgspec.msgpack.encode(("", 0, None))
    count = MAX_BODY_BYTES // len(row) - 2
    text = b"\xdd" + count.to_bytes(4, "big") + row * count
    refused_within(zlib.compress(text, 1), "too many", 2 * MAX_BODY_BYTES + (1 << 20))
    small = b"\xdd" + MAX_SAMPLES.to_bytes(4, "big") + row * MAX_SAMPLES
    assert read(zlib.compress(small)) == ([], {UNREADABLE: MAX_SAMPLES})


def test_many_stacks_are_refused_before_they_are_made() -> None:
    count = MAX_SAMPLE_BYTES // 8
    fields = {
        **plain(batch(1.0)),
        "steps": [1] * count,
        "samples": [1] * count,
        "odd_ns": [0] * count,
    }
    content = raw_body([("stacks", 1.0, fields)])
    decoder = Decoder()
    tracemalloc.start()
    try:
        assert list(decoder.decode(content)) == []
        assert tracemalloc.get_traced_memory()[1] < 2 * 3 * 8 * count
    finally:
        tracemalloc.stop()
    assert decoder.rejected.counts == {UNREADABLE: 1}


def test_one_sample_that_is_too_long_is_counted() -> None:
    rows = [("log", 1.0, plain(LogLine(1.0, "s", "", "x" * MAX_SAMPLE_BYTES)))]
    assert read(raw_body(rows)) == ([], {UNREADABLE: 1})


@pytest.mark.parametrize("opening", [b"\x91", b"\x81\xa1a", b"\xdc\x00\x01"])
def test_deep_nesting_is_refused(opening: bytes) -> None:
    deep = opening * 200_000 + b"\xc0"
    with pytest.raises(CodecError):
        list(Decoder().decode(zlib.compress(deep)))
    row = b"\x93" + msgspec.msgpack.encode("mark") + msgspec.msgpack.encode(1.0)
    with pytest.raises(CodecError):
        list(Decoder().decode(zlib.compress(b"\x91" + row + deep)))
    # No deeper than what is skipped without a look: a field that nobody knows.
    some = opening * 300 + b"\xc0"
    known = msgspec.msgpack.encode({"at": 1.0, "kind": "note", "text": "x"})
    extra = b"\x84" + known[1:] + b"\xa1y" + some
    found, counts = read(zlib.compress(b"\x91" + row + extra))
    assert len(found) + sum(counts.values()) == 1


def test_no_mutant_of_a_chunk_makes_the_reader_fall_over() -> None:
    """20 000 chunks, damaged before or after they are packed."""
    rng = random.Random(20_240_607)
    histogram = Histogram(3, {-5: 2, 7: 1}, 1, 4, 0.5)
    text = zlib.decompress(
        body(
            load(1.0, latency=histogram),
            host(1.5),
            batch(2.0),
            LogLine(2.0, "k6", "info", "text"),
            RunEnd(3.0, "k6-1", 1.0, 2.0, 0.0, 0, 0, latency_ms={"p95": 1.0}),
        )
    )
    packed = zlib.compress(text, 1)
    decoder = Decoder()
    outcomes = {"read": 0, "refused": 0}
    for number in range(20_000):
        mutant = bytearray(packed if number % 5 == 0 else text)
        for _ in range(rng.randint(1, 2)):
            place = rng.randrange(len(mutant))
            match rng.randrange(8):
                case 0:
                    del mutant[place : place + rng.randint(1, 9)]
                case 1:
                    mutant[place:place] = rng.randbytes(rng.randint(1, 9))
                case 2:
                    other = rng.randrange(len(mutant))
                    mutant[place : place + 8] = mutant[other : other + 8]
                case _:
                    mutant[place] = rng.randrange(256)
            mutant = mutant or bytearray(b"\x90")
        content = bytes(mutant) if number % 5 == 0 else zlib.compress(bytes(mutant), 0)
        try:
            list(decoder.decode(content))
            outcomes["read"] += 1
        except CodecError:
            outcomes["refused"] += 1
    assert sum(outcomes.values()) == 20_000
    assert min(outcomes.values()) > 2_000, "mutants that are all alike test nothing"


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    for each in (content, zlib.compress(content)):
        with suppress(CodecError):
            list(Decoder().decode(each))
