from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from collectors.k6.summary import K6Summary
from collectors.samples import (
    Drop,
    Endpoint,
    Frame,
    FrameKind,
    RequestKind,
    Role,
    Stack,
    StackBatch,
    StackCount,
)
from collectors.source import SourceError
from tests.builders import histogram, host, load, usage
from tui.export.files import write_atomically
from tui.export.summary import ProfileFacts, RunRecord, summary, write_summary
from tui.model.timeline import Timeline


def record(*, warm_up_s: float = 0.0) -> RunRecord:
    """Return a run of four seconds, of which k6 kept two requests back."""
    return RunRecord(
        mode="as-written",
        started_at=100.0,
        ended_at=104.0,
        warm_up_s=warm_up_s,
        k6_version="1.1.0",
        k6_path="/k6",
        k6_exit_code=105,
        exit_status=0,
        target="server (pid 1)",
        instance="k6-1",
        figures=K6Summary(RequestKind.HTTP, 42, 4, 40, 0, 7, 1, False, {"p95": 9.0, "max": 11.0}),
        withheld=2,
        profile=ProfileFacts("perf", "cpu-clock", 100),
    )


def timeline() -> Timeline:
    """Return four pushes of ten requests, four seconds of the machine, 40 samples of 10 ms."""
    line = Timeline(99.0)
    latency = histogram([0.010] * 10)
    ok = Endpoint(RequestKind.HTTP, "/", "GET", "200", "default", "", 9, 0, histogram([0.01] * 9))
    bad = Endpoint(RequestKind.HTTP, "/", "GET", "500", "default", "", 1, 1, histogram([0.01]))
    frames = {0: Frame("main", "server", FrameKind.USER), 1: Frame("?", "", FrameKind.UNKNOWN)}
    stacks = {0: Stack("s", "t", (0,)), 1: Stack("s", "t", (0, 1), caller_lost=True)}
    line.append(load(100.5, 99, instance="k6-0"))
    for second in range(1, 5):
        at = 100.0 + second
        line.append(load(at, 10, failed=1, latency=latency, endpoints=(ok, bad)))
        roles = (usage(Role.TARGET, 0.5), usage(Role.GENERATOR, 0.25))
        line.append(host(at, busy_ratio=0.5, roles=roles))
        counts = {0: StackCount(8, 80_000_000), 1: StackCount(2, 20_000_000)}
        line.append(StackBatch(at - 0.9, at - 0.1, counts, stacks, frames))
    line.append(Drop(104.0, "k6_withheld", 2))
    return line


def test_every_figure_is_the_one_computed_by_hand() -> None:
    """The schema, field by field."""
    made = summary(timeline(), record())
    assert made["schema"] == "flashpoint.summary/1"
    assert (made["duration_s"], made["mode"], made["exit_status"]) == (4.0, "as-written", 0)
    assert made["k6"] == {"version": "1.1.0", "path": "/k6", "exit_code": 105}
    load_part = made["load"]
    assert (load_part["requests"], load_part["streamed_requests"]) == (42, 40)
    assert (load_part["failed"], load_part["rps"]) == (4, 10.0)
    assert load_part["latency_ms"]["mean"] == pytest.approx(10.0)
    assert load_part["latency_ms"]["p95"] == pytest.approx(10.0, rel=0.09)
    assert load_part["latency_ms"]["max"] == 11.0
    assert load_part["checks"] == {"passed": 7, "failed": 1}
    endpoints = [(e["status"], e["requests"], e["failed"]) for e in load_part["endpoints"]]
    assert endpoints == [("200", 36, 0), ("500", 4, 4)]
    assert made["k6_summary"] == {"requests": 42, "p95_ms": 9.0}
    assert made["machine"]["target"]["cpu_seconds"] == 2.0
    assert made["machine"]["generator"]["cpu_cores_mean"] == 0.25
    assert made["machine"]["monitor"]["cpu_cores_mean"] is None
    assert made["machine"]["host"]["cpu_seconds"] == 4.0
    profile = made["profile"]
    assert (profile["samples"], profile["lost"], profile["frequency_hz"]) == (40, 0, 100)
    assert (profile["unknown_ratio"], profile["caller_lost_ratio"]) == (0.2, 0.2)
    assert profile["cpu_us_per_request"] == pytest.approx(0.4e6 / 42)
    top = profile["top"][0]
    assert (top["symbol"], top["self_ratio"]) == ("main", pytest.approx(0.8))
    assert top["self_us_per_request"] == pytest.approx(0.32e6 / 42)
    assert made["dropped"] == {"k6_withheld": 2}


def test_a_warm_up_is_left_out_of_load_and_profile() -> None:
    """Pushes that began in it do not count; the machine is of the whole run."""
    made = summary(timeline(), record(warm_up_s=2.0))
    assert made["load"]["streamed_requests"] == 20
    assert made["profile"]["samples"] == 10
    assert made["load"]["latency_ms"]["max"] is None
    assert made["machine"]["target"]["cpu_seconds"] == 2.0


def test_the_file_is_whole_private_and_replaces_what_a_link_leads_to(tmp_path: Path) -> None:
    """Mode 0600, nothing else left in the folder, links survive."""
    path, link = tmp_path / "s.json", tmp_path / "link"
    path.write_text("old")
    link.symlink_to(path)
    os.umask(old := os.umask(0))
    write_summary(link, timeline(), record())
    assert old == os.umask(old)
    assert link.is_symlink()
    assert json.loads(path.read_text())["schema"] == "flashpoint.summary/1"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sorted(each.name for each in tmp_path.iterdir()) == ["link", "s.json"]


def test_what_can_not_be_written_is_told(tmp_path: Path) -> None:
    """One clear error, and what was there is still there."""
    with pytest.raises(SourceError, match="can't write"):
        write_atomically(tmp_path / "no" / "file", b"x")
