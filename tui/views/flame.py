"""Where the cells of a flamegraph stand: a call tree laid out for a width.

A cell is as wide as its share of the weight, to an eighth of a column; the cells of its callees
never reach past it, and its own time is what stays empty beside them. Frames below half a column
are gathered into one cell at the end of their siblings, and their share is said.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple, TypeAlias

from tui.model.calltree import CallNode, CallTree, Path
from tui.views.flamecells import (
    EIGHTHS,
    THINNEST_EIGHTHS,
    CellRole,
    FlameCell,
    frame_cell,
    small_cell,
)
from tui.views.format import percent

Direction: TypeAlias = Literal["up", "down", "left", "right"]
"""Ways to walk through a flamegraph."""


@dataclass(frozen=True, slots=True)
class FlameLayout:
    """All cells of a flamegraph at one width."""

    columns: int
    zoom: Path
    rows: tuple[tuple[FlameCell, ...], ...]
    """The root's row first; cells from left to right."""
    too_small_ratio: float
    """Share of what is zoomed to that is only in gathered cells, or in none at all."""

    def row(self, number: int) -> tuple[FlameCell, ...]:
        """The cells of a row; none below the deepest."""
        return self.rows[number] if 0 <= number < len(self.rows) else ()

    def at(self, column: int, row: int) -> FlameCell | None:
        """The cell that has most of a column of a row."""
        start, end = column * EIGHTHS, (column + 1) * EIGHTHS
        shares = [
            (min(end, cell.end_eighths) - max(start, cell.start_eighths), cell)
            for cell in self.row(row)
            if cell.start_eighths < end and cell.end_eighths > start
        ]
        return max(shares, key=lambda share: share[0])[1] if shares else None

    def inwards(self, path: Path) -> Path:
        """The next frame to zoom to on the way to a frame: the first that is not full width.

        From the callers of what is zoomed to, no way leads further in.
        """
        if len(path) <= len(self.zoom):
            return self.zoom
        for depth in range(len(self.zoom) + 1, len(path)):
            cell = self.find(path[:depth])
            if cell is not None and cell.width_eighths < self.columns * EIGHTHS:
                return path[:depth]
        return path

    def step(self, path: Path, direction: Direction) -> Path:
        """Where one comes from a frame: its caller, its greatest callee, its neighbour in the row.

        Returns:
            The frame itself where there is nothing that way.
        """
        if direction == "up":
            return path[:-1]
        row = self.row(len(path) + (direction == "down"))
        cells = [cell for cell in row if cell.role is not CellRole.SMALL]
        if direction == "down":
            below = [cell for cell in cells if cell.path[:-1] == path]
            return max(below, key=lambda cell: cell.total_ratio).path if below else path
        paths = [cell.path for cell in cells]
        index = paths.index(path) + (1 if direction == "right" else -1)
        return paths[index] if 0 <= index < len(paths) else path

    def find(self, path: Path) -> FlameCell | None:
        """The cell of a frame; None if it is too small or outside of what is zoomed to."""
        cells = (c for c in self.row(len(path)) if c.role is not CellRole.SMALL)
        return next((c for c in cells if c.path == path), None)


class Tint(NamedTuple):
    """The colour of a frame where colours tell what changed, and the sign that says it too."""

    style_key: str
    """`diff-more`, `diff-less` or `diff-same`."""
    sign: str


UNCHANGED: Final = Tint("diff-same", "")


@dataclass(frozen=True, slots=True)
class FlameView:
    """What the flame pane shows; equal views need no repaint."""

    revision: int
    """Changes whenever the tree does."""
    tree: CallTree | None = field(compare=False)
    """None or without samples: `empty_text` is shown."""
    header: str
    """Like `last 10 s · 990 samples · cpu-clock 99 Hz · unknown 1%`."""
    empty_text: str = "No samples yet"
    """Why there is nothing to see, and what to do about it."""
    requests: int | None = None
    """Requests completed in the range, for CPU time per request."""
    request_noun: str = "request"
    """What is counted as one: `request`, `iteration` …"""
    seconds: float | None = None
    """Time that the stacks cover, for CPU time a second."""
    counted: str = ""
    """The event that periods count, like `cycles`; empty where they are nanoseconds."""
    is_sampled: bool = True
    """Whether a frame's number of samples tells how sure its cost is; of waits it does not."""
    roots_at_bottom: bool = False
    """Whether callees are drawn above their callers."""
    pattern: str = ""
    """What was searched for; empty without a search."""
    matches: frozenset[int] = field(default=frozenset(), compare=False)
    """`id` of the nodes that were found; the others are dimmed."""
    tint_revision: int = 0
    """Changes whenever the tints do."""
    tints: Mapping[int, Tint] | None = field(default=None, compare=False)
    """`id` of a node → its colour, where colours tell what changed; others are unchanged."""
    about: Callable[[CallNode], str] | None = field(default=None, compare=False)
    """What is said of a frame instead of its cost."""


def header_text(view: FlameView, layout: FlameLayout | None) -> str:
    """The view's header, and the share that is too small to be drawn at this width."""
    if layout is None or layout.too_small_ratio < 0.001:
        return view.header
    return f"{view.header} · too small {percent(layout.too_small_ratio)}"


def flame_header(tree: CallTree, range_text: str, event_text: str) -> str:
    """The line above a flamegraph: its range, its samples, and how far it can be trusted."""
    parts = [range_text, f"{tree.samples} samples", event_text]
    if tree.unknown_samples:
        parts.append(f"unknown {percent(tree.unknown_ratio)}")
    if tree.caller_lost_samples:
        parts.append(f"caller lost {percent(tree.caller_lost_ratio)}")
    return " · ".join(part for part in parts if part)


def weights(tree: CallTree, node: CallNode) -> tuple[int, int, int]:
    """Whole, own and total weight: the period, or samples where a file has no periods."""
    if tree.period_ns:
        return tree.period_ns, node.self_period_ns, node.total_period_ns
    return tree.samples, node.self_samples, node.total_samples


def lay_out(tree: CallTree, columns: int, *, zoom: Path = (), max_rows: int = 512) -> FlameLayout:
    """Lay out a call tree.

    Args:
        tree: The tree.
        columns: Of the terminal.
        zoom: The frame that gets the full width; its callers become full rows before it. If the
            tree does not have it, the nearest caller that it has.
        max_rows: Deepest row laid out.
    """
    zoom = tree.nearest(zoom)
    whole, _, _ = weights(tree, tree.root)
    if columns <= 0 or not whole:
        return FlameLayout(max(0, columns), zoom, (), 0.0)
    rows: list[tuple[FlameCell, ...]] = []
    node = tree.root
    for depth in range(len(zoom) + 1):
        if depth:
            node = next(c for c in node.children if c.frame == zoom[depth - 1])
        ratio = weights(tree, node)[2] / whole
        cell = frame_cell(node, zoom[:depth], 0, columns * EIGHTHS, ratio)
        if depth < len(zoom):
            cell = cell._replace(role=CellRole.ROOT, style_key="flame-root")
        rows.append((cell,))
    rest = _Rows(whole, by_period=bool(tree.period_ns))
    rest.descend(node, rows[-1][0], max_rows - len(rows))
    zoomed = weights(tree, node)[2]
    rows.extend(rest.rows)
    return FlameLayout(columns, zoom, tuple(rows), rest.hidden / zoomed if zoomed else 0.0)


class _Rows:
    """Lays out the rows after one cell, callers before callees."""

    def __init__(self, whole: int, *, by_period: bool) -> None:
        self.rows: list[tuple[FlameCell, ...]] = []
        self.hidden = 0
        self._whole = whole
        self._by_period = by_period

    def descend(self, node: CallNode, cell: FlameCell, max_rows: int) -> None:
        parents = [(node, cell)]
        while parents and len(self.rows) < max_rows:
            row: list[FlameCell] = []
            below: list[tuple[CallNode, FlameCell]] = []
            for parent, above in parents:
                if parent.children:
                    self._split(parent, above, row, below)
            if not row:
                break
            self.rows.append(tuple(row))
            parents = below

    def _split(
        self,
        parent: CallNode,
        above: FlameCell,
        row: list[FlameCell],
        below: list[tuple[CallNode, FlameCell]],
    ) -> None:
        """Share a cell's width among its children, the gathered small ones and its own time."""
        by_period, width = self._by_period, above.width_eighths
        whole = parent.total_period_ns if by_period else parent.total_samples
        drawn: list[CallNode] = []
        shares: list[int] = []
        small = 0
        for child in parent.children:
            weight = child.total_period_ns if by_period else child.total_samples
            if weight * width >= whole * THINNEST_EIGHTHS:
                drawn.append(child)
                shares.append(weight)
            else:
                small += weight
        self.hidden += small
        own = whole - sum(shares) - small
        widths = apportion([*shares, small, own], width)
        at = above.start_eighths
        for child, weight, eighths in zip(drawn, shares, widths, strict=False):
            path = (*above.path, child.frame)
            cell = frame_cell(child, path, at, at + eighths, weight / self._whole)
            row.append(cell)
            below.append((child, cell))
            at += eighths
        if widths[-2]:
            count, ratio = len(parent.children) - len(drawn), small / self._whole
            row.append(small_cell(above.path, at, at + widths[-2], ratio, count))


def apportion(weights: list[int], width: int) -> list[int]:
    """Share `width` eighths in proportion to weights, by largest remainder.

    Returns:
        Whole numbers with the sum `width` (nothing if all weights are 0), each less than one away
        from its exact share. Of equal remainders the first wins.
        Source: Hamilton's method of apportionment.
    """
    whole = sum(weights)
    if not whole:
        return [0] * len(weights)
    shares = [weight * width // whole for weight in weights]
    left = width - sum(shares)
    if left:
        remainders = [weight * width % whole for weight in weights]
        order = sorted(range(len(weights)), key=remainders.__getitem__, reverse=True)
        for index in order[:left]:
            shares[index] += 1
    return shares
