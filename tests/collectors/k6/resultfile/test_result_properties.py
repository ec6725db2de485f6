"""Whatever stands in a file, it is read to its end, and what was written is counted."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.k6.resultfile.reader import is_k6_result, read_k6_result
from collectors.samples import Histogram, LoadSample
from collectors.source import SourceError
from tests.collectors.k6.resultfile.writing import (
    Written,
    csv_text,
    http,
    iteration,
    json_text,
    metric_line,
    samples_of,
    total,
    traffic_of,
)

REQUESTS = st.lists(
    st.tuples(
        st.integers(0, 8),  # second
        st.floats(0, 60_000, allow_subnormal=False),  # milliseconds
        st.booleans(),  # failed
        st.sampled_from(["/a", "/b", "/c,d", '/e"', "/f\ng", "/h&i=j", "/k?l=m"]),
    ),
    min_size=1,
    max_size=40,
)

FILE = [
    *(point for n in range(6) for point in http(n, 5.0 + n, failed=n == 3, name=f"/{n}\n,")),
    *(point for n in range(6) for point in iteration(n)),
    Written("vus", 0, 3.0),
    Written("checks", 2, 1.0, {"check": 'is "ok"', "mine": "a,b"}),
    Written("things", 2, 2.0, {"group": "::a::b"}),
    Written("took", 3, 12.5),
]
TYPES = metric_line("things", "counter") + metric_line("took", "trend", "time")


@pytest.mark.parametrize("is_csv", [False, True], ids=["json", "csv"])
@pytest.mark.parametrize("max_endpoints", [2, 10_000])
@given(requests=REQUESTS)
@settings(deadline=None, max_examples=60)
def test_totals_are_conserved(
    is_csv: bool, max_endpoints: int, requests: list[tuple[int, float, bool, str]]
) -> None:
    """In every second and in all of them, whatever the order of lines and the limits."""
    points = [p for at, ms, bad, name in requests for p in http(at, ms, failed=bad, name=name)]
    samples, skipped = samples_of(points, is_csv=is_csv, max_endpoints=max_endpoints)
    assert not skipped
    assert total(samples) == (len(requests), sum(bad for _, _, bad, _ in requests))
    begin = min(at for at, *_ in requests)
    for sample, second in zip(samples, range(begin, 10), strict=False):
        found = [(ms, bad) for at, ms, bad, _ in requests if at == second]
        traffic = traffic_of(sample)
        assert (traffic.requests, traffic.failed) == (len(found), sum(bad for _, bad in found))
        assert traffic.latency.count == len(found)
        assert traffic.latency.sum == pytest.approx(sum(ms for ms, _ in found) / 1000, abs=1e-6)
    hold_together(samples)


def hold_together(samples: Sequence[LoadSample]) -> None:
    """Check what is true of any samples."""
    assert samples
    for before, after in pairwise(samples):
        assert after.at == before.at + 1.0
    for sample in samples:
        for traffic in sample.traffic:
            parts = [e for e in sample.endpoints if e.kind is traffic.kind]
            assert traffic.requests == sum(e.requests for e in parts)
            assert traffic.failed == sum(e.failed for e in parts) <= traffic.requests
            assert traffic.latency.count == sum(e.latency.count for e in parts)
            holds(traffic.latency)
        for metric in sample.metrics:
            holds(metric.trend)
            assert abs(metric.value) < float("inf")
        for check in sample.checks:
            assert 0 <= check.passed_ratio <= 1
        assert min(sample.vus, sample.vus_max, sample.bytes_sent, sample.iterations) >= 0


def holds(histogram: Histogram) -> None:
    assert histogram.count == histogram.zero_count + sum(histogram.buckets.values())
    assert all(count > 0 for count in histogram.buckets.values())
    assert 0 <= histogram.sum < float("inf")


def read_anyhow(raw: bytes) -> None:
    """Read bytes as a file: samples that hold together, or the one error."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "result")
        path.write_bytes(raw)
        try:
            result = read_k6_result(path)
        except SourceError as error:
            said = str(error)
        else:
            said = ""
            assert is_k6_result(path)
    if said:
        assert "\n" not in said
        return
    hold_together(result.samples)
    assert all("\n" not in note for note in result.notes)


@pytest.mark.parametrize("text", [TYPES + json_text(FILE), csv_text(FILE)], ids=["json", "csv"])
@given(
    edits=st.lists(
        st.tuples(
            st.integers(0, 1 << 16),
            st.integers(0, 40),
            st.one_of(
                st.binary(max_size=4),
                st.sampled_from(
                    [b"\n", b'"', b",", b"\0", b"\xff", b"{", b"[[", b"-", b"e999", b"\r\n", b"0"]
                ),
            ),
        ),
        min_size=1,
        max_size=12,
    )
)
@settings(deadline=None, max_examples=300)
def test_damaged_files_never_crash(text: str, edits: list[tuple[int, int, bytes]]) -> None:
    """Pieces are taken out and others put in, anywhere."""
    raw = bytearray(text.encode())
    for at, size, piece in edits:
        at %= len(raw) + 1
        raw[at : at + size] = piece
    read_anyhow(bytes(raw))


@given(st.binary(max_size=300))
@settings(deadline=None)
def test_any_bytes_never_crash(raw: bytes) -> None:
    """As JSON, as CSV, and as gzip."""
    for begin in (b"", json_text(http(0)).encode(), csv_text(http(0)).encode(), b"\x1f\x8b\x08\0"):
        read_anyhow(begin + raw)
