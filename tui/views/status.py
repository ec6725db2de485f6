"""The two status lines: what runs, how every source is, what was lost, what limits the run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from collectors.samples import SourceState, SourceStatus
from tui.model.phase import Phase, RunFacts
from tui.model.timeline import Timeline
from tui.model.verdict import Verdict
from tui.views.format import cell_width, clock, count, fit
from tui.views.trend import Segment

_PHASES: Final = {
    Phase.STARTING: ("◌ starting", "status-warn"),
    Phase.RUNNING: ("● running", "status-good"),
    Phase.STOPPING: ("◍ stopping", "status-warn"),
    Phase.STOPPED: ("■ stopped", "status-idle"),
    Phase.CLOSED: ("■ closed", "status-idle"),
}
_STATES: Final = {
    SourceState.STARTING: "status-warn",
    SourceState.LIVE: "status-good",
    SourceState.DEGRADED: "status-warn",
    SourceState.FAILED: "status-bad",
    SourceState.ENDED: "status-idle",
}
SOURCES: Final = ("k6", "target", "perf", "host")
"""In the order of the line."""


@dataclass(frozen=True, slots=True)
class StatusView:
    """What the status lines show."""

    headline: LineView
    health: LineView


@dataclass(frozen=True, slots=True)
class LineView:
    """One line of styled text."""

    segments: tuple[Segment, ...]


def draw_line(view: LineView, width: int, height: int) -> list[list[Segment]]:
    """Draw a line; what does not fit is cut."""
    row: list[Segment] = [(" ", "status-text")]
    used = 1
    for text, key in view.segments:
        text = fit(text, max(0, width - used))
        used += cell_width(text)
        row.append((text, key))
    row.append((" " * max(0, width - used), "status-text"))
    return [row][:height]


def build_status(
    timeline: Timeline, facts: RunFacts, verdict: Verdict | None, *, frozen: bool
) -> StatusView:
    """Build the lines above and below the panes."""
    return StatusView(
        headline=_headline(facts, frozen=frozen),
        health=_health(timeline, verdict),
    )


def _headline(facts: RunFacts, *, frozen: bool) -> LineView:
    phase, style = _PHASES[facts.phase]
    elapsed = clock(facts.elapsed_s)
    if facts.duration_s is not None:
        elapsed += f" of {clock(facts.duration_s)}"
    parts: list[Segment] = [(phase, style), (elapsed, "status-text")]
    if facts.countdown_s is not None:
        left = max(0, round(facts.countdown_s))
        parts.append((f"k6 is ending, forced in {left} s or by x", "status-warn"))
    if frozen:
        parts.append(("❄ display frozen, space goes on", "status-warn"))
    if facts.phase.loading:
        parts.append((f"{facts.vus}/{facts.vus_max} VUs", "status-text"))
    parts.append((facts.script, "status-text"))
    if facts.target:
        parts.append((f"→ {facts.target}", "status-text"))
    parts.append((f"k6 {facts.k6_version} as written", "status-dim"))
    if facts.note:
        parts.append((facts.note, "status-warn"))
    return _joined(parts)


def _health(timeline: Timeline, verdict: Verdict | None) -> LineView:
    parts: list[Segment] = []
    for source in SOURCES:
        status = timeline.statuses.get(source)
        if status is not None:
            parts.append(_source(status))
    parts.append(_counter("lost", timeline.samples_lost))
    parts.append(_counter("dropped", sum(timeline.drop_counts().values())))
    if verdict is not None:
        parts.append((verdict.text, f"status-{verdict.severity}"))
    return _joined(parts)


def _source(status: SourceStatus) -> Segment:
    text = f"{status.source} {status.state}"
    if status.state is SourceState.LIVE:
        text = f"{status.source} ✓"
    elif status.message:
        text = f"{status.source}: {status.message}"
    return text, _STATES[status.state]


def _counter(name: str, number: int) -> Segment:
    return f"{name} {count(number)}", "status-warn" if number else "status-dim"


def _joined(parts: list[Segment]) -> LineView:
    segments: list[Segment] = []
    for part in parts:
        if segments:
            segments.append((" · ", "status-dim"))
        segments.append(part)
    return LineView(tuple(segments))


def drops_text(drops: Mapping[str, int]) -> str:
    """Return what was dropped and why, for a line of text; empty if nothing was."""
    return ", ".join(f"{reason} {number}" for reason, number in sorted(drops.items()) if number)
