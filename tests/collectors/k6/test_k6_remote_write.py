from __future__ import annotations

import contextlib
import itertools
import time
import tracemalloc
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import cramjam
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.k6.histogram import BadSeries
from collectors.k6.messages import TimeSeries
from collectors.k6.remote_write import (
    BadPush,
    claimed_length,
    decompress,
    parse_labels,
    parse_values,
    split_series,
)
from collectors.k6.stream import LoadAssembler
from collectors.samples import Histogram, LoadSample

DATA = Path(__file__).parents[2] / "data"


def read_all(raw: bytes | bytearray) -> list[tuple[Mapping[str, str], float | Histogram]]:
    return [(parse_labels(labels), parse_values(values)) for labels, values in split_series(raw)]


def take(assembler: LoadAssembler, raw: bytes | bytearray) -> LoadSample:
    steps = assembler.steps(raw, 1.0, 1.0)
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            sample: LoadSample = stop.value
            return sample


def test_a_captured_push_is_read_whole() -> None:
    """Every series of a push of the real k6 has a name and a value."""
    series = read_all(decompress((DATA / "k6_push_4.bin").read_bytes()))
    values = {labels["__name__"]: value for labels, value in series}
    assert len(series) == 22
    assert values["k6_http_reqs_total"] == 10736
    assert values["k6_vus_max"] == 2
    duration = values["k6_http_req_duration_seconds"]
    assert isinstance(duration, Histogram)
    assert (duration.schema, duration.count) == (3, 10736)
    assert duration.sum == pytest.approx(4.805, abs=0.001)
    waits = next(
        labels for labels, _ in series if labels["__name__"] == "k6_http_req_waiting_seconds"
    )
    assert waits["group"] == "::g1"
    assert waits["status"] == "404"


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    """A header that claims more than the body can hold costs neither time nor memory."""
    bomb = b"\x80\x80\x80\x80\x01"  # 256 MiB in five bytes
    tracemalloc.start()
    started = time.perf_counter()
    with pytest.raises(BadPush, match="push_too_large"):
        decompress(bomb)
    elapsed_s = time.perf_counter() - started
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert elapsed_s < 0.05
    assert peak_bytes < 1 << 20


def test_a_limit_holds_for_honest_blocks_too() -> None:
    """A block that really is too large is refused by its header."""
    body = bytes(cramjam.snappy.compress_raw(bytes(1000)))
    assert claimed_length(body) == 1000
    with pytest.raises(BadPush, match="push_too_large"):
        decompress(body, limit=999)


@pytest.mark.parametrize("body", [b"", b"\xff" * 10, b"\x05\x00", b"\x02\x04abc"])
def test_a_broken_block_is_refused(body: bytes) -> None:
    """What is no snappy block is told as such."""
    with pytest.raises(BadPush):
        decompress(body)


@given(st.binary(max_size=300))
def test_random_bodies_raise_nothing_else(body: bytes) -> None:
    """Whatever arrives, a push is either read or bad."""
    with contextlib.suppress(BadPush):
        list(split_series(decompress(body)))


@given(st.binary(max_size=300))
def test_random_messages_raise_nothing_else(raw: bytes) -> None:
    """Whatever a message holds, it is read, or the push is bad, or some series are skipped."""
    with contextlib.suppress(BadPush):
        take(LoadAssembler("k6-1"), raw)


@given(st.integers(0, 1544), st.integers(0, 255))
def test_a_flipped_byte_raises_nothing_else(position: int, value: int) -> None:
    """A real push with one wrong byte is survived, before and after unpacking."""
    body = bytearray((DATA / "k6_push_2.bin").read_bytes())
    raw = bytearray(decompress(bytes(body)))
    body[position] = value
    raw[position] = value
    with contextlib.suppress(BadPush):
        take(LoadAssembler("k6-1"), bytes(raw))
    with contextlib.suppress(BadPush):
        take(LoadAssembler("k6-1"), decompress(bytes(body)))


def test_a_cut_push_is_bad_and_keeps_what_came_before() -> None:
    """Series before the cut are read, the cut one is not."""
    raw = decompress((DATA / "k6_push_2.bin").read_bytes())
    series = split_series(raw[:-5])
    assert len(list(itertools.islice(series, 21))) == 21
    with pytest.raises(BadPush, match="push_protobuf_corrupt"):
        next(series)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (float("nan"), "value_not_finite"),
        (float("inf"), "value_not_finite"),
        (float("-inf"), "value_not_finite"),
        (2.0**63, "value_too_large"),
    ],
)
def test_an_impossible_number_is_rejected(value: float, reason: str) -> None:
    """No such number gets any further."""
    series = TimeSeries()
    series.samples.add(value=value)
    with pytest.raises(BadSeries, match=reason):
        parse_values(series.SerializeToString())


def test_a_series_without_a_value_is_rejected() -> None:
    """Neither sample nor histogram: nothing to use."""
    with pytest.raises(BadSeries, match="series_empty"):
        parse_values(b"")


def test_labels_are_bounded_and_sanitised() -> None:
    """Too many or too large labels are rejected; control characters become visible."""
    series = TimeSeries()
    with pytest.raises(BadSeries, match="series_label_count"):
        parse_labels(b"")
    series.labels.add(name=b"name", value=b"a\x1b]52;\xff\n")
    assert parse_labels(series.SerializeToString()) == {"name": "a␛]52;\\xff␊"}
    for _ in range(64):
        series.labels.add(name=b"x", value=b"y")
    with pytest.raises(BadSeries, match="series_label_count"):
        parse_labels(series.SerializeToString())
    series = TimeSeries()
    series.labels.add(name=b"name", value=b"y" * 70_000)
    with pytest.raises(BadSeries, match="series_labels_too_large"):
        parse_labels(series.SerializeToString())


def test_a_bad_series_leaves_its_neighbours(
    raw_push: Callable[[list[tuple[str, dict[str, str], Any]]], bytes],
) -> None:
    """One impossible value is counted by reason, the others are used."""
    raw = raw_push(
        [
            ("k6_iterations_total", {"scenario": "a"}, 3.0),
            ("k6_iterations_total", {"scenario": "b"}, float("nan")),
            ("k6_iterations_total", {"scenario": "c"}, -4.0),
            ("k6_iterations_total", {"scenario": "d"}, 5.0),
        ]
    )
    assembler = LoadAssembler("k6-1")
    assert take(assembler, raw).iterations == 8
    assert assembler.take_drops() == {"value_not_finite": 1, "value_negative": 1}
    assert assembler.take_drops() == {}
