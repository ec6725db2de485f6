"""What a report says of the run itself: marks, baselines, machine, versions, what was lost."""

from __future__ import annotations

from collections.abc import Sequence

from collectors.samples import Baseline, Mark, Role
from tui.export.about import About
from tui.export.report.html_axes import TimeAxis
from tui.export.report.html_markup import Markup, element, exact, joined
from tui.export.report.html_tables import Column, facts, section, table
from tui.export.series.measured import Measured
from tui.model.timeline import Timeline
from tui.views.format import bytes_, clock, count, cpu_cores, milliseconds
from tui.views.host import ROLE_TITLES


def wall_time(about: About, at: float) -> str:
    """Return when a moment was, in UTC; empty where no calendar has such a year."""
    try:
        return f"{about.wall_time(at):%Y-%m-%d %H:%M:%S} UTC"
    except (ValueError, OverflowError, OSError):
        return ""


def machine_section(measured: Measured) -> Markup:
    """Return who used what of the machine; nothing where nobody looked."""
    host = measured.host
    if host is None:
        return Markup("")
    columns = (
        Column(""),
        Column("CPU, cores", is_number=True),
        Column("CPU time", is_number=True),
        Column("memory at most", is_number=True),
        Column("threads", is_number=True),
        Column("written", is_number=True),
        Column("read", is_number=True),
        Column("throttled", is_number=True),
    )
    rows: list[Sequence[str]] = [
        (
            ROLE_TITLES[role],
            exact(usage.cpu_cores_mean, cpu_cores(usage.cpu_cores_mean)),
            exact(usage.cpu_seconds, milliseconds(usage.cpu_seconds)),
            exact(usage.rss_bytes_max, bytes_(usage.rss_bytes_max)),
            count(usage.threads),
            bytes_(usage.written_bytes),
            bytes_(usage.read_bytes),
            milliseconds(usage.throttled_seconds) if usage.throttled_seconds else "",
        )
        for role in Role
        if (usage := measured.roles.get(role)) is not None
    ]
    rows.append(
        (
            f"machine, {host.cores} cores",
            exact(host.cpu_cores_mean, cpu_cores(host.cpu_cores_mean)),
            exact(host.cpu_seconds, milliseconds(host.cpu_seconds)),
            exact(host.memory_used_bytes_max, bytes_(host.memory_used_bytes_max)),
            "",
            bytes_(host.written_bytes),
            bytes_(host.read_bytes),
            "",
        )
    )
    return section("machine", "Machine", table(columns, rows))


def marks_section(marks: Sequence[Mark], axis: TimeAxis, about: About) -> Markup:
    """Return what was done to the run in the range, numbered as on the trends."""
    if not marks:
        return Markup("")
    columns = (
        Column("", is_number=True),
        Column("at", is_number=True),
        Column("when"),
        Column("what"),
        Column("", is_name=True),
    )
    rows = [
        (
            str(number),
            axis.label(mark.at),
            wall_time(about, mark.at),
            mark.kind.value.replace("_", " "),
            mark.text,
        )
        for number, mark in enumerate(marks, start=1)
    ]
    return section("marks", "Marks and notes", table(columns, rows))


def baselines_section(
    timeline: Timeline, compared: Baseline | None, axis: TimeAxis, about: About
) -> Markup:
    """Return the ranges that were kept to compare others with."""
    kept = list(timeline.baselines.values())
    if compared is not None and compared not in kept:
        kept.append(compared)
    if not kept:
        return Markup("")
    columns = (
        Column("baseline", is_name=True),
        Column("from", is_number=True),
        Column("to", is_number=True),
        Column("length", is_number=True),
        Column("when"),
        Column(""),
    )
    rows = [
        (
            each.name,
            axis.label(each.start),
            axis.label(each.end),
            clock(each.end - each.start),
            wall_time(about, each.start),
            "compared with" if each == compared else "",
        )
        for each in kept
    ]
    return section("baselines", "Baselines", table(columns, rows))


def run_section(timeline: Timeline, measured: Measured, about: About) -> Markup:
    """Return versions, machine and sources, and all that was lost or dropped."""
    told = facts(
        [
            ("recording", about.name),
            ("script", about.script),
            ("target", about.target),
            ("control of the load", about.control),
            ("profiler", about.profiler),
            ("machine", about.machine),
            ("k6", about.k6_version),
            ("flashpoint", about.flashpoint_version),
        ]
    )
    return section("run", "About this run", told, _sources(timeline), _losses(timeline, measured))


def _sources(timeline: Timeline) -> Markup:
    """Return how each source was in the end."""
    if not timeline.statuses:
        return Markup("")
    rows = [
        (each.source, each.state.value, " · ".join(filter(None, (each.message, each.hint))))
        for each in timeline.statuses.values()
    ]
    columns = (Column("source"), Column("state"), Column("", is_name=True))
    return joined([element("h3", "Sources, as they were last"), table(columns, rows)])


def _losses(timeline: Timeline, measured: Measured) -> Markup:
    load = measured.load
    found = [
        ("stack samples that the profiler lost", "this range", measured.lost or 0),
        ("iterations that k6 dropped", "this range", load.dropped_iterations if load else 0),
        *((reason, "the whole run", n) for reason, n in sorted(timeline.drop_counts().items())),
    ]
    rows = [(what, of, exact(n, count(n))) for what, of, n in found if n]
    heading = element("h3", "Lost and dropped")
    if not rows:
        return joined([heading, element("p", "Nothing.", class_="note")])
    columns = (Column("what", is_name=True), Column("of"), Column("number", is_number=True))
    return joined([heading, table(columns, rows)])
