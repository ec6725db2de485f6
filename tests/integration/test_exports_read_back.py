"""Exports of a real, recorded run, read by what others have written for these formats."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import platformdirs
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from tests.integration.program import needs_perf, read_summary
from tests.integration.recorded import RecordedRun
from tui.cli import main
from tui.export.series.measured import Measured, measure
from tui.export.stacks.folded import folded_name
from tui.model.calltree import CallTree, top_table
from tui.model.rangespec import everything

pytestmark = [pytest.mark.integration, pytest.mark.timeout(150), needs_perf]

SCHEMA = Path(__file__).parents[1] / "data" / "speedscope_file_format_schema.json"
_ANNOTATION = re.compile(r"_\[[kwij]\]$")
_NUMBER = re.compile(r"(-?\d[\d,]*(?:\.(\d+))?)\s*([kMG%]|µs|ns|ms|s|[KMG]iB|B)?")
_UNITS = {
    "": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "%": 0.01, "ns": 1e-6, "µs": 1e-3, "ms": 1.0, "s": 1e3,
    "B": 1.0, "KiB": 2.0**10, "MiB": 2.0**20, "GiB": 2.0**30,
}  # fmt: skip


def exported(run: RecordedRun, folder: Path, name: str, *more: str) -> Path:
    """Write an export of the whole run with the command line; its name tells the format."""
    path = folder / name
    assert main(["export", str(run.recording), "-o", str(path), *more]) == 0
    return path


@pytest.fixture(scope="module")
def live(recorded_run: RecordedRun) -> Measured:
    """What the live timeline says of the whole run."""
    return measure(recorded_run.timeline, everything(recorded_run.timeline))


@pytest.fixture(scope="module")
def tree(live: Measured) -> CallTree:
    """All stacks of the live run."""
    assert live.tree is not None
    return live.tree


@pytest.mark.skipif(shutil.which("go") is None, reason="this machine has no Go")
def test_go_tool_pprof_has_our_totals(
    recorded_run: RecordedRun, tree: CallTree, tmp_path: Path
) -> None:
    """The sum of all time, and own and total time of every function."""
    path = exported(recorded_run, tmp_path, "x.pb.gz")
    assert gzip.decompress(path.read_bytes())
    argv = [
        "go",
        "tool",
        "pprof",
        "-top",
        "-unit=ns",
        "-nodecount=100000",
        "-nodefraction=0",
        str(path),
    ]
    top = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    assert f"of {tree.period_ns}ns total" in top
    read = {
        row[3]: (int(row[1]), int(row[2]))
        for row in re.finditer(r"^ *(\d+)(?:ns)? .*?% .*?% +(\d+)(?:ns)? +\S+% +(.+)$", top, re.M)
    }
    ours: dict[str, tuple[int, int]] = {}
    for row in top_table(tree):
        own, total = ours.get(row.symbol, (0, 0))
        ours[row.symbol] = own + row.self_period_ns, total + row.total_period_ns
    # pprof shortens names of templates and closures; the others have to be there.
    plain = {name for name in ours if not set(name) & set("<{(")}
    assert len(plain) > 20
    assert plain <= set(read)
    assert {name: read[name] for name in plain} == {name: ours[name] for name in plain}


def inferno() -> str | None:
    """The program, where it was installed by the benchmarks or otherwise."""
    cache = platformdirs.user_cache_path("flashpoint", appauthor=False)
    kept = cache / "inferno" / "bin" / "inferno-flamegraph"
    return str(kept) if kept.exists() else shutil.which("inferno-flamegraph")


@pytest.mark.skipif(inferno() is None, reason="no inferno-flamegraph; `make bench` installs it")
def test_inferno_draws_our_totals(
    recorded_run: RecordedRun, tree: CallTree, tmp_path: Path
) -> None:
    """The whole, and every frame of the graph with its time."""
    path = exported(recorded_run, tmp_path, "x.folded")
    program = inferno()
    assert program is not None
    drawn = subprocess.run(
        [program, "--minwidth", "0", "--countname", "ns", path], capture_output=True, check=True
    ).stdout
    titles = [each.text or "" for each in ElementTree.fromstring(drawn).iter() if _is_title(each)]
    matches = [re.fullmatch(r"(.*) \(([\d,]+) ns, [\d.]+%\)", each) for each in titles]
    read = Counter((each[1], int(each[2].replace(",", ""))) for each in matches if each is not None)
    assert read.pop(("all", tree.period_ns)) == 1
    assert read == Counter(merged(tree))


def _is_title(element: ElementTree.Element) -> bool:
    return element.tag.endswith("}title")


def merged(tree: CallTree) -> Iterator[tuple[str, int]]:
    """Yield name and time of the nodes of a tree, neighbours with one written name as one."""
    rest: list[list[Any]] = [[tree.root]]
    while rest:
        nodes = rest.pop()
        by_name: dict[str, list[Any]] = {}
        for child in (child for node in nodes for child in node.children):
            by_name.setdefault(folded_name(child.frame), []).append(child)
        for name, children in by_name.items():
            yield _ANNOTATION.sub("", name), sum(each.total_period_ns for each in children)
            rest.append(children)


def test_speedscopes_own_schema_takes_what_we_write(
    recorded_run: RecordedRun, tree: CallTree, tmp_path: Path
) -> None:
    """And the weights of all threads are all time."""
    path = exported(recorded_run, tmp_path, "x.speedscope.json")
    content = json.loads(path.read_text())
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    jsonschema.validate(content, schema, cls=jsonschema.Draft7Validator)
    # The schema leaves these open; speedscope itself does not read what breaks them.
    weight = 0
    for profile in content["profiles"]:
        assert len(profile["samples"]) == len(profile["weights"])
        assert profile["endValue"] - profile["startValue"] == sum(profile["weights"])
        assert all(0 <= n < len(content["shared"]["frames"]) for s in profile["samples"] for n in s)
        weight += sum(profile["weights"])
    assert weight == tree.period_ns


def test_prometheus_reads_our_totals(
    recorded_run: RecordedRun, live: Measured, tmp_path: Path
) -> None:
    """Requests, failures and latencies of every endpoint, iterations, bytes, CPU seconds."""
    text = exported(recorded_run, tmp_path, "x.openmetrics").read_text()
    families = {each.name: each for each in text_string_to_metric_families(text)}  # type: ignore[no-untyped-call]
    assert live.load is not None
    expected = {(e.name, e.method, e.status): (e.requests, e.failed) for e in live.endpoints}

    def by_endpoint(name: str) -> dict[tuple[str, ...], float]:
        labels = ("name", "method", "status")
        return {tuple(s.labels[n] for n in labels): s.value for s in families[name].samples}

    requests, failed = by_endpoint("flashpoint_requests"), by_endpoint("flashpoint_failed_requests")
    assert {each: (requests[each], failed[each]) for each in requests} == expected
    assert sum(requests.values()) == live.load.requests

    def only(name: str) -> float:
        (sample,) = families[name].samples
        return float(sample.value)

    assert only("flashpoint_iterations") == live.load.iterations
    assert only("flashpoint_dropped_iterations") == live.load.dropped_iterations
    assert only("flashpoint_sent_bytes") == live.load.bytes_sent
    assert only("flashpoint_received_bytes") == live.load.bytes_received
    assert only("flashpoint_load_seconds") == live.load.covered_s
    duration = families["flashpoint_request_duration_seconds"].samples
    counts = [each.value for each in duration if each.name.endswith("_count")]
    assert sum(counts) == live.load.latency.count
    whole = [each for each in duration if each.labels.get("le") == "+Inf"]
    assert sum(each.value for each in whole) == live.load.latency.count
    sums = [each.value for each in duration if each.name.endswith("_sum")]
    assert sum(sums) == pytest.approx(live.load.latency.sum)


def test_rows_of_the_table_sum_up_to_the_summary(
    recorded_run: RecordedRun, live: Measured, tmp_path: Path
) -> None:
    """Of the same run: requests as the summary file has them, samples as they were counted."""
    text = exported(recorded_run, tmp_path, "x.csv").read_text()
    rows = list(csv.DictReader(io.StringIO(text)))
    summary = read_summary(recorded_run.summary)

    def total(name: str) -> int:
        return sum(int(row[name]) for row in rows if row[name])

    load = summary["load"]
    assert load["streamed_requests"] > 200
    assert total("requests") == load["streamed_requests"]
    assert total("failed") == load["failed"]
    assert total("iterations") == load["iterations"]
    assert total("sent_bytes") == load["bytes_sent"]
    assert total("received_bytes") == load["bytes_received"]
    assert live.tree is not None
    assert total("samples") == live.tree.samples
    assert total("samples_lost") == live.lost
    assert len(rows) == pytest.approx(live.range.duration_s, abs=2)


def is_rounded(text: str, value: float) -> bool:
    """Tell whether a text like `1.20 ms` or `30.7k` is a value (ms, bytes or a number), rounded."""
    found = _NUMBER.fullmatch(text.strip())
    assert found is not None, text
    unit = _UNITS[found[3] or ""]
    step = unit * 10.0 ** -len(found[2] or "")
    return abs(float(found[1].replace(",", "")) * unit - value) <= step * 0.500001


def tables(text: str) -> Iterator[tuple[str, list[str]]]:
    """Yield the rows of all tables with the heading above them."""
    title = ""
    for line in text.splitlines():
        if line.startswith("#"):
            title = line.lstrip("# ")
        elif line.startswith("| "):
            yield title, [cell.strip().strip("`") for cell in line.strip("|").split("|")]


def test_numbers_of_the_report_are_those_of_the_run(
    recorded_run: RecordedRun, live: Measured, tmp_path: Path
) -> None:
    """As far as they are written out; every figure of the load, every endpoint."""
    rows = list(tables(exported(recorded_run, tmp_path, "x.md").read_text()))
    figures = {row[0]: row[1] for title, row in rows if title == "Figures"}
    load = read_summary(recorded_run.summary)["load"]
    expected = {
        "requests": load["streamed_requests"],
        "requests per second": load["rps"],
        "failed": load["failed"],
        "iterations": load["iterations"],
        "sent": load["bytes_sent"],
        "received": load["bytes_received"],
        **{f"latency {q}": load["latency_ms"][q] for q in ("p50", "p90", "p95", "p99", "mean")},
    }
    for name, value in expected.items():
        assert is_rounded(figures[name], value), (name, figures[name], value)
    endpoints = [row for title, row in rows if title == "Endpoints"][2:]
    assert len(endpoints) == min(10, len(live.endpoints))
    for row, each in zip(endpoints, load["endpoints"], strict=False):
        assert row[:2] == [f"{each['method']} {each['name']}", each["status"]]
        assert is_rounded(row[2], each["requests"])
        assert is_rounded(row[6], each["p95_ms"])


def percentile_ms(histogram: dict[str, Any], q: float) -> float:
    """Return a percentile by the file's own description of its buckets."""
    base = 2.0 ** (2.0 ** -histogram["schema"])
    rank, seen = q * histogram["count"], histogram["zero_count"]
    if seen and rank <= seen:
        return 0.0
    for index, count in histogram["buckets"]:
        if seen + count >= rank:
            return float(1e3 * base ** (index - 1 + (rank - seen) / count))
        seen += count
    raise AssertionError("a histogram without an end")


def test_percentiles_of_the_series_file_can_be_worked_out_from_it(
    recorded_run: RecordedRun, live: Measured, tmp_path: Path
) -> None:
    """Of the whole, of each endpoint, and of all seconds taken together."""
    found = json.loads(exported(recorded_run, tmp_path, "x.json").read_text())
    load = found["totals"]["load"]
    assert live.load is not None
    assert load["requests"] == live.load.requests
    parts: Sequence[dict[str, Any]] = [load, *found["endpoints"], *found["traffic"]]
    assert len(parts) > 4
    for each in parts:
        if each["latency"]["count"]:
            for name, q in (("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99)):
                worked_out = percentile_ms(each["latency"], q)
                assert each["latency_ms"][name] == pytest.approx(worked_out, rel=1e-9)
    seconds: Counter[int] = Counter()
    for second in found["seconds"]:
        seconds.update(dict(second["latency"]["buckets"]) if second["latency"] else {})
    assert sorted(seconds.items()) == [tuple(each) for each in load["latency"]["buckets"]]
    assert sum(s["requests"] or 0 for s in found["seconds"]) == load["requests"]
    own = sum(each["self_samples"] for each in found["functions"])
    assert own == found["totals"]["profile"]["samples"]


def test_a_range_is_a_part_of_the_whole(recorded_run: RecordedRun, tmp_path: Path) -> None:
    """Two that adjoin have together what the whole has; both ends of the run are its ends."""
    whole = json.loads(exported(recorded_run, tmp_path, "x.json").read_text())
    parts = [
        json.loads(exported(recorded_run, tmp_path, f"{n}.json", "--range", each).read_text())
        for n, each in enumerate(("-6", "6-"))
    ]
    for name in ("requests", "failed", "iterations", "sent_bytes"):
        numbers = [each["totals"]["load"][name] for each in (whole, *parts)]
        assert numbers[0] == numbers[1] + numbers[2], name
        assert name == "failed" or min(numbers) > 0
    samples = [each["totals"]["profile"]["samples"] for each in (whole, *parts)]
    assert samples[0] == samples[1] + samples[2]


def test_exports_are_for_their_owner_only(recorded_run: RecordedRun, tmp_path: Path) -> None:
    """They tell as much of a server as the recording does, which is, too."""
    path = exported(recorded_run, tmp_path, "x.html")
    for each in (path, recorded_run.recording):
        assert os.stat(each).st_mode & 0o077 == 0
