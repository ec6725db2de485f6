"""What the model says of one range of a timeline: everything that an export tells in totals.

What nothing told is None, and never 0: an exporter need not know which sources a run had.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from collectors.samples import (
    Baseline,
    CheckRatio,
    CustomMetric,
    HostSample,
    LoadSample,
    Mark,
    RequestKind,
    Role,
)
from tui.model.calldiff import FunctionChange, diff_functions
from tui.model.calltree import CallTree, FunctionTotal, build_tree
from tui.model.costchange import DiffSide
from tui.model.cuttotals import CutTotals, cut_totals, function_totals
from tui.model.load import (
    EndpointTotal,
    LoadRange,
    custom_metrics,
    endpoint_totals,
    kind_of,
    newest_checks,
    summarise,
)
from tui.model.perrequest import matched_requests, stack_seconds
from tui.model.timeline import Timeline, TimeRange
from tui.model.usage import HostRange, RoleRange, summarise_host, summarise_role
from tui.model.verdict import Verdict, judge


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """One range in totals."""

    range: TimeRange
    kind: RequestKind
    """What one request is; of the whole run, so that ranges can be compared."""
    load: LoadRange | None
    """None where k6 sent nothing."""
    endpoints: tuple[EndpointTotal, ...]
    """Of the run's kind, most requests first; they sum up to the load."""
    checks: tuple[CheckRatio, ...]
    """As they stood at the end: k6 streams their shares since the start."""
    metrics: Mapping[str, CustomMetric]
    host: HostRange | None
    roles: Mapping[Role, RoleRange]
    """Only those that had processes."""
    tree: CallTree | None
    """None without samples."""
    cut: CutTotals
    """What the stacks of the tree lack."""
    functions: tuple[FunctionTotal, ...]
    """The greatest own time first."""
    stack_s: float
    """Time that the stacks cover."""
    stack_requests: int | None
    """Requests in the time that the stacks cover; what costs are divided by."""
    lost: int | None
    """Stack samples that the profiler says it lost; None where nothing was sampled."""
    verdict: Verdict | None

    def us_per_request(self, period_ns: int) -> float | None:
        """Return what a sampled time is for one request, µs; None where that can't be told."""
        if self.tree is None or not self.tree.period_ns or not self.stack_requests:
            return None
        return period_ns / 1_000 / self.stack_requests

    @property
    def cpu_us_per_request(self) -> float | None:
        """CPU time of the target per request, sampled, µs."""
        return self.us_per_request(self.tree.period_ns) if self.tree is not None else None

    def ratio(self, row: FunctionTotal, *, is_total: bool = False) -> float:
        """Return the share of a function in what was sampled: its own, or with all it calls."""
        tree = self.tree
        if tree is None or not tree.samples:
            return 0.0
        if tree.period_ns:
            return (row.total_period_ns if is_total else row.self_period_ns) / tree.period_ns
        return (row.total_samples if is_total else row.self_samples) / tree.samples

    @property
    def diff_side(self) -> DiffSide | None:
        """For a comparison; None where there is nothing to compare."""
        if self.tree is None or not self.stack_requests:
            return None
        return DiffSide(self.tree, self.stack_requests, self.cut)


def measure(timeline: Timeline, range_: TimeRange) -> Measured:
    """Ask the model for everything that it says of a range."""
    kind = kind_of(timeline.loads)
    loads, hosts = timeline.loads_in(range_), timeline.hosts_in(range_)
    load = load_of(loads, kind)
    roles = {role: summarise_role(hosts, role) for role in Role}
    counts = timeline.stacks_in(range_)
    tree = build_tree(timeline.stacks, counts) if counts else None
    cut = cut_totals(timeline, range_)
    lost = timeline.lost_in(range_)
    return Measured(
        range=range_,
        kind=kind,
        load=load,
        endpoints=_endpoints(loads, load, kind),
        checks=tuple(newest_checks(timeline.loads_in(TimeRange(-math.inf, range_.end)))),
        metrics=custom_metrics(loads),
        host=summarise_host(hosts) if hosts else None,
        roles={role: usage for role, usage in roles.items() if usage.processes is not None},
        tree=tree,
        cut=cut,
        functions=tuple(function_totals(tree, cut)) if tree is not None else (),
        stack_s=stack_seconds(timeline, range_),
        stack_requests=matched_requests(timeline, range_, load) if load is not None else None,
        lost=lost if lost or tree is not None else None,
        verdict=judge(load, hosts) if load is not None else None,
    )


def load_of(samples: Sequence[LoadSample], kind: RequestKind) -> LoadRange | None:
    """Sum load samples up; None where there are none."""
    return summarise(samples, kind) if samples else None


def hosts_covered_s(samples: Sequence[HostSample]) -> float:
    """Return the time that samples of the machine stand for."""
    return sum(sample.interval_s for sample in samples)


def _endpoints(
    samples: Sequence[LoadSample], load: LoadRange | None, kind: RequestKind
) -> tuple[EndpointTotal, ...]:
    found = endpoint_totals(samples, kind)
    if not found and load is not None and (load.requests or load.latency.count):
        # A source that knows no endpoints: all its requests are those of one without a name.
        found = [EndpointTotal("", "", "", load.requests, load.failed, load.latency)]
    return tuple(found)


def compare(before: Measured, after: Measured) -> tuple[FunctionChange, ...]:
    """Return how functions changed per request; empty where there is nothing to compare."""
    sides = before.diff_side, after.diff_side
    if sides[0] is None or sides[1] is None:
        return ()
    return diff_functions(sides[0], sides[1])


def measure_baseline(timeline: Timeline, baseline: Baseline | None) -> Measured | None:
    """Ask the model for everything that it says of a baseline's range; None without one."""
    if baseline is None:
        return None
    return measure(timeline, TimeRange(baseline.start, baseline.end))


def marks_in(timeline: Timeline, range_: TimeRange) -> list[Mark]:
    """Return the marks of a range; unlike counts, one at its very start is in it."""
    return [mark for mark in timeline.marks if range_.start <= mark.at <= range_.end]
