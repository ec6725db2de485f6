"""What waits for the disk is bounded, in order, and nothing of it is lost without being counted."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from collectors.recording.codec import MAX_BODY_BYTES, MAX_SAMPLE_BYTES, MAX_SAMPLES
from collectors.recording.waiting import CHUNK_BYTES, Packed, Waiting

FULL = "recording_queue_full"


def packed(serial: int, length: int = 10) -> Packed:
    return Packed(float(serial), bytes(length))


def taken(waiting: Waiting) -> list[list[float]]:
    """Take everything out, a chunk at a time."""
    chunks = []
    while len(waiting):
        chunk = waiting.first()
        assert chunk
        assert waiting.first() == chunk, "nothing goes before it is written"
        waiting.written(len(chunk))
        chunks.append([each.at for each in chunk])
    return chunks


def test_samples_come_out_in_the_order_they_went_in() -> None:
    waiting = Waiting(1000)
    for serial in range(5):
        waiting.add(packed(serial))
    assert len(waiting) == 5
    assert taken(waiting) == [[0.0, 1.0, 2.0, 3.0, 4.0]]
    assert waiting.first() == []


def test_what_comes_while_a_chunk_is_written_is_in_the_next() -> None:
    waiting = Waiting(1000)
    waiting.add(packed(0))
    first = waiting.first()
    waiting.add(packed(1))
    waiting.written(len(first))
    assert taken(waiting) == [[1.0]]


@given(st.lists(st.integers(0, 40), max_size=40), st.integers(0, 400))
def test_what_does_not_fit_is_counted_exactly(lengths: Sequence[int], room: int) -> None:
    waiting = Waiting(room)
    for serial, length in enumerate(lengths):
        waiting.add(packed(serial, length))
    dropped = waiting.take_dropped()
    kept = [serial for chunk in taken(waiting) for serial in chunk]
    assert sum(lengths[int(serial)] for serial in kept) <= room
    assert len(kept) + dropped.get(FULL, 0) == len(lengths)
    assert waiting.take_dropped() == {}
    # All room is there again.
    waiting.add(packed(0, room))
    assert len(waiting) == 1


def test_a_chunk_is_no_larger_than_what_a_reader_takes() -> None:
    waiting = Waiting(1 << 40)
    lengths = [CHUNK_BYTES // 3] * 7 + [MAX_SAMPLE_BYTES] + [CHUNK_BYTES] * 2 + [1]
    for serial, length in enumerate(lengths):
        waiting.add(packed(serial, length))
    chunks = taken(waiting)
    assert [serial for chunk in chunks for serial in chunk] == list(range(len(lengths)))
    sizes = [sum(lengths[int(serial)] for serial in chunk) for chunk in chunks]
    assert max(sizes) <= MAX_BODY_BYTES - 5
    assert all(
        size <= CHUNK_BYTES or len(chunk) == 1 for size, chunk in zip(sizes, chunks, strict=True)
    )


def test_a_chunk_has_no_more_samples_than_a_reader_takes() -> None:
    waiting = Waiting(1 << 40)
    for serial in range(2 * MAX_SAMPLES + 1):
        waiting.add(packed(serial, 1))
    assert [len(chunk) for chunk in taken(waiting)] == [MAX_SAMPLES, MAX_SAMPLES, 1]


def test_samples_are_dropped_by_reason() -> None:
    waiting = Waiting(1 << 40)
    waiting.add(packed(0, MAX_SAMPLE_BYTES + 1))
    waiting.drop("other")
    waiting.drop("other")
    assert waiting.take_dropped() == {"recording_sample_too_large": 1, "other": 2}
    assert len(waiting) == 0
