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
from tui.views.format import fit, milliseconds, percent
from tui.views.names import readable_name

WIDTH: Final = 1200
ROW: Final = 18
TOP: Final = 44
CHAR: Final = 7.25
"""Width of a character, of the widest of the fonts that may be there."""
LEAST_SHARE: Final = 1e-4
"""Frames with a smaller share are left out; even zoomed to their caller they are thin."""
MAX_ROWS: Final = 300

_HUES: Final = {
    FrameKind.USER: (24, 72, 62),
    FrameKind.KERNEL: (206, 52, 62),
    FrameKind.JIT: (96, 42, 60),
    FrameKind.UNKNOWN: (0, 0, 66),
}
FLAME_STYLE: Final = """
.flame { background: var(--flame-ground, #fdfbf7); fill: var(--flame-ink, #1b120c);
  font: 12px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
.flame .frame { cursor: pointer; } .flame .frame text { fill: #1b120c; pointer-events: none; }
.flame .frame:hover rect { stroke: var(--flame-ink, #1b120c); }
.flame .frame.above rect { opacity: .5; } .flame .frame.other rect { opacity: .3; }
.flame .frame.above text, .flame .frame.other text { fill: var(--flame-ink, #1b120c); }
.flame .frame.match rect { stroke: #7a0fb0; stroke-width: 2; }
.flame .frame.match text { font-weight: bold; text-decoration: underline; }
.flame input { font: inherit; width: 98%; }
"""
"""What a drawing needs to look like one; nothing in it is about anything else."""


def flame_svg(
    table: StackTable, counts: Mapping[int, StackCount], title: str, event: str | None = None
) -> Iterator[str]:
    """Yield the parts of a file that needs nothing else.

    Args:
        table: Knows the stacks.
        counts: Stack id → count.
        title: What is shown above the graph.
        event: What periods count where that is not nanoseconds.
    """
    yield from _drawn(
        table, counts, title, event, f"<title>{_escaped(title)}</title><style>{FLAME_STYLE}</style>"
    )
    yield f"<script><![CDATA[\n{flame_script()}]]></script>\n</svg>\n"


def flame_drawing(
    table: StackTable, counts: Mapping[int, StackCount], title: str, event: str | None = None
) -> Iterator[str]:
    """Yield the parts of an element for a page that has `FLAME_STYLE` and `flame_script` itself.

    Its names are escaped for HTML as well. The arguments are those of `flame_svg`.
    """
    yield from _drawn(table, counts, title, event, "")
    yield "</svg>\n"


def flame_script() -> str:
    """Return the script that zooms and searches all drawings of a document."""
    return files("tui.export.stacks").joinpath("flame.js").read_text(encoding="utf-8")


def _drawn(
    table: StackTable,
    counts: Mapping[int, StackCount],
    title: str,
    event: str | None,
    head: str,
) -> Iterator[str]:
    tree = build_tree(table, counts)
    by_period = has_periods(counts)
    whole = _weight(tree.root, by_period=by_period)
    cells = list(_cells(tree.root, whole, by_period=by_period))
    height = TOP + ROW * (1 + max((row for _, row, _, _ in cells), default=0)) + 10
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="flame" viewBox="0 0 {WIDTH} {height}"'
        f' width="100%" data-width="{WIDTH}" data-char="{CHAR}" tabindex="0">\n{head}\n'
        f'<text x="3" y="16" font-weight="bold">{_escaped(title)}</text>'
        f'<text class="told" x="3" y="36"></text>\n'
        f'<foreignObject x="{WIDTH - 260}" y="4" width="256" height="24">'
        '<input xmlns="http://www.w3.org/1999/xhtml" class="query" type="text"'
        ' placeholder="search: a regular expression" aria-label="search"/></foreignObject>\n'
    )
    for node, row, x, share in cells:
        amount = _amount(node, event) if by_period else f"{node.total_samples} samples"
        yield _cell(node, row, x, share, amount)


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
    name, short = node.frame.symbol, readable_name(node.frame.symbol)
    module = f" ({node.frame.module})" if node.frame.module else ""
    told = f"{name}{module}: {percent(share)}, {amount}"
    y = TOP + row * ROW
    # What the script writes again when it zooms; there are viewers and printers that run none.
    room = int((share * WIDTH - 6) / CHAR)
    label = _escaped(fit(short, room)) if room >= 3 else ""
    return (
        f'<g class="frame" data-x="{x:.9f}" data-w="{share:.9f}" data-row="{row}"'
        f' data-name="{_escaped(name)}" data-short="{_escaped(short)}"'
        f' data-told="{_escaped(told)}">'
        f'<rect y="{y}" height="{ROW - 1}" x="{x * WIDTH:.2f}" width="{share * WIDTH:.2f}"'
        f' fill="{_colour(node.frame)}" rx="1"/>'
        f'<text y="{y + 13}" x="{x * WIDTH + 3:.2f}">{label}</text></g>\n'
    )


def _escaped(text: str) -> str:
    """Return a text for an element or an attribute; XML has no way to write U+FFFE and U+FFFF."""
    return html.escape(text.replace("\ufffe", "\ufffd").replace("\uffff", "\ufffd"))


def _colour(frame: Frame) -> str:
    hue, saturation, light = _HUES[frame.kind]
    shade = crc32(f"{frame.module}\0{frame.symbol}".encode()) % 14
    return f"hsl({hue + shade},{saturation}%,{light + shade % 5 * 2}%)"
