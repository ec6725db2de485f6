"""Where the cells of a flamegraph stand: a call tree laid out for a width.

Roots are at the top. A cell is as wide as its share of the weight; the cells below it never reach
past it, and its own time is what stays empty below it. Frames too thin for one column are gathered
into one cell at the end of their siblings, and their share is said.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from math import floor
from typing import Final, Literal, NamedTuple, TypeAlias
from zlib import crc32

from collectors.samples import Frame, FrameKind
from tui.model.calltree import CallNode, CallTree, Path
from tui.model.stacks import CALLER_LOST_FRAME
from tui.views.format import cell_width, fit, percent
from tui.views.names import readable_name, short_name

HUES: Final = {FrameKind.USER: 8, FrameKind.KERNEL: 4, FrameKind.JIT: 4, FrameKind.UNKNOWN: 1}
"""Shades a theme has for each kind."""


Direction: TypeAlias = Literal["up", "down", "left", "right"]
"""Ways to walk through a flamegraph."""


class CellRole(StrEnum):
    """What a cell stands for."""

    FRAME = "frame"
    ROOT = "root"
    """Everything, and the callers of what is zoomed to: wider than their share."""
    LOST = "lost"
    """Parent of the stacks whose callers were lost."""
    SMALL = "small"
    """Frames that are thinner than a column, together."""


class FlameCell(NamedTuple):
    """One cell of a row; a tuple because a screen has thousands."""

    x: int
    width: int
    label: str
    """Fits into `width - 1` columns: the first one is the seam to the left neighbour."""
    path: Path
    """Of the frame; of its parent where several small ones are gathered."""
    role: CellRole
    kind: FrameKind
    hue: int
    """0 up to the number of shades of the kind, the same for a function everywhere."""
    total_ratio: float
    """Share of the whole tree, not of what is zoomed to."""
    frames: int = 1
    """How many frames are gathered here."""
    node: CallNode | None = None
    """The frame in its tree; None where several are gathered."""

    @property
    def style_key(self) -> str:
        """`flame-user-3`, `flame-unknown-0`, `flame-root`, `flame-lost`, `flame-small`."""
        if self.role is CellRole.FRAME:
            return f"flame-{self.kind}-{self.hue}"
        return f"flame-{self.role}"


@dataclass(frozen=True, slots=True)
class FlameLayout:
    """All cells of a flamegraph at one width."""

    width: int
    zoom: Path
    rows: tuple[tuple[FlameCell, ...], ...]
    """The root's row first; cells from left to right."""
    too_small_ratio: float
    """Share of what is zoomed to that is only in gathered cells, or in none at all."""

    def row(self, number: int) -> tuple[FlameCell, ...]:
        """The cells of a row; none below the deepest."""
        return self.rows[number] if 0 <= number < len(self.rows) else ()

    def at(self, x: int, row: int) -> FlameCell | None:
        """The cell at a column of a row."""
        return next((c for c in self.row(row) if c.x <= x < c.x + c.width), None)

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
    roots_at_bottom: bool = False
    """Whether callees are drawn above their callers."""
    pattern: str = ""
    """What was searched for; empty without a search."""
    matches: frozenset[int] = field(default=frozenset(), compare=False)
    """`id` of the nodes that were found; the others are dimmed."""
    tint_revision: int = 0
    """Changes whenever the tints do."""
    tints: Mapping[int, Tint] | None = field(default=None, compare=False)
    """`id` of a node → its colour, where the colours tell what changed."""
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


def lay_out(tree: CallTree, width: int, *, zoom: Path = (), max_rows: int = 512) -> FlameLayout:
    """Lay out a call tree.

    Args:
        tree: The tree.
        width: Columns.
        zoom: The frame that gets the full width; its callers become full rows above it. If the
            tree does not have it, the nearest caller that it has.
        max_rows: Deepest row laid out.
    """
    zoom = tree.nearest(zoom)
    whole, _, _ = weights(tree, tree.root)
    if width <= 0 or not whole:
        return FlameLayout(max(0, width), zoom, (), 0.0)
    rows: list[tuple[FlameCell, ...]] = []
    node = tree.root
    for depth in range(len(zoom) + 1):
        if depth:
            node = next(c for c in node.children if c.frame == zoom[depth - 1])
        cell = _cell(node, zoom[:depth], 0, width, whole, bool(tree.period_ns))
        rows.append((cell if depth == len(zoom) else cell._replace(role=CellRole.ROOT),))
    rest = _Rows(whole, by_period=bool(tree.period_ns))
    rest.descend(node, rows[-1][0], max_rows - len(rows))
    zoomed = weights(tree, node)[2]
    rows.extend(rest.rows)
    return FlameLayout(width, zoom, tuple(rows), rest.hidden / zoomed if zoomed else 0.0)


class _Rows:
    """Lays out the rows below one cell, from top to bottom."""

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
        by_period, width = self._by_period, above.width
        if by_period:
            weights = [child.total_period_ns for child in parent.children]
            whole = parent.total_period_ns
        else:
            weights = [child.total_samples for child in parent.children]
            whole = parent.total_samples
        drawn = [
            (child, weight)
            for child, weight in zip(parent.children, weights, strict=True)
            if weight * width >= whole
        ]
        shown = [weight for _, weight in drawn]
        small, own = sum(weights) - sum(shown), whole - sum(weights)
        self.hidden += small
        widths = apportion([*shown, small, own], width)
        x = above.x
        for (child, _), cells in zip(drawn, widths, strict=False):
            cell = _cell(child, (*above.path, child.frame), x, cells, self._whole, by_period)
            row.append(cell)
            below.append((child, cell))
            x += cells
        if widths[-2]:
            count = len(weights) - len(drawn)
            row.append(_small_cell(above.path, x, widths[-2], small / self._whole, count))


def apportion(weights: list[int], width: int) -> list[int]:
    """Share `width` columns in proportion to weights, by largest remainder.

    Returns:
        Whole numbers with the sum `width` (nothing if all weights are 0), each less than one away
        from its exact share. Of equal remainders the first wins.
        Source: Hamilton's method of apportionment.
    """
    whole = sum(weights)
    if not whole:
        return [0] * len(weights)
    exact = [weight * width / whole for weight in weights]
    shares = [floor(share) for share in exact]
    left = width - sum(shares)
    if left:
        order = sorted(range(len(weights)), key=lambda i: shares[i] - exact[i])
        for index in order[:left]:
            shares[index] += 1
    return shares


def _cell(node: CallNode, path: Path, x: int, width: int, whole: int, by_period: bool) -> FlameCell:
    frame = node.frame
    role = CellRole.FRAME
    if not path:
        role = CellRole.ROOT
    elif frame is CALLER_LOST_FRAME:
        role = CellRole.LOST
    weight = node.total_period_ns if by_period else node.total_samples
    return FlameCell(
        x,
        width,
        label(frame.symbol, width - 1),
        path,
        role,
        frame.kind,
        hue(frame),
        weight / whole,
        node=node,
    )


def _small_cell(path: Path, x: int, width: int, ratio: float, frames: int) -> FlameCell:
    text = "·" * (width - 1)
    number = f"·{frames}·"
    if len(number) < width:
        text = number + text[len(number) :]
    return FlameCell(x, width, text, path, CellRole.SMALL, FrameKind.UNKNOWN, 0, ratio, frames)


def label(symbol: str, width: int) -> str:
    """The most that can be said of a symbol in `width` columns; nothing below three.

    Where the whole path does not fit, its last parts say more than its first.
    """
    if width < 3:
        return ""
    name = readable_name(symbol)
    if name.isascii() and len(name) <= width:
        return name
    if cell_width(name) > width:
        name = short_name(symbol)
        while cell_width(name) > width and "::" in name and not name.startswith("<"):
            name = name.partition("::")[2]
    return fit(name, width)


def hue(frame: Frame) -> int:
    """Which shade of its kind a function has: the same in every run and on every machine."""
    shades = HUES[frame.kind]
    return crc32(f"{frame.module}\0{frame.symbol}".encode()) % shades if shades > 1 else 0
