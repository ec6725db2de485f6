"""A run of which every number is known, for tests of what is told of a range."""

from __future__ import annotations

from typing import Final

from collectors.course import Course, CourseUnit
from collectors.samples import (
    Baseline,
    CheckRatio,
    CustomMetric,
    DiskUsage,
    Drop,
    Frame,
    FrameKind,
    LoadTarget,
    Mark,
    MarkKind,
    MetricType,
    Pressure,
    Role,
    Stack,
    StackBatch,
    StackCount,
)
from tests.builders import endpoint, histogram, host, load, usage
from tui.export.about import About
from tui.model.timeline import Timeline, TimeRange

NASTY: Final = '=1|2`x`<img src=x onerror=alert(1)> [a](http://e.vil) ![b](c) @you #1 *_~$&amp;\\"'
ABOUT: Final = About(
    script="x.js",
    target="server (pid 1)",
    control="secret gate",
    profiler="cpu-clock 99 Hz",
    k6_version="1.1.0",
    flashpoint_version="0.1.0",
    machine="Linux 6.1, 8 cores, 15.5 GB",
    wall_offset_s=1_700_000_000.0,
)
BASELINE: Final = Baseline(110.0, "10 s | before", 100.0, 110.0)
BEFORE: Final = TimeRange(100.0, 110.0)
AFTER: Final = TimeRange(110.0, 120.0)
WHOLE: Final = TimeRange(100.0, 120.0)
NOTHING: Final = About("", "", "", "", "", "", "", 0.0)
"""Of a run that nobody said anything of."""


def known_run() -> Timeline:
    """Return twenty seconds of ten requests; in the second half `work` takes three times as long.

    Each second has nine requests of 10 ms and one failed of 200 ms, 0.5 s of CPU of the server,
    and 10 samples of `main`, which calls `work`: 5 samples, later 15; each is 10 ms.
    """
    line = Timeline(99.0)
    line.append(Mark(100.0, MarkKind.START, "start"))
    line.append(LoadTarget(100.0, Course(CourseUnit.VUS, ((100.0, 0.0), (110.0, 10.0)))))
    ok = endpoint("/ok", 9, latency=histogram([0.010] * 9))
    bad = endpoint(NASTY, 1, failed=1, status="500", latency=histogram([0.200]))
    frames = {
        0: Frame("main", "server", FrameKind.USER),
        1: Frame("work", "server", FrameKind.USER),
    }
    stacks = {0: Stack("s", "t", (0,)), 1: Stack("s", "t", (0, 1))}
    for second in range(100, 120):
        at = second + 0.95
        line.append(
            load(
                at,
                10,
                failed=1,
                latency=histogram([0.010] * 9 + [0.200]),
                endpoints=(ok, bad),
                checks=(CheckRatio("is well", "", "default", 0.9),),
                metrics=(
                    CustomMetric("items", MetricType.COUNTER, 2.0, histogram([]), ""),
                    CustomMetric("size", MetricType.TREND, 0.0, histogram([3.0]), "B"),
                ),
            )
        )
        machine = host(
            at,
            busy_ratio=0.25,
            roles=(usage(Role.TARGET, 0.5),),
            disks=(DiskUsage("sda", 1024.0, 2048.0, 1.0, 1.0, 0.1),),
            pressure=Pressure(0.1, 0.0, 0.2),
        )
        line.append(machine)
        work = 5 if second < 110 else 15
        counts = {0: StackCount(10, 100_000_000), 1: StackCount(work, work * 10_000_000)}
        line.append(StackBatch(float(second), second + 0.9, counts, stacks, frames))
    line.append(Mark(112.5, MarkKind.NOTE, NASTY))
    line.append(Drop(104.0, "k6_withheld", 2))
    line.append(BASELINE)
    return line
