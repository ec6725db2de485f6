"""The flame pane: the stacks of a range through a lens, as graph, table or sandwich."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from collectors.samples import Frame, StackCount, StackMeasure
from tui.model.calldiff import TreeDiff, diff_functions, diff_trees
from tui.model.calltree import CallNode, CallTree
from tui.model.costchange import DiffSide
from tui.model.cuttotals import CutTotals, cut_totals
from tui.model.lens import Lens, Picture
from tui.model.load import kind_of, summarise
from tui.model.perrequest import matched_requests, stack_seconds
from tui.model.sandwich import sandwich
from tui.model.search import SearchResult, search
from tui.model.shape import Shape, Shaped, shape_tree
from tui.model.stackquality import stack_quality
from tui.model.timeline import Timeline, TimeRange
from tui.views.difftable import DiffTableView, build_diff_table, sign_of
from tui.views.flame import FlameView, Tint
from tui.views.format import percent
from tui.views.framecost import change_text
from tui.views.functiontable import FunctionTableView, build_function_table
from tui.views.load import NOUNS
from tui.views.names import readable_name
from tui.views.quality import quality_text, remedy_text
from tui.views.window import Window

SHAPE_WORDS: Final = {
    "inverted": "inverted",
    "by_module": "by module",
    "by_thread": "by thread",
    "collapse_recursion": "recursion folded",
    "hide_kernel": "kernel hidden",
}
TOO_FEW: Final = "= too few samples to compare"
OFF_CPU: Final = "off-CPU: wall time waited"


@dataclass(frozen=True, slots=True)
class FlamePaneView:
    """What the flame pane shows."""

    picture: Picture
    graph: FlameView
    """The flamegraph; in a sandwich what the function calls."""
    callers: FlameView | None = None
    """In a sandwich: who calls the function."""
    functions: FunctionTableView | None = None
    changes: DiffTableView | None = None
    """What changed since the baseline, as a table."""
    shape: Shape = field(default_factory=Shape)
    search: SearchResult | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Subject:
    """What the stacks are of."""

    profiler: str
    """How they were taken, like `cpu-clock 99 Hz`."""
    empty_text: str
    """Why there may be none."""
    has_clock: bool = True
    """Whether the range is a time in which they were taken."""
    counted: str = ""
    """The event that periods count, like `cycles`; empty where they are nanoseconds."""


@dataclass(frozen=True, slots=True, eq=False)
class _Side:
    """The stacks of one range in the shape of a lens, and what they are divided by."""

    counts: Mapping[int, StackCount]
    shaped: Shaped
    requests: int | None
    seconds: float
    cut: CutTotals
    """What the stacks lack; empty for a shape that has not all of each stack."""

    @property
    def tree(self) -> CallTree:
        return self.shaped.tree

    @property
    def diff_side(self) -> DiffSide | None:
        """For a comparison; None where there is nothing to compare."""
        if not self.requests or not self.tree.samples:
            return None
        return DiffSide(self.tree, self.requests, self.cut)


def build_flame_pane(
    timeline: Timeline, window: Window, lens: Lens, subject: Subject
) -> FlamePaneView:
    """Build the pane for a window."""
    side = _side(timeline, window.range, lens)
    graph = FlameView(
        revision=hash((window.end, window.length_s, side.tree.samples, side.tree.period_ns)),
        tree=side.tree,
        header=_header(timeline, side, window, lens, subject),
        empty_text=subject.empty_text,
        requests=side.requests,
        request_noun=NOUNS[kind_of(timeline.loads)],
        seconds=side.seconds or None if subject.has_clock else None,
        counted=subject.counted,
        is_sampled=lens.measure is StackMeasure.ON_CPU,
        roots_at_bottom=lens.roots_at_bottom,
    )
    if lens.picture is Picture.SANDWICH and lens.function is not None:
        return _sandwich(timeline, side, lens, lens.function, graph)
    view = FlamePaneView(lens.picture, graph, shape=lens.shape)
    if lens.compared_with:
        view = _compared(view, timeline, lens, side)
    if lens.picture is Picture.TABLE and view.changes is None:
        view = replace(view, functions=_functions(timeline, side, lens, view.graph))
    return _searched(view, lens.pattern)


def _side(timeline: Timeline, range_: TimeRange, lens: Lens) -> _Side:
    counts = timeline.stacks_in(range_, lens.measure)
    load = summarise(timeline.loads_in(range_), kind_of(timeline.loads))
    return _Side(
        counts,
        shape_tree(timeline.stacks, counts, lens.shape),
        matched_requests(timeline, range_, load, lens.measure),
        stack_seconds(timeline, range_, lens.measure),
        cut_totals(timeline, range_, lens.measure) if _is_whole(lens.shape) else {},
    )


def _is_whole(shape: Shape) -> bool:
    """Tell whether a shape has all stacks with all their frames."""
    return replace(shape, inverted=False) == Shape()


def _header(timeline: Timeline, side: _Side, window: Window, lens: Lens, subject: Subject) -> str:
    """Name the range, its samples, how far they can be trusted, and what the lens leaves out."""
    shape, shaped, samples = lens.shape, side.shaped, side.tree.samples
    remedy = ""
    if lens.measure is StackMeasure.ON_CPU:
        lost = timeline.lost_in(window.range)
        quality = stack_quality(timeline.stacks, side.counts, lost)
        parts = [window.text, f"{samples} samples", subject.profiler, quality_text(quality)]
        remedy = remedy_text(quality)
    else:
        parts = [window.text, f"{samples} waits", OFF_CPU]
    parts += [word for name, word in SHAPE_WORDS.items() if getattr(shape, name)]
    if shape.focus is not None:
        parts.append(f"only {readable_name(shape.focus.symbol)}")
    if shape.hide_idle or shape.hidden or shape.focus is not None:
        whole = side.tree.samples + shaped.left_out_samples
        parts.append(f"left out {percent(shaped.left_out_samples / whole if whole else 0.0)}")
    return " · ".join(part for part in (*parts, remedy) if part)


def _sandwich(
    timeline: Timeline, side: _Side, lens: Lens, function: Frame, graph: FlameView
) -> FlamePaneView:
    both = sandwich(timeline.stacks, side.counts, function, lens.shape)
    name = readable_name(function.symbol)
    header = f"{graph.header} · sandwich of {name}"
    text = f"{name} is in no stack of this range"
    if function in side.cut:
        lacking = f"{side.cut[function].samples} samples whose stacks lack it"
        header += f" · and {lacking}"
        text = f"{name} is only in {lacking}: it was cut out of them, nobody knows where"
    callers = replace(
        graph, tree=both.callers, header=header, empty_text=text, roots_at_bottom=True
    )
    callees = replace(
        graph, tree=both.callees, header="callees", empty_text=text, roots_at_bottom=False
    )
    return FlamePaneView(Picture.SANDWICH, callees, callers, shape=lens.shape)


def _compared(view: FlamePaneView, timeline: Timeline, lens: Lens, side: _Side) -> FlamePaneView:
    """Show what changed since the baseline, or say why that can't be."""
    graph = view.graph
    if lens.measure is StackMeasure.OFF_CPU:
        # A wait may be of any length: from their number nothing follows for their sum.
        return _noted(view, "waits are not compared")
    baseline = timeline.baselines.get(lens.compared_with)
    if baseline is None:
        return _noted(view, f"no baseline {lens.compared_with} yet")
    before = _side(timeline, TimeRange(baseline.start, baseline.end), lens).diff_side
    after = side.diff_side
    if before is None or after is None:
        where = baseline.name if before is None else "this range"
        return _noted(view, f"vs {baseline.name}: no requests or no samples in {where}")
    is_time = bool(after.tree.period_ns)
    diff = diff_trees(before, after)
    changed = len(diff.changed.keys() - {id(after.tree.root)})
    said = f"vs {baseline.name}: {changed} of {diff.compared} frames changed"
    gone = sum(change.is_changed for _, change in diff.vanished)
    if gone:
        said += f", {gone} gone"
    view = _noted(replace(view, graph=_tinted(graph, diff, is_time=is_time)), said)
    if lens.picture is Picture.TABLE and not lens.shape.inverted:
        view = replace(view, changes=_changes(view.graph, lens, before, after))
    return view


def _changes(graph: FlameView, lens: Lens, before: DiffSide, after: DiffSide) -> DiffTableView:
    return build_diff_table(
        diff_functions(before, after),
        lens.order,
        lens.pattern,
        header=graph.header,
        is_time=bool(after.tree.period_ns),
        noun=graph.request_noun,
    )


def _noted(view: FlamePaneView, text: str) -> FlamePaneView:
    return replace(view, graph=replace(view.graph, header=f"{view.graph.header} · {text}"))


def _tinted(graph: FlameView, diff: TreeDiff, *, is_time: bool) -> FlameView:
    """Colour the frames by what changed in them; signs say it too."""
    signs = {"▲": "+", "▼": "−"}
    tints, changed = {}, []
    for node, change in diff.changed.items():
        sign, key = sign_of(change)
        tints[node] = Tint(key, signs[sign])
        changed.append((change.before, change.after))

    def about(node: CallNode) -> str:
        change = diff.change_of(node)
        if change is None:
            return TOO_FEW
        return change_text(change, graph.request_noun, is_time=is_time)

    return replace(graph, tints=tints, tint_revision=hash(tuple(changed)), about=about)


def _functions(timeline: Timeline, side: _Side, lens: Lens, graph: FlameView) -> FunctionTableView:
    """Build the table; it is of the stacks as they were called, whichever way the graph is."""
    tree = side.tree
    if lens.shape.inverted:
        shape = replace(lens.shape, inverted=False)
        tree = shape_tree(timeline.stacks, side.counts, shape).tree
    table = build_function_table(
        tree,
        graph.requests,
        lens.order,
        lens.pattern,
        seconds=graph.seconds,
        counted=graph.counted,
        noun=graph.request_noun,
        header=graph.header,
        cut=side.cut,
    )
    return table if table.rows or lens.pattern else replace(table, empty_text=graph.empty_text)


def _searched(view: FlamePaneView, pattern: str) -> FlamePaneView:
    """Mark what a search finds, and say how much it is."""
    tree = view.graph.tree
    if not pattern or tree is None:
        return view
    try:
        found = search(tree, pattern, readable_name)
    except ValueError as error:
        return _noted(view, str(error))
    graph = replace(view.graph, pattern=pattern, matches=found.nodes)
    return _noted(replace(view, graph=graph, search=found), search_text(found, tree))


def search_text(found: SearchResult, tree: CallTree) -> str:
    """How many frames match, and their share of the whole."""
    whole, total = tree.samples, found.total_samples
    if tree.period_ns:
        whole, total = tree.period_ns, found.total_period_ns
    matches = "1 match" if found.count == 1 else f"{found.count} matches"
    return f"{matches}, {percent(total / whole if whole else 0.0)}"
