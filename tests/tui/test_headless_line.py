from __future__ import annotations

import io
import pty
import termios
from pathlib import Path
from typing import cast

from collectors.process import Guard
from collectors.samples import (
    Frame,
    FrameKind,
    LogLine,
    Role,
    SourceState,
    SourceStatus,
    Stack,
    StackBatch,
    StackCount,
)
from tests.builders import histogram, host, load, usage
from tui.headless import Progress, progress_line
from tui.options import RunOptions
from tui.session import Session


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Yes."""
        return True


def session(now: float, *, duration_s: float | None = None) -> Session:
    """Return a session at a moment, begun at 100 s, of which nothing runs."""
    options = RunOptions(Path("x.js"), duration_s=duration_s, headless=True)
    begun = [100.0]
    return Session(options, cast(Guard, None), lambda: begun.pop() if begun else now)


def fill(run: Session, *, first: int, last: int) -> None:
    """Append seconds of ten requests with one failed, half a core of server, a quarter of k6."""
    frames = {0: Frame("main", "s", FrameKind.USER), 1: Frame("work", "s", FrameKind.USER)}
    stacks = {0: Stack("s", "t", (0,)), 1: Stack("s", "t", (0, 1))}
    for at in range(first, last + 1):
        run.append(load(at, 10, failed=1, latency=histogram([1.0] * 10)))
        run.append(host(at, roles=(usage(Role.TARGET, 0.5), usage(Role.GENERATOR, 0.25))))
        counts = {0: StackCount(1, 10_000_000), 1: StackCount(3, 30_000_000)}
        run.append(StackBatch(at - 0.9, at - 0.1, counts, stacks, frames))


def test_before_the_first_push_there_is_nothing_to_tell() -> None:
    """But that k6 is being started."""
    assert progress_line(session(100.0)) == "starting k6"


def test_a_line_says_where_the_run_is() -> None:
    """Rate, quantiles of one histogram, failures, cores, the hottest function."""
    run = session(164.0)
    fill(run, first=101, last=164)
    # Ten equal values are spread over the logarithm of their bucket: 2**(-(1 - q) / 8).
    assert progress_line(run) == (
        " 1:04 running · 10.0 requests/s · p50 958 ms · p95 996 ms · p99 999 ms · failed 10.0%"
        " · server 0.50 cores · k6 0.25 · hot work 75.0%"
    )


def test_a_silent_second_is_absent_figures_not_zeros() -> None:
    """Nothing came within the window: nothing is known."""
    run = session(200.0)
    fill(run, first=101, last=110)
    line = progress_line(run)
    assert "p50 –" in line
    assert "server – cores" in line
    assert "hot" not in line


def test_a_pipe_gets_a_line_a_call_without_control_characters() -> None:
    """Messages once, in front of the line of progress."""
    run, stream = session(104.0, duration_s=8.0), io.StringIO()
    fill(run, first=101, last=104)
    run.append(SourceStatus(101.0, "host", SourceState.STARTING, "wait"))
    run.append(SourceStatus(102.0, "perf", SourceState.DEGRADED, "no kernel frames", "be root"))
    run.append(SourceStatus(102.0, "k6", SourceState.ENDED, "told at the end"))
    run.append(LogLine(102.0, "k6", "warning", "Request Failed"))
    run.append(LogLine(102.0, "k6", "info", "not worth it"))
    run.append(LogLine(102.0, "target", "error", "the server's own"))
    progress = Progress(run, stream)
    progress.tell()
    progress.tell()
    lines = stream.getvalue().splitlines()
    assert lines[:2] == ["perf degraded: no kernel frames (be root)", "k6: Request Failed"]
    assert [line[:13] for line in lines[2:]] == [" 0:04 running"] * 2
    assert stream.getvalue().endswith("\n")
    assert "\x1b" not in stream.getvalue()


def test_on_a_terminal_the_line_is_written_over() -> None:
    """With a bar of how far the run is; at the end it is taken away."""
    run, stream = session(102.0, duration_s=8.0), Terminal()
    fill(run, first=101, last=102)
    progress = Progress(run, stream)
    progress.tell()
    assert stream.getvalue().startswith("\r\x1b[2K█████" + "░" * 15 + "  0:02 running")
    assert "\n" not in stream.getvalue()
    progress.finish()
    assert stream.getvalue().endswith("\r\x1b[2K")


def test_a_line_never_wraps() -> None:
    """A wrapped one could not be written over: on 40 columns it takes 39."""
    run = session(164.0)
    fill(run, first=101, last=164)
    ours, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (5, 40))
    with open(ours, "rb", 0) as screen, open(terminal, "w", encoding="utf-8") as stream:
        Progress(run, stream).tell()
        written = screen.read(4096).decode()
    assert written == "\r\x1b[2K 1:04 running · 10.0 requests/s · p50 …"
    assert len(written.removeprefix("\r\x1b[2K")) == 39
