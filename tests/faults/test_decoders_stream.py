"""Whatever is broken in what k6 sends, logs, counts or writes: counted or refused, never raised."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Final

import cramjam
import pytest

from collectors.k6.log import MAX_TEXT, LogReader
from collectors.k6.remote_write import BadPush, decompress
from collectors.k6.resultfile.reader import read_k6_result
from collectors.k6.stream import LoadAssembler
from collectors.k6.summary import parse_summary
from collectors.redact import Redactor
from collectors.samples import LoadSample
from collectors.source import SourceError
from collectors.text import sanitise
from tests.collectors.k6.resultfile.writing import csv_text, http, iteration, json_text, metric_line
from tests.faults.conftest import Report
from tests.faults.mutation import Mutations, chunks, survive

DATA: Final = Path(__file__).parents[1] / "data"
PUSHES: Final = [(DATA / f"k6_push_{n}.bin").read_bytes() for n in (1, 2, 3, 4)]
SUMMARY: Final = (DATA / "k6_summary_1_1.json").read_bytes()
MACHINE_READABLE: Final = (
    b'{"version":"1.0.0","results":{"metrics":[{"name":"http_reqs","type":"counter","values":'
    b'{"count":12,"rate":1.5}},{"name":"http_req_duration","values":{"avg":1.25,"p(95)":3}}],'
    b'"checks":{"results":[{"name":"a","passes":3,"fails":1}]}}}'
)
LOGGED: Final = (
    b'time="2026-11-24T11:56:01Z" level=error msg="GoError: x\\n\\tat file:///s.js:1:1(2)\\n" '
    b"executor=constant-vus scenario=default source=stacktrace\n"
    b'{"level":"warning","msg":"Request Failed","error":"Get \\"http://u:p@h/?k=1\\": EOF",'
    b'"time":"2026-11-24T11:56:01Z"}\n'
    b"panic: runtime error\n\ngoroutine 1 [running]:\n"
)
POINTS: Final = [
    each for at in range(4) for each in (*http(at), *http(at, failed=True), *iteration(at))
]
RESULTS: Final = {
    "json": (metric_line("http_reqs", "counter") + json_text(POINTS)).encode(),
    "csv": csv_text(POINTS).encode(),
}

pytestmark = pytest.mark.timeout(1200)


def is_finite(sample: LoadSample) -> bool:
    """Tell whether all numbers of a sample can be computed with."""
    sums = [each.latency.sum for each in sample.traffic]
    sums += [each.latency.sum for each in sample.endpoints]
    values = [each.value for each in sample.metrics] + [each.passed_ratio for each in sample.checks]
    counts = [n for each in sample.traffic for n in (each.requests, each.failed)]
    return all(map(math.isfinite, (*sums, *values))) and min(counts) >= 0


def take(assembler: LoadAssembler, raw: bytes | bytearray) -> LoadSample:
    """Return the sample of a push."""
    steps = assembler.steps(raw, 1.0, 1.0)
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            sample: LoadSample = stop.value
            return sample


@pytest.mark.parametrize("is_packed", [False, True], ids=["contents", "blocks"])
def test_pushes(report: Report, is_full: bool, is_packed: bool) -> None:
    """A broken push raises `BadPush` or is used in part; what it says is finite, not negative."""
    corpus = PUSHES if is_packed else [bytes(decompress(body)) for body in PUSHES]
    make = Mutations(corpus, words=[b"\x0a\x00" * 9, b"\xff" * 9, b"__name__", b"\x12\x09\x09"])
    assemblers = [LoadAssembler("k6-1")]

    def read(data: bytes, number: int) -> None:
        if number % 100 == 0:
            assemblers[0] = LoadAssembler("k6-1")
        body = data if is_packed else bytes(cramjam.snappy.compress_raw(data))
        try:
            sample = take(assemblers[0], decompress(body))
        except BadPush:
            return
        assert is_finite(sample)
        assert all(name == sanitise(name) for each in sample.endpoints for name in (each.name,))

    case = "snappy blocks" if is_packed else "pushes of remote write"
    survive(report, case, 200_000 if is_full else 20_000, make, read)


def test_logs(report: Report, is_full: bool) -> None:
    """Each line is one that can be shown, or is left out."""
    make = Mutations([LOGGED, LOGGED * 20], words=[b"level=error", b"\n" * 9_000, b"a" * 9_000])

    def read(data: bytes, number: int) -> None:
        reader = LogReader(Redactor(secrets=("secret1234",)))
        lines = [line for chunk in chunks(data, number) for line in reader.feed(chunk, 1.0)]
        for line in [*lines, *reader.close(2.0)]:
            assert line.text == sanitise(line.text, MAX_TEXT)
        assert sanitise(reader.first_error or "", MAX_TEXT) == (reader.first_error or "")

    survive(report, "lines that k6 logs", 200_000 if is_full else 20_000, make, read)


def test_summaries(report: Report, is_full: bool) -> None:
    """Either none, or one with numbers that can be."""
    make = Mutations([SUMMARY, MACHINE_READABLE], words=[b"metrics", b"values", b"thresholds"])

    def read(data: bytes, _: int) -> None:
        summary = parse_summary(data)
        if summary is not None:
            assert summary.requests is None or summary.requests >= 0
            assert all(map(math.isfinite, summary.latency_ms.values()))

    survive(report, "summaries of k6", 200_000 if is_full else 20_000, make, read)


@pytest.mark.parametrize("kind", list(RESULTS))
def test_results(report: Report, is_full: bool, tmp_path: Path, kind: str) -> None:
    """A result file is refused in words, or read with what can be of it."""
    path = tmp_path / "result"
    refusals: list[str] = []
    make = Mutations([RESULTS[kind]], words=[b'"tags":{', b"http_reqs,", b'"type":"Metric"'])

    def read(data: bytes, number: int) -> None:
        # Every other one is broken behind what tells it apart only.
        head = RESULTS[kind].partition(b"\n")[0] + b"\n" if number % 2 else b""
        path.unlink(missing_ok=True)  # a file system may flush what is written over
        path.write_bytes(head + data)
        try:
            found = read_k6_result(path)
        except SourceError as error:
            refusals.append(str(error))
            return
        assert all(map(is_finite, found.samples))

    survive(report, f"results of k6 as {kind}", 100_000 if is_full else 10_000, make, read)
    assert all(map(str.isprintable, refusals))
