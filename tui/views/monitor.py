"""All panes at one moment, from one timeline and one window."""

from __future__ import annotations

from dataclasses import dataclass

from collectors.samples import SourceState, StackMeasure
from tui.model.lens import Lens
from tui.model.load import kind_of, summarise
from tui.model.phase import RunFacts
from tui.model.timeline import Timeline
from tui.model.verdict import judge
from tui.views.flamepane import FlamePaneView, Subject, build_flame_pane
from tui.views.host import HostView, build_host
from tui.views.load import LoadView, build_load
from tui.views.log import LogView, build_log
from tui.views.status import AS_WRITTEN, StatusView, build_status
from tui.views.window import Window


@dataclass(frozen=True, slots=True)
class MonitorView:
    """What the whole screen shows."""

    load: LoadView
    host: HostView
    flame: FlamePaneView
    status: StatusView
    log: LogView
    is_interactive: bool = False
    """Whether there is, or will be, a trend of what the operator wants."""


def build_monitor(
    timeline: Timeline,
    facts: RunFacts,
    window: Window,
    lens: Lens = Lens(),  # noqa: B008 - it is frozen
    flame: FlamePaneView | None = None,
) -> MonitorView:
    """Build every pane for a window.

    Args:
        timeline: What is known.
        facts: What is known beside it.
        window: What the panes show.
        lens: How stacks are looked at.
        flame: The pane of stacks, where it need not be built anew.
    """
    if flame is None:
        flame = build_flame_pane(timeline, window, lens, subject_of(timeline, facts, lens))
    kind = kind_of(timeline.loads)
    loads = timeline.loads_in(window.range)
    verdict = judge(summarise(loads, kind), timeline.hosts_in(window.range))
    return MonitorView(
        load=build_load(timeline, window, kind),
        host=build_host(timeline, window),
        flame=flame,
        status=build_status(timeline, facts, verdict, held=_held(window)),
        log=build_log(timeline, window.end),
        is_interactive=facts.control not in ("", AS_WRITTEN) or bool(timeline.targets),
    )


def subject_of(timeline: Timeline, facts: RunFacts, lens: Lens) -> Subject:
    """Return what is told of a run's stacks."""
    if lens.measure is StackMeasure.OFF_CPU:
        return Subject(facts.profiler, _why_no_waits(timeline))
    return Subject(facts.profiler, _why_empty(timeline, facts))


def _why_no_waits(timeline: Timeline) -> str:
    status = timeline.statuses.get("off-cpu")
    if status is None or status.state in (SourceState.LIVE, SourceState.STARTING):
        return "no wait has ended in this window"
    return f"{status.message} — {status.hint}" if status.hint else status.message


def _held(window: Window) -> str:
    if window.picked:
        return f"❄ {window.text}, space goes on"
    return "❄ display frozen, space goes on" if window.frozen else ""


def _why_empty(timeline: Timeline, facts: RunFacts) -> str:
    status = timeline.statuses.get("perf")
    if not facts.profiler:
        return "profiling is off"
    if status is None:
        return "waiting for the server"
    if status.state is SourceState.LIVE:
        return "no samples in this window: the server used no CPU"
    return f"{status.message} — {status.hint}" if status.hint else status.message
