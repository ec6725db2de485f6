"""What the status lines say of a run, from what its timeline holds: the same live and replayed."""

from __future__ import annotations

from dataclasses import replace

from collectors.course import CourseUnit
from collectors.recording.about import Card
from collectors.runstate import RunState
from collectors.samples import LoadTarget, MarkKind
from tui.model.latency import quantile
from tui.model.load import kind_of, summarise
from tui.model.phase import LoadAim, Phase, RunFacts
from tui.model.runclock import RunClock
from tui.model.timeline import Timeline, TimeRange
from tui.model.verdict import judge

UNKNOWN = RunFacts(
    phase=Phase.STARTING, elapsed_s=None, duration_s=None, script="", k6_version="", vus=0,
    vus_max=0, target="",
)  # fmt: skip
"""Where nothing is known of a run yet."""


def facts_of(state: RunState, timeline: Timeline, now: float, aim: LoadAim | None) -> RunFacts:
    """Return what is known of a run at a moment.

    Args:
        state: The newest there is at that moment.
        timeline: Up to that moment.
        now: The moment.
        aim: What the operator wants of the load; None where k6 keeps its own schedule.
    """
    phase = Phase(state.phase)
    last = timeline.loads[-1] if timeline.loads else None
    clock = RunClock(state.duration_s, state.started_at, state.ended_at, state.forced_at)
    return RunFacts(
        phase=phase,
        elapsed_s=clock.elapsed_s(now),
        duration_s=state.duration_s,
        script=state.script,
        k6_version=state.k6_version,
        vus=last.vus if last else 0,
        vus_max=last.vus_max if last else 0,
        target=state.target,
        profiler=state.profiler,
        countdown_s=clock.countdown_s(now) if phase is Phase.STOPPING else None,
        note=state.note,
        control=state.control,
        aim=aim if phase.loading else None,
        no_control_reason=state.no_control_reason,
    )


def facts_at(timeline: Timeline, now: float) -> RunFacts:
    """Return what is known of a run that nobody runs any more, from its timeline alone."""
    if not timeline.states:
        last = timeline.loads[-1] if timeline.loads else None
        vus = (last.vus, last.vus_max) if last else (0, 0)
        return replace(UNKNOWN, phase=Phase.CLOSED, vus=vus[0], vus_max=vus[1], control="")
    state = timeline.states[-1]
    return facts_of(state, timeline, now, aim_at(timeline.targets, state.ceiling, now))


def aim_at(targets: list[LoadTarget], ceiling: float | None, now: float) -> LoadAim | None:
    """Return what was wanted of the load at a moment; None where k6 kept its own schedule."""
    if not targets:
        return None
    newest = targets[-1]
    course, wanted = newest.course, newest.course.level(now)
    coming = [] if newest.is_paused else [point for point in course.points if point[0] > now]
    if newest.is_paused:
        # It goes on where it was when it was paused; what was changed since is not told.
        moved = [place for place, each in enumerate(targets) if not each.is_paused]
        if moved:
            wanted = targets[moved[-1]].course.level(targets[moved[-1] + 1].at)
    return LoadAim(
        unit=course.unit,
        level=course.level(now),
        is_paused=newest.is_paused,
        wanted=wanted,
        ramp_to=coming[0][1] if coming else None,
        ramp_left_s=coming[0][0] - now if coming else None,
        ceiling=ceiling if course.unit is CourseUnit.VUS else None,
    )


def card_of(timeline: Timeline, script: str, target: str, now: float) -> Card:
    """Return what a list of recordings says of a run: all of its load, from its begin to now."""
    kind = kind_of(timeline.loads)
    load = summarise(timeline.loads, kind)
    p95_s = quantile(load.latency, 0.95)
    verdict = judge(load, timeline.hosts_in(TimeRange(timeline.origin, now)))
    began_at = timeline.loads[0].at - timeline.loads[0].interval_s if timeline.loads else now
    ended_at = timeline.loads[-1].at if timeline.loads else now
    return Card(
        script=script,
        target=target,
        duration_s=ended_at - began_at,
        requests=load.requests,
        peak_rps=timeline.peaks.get(kind, 0.0) if timeline.loads else None,
        p95_ms=p95_s * 1e3 if p95_s is not None else None,
        verdict=verdict.text if verdict is not None else "",
        is_marked=any(mark.kind is MarkKind.NOTE for mark in timeline.marks),
    )
