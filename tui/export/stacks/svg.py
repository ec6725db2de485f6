"""A flamegraph as one SVG file that needs nothing else: zoom by click, search, figures on hover.

Roots are at the top. Names are data: they stand in attributes and texts, escaped, and the script,
which is always the same, sets them as text only.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Final
from zlib import crc32

from collectors.samples import Frame, FrameKind, StackCount
from tui.export.stacks.counted import has_periods
from tui.model.calltree import CallNode, build_tree
from tui.model.stacks import StackTable
from tui.views.format import milliseconds, percent
from tui.views.names import readable_name

WIDTH: Final = 1200
ROW: Final = 18
TOP: Final = 44
LEAST_SHARE: Final = 1e-4
"""Frames with a smaller share are left out; even zoomed to their caller they are thin."""
MAX_ROWS: Final = 300

_HUES: Final = {
    FrameKind.USER: (24, 72, 62),
    FrameKind.KERNEL: (206, 52, 62),
    FrameKind.JIT: (96, 42, 60),
    FrameKind.UNKNOWN: (0, 0, 66),
}
_STYLE: Final = """
svg { background: #fdfbf7; font: 12px ui-monospace, Menlo, Consolas, monospace; }
.frame { cursor: pointer; } .frame text { fill: #1b120c; pointer-events: none; }
.frame:hover rect { stroke: #1b120c; } .frame.above { opacity: .55; }
.frame.match rect { stroke: #7a0fb0; stroke-width: 2; }
.frame.match text { font-weight: bold; text-decoration: underline; } .frame.other { opacity: .35; }
input { font: inherit; width: 98%; }
"""


def flame_svg(
    table: StackTable, counts: Mapping[int, StackCount], title: str, event: str | None = None
) -> Iterator[str]:
    """Yield the parts of the file.

    Args:
        table: Knows the stacks.
        counts: Stack id → count.
        title: What is shown above the graph.
        event: What periods count where that is not nanoseconds.
    """
    tree = build_tree(table, counts)
    by_period = has_periods(counts)
    whole = _weight(tree.root, by_period=by_period)
    cells = list(_cells(tree.root, whole, by_period=by_period))
    height = TOP + ROW * (1 + max((row for _, row, _, _ in cells), default=0)) + 10
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"'
        f' width="100%" data-width="{WIDTH}" tabindex="0">\n'
        f"<title>{_escaped(title)}</title><style>{_STYLE}</style>\n"
        f'<text x="3" y="16" font-weight="bold">{_escaped(title)}</text>'
        f'<text id="told" x="3" y="36"></text>\n'
        f'<foreignObject x="{WIDTH - 260}" y="4" width="256" height="24">'
        '<input xmlns="http://www.w3.org/1999/xhtml" id="query" type="text"'
        ' placeholder="search: a regular expression" aria-label="search"/></foreignObject>\n'
    )
    for node, row, x, share in cells:
        amount = _amount(node, event) if by_period else f"{node.total_samples} samples"
        yield _cell(node, row, x, share, amount)
    script = files("tui.export.stacks").joinpath("flame.js").read_text(encoding="utf-8")
    yield f"<script><![CDATA[\n{script}]]></script>\n</svg>\n"


def _weight(node: CallNode, *, by_period: bool) -> int:
    return node.total_period_ns if by_period else node.total_samples


def _cells(
    root: CallNode, whole: int, *, by_period: bool
) -> Iterator[tuple[CallNode, int, float, float]]:
    """Yield nodes with row, place and share, callers before their callees."""
    stack = [(root, 0, 0.0)] if whole else []
    while stack:
        node, row, x = stack.pop()
        share = _weight(node, by_period=by_period) / whole
        if share < LEAST_SHARE or row >= MAX_ROWS:
            continue
        yield node, row, x, share
        for child in node.children:
            stack.append((child, row + 1, x))
            x += _weight(child, by_period=by_period) / whole


def _amount(node: CallNode, event: str | None) -> str:
    period = node.total_period_ns
    told = milliseconds(period / 1e9) if event is None else f"{period} {event}"
    return f"{node.total_samples} samples, {told}"


def _cell(node: CallNode, row: int, x: float, share: float, amount: str) -> str:
    name = node.frame.symbol
    module = f" ({node.frame.module})" if node.frame.module else ""
    told = f"{name}{module}: {percent(share)}, {amount}"
    y = TOP + row * ROW
    return (
        f'<g class="frame" data-x="{x:.9f}" data-w="{share:.9f}" data-row="{row}"'
        f' data-name="{_escaped(name)}" data-short="{_escaped(readable_name(name))}"'
        f' data-told="{_escaped(told)}">'
        f'<rect y="{y}" height="{ROW - 1}" x="{x * WIDTH:.2f}" width="{share * WIDTH:.2f}"'
        f' fill="{_colour(node.frame)}" rx="1"/><text y="{y + 13}"></text></g>\n'
    )


def _escaped(text: str) -> str:
    """Return a text for an element or an attribute; XML has no way to write U+FFFE and U+FFFF."""
    return html.escape(text.replace("\ufffe", "\ufffd").replace("\uffff", "\ufffd"))


def _colour(frame: Frame) -> str:
    hue, saturation, light = _HUES[frame.kind]
    shade = crc32(f"{frame.module}\0{frame.symbol}".encode()) % 14
    return f"hsl({hue + shade},{saturation}%,{light + shade % 5 * 2}%)"
