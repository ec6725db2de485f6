"""Writes result files as k6 does, for tests."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from collectors.k6.resultfile.csv_rows import CsvRows
from collectors.k6.resultfile.json_lines import JsonLines, read_json_tags
from collectors.k6.resultfile.ledger import Ledger
from collectors.k6.resultfile.timeline import Timeline, main_stretch
from collectors.redact import Redactor
from collectors.samples import LoadSample, RequestKind, Traffic

START = 1_795_521_361
"""Where the clock of most files here begins: 2026-11-24 11:56:01 UTC."""

COLUMNS = (
    "check", "error", "error_code", "expected_response", "group", "method", "name", "proto",
    "scenario", "service", "status", "subproto", "tls_version", "url", "extra_tags", "metadata",
)  # fmt: skip
HEADER = ",".join(("metric_name", "timestamp", "metric_value", *COLUMNS)) + "\n"


@dataclass(frozen=True, slots=True)
class Written:
    """One point as a test wants it written."""

    metric: str
    at: float
    """Seconds after `START`."""
    value: float
    tags: Mapping[str, str] = field(default_factory=dict)


def http(at: float, ms: float = 10.0, *, failed: bool = False, **tags: str) -> list[Written]:
    """Return what k6 writes of one HTTP request, but for its phases."""
    shown = {
        "expected_response": "false" if failed else "true",
        "group": "",
        "method": "GET",
        "name": "http://h/",
        "scenario": "default",
        "status": "500" if failed else "200",
        "url": "http://h/",
        **tags,
    }
    return [
        Written("http_reqs", at, 1.0, shown),
        Written("http_req_duration", at, ms, shown),
        Written("http_req_failed", at, float(failed), shown),
    ]


def iteration(at: float, ms: float = 20.0, scenario: str = "default") -> list[Written]:
    """Return what k6 writes of one iteration."""
    tags = {"group": "", "scenario": scenario}
    return [
        Written("iteration_duration", at, ms, tags),
        Written("iterations", at, 1.0, tags),
    ]


def metric_line(name: str, kind: str, contains: str = "default") -> str:
    """Return the line that stands before the first point of a metric."""
    data = {"name": name, "type": kind, "contains": contains, "submetrics": None}
    return json.dumps({"type": "Metric", "data": data, "metric": name}) + "\n"


def json_text(points: Iterable[Written]) -> str:
    """Return points as JSON lines."""
    return "".join(
        json.dumps(
            {
                "metric": point.metric,
                "type": "Point",
                "data": {
                    "time": rfc3339(point.at),
                    "value": point.value,
                    "tags": dict(sorted(point.tags.items())),
                },
            },
            separators=(",", ":"),
        )
        + "\n"
        for point in points
    )


def csv_text(points: Iterable[Written]) -> str:
    """Return points as CSV, with its header."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for point in points:
        extra = "&".join(f"{k}={v}" for k, v in point.tags.items() if k not in COLUMNS)
        tags = [point.tags.get(column, "") for column in COLUMNS[:-2]]
        time = str(int(START + point.at))
        writer.writerow([point.metric, time, f"{point.value:f}", *tags, extra, ""])
    return HEADER + out.getvalue()


def rfc3339(at: float) -> str:
    """Return a time as k6's JSON output writes it."""
    moment = datetime.fromtimestamp(START, UTC) + timedelta(seconds=at)
    text = moment.strftime("%Y-%m-%dT%H:%M:%S.%f").rstrip("0").rstrip(".")
    return f"{text}Z"


def written(folder: Path, text: str | bytes, name: str = "result") -> Path:
    """Write a file and return its path."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def samples_of(
    points: Iterable[Written],
    *,
    types: Iterable[str] = (),
    is_csv: bool = False,
    max_endpoints: int = 10_000,
    max_cells: int = 1_000_000,
) -> tuple[tuple[LoadSample, ...], Counter[str]]:
    """Return the samples of points, and what was left out, without a file.

    Args:
        points: What to write.
        types: Lines that tell types of metrics, JSON only.
        is_csv: As CSV, else as JSON.
        max_endpoints: Limit of the ledger.
        max_cells: Limit of the ledger.
    """
    skipped: Counter[str] = Counter()
    lines: JsonLines | CsvRows = CsvRows(skipped) if is_csv else JsonLines(skipped)
    text = csv_text(points) if is_csv else "".join(types) + json_text(points)
    ledger = Ledger(
        lines.read_tags if isinstance(lines, CsvRows) else read_json_tags,
        {} if isinstance(lines, CsvRows) else lines.types,
        skipped,
        Redactor(),
        max_endpoints=max_endpoints,
        max_cells=max_cells,
    )
    ledger.add(lines.feed(text.encode().splitlines()))
    seconds = {second: sums.points for second, sums in ledger.seconds.items() if sums.points}
    return Timeline(ledger, "k6-1").samples(main_stretch(seconds)), skipped


def traffic_of(sample: LoadSample, kind: RequestKind = RequestKind.HTTP) -> Traffic:
    """Return the requests of one kind."""
    (found,) = [traffic for traffic in sample.traffic if traffic.kind is kind]
    return found


def total(samples: Sequence[LoadSample], kind: RequestKind = RequestKind.HTTP) -> tuple[int, int]:
    """Return all requests of one kind, and how many of them failed."""
    found = [t for sample in samples for t in sample.traffic if t.kind is kind]
    return sum(t.requests for t in found), sum(t.failed for t in found)
