"""The cells of a flamegraph: what each stands for, from where to where it reaches, what it says.

Places are in eighths of a column: block characters can show that much. A column shows two colours
at most, so a frame of half a column is the thinnest of which every one can be seen.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple
from zlib import crc32

from collectors.samples import Frame, FrameKind
from collectors.stackfile.folded import INLINED_MODULE
from tui.model.calltree import CallNode, Path
from tui.model.stacks import CALLER_LOST_FRAME
from tui.views.format import cell_width, fit
from tui.views.names import readable_name, short_name

EIGHTHS: Final = 8
"""Of a column."""
THINNEST_EIGHTHS: Final = 4
"""The thinnest frame that has a cell of its own."""
HUES: Final = {FrameKind.USER: 8, FrameKind.KERNEL: 4, FrameKind.JIT: 4, FrameKind.UNKNOWN: 1}
"""Shades a theme has for each kind."""


INLINED_MARK: Final = "↳"
"""In front of the name of what a compiler inlined: it is a part of its caller, never called."""


class CellRole(StrEnum):
    """What a cell stands for."""

    FRAME = "frame"
    ROOT = "root"
    """Everything, and the callers of what is zoomed to: wider than their share."""
    LOST = "lost"
    """Parent of the stacks whose callers were lost."""
    SMALL = "small"
    """Frames that are too thin for cells of their own, together."""


class FlameCell(NamedTuple):
    """One cell of a row; a tuple because a screen has thousands."""

    start_eighths: int
    """From the left edge of the pane."""
    end_eighths: int
    label: str
    """Stands to the right of the column that the cell begins in, in whole columns."""
    path: Path
    """Of the frame; of its parent where several small ones are gathered."""
    role: CellRole
    style_key: str
    """`flame-user-3`, `flame-unknown-0`, `flame-root`, `flame-lost`, `flame-small`."""
    total_ratio: float
    """Share of the whole tree, not of what is zoomed to."""
    frames: int = 1
    """How many frames are gathered here."""
    node: CallNode | None = None
    """The frame in its tree; None where several are gathered."""

    @property
    def width_eighths(self) -> int:
        """How wide it is."""
        return self.end_eighths - self.start_eighths


def label_columns(start_eighths: int, end_eighths: int) -> int:
    """Whole columns of a cell that its label may take; the one it begins in has its edge."""
    return max(0, end_eighths // EIGHTHS - start_eighths // EIGHTHS - 1)


def frame_cell(
    node: CallNode, path: Path, start_eighths: int, end_eighths: int, ratio: float
) -> FlameCell:
    """The cell of one frame; `ratio` is its share of the whole tree."""
    frame = node.frame
    if not path:
        role, style_key = CellRole.ROOT, "flame-root"
    elif frame is CALLER_LOST_FRAME:
        role, style_key = CellRole.LOST, "flame-lost"
    else:
        role, style_key = CellRole.FRAME, f"flame-{frame.kind}-{hue(frame)}"
    return FlameCell(
        start_eighths,
        end_eighths,
        frame_label(frame, label_columns(start_eighths, end_eighths)),
        path,
        role,
        style_key,
        ratio,
        node=node,
    )


def small_cell(
    path: Path, start_eighths: int, end_eighths: int, ratio: float, frames: int
) -> FlameCell:
    """The cell of some thin frames; `path` is that of their parent."""
    room = label_columns(start_eighths, end_eighths)
    text = f"·{frames}·".ljust(room, "·") if len(f"·{frames}·") <= room else "·" * room
    return FlameCell(
        start_eighths, end_eighths, text, path, CellRole.SMALL, "flame-small", ratio, frames
    )


def frame_label(frame: Frame, width: int) -> str:
    """The most that can be said of a frame in `width` columns: its name, and if it was inlined."""
    if frame.module != INLINED_MODULE:
        return label(frame.symbol, width)
    name = label(frame.symbol, width - 1)
    return INLINED_MARK + name if name else ""


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
