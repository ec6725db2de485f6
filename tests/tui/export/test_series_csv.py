"""A range as CSV: rows that add up, numbers that stay numbers, texts that stay texts."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from collectors.samples import (
    DiskUsage,
    HostSample,
    Mark,
    MarkKind,
    NetworkUsage,
    StackBatch,
)
from tests.builders import batch, histogram, host, load
from tests.tui.export.known_run import ABOUT, AFTER, BASELINE, NASTY, NOTHING, WHOLE, known_run
from tui.export.series.comma_separated import HEADER, plain_text, series_csv
from tui.export.series.seconds import cut
from tui.model.latency import quantile
from tui.model.load import kind_of, summarise
from tui.model.timeline import Timeline, TimeRange

moments = st.floats(90, 130, allow_nan=False)
ranges = st.tuples(moments, moments).map(lambda ends: TimeRange(min(ends), max(ends)))


def rows_of(line: Timeline, range_: TimeRange) -> list[dict[str, str]]:
    """Return the rows by the names of their columns."""
    text = series_csv(line, range_, ABOUT, None).decode()
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def total(rows: list[dict[str, str]], name: str) -> int:
    """Sum a column of counts up."""
    return sum(int(row[name]) for row in rows if row[name])


@given(st.lists(st.tuples(moments, st.integers(0, 9)), max_size=30), ranges)
def test_rows_add_up_to_the_range(pushes: list[tuple[float, int]], range_: TimeRange) -> None:
    """Whenever k6 sent something and wherever the range is cut: nothing twice, nothing lost."""
    line = Timeline(90.0)
    for at, requests in sorted(pushes):
        line.append(load(at, requests, failed=requests // 2, dropped=1))
        line.append(batch(at, requests))
    rows = rows_of(line, range_)
    whole = summarise(line.loads_in(range_), kind_of(line.loads))
    assert total(rows, "requests") == whole.requests
    assert total(rows, "failed") == whole.failed
    assert total(rows, "iterations") == whole.iterations
    assert total(rows, "dropped_iterations") == whole.dropped_iterations
    assert total(rows, "sent_bytes") == whole.bytes_sent
    assert total(rows, "received_bytes") == whole.bytes_received
    samples = sum(count.samples for count in line.stacks_in(range_).values())
    assert total(rows, "samples") == samples


@given(ranges)
def test_pieces_are_cut_at_whole_seconds(range_: TimeRange) -> None:
    """They follow each other without a gap, and none is longer than a second."""
    pieces = cut(range_)
    if range_.start == range_.end:
        assert pieces == []
        return
    assert (pieces[0].start, pieces[-1].end) == (range_.start, range_.end)
    assert all(one.end == other.start for one, other in pairwise(pieces))
    assert all(piece.end == int(piece.end) for piece in pieces[:-1])
    assert all(0 < piece.duration_s <= 1 for piece in pieces)


def test_the_file_is_as_the_format_wants_it() -> None:
    """Rows end in CR LF, all have all columns, and the baseline changes nothing."""
    text = series_csv(known_run(), WHOLE, ABOUT, BASELINE)
    assert text == series_csv(known_run(), WHOLE, ABOUT, None)
    assert text.startswith(b"time,elapsed_s,request_unit,covered_s,vus,")
    assert text.count(b"\r\n") == text.count(b"\n") == 21
    rows = list(csv.reader(io.StringIO(text.decode(), newline=""), strict=True))
    assert {len(row) for row in rows} == {len(HEADER)}
    assert len(set(HEADER)) == len(HEADER)


def test_a_row_is_the_one_computed_by_hand() -> None:
    """Of the second after the one in which the range begins."""
    row = rows_of(known_run(), WHOLE)[1]
    latency = histogram([0.010] * 9 + [0.200])
    p95 = quantile(latency, 0.95)
    assert p95 is not None
    wanted = {
        "time": "2023-11-14T22:15:02.000Z",
        "elapsed_s": "3.0",
        "request_unit": "http",
        "covered_s": "1.0",
        "vus": "2",
        "load_target_level": "2.0",
        "load_target_unit": "vus",
        "requests": "10",
        "failed": "1",
        "rps": "10.0",
        "latency_p95_ms": repr(round(p95 * 1000, 6)),
        "target_cpu_cores": "0.5",
        "generator_cpu_cores": "",
        "host_cpu_cores": "0.5",
        "target_rss_bytes": "1000",
        "disk_read_bytes_per_s": "1024.0",
        "disk_written_bytes_per_s": "2048.0",
        "network_sent_bytes_per_s": "",
        "pressure_cpu_ratio": "0.1",
        "pressure_memory_ratio": "0.0",
        "samples": "15",
        "samples_lost": "0",
        "marks": "",
    }
    assert {name: row[name] for name in wanted} == wanted


def test_what_nothing_told_is_empty() -> None:
    """Never 0: a second without a push, without the machine, without a profiler."""
    line = Timeline(100.0)
    line.append(load(103.5, 0))
    one, _, _, last = rows_of(line, TimeRange(100.0, 104.0))
    known = {"time", "elapsed_s", "request_unit"}
    assert {name for name, cell in one.items() if cell} == known
    assert (last["requests"], last["latency_p50_ms"], last["samples"]) == ("0", "", "")
    text = series_csv(Timeline(0.0), TimeRange(0.0, 0.0), NOTHING, None)
    assert text.count(b"\n") == 1


def test_a_quiet_second_of_a_profiler_has_no_samples() -> None:
    """Between two seconds with stacks it is 0; before the first it is not known."""
    line = Timeline(100.0)
    line.append(batch(101.5, 3))
    line.append(batch(103.5, 4))
    line.append(StackBatch(105.5, 105.5, {}, lost=2))
    rows = rows_of(line, TimeRange(100.0, 106.0))
    assert [row["samples"] for row in rows] == ["", "3", "0", "4", "", ""]
    assert [row["samples_lost"] for row in rows] == ["", "0", "0", "0", "", "2"]


def test_rates_of_the_machine_weigh_by_time() -> None:
    """Two samples in a second: what was longer counts for more; all interfaces are summed."""
    line = Timeline(100.0)

    def sample(at: float, interval_s: float, sent: float) -> HostSample:
        disks = (DiskUsage("sda", sent, 0.0, 0.0, 0.0, 0.0),)
        networks = (NetworkUsage("lo", sent, 1.0), NetworkUsage("eth0", sent, 2.0))
        return replace(host(at, interval_s=interval_s, disks=disks), networks=networks)

    line.append(sample(100.25, 0.25, 8.0))
    line.append(sample(101.0, 0.75, 4.0))
    (row,) = rows_of(line, TimeRange(100.0, 101.0))
    assert row["network_sent_bytes_per_s"] == "10.0"
    assert row["network_received_bytes_per_s"] == "3.0"
    assert row["disk_read_bytes_per_s"] == "5.0"
    assert row["pressure_io_ratio"] == ""


def test_marks_stand_where_they_were_made() -> None:
    """One at the very start of the range is in it; several share a cell."""
    rows = rows_of(known_run(), WHOLE)
    assert {i: row["marks"] for i, row in enumerate(rows) if row["marks"]} == {
        0: "start",
        12: plain_text(NASTY),
    }
    line = Timeline(100.0)
    line.append(Mark(101.0, MarkKind.STOP, ""))
    line.append(Mark(100.5, MarkKind.NOTE, "+1"))
    one, two = rows_of(line, TimeRange(100.0, 102.0))
    assert (one["marks"], two["marks"]) == ("stop · +1", "")


@given(st.text(st.sampled_from("=+-@;\t\r\n\"',| a1(＝"), max_size=12))
def test_no_cell_is_a_formula(text: str) -> None:
    """However it is split, by commas or by semicolons; a number below zero is one."""
    line = Timeline(120.0)
    line.append(Mark(111.0, MarkKind.NOTE, text))
    line.append(load(111.0))
    (row,) = csv.DictReader(
        io.StringIO(series_csv(line, TimeRange(110.5, 111.0), ABOUT, None).decode(), newline="")
    )
    assert row["elapsed_s"] == "-9.0"
    cell = row["marks"]
    assert cell.replace("'", "") == (text or "note").replace("'", "")
    for part in cell.split(";"):
        assert not part.lstrip(" \n").startswith(("=", "+", "-", "@", "\t", "\r", "＝")), cell


def test_numbers_are_finite() -> None:
    """What is not is empty."""
    line = Timeline(100.0)
    made = host(101.0, disks=(DiskUsage("sda", math.inf, math.nan, 0.0, 0.0, 0.0),))
    line.append(made)
    (row,) = rows_of(line, TimeRange(100.0, 101.0))
    assert (row["disk_read_bytes_per_s"], row["disk_written_bytes_per_s"]) == ("", "")


def test_a_part_of_a_run_has_its_own_rows() -> None:
    """Ten seconds, the first of them the one after the start."""
    rows = rows_of(known_run(), AFTER)
    assert len(rows) == 10
    assert {row["samples"] for row in rows} == {"25"}
