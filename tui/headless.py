"""A run without a screen: one line of progress a second, on standard error."""

from __future__ import annotations

import asyncio
import os
from typing import Final, TextIO

from collectors.samples import LogLine, Role, SourceState, SourceStatus
from tui.model.calltree import build_tree, top_table
from tui.model.latency import quantile
from tui.model.load import kind_of, summarise
from tui.model.timeline import Timeline, TimeRange
from tui.model.usage import summarise_role
from tui.session import Session
from tui.views.format import clock, cpu_cores, fit, milliseconds, percent, rate
from tui.views.load import RATE_TITLES
from tui.views.names import short_name

PROGRESS_S: Final = 1.0
WINDOW_S: Final = 2.0
"""What a line of progress covers: the newest push is in it whenever it came."""
BAR_COLUMNS: Final = 20
FALLBACK_COLUMNS: Final = 80
"""Of a terminal that does not tell how wide it is."""


async def run_headless(session: Session, stream: TextIO) -> None:
    """Run the load once and tell about it until it has ended.

    Args:
        session: An open session.
        stream: Where progress goes: overwritten in place on a terminal, else a line a second.
    """
    session.start_load()
    progress = Progress(session, stream)
    while True:
        progress.tell()
        try:
            async with asyncio.timeout(PROGRESS_S):
                await session.load.ended.wait()
        except TimeoutError:
            continue
        break
    progress.finish()


class Progress:
    """Writes what is new since the last call, and where the run is."""

    def __init__(self, session: Session, stream: TextIO) -> None:
        self._session = session
        self._stream = stream
        self._in_place = stream.isatty()
        self._told_statuses: dict[str, SourceStatus] = {}
        self._last_log_at = session.timeline.origin - 1.0

    def tell(self) -> None:
        """Write new messages and one line of progress."""
        self._messages()
        line = progress_line(self._session)
        if self._in_place:
            bar = _bar(self._session)
            self._stream.write("\r\x1b[2K" + fit(f"{bar}{line}", _columns(self._stream)))
        else:
            self._stream.write(line + "\n")
        self._stream.flush()

    def finish(self) -> None:
        """Write what is left; the line of progress stays."""
        if self._in_place:
            self._stream.write("\r\x1b[2K")
        self._messages()
        self._stream.flush()

    def _messages(self) -> None:
        timeline = self._session.timeline
        clear = "\r\x1b[2K" if self._in_place else ""
        for source, status in timeline.statuses.items():
            if self._told_statuses.get(source) != status:
                self._told_statuses[source] = status
                if status.state is not SourceState.STARTING and not _is_end_of_k6(status):
                    self._stream.write(f"{clear}{_status_line(status)}\n")
        fresh = [line for line in timeline.logs if line.at > self._last_log_at]
        if fresh:
            self._last_log_at = fresh[-1].at
        for line in fresh:
            if _worth_telling(line):
                self._stream.write(f"{clear}{line.source}: {line.text}\n")


def _is_end_of_k6(status: SourceStatus) -> bool:
    # It is told with the summary, after everything else.
    return status.source == "k6" and status.state in (SourceState.ENDED, SourceState.FAILED)


def _worth_telling(line: LogLine) -> bool:
    return line.source == "k6" and line.level in ("warning", "error")


def _status_line(status: SourceStatus) -> str:
    text = f"{status.source} {status.state}: {status.message}"
    hint = status.hint if status.state is not SourceState.LIVE else ""
    return f"{text} ({hint})" if hint else text


def progress_line(session: Session) -> str:
    """Return where the run is, in one line."""
    timeline, now = session.timeline, session.clock()
    facts = session.facts()
    if facts.elapsed_s is None:
        return "starting k6"
    kind = kind_of(timeline.loads)
    load = summarise(timeline.loads_in(TimeRange(now - WINDOW_S, now)), kind)
    hosts = timeline.hosts_in(TimeRange(now - WINDOW_S, now))
    parts = [
        f"{clock(facts.elapsed_s):>5} {facts.phase}",
        f"{rate(load.rps)} {RATE_TITLES[kind]}",
        *(f"p{q} {milliseconds(quantile(load.latency, q / 100))}" for q in (50, 95, 99)),
        f"failed {percent(load.failed_ratio)}",
        f"server {cpu_cores(summarise_role(hosts, Role.TARGET).cpu_cores_mean)} cores",
        f"k6 {cpu_cores(summarise_role(hosts, Role.GENERATOR).cpu_cores_mean)}",
    ]
    hottest = _hottest(timeline, now)
    if hottest:
        parts.append(f"hot {hottest}")
    if facts.note:
        parts.append(facts.note)
    return " · ".join(parts)


def _hottest(timeline: Timeline, now: float) -> str:
    tree = build_tree(timeline.stacks, timeline.stacks_in(TimeRange(now - 10.0, now)))
    rows = top_table(tree)[:1]
    if not rows or not tree.period_ns:
        return ""
    return f"{short_name(rows[0].symbol)} {percent(rows[0].self_period_ns / tree.period_ns)}"


def _columns(stream: TextIO) -> int:
    # A line that wraps can't be written over.
    try:
        columns = os.get_terminal_size(stream.fileno()).columns
    except OSError:
        columns = 0
    return (columns or FALLBACK_COLUMNS) - 1


def _bar(session: Session) -> str:
    facts = session.facts()
    if facts.duration_s is None or facts.elapsed_s is None:
        return ""
    done = min(1.0, facts.elapsed_s / facts.duration_s)
    filled = round(done * BAR_COLUMNS)
    return "█" * filled + "░" * (BAR_COLUMNS - filled) + " "
