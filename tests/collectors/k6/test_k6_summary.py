from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.k6.summary import parse_summary, read_summary
from collectors.samples import RequestKind

DATA = Path(__file__).parents[2] / "data"


def parse(document: Any) -> Any:
    return parse_summary(json.dumps(document).encode())


def test_a_captured_summary() -> None:
    """The numbers of a run of k6 1.1."""
    summary = read_summary(DATA / "k6_summary_1_1.json")
    assert summary is not None
    assert summary.kind is RequestKind.HTTP
    assert (summary.requests, summary.failed, summary.iterations) == (10736, 10736, 10736)
    assert (summary.checks_passed, summary.checks_failed) == (13921, 7551)
    assert summary.dropped_iterations == 0
    assert not summary.thresholds_crossed
    assert summary.latency_ms["p95"] == pytest.approx(0.872, abs=0.001)
    assert set(summary.latency_ms) == {"mean", "min", "p50", "p90", "p95", "max"}


def test_the_machine_readable_summary() -> None:
    """The newer shape holds the same numbers in a list."""
    summary = parse(
        {
            "version": "1.0.0",
            "results": {
                "checks": {"results": [{"name": "a", "passes": 3, "fails": 1}, {"passes": 2}]},
                "metrics": [
                    {"name": "http_reqs", "type": "counter", "values": {"count": 7}},
                    {"name": "http_req_failed", "type": "rate", "values": {"matches": 2}},
                    {"name": "iterations", "type": "counter", "values": {"count": 4}},
                    {"name": "http_req_duration", "values": {"avg": 1.5, "p(95)": 2.5}},
                ],
            },
        }
    )
    assert (summary.requests, summary.failed, summary.iterations) == (7, 2, 4)
    assert (summary.checks_passed, summary.checks_failed) == (5, 1)
    assert summary.latency_ms == {"mean": 1.5, "p95": 2.5}


def test_a_script_without_http_counts_what_it_has() -> None:
    """The kind of request follows the same order as everywhere."""
    summary = parse({"metrics": {"iterations": {"count": 5}, "ws_sessions": {"count": 3}}})
    assert (summary.kind, summary.requests) == (RequestKind.WEBSOCKET, 3)
    summary = parse({"metrics": {"grpc_req_duration": {"avg": 1}, "iterations": {"count": 5}}})
    assert (summary.kind, summary.requests) == (RequestKind.GRPC, None)
    summary = parse({"metrics": {"iterations": {"count": 5}}})
    assert (summary.kind, summary.requests) == (RequestKind.ITERATION, 5)


@pytest.mark.parametrize(
    ("thresholds", "crossed"),
    [
        ({"p(95)<1": True}, True),
        ({"p(95)<1": False}, False),
        ({"a": {"ok": False}}, True),
        ({"a": {"ok": True}}, False),
        (None, False),
    ],
)
def test_thresholds(thresholds: Any, crossed: bool) -> None:
    """In the classic shape true means crossed."""
    summary = parse({"metrics": {"http_req_duration": {"avg": 1, "thresholds": thresholds}}})
    assert summary.thresholds_crossed is crossed


def test_dropped_iterations() -> None:
    """Iterations that k6 could not start are told."""
    assert parse({"metrics": {"dropped_iterations": {"count": 9}}}).dropped_iterations == 9


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"{}", b'{"metrics": 5}', b"\xff", b"[" * 100_000, b" " * ((16 << 20) + 1)]
)
def test_what_is_no_summary_is_none(text: bytes) -> None:
    """Empty, broken, deep and huge files are no summary."""
    assert parse_summary(text) is None


def test_no_file_is_no_summary(tmp_path: Path) -> None:
    """k6 may not have written one."""
    assert read_summary(tmp_path / "none.json") is None


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["count", "passes", "fails", "avg", "thresholds", "values", "name"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)
names = st.sampled_from(["http_reqs", "http_req_duration", "http_req_failed", "checks"])


@given(st.dictionaries(names, json_values, max_size=4), st.lists(json_values, max_size=3))
def test_odd_types_do_no_harm(metrics: dict[str, Any], listed: list[Any]) -> None:
    """Whatever stands where a number is expected, parsing survives it."""
    assert parse({"metrics": metrics}) is not None
    assert parse({"results": {"metrics": listed, "checks": listed}}) is not None
