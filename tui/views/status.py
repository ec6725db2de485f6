"""The two status lines: what runs, how every source is, what was lost, what limits the run."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from collectors.course import CourseUnit
from collectors.samples import SourceState, SourceStatus
from tui.model.phase import LoadAim, Phase, RunFacts
from tui.model.timeline import Timeline
from tui.model.verdict import Verdict
from tui.views.format import cell_width, clock, count, fit, rate
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
SOURCES: Final = (
    *("k6", "control", "target", "perf", "off-cpu", "host", "screen", "recording", "secrets"),
    "flashpoint",
)
"""In the order of the line."""
AS_WRITTEN: Final = "as written"
"""What `RunFacts.control` says of a k6 with its own schedule."""
_REASON_WIDTH: Final = 40
"""Columns for why nobody can move the load; the whole text stood in a toast."""


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
    timeline: Timeline, facts: RunFacts, verdict: Verdict | None, *, held: str = ""
) -> StatusView:
    """Build the lines above and below the panes."""
    return StatusView(
        headline=_headline(facts, held=held),
        health=_health(timeline, verdict, facts.no_control_reason),
    )


def _headline(facts: RunFacts, *, held: str) -> LineView:
    aim = facts.aim
    phase, style = _PHASES[facts.phase]
    if aim is not None and aim.is_paused and facts.phase is Phase.RUNNING:
        phase, style = "❚❚ paused", "status-warn"
    elapsed = clock(facts.elapsed_s)
    if facts.duration_s is not None:
        elapsed += f" of {clock(facts.duration_s)}"
    parts: list[Segment] = [(phase, style), (elapsed, "status-text")]
    if facts.player:
        # What is last is cut off where the screen is narrow.
        parts.insert(0, (facts.player, "status-warn"))
    if facts.countdown_s is not None:
        left = max(0, round(facts.countdown_s))
        parts.append((f"k6 is ending, forced in {left} s or by x", "status-warn"))
    if held:
        parts.append((held, "status-warn"))
    if facts.phase.loading:
        parts.append((_load(facts), "status-text"))
    parts.append((facts.script, "status-text"))
    if facts.no_control_reason:
        parts.append((fit(facts.no_control_reason, _REASON_WIDTH), "status-warn"))
    if facts.target:
        parts.append((f"→ {facts.target}", "status-text"))
    if facts.k6_version or facts.control:
        words = ("k6", facts.k6_version, facts.control)
        parts.append((" ".join(each for each in words if each), "status-dim"))
    if facts.note:
        parts.append((facts.note, "status-warn"))
    return _joined(parts)


def _load(facts: RunFacts) -> str:
    """Return what is wanted of the load, in VUs beside what there is of it."""
    aim = facts.aim
    if aim is None:
        return f"{facts.vus}/{facts.vus_max} VUs"
    if facts.phase is Phase.STOPPING:
        # Nothing is wanted any more.
        return f"{facts.vus} VUs"
    if aim.unit is CourseUnit.VUS:
        return _vus(facts.vus, aim)
    wanted, unit = _number(aim.wanted), f"{aim.unit}/s"
    if aim.is_paused:
        return f"{wanted} {unit} on resume"
    ramp = _ramp(aim)
    if ramp is not None:
        return f"{wanted} → {ramp[0]} {unit} in {ramp[1]}"
    return f"{wanted} {unit} wanted"


def _vus(running: int, aim: LoadAim) -> str:
    wanted = _number(round(aim.wanted))
    if aim.is_paused:
        return f"{running} VUs, {wanted} on resume"
    ramp = _ramp(aim)
    if ramp is not None:
        return f"{running} → {ramp[0]} VUs in {ramp[1]}"
    if aim.ceiling is not None and aim.wanted >= aim.ceiling:
        there = wanted if running == round(aim.wanted) else f"{running} of {wanted}"
        return f"{there} VUs, the ceiling (--max-vus)"
    return f"{running} of {wanted} VUs"


def _ramp(aim: LoadAim) -> tuple[str, str] | None:
    """Return where a ramp leads and when it is there; None without one, or on its way level."""
    if aim.ramp_to is None or aim.ramp_left_s is None or aim.ramp_to == aim.wanted:
        return None
    left_s = math.ceil(aim.ramp_left_s)
    return _number(aim.ramp_to), f"{left_s} s" if left_s < 60 else clock(left_s)


def _number(level: float) -> str:
    """Return a target: exact where it is whole or large, like 1500."""
    whole = round(level)
    return count(whole) if whole == level or level >= 100 else rate(level)


def _health(timeline: Timeline, verdict: Verdict | None, no_control_reason: str) -> LineView:
    parts: list[Segment] = []
    for source in SOURCES:
        status = timeline.statuses.get(source)
        if status is not None and source == "control" and status.message == no_control_reason:
            # The headline says why.
            parts.append((f"{source} off", _STATES[status.state]))
        elif status is not None:
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
