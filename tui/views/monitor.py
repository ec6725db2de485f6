"""All panes at one moment, from one timeline and one window."""

from __future__ import annotations

from dataclasses import dataclass

from collectors.samples import SourceState
from tui.model.calltree import build_tree
from tui.model.load import kind_of, summarise
from tui.model.perrequest import matched_requests
from tui.model.phase import RunFacts
from tui.model.timeline import Timeline
from tui.model.verdict import judge
from tui.views.flame import FlameView, flame_header
from tui.views.host import HostView, build_host
from tui.views.load import NOUNS, LoadView, build_load
from tui.views.log import LogView, build_log
from tui.views.status import AS_WRITTEN, StatusView, build_status
from tui.views.window import Window


@dataclass(frozen=True, slots=True)
class MonitorView:
    """What the whole screen shows."""

    load: LoadView
    host: HostView
    flame: FlameView
    status: StatusView
    log: LogView
    is_interactive: bool = False
    """Whether there is, or will be, a trend of what the operator wants."""


def build_monitor(timeline: Timeline, facts: RunFacts, window: Window) -> MonitorView:
    """Build every pane for a window."""
    kind = kind_of(timeline.loads)
    loads = timeline.loads_in(window.range)
    verdict = judge(summarise(loads, kind), timeline.hosts_in(window.range))
    return MonitorView(
        load=build_load(timeline, window, kind),
        host=build_host(timeline, window),
        flame=build_flame(timeline, facts, window),
        status=build_status(timeline, facts, verdict, frozen=window.frozen),
        log=build_log(timeline, window.end),
        is_interactive=facts.control != AS_WRITTEN or bool(timeline.targets),
    )


def build_flame(timeline: Timeline, facts: RunFacts, window: Window) -> FlameView:
    """Build the flame pane for a window."""
    kind = kind_of(timeline.loads)
    load = summarise(timeline.loads_in(window.range), kind)
    tree = build_tree(timeline.stacks, timeline.stacks_in(window.range))
    return FlameView(
        revision=hash((window.end, tree.samples, tree.period_ns)),
        tree=tree,
        header=flame_header(tree, window.text, facts.profiler),
        empty_text=_why_empty(timeline, facts),
        requests=matched_requests(timeline, window.range, load),
        request_noun=NOUNS[kind],
    )


def _why_empty(timeline: Timeline, facts: RunFacts) -> str:
    status = timeline.statuses.get("perf")
    if not facts.profiler:
        return "profiling is off"
    if status is None:
        return "waiting for the server"
    if status.state is SourceState.LIVE:
        return "no samples in this window: the server used no CPU"
    return f"{status.message} — {status.hint}" if status.hint else status.message
