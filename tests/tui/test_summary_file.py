from __future__ import annotations

import json
import os
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from collectors.course import Course, CourseUnit
from collectors.k6.summary import K6Summary
from collectors.samples import (
    Drop,
    Endpoint,
    Frame,
    FrameKind,
    LoadTarget,
    Mark,
    MarkKind,
    RequestKind,
    Role,
    Stack,
    StackBatch,
    StackCount,
)
from collectors.source import SourceError
from tests.builders import histogram, host, load, usage
from tests.long_runs import long_run
from tests.tapes import BEGIN
from tui.export.files import write_atomically
from tui.export.summary import ProfileFacts, RunRecord, summary, write_summary
from tui.model.runclock import RunClock
from tui.model.timeline import Timeline, TimeRange


def record(*, warm_up_s: float = 0.0) -> RunRecord:
    """Return a run of four seconds, of which k6 kept two requests back."""
    return RunRecord(
        mode="as-written",
        control="as written",
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


def in_bucket(share: float) -> object:
    """Return what lies this far into the bucket of 10 ms, in milliseconds."""
    # 10 ms is in bucket -53 of schema 3, which ends at 2**(-53 / 8) s.
    return pytest.approx(1_000 * 2 ** ((-54 + share) / 8), rel=1e-9)


def test_the_run_is_told_as_it_was() -> None:
    """What was run, by what, and how it ended; nothing more than the schema has."""
    made = summary(timeline(), record())
    sections = {name: made.pop(name) for name in ("load", "machine", "profile")}
    assert all(sections.values())
    assert made == {
        "schema": "flashpoint.summary/1",
        "mode": "as-written",
        "target": "server (pid 1)",
        "duration_s": 4.0,
        "warm_up_s": 0.0,
        "exit_status": 0,
        "k6": {"version": "1.1.0", "path": "/k6", "exit_code": 105},
        "k6_summary": {"requests": 42, "p95_ms": 9.0},
        "dropped": {"k6_withheld": 2},
        "control": "as written",
        "marks": [],
        "targets": [],
    }


def test_marks_and_targets_are_told_in_seconds_of_the_load() -> None:
    """What the operator did, and the lines that the load was to follow."""
    line = timeline()
    line.append(Mark(101.5, MarkKind.LOAD, "to 20 VUs"))
    course = Course(CourseUnit.VUS, ((101.5, 10.0), (103.5, 20.0)))
    line.append(LoadTarget(101.5, course, is_paused=False))
    made = summary(line, record())
    assert made["marks"] == [{"at_s": 1.5, "kind": "load", "text": "to 20 VUs"}]
    points = [{"at_s": 1.5, "level": 10.0}, {"at_s": 3.5, "level": 20.0}]
    assert made["targets"] == [{"at_s": 1.5, "unit": "vus", "paused": False, "points": points}]


def test_the_load_is_the_one_computed_by_hand() -> None:
    """Forty streamed requests of 10 ms, two withheld; the push of another k6 is not ours."""
    same = {"name": "/", "method": "GET", "p95_ms": in_bucket(0.95)}
    assert summary(timeline(), record())["load"] == {
        "unit": "http",
        "requests": 42,
        "streamed_requests": 40,
        "failed": 4,
        "rps": 10.0,
        "latency_ms": {
            "mean": pytest.approx(10.0),
            "p50": in_bucket(0.5),
            "p90": in_bucket(0.9),
            "p95": in_bucket(0.95),
            "p99": in_bucket(0.99),
            "max": 11.0,
            "max_at_most": in_bucket(1.0),
        },
        "iterations": 40,
        "dropped_iterations": 0,
        "bytes_sent": 400,
        "bytes_received": 800,
        "checks": {"passed": 7, "failed": 1},
        "endpoints": [
            {"status": "200", "requests": 36, "failed": 0, **same},
            {"status": "500", "requests": 4, "failed": 4, **same},
        ],
    }


def test_the_machine_is_the_one_computed_by_hand() -> None:
    """Four seconds of half a core of server, a quarter of k6, two half-busy cores."""
    machine = summary(timeline(), record())["machine"]
    role = {
        "rss_bytes_max": 1_000,
        "read_bytes": 24,
        "written_bytes": 28,
        "threads": 2,
        "voluntary_switches": 16,
        "involuntary_switches": 20,
        "throttled_seconds": 0.0,
    }
    assert machine == {
        "cores": 2,
        "target": {"cpu_seconds": 2.0, "cpu_cores_mean": 0.5, **role},
        "generator": {"cpu_seconds": 1.0, "cpu_cores_mean": 0.25, **role},
        "monitor": {"cpu_seconds": 0.0, "cpu_cores_mean": None, **dict.fromkeys(role)},
        "host": {
            "cpu_seconds": 4.0,
            "cpu_cores_mean": 1.0,
            "memory_used_bytes_max": 1 << 20,
            "memory_total_bytes": 1 << 30,
            "read_bytes": 0,
            "written_bytes": 0,
        },
    }


def test_the_profile_is_the_one_computed_by_hand() -> None:
    """Forty samples of 10 ms over 42 requests, eight of them without symbol and caller."""
    profile = summary(timeline(), record())["profile"]
    top = profile.pop("top")
    assert profile == {
        "profiler": "perf",
        "event": "cpu-clock",
        "frequency_hz": 100,
        "samples": 40,
        "lost": 0,
        "unknown_ratio": 0.2,
        "caller_lost_ratio": 0.2,
        "cpu_us_per_request": pytest.approx(0.4e6 / 42),
    }
    assert top[0] == {
        "symbol": "main",
        "module": "server",
        "kind": "user",
        "self_ratio": pytest.approx(0.8),
        "total_ratio": pytest.approx(0.8),
        "self_us_per_request": pytest.approx(0.32e6 / 42),
        "total_us_per_request": pytest.approx(0.32e6 / 42),
    }
    # What lost its callers is summed apart, so that no other total holds a guess.
    shares = [(row["symbol"], row["self_ratio"], row["total_ratio"]) for row in top[1:]]
    assert shares == [("?", 0.2, 0.2), ("main", 0.0, 0.2)]


def test_totals_in_the_profile_have_what_stacks_lack() -> None:
    """Beside forty samples, ten of which lack `main`."""
    line = timeline()
    cut, frames = {0: StackCount(10, 100_000_000)}, {2: Frame("f", "", FrameKind.USER)}
    lacking = {2: Stack("s", "t", (2,))}
    line.append(
        StackBatch(102.5, 102.5, {2: StackCount(10, 100_000_000)}, lacking, frames, cut=cut)
    )
    top = summary(line, record())["profile"]["top"]
    assert (top[0]["symbol"], top[0]["self_ratio"], top[0]["total_ratio"]) == ("main", 0.64, 0.84)


def test_a_run_of_which_little_is_known_is_full_of_nulls() -> None:
    """No profile, no summary of k6, no load: nothing is made up."""
    bare = replace(record(), figures=None, profile=None, target="", withheld=0, instance="k6-9")
    made = summary(timeline(), bare)
    assert (made["target"], made["profile"]) == (None, None)
    assert made["k6_summary"] == {"requests": None, "p95_ms": None}
    load_part = made["load"]
    assert (load_part["requests"], load_part["rps"], load_part["checks"]) == (0, None, None)
    assert set(load_part["latency_ms"].values()) == {None}


def test_a_warm_up_is_left_out_of_load_and_profile() -> None:
    """Pushes and stacks that began in it do not count; the machine is of the whole run."""
    made = summary(timeline(), record(warm_up_s=2.0))
    assert made["load"]["streamed_requests"] == 20
    assert made["profile"]["samples"] == 20
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


def test_a_path_that_is_no_text_is_no_obstacle(tmp_path: Path) -> None:
    """A folder's name may be any bytes."""
    odd = replace(record(), k6_path="/opt/\udcff/k6")
    write_summary(tmp_path / "s.json", timeline(), odd)
    assert json.loads((tmp_path / "s.json").read_text())["k6"]["path"] == "/opt/\\xff/k6"


@pytest.mark.parametrize("warm_up_s", [0.0, 33.3])
def test_a_summary_of_history_in_steps_is_that_of_all_detail(warm_up_s: float) -> None:
    """Exactly: the begin of the load and of what counts are borders of steps."""
    clock = RunClock(started_at=BEGIN + 0.2)
    run = replace(record(warm_up_s=warm_up_s), started_at=BEGIN + 0.2, ended_at=BEGIN + 420.0)
    lines = Timeline(BEGIN - 7.0), Timeline(BEGIN - 7.0, 1_000_000)
    for sample in long_run(700):
        for line in lines:
            for at in clock.edges(warm_up_s):
                line.keep_border(at)
            line.append(sample)
    assert len(lines[1].loads) < len(lines[0].loads) / 4
    run = replace(run, ended_at=lines[1].widened(TimeRange(BEGIN, run.ended_at)).end)
    detailed, in_steps = (_flat(summary(line, run)) for line in lines)
    assert in_steps.keys() == detailed.keys()
    for name, value in detailed.items():
        expected = pytest.approx(value, rel=1e-9) if isinstance(value, float) else value
        assert in_steps[name] == expected, name


def _flat(value: Any, name: str = "") -> dict[str, Any]:
    """Return the plain values of a summary by where they are."""
    if isinstance(value, list):
        value = dict(enumerate(value))
    if not isinstance(value, dict):
        return {name: value}
    parts = [_flat(part, f"{name}/{key}") for key, part in value.items()]
    return {at: each for part in parts for at, each in part.items()}
