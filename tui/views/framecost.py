"""What one frame of a flamegraph cost: its shares, and CPU time per request."""

from __future__ import annotations

from dataclasses import dataclass

from tui.model.calltree import CallTree, Path
from tui.views.flame import weights
from tui.views.format import cell_width, fit, milliseconds, pad, percent


@dataclass(frozen=True, slots=True)
class FrameDetail:
    """What one frame cost."""

    symbol: str
    """In full."""
    module: str
    self_ratio: float
    total_ratio: float
    self_us_per_request: float | None
    """CPU time per request in µs; None without requests, or without periods."""
    total_us_per_request: float | None


def detail(tree: CallTree, path: Path, requests: int | None) -> FrameDetail | None:
    """What the frame at a path cost; None if the tree does not have it."""
    node = tree.find(path)
    if node is None:
        return None
    whole, own, total = weights(tree, node)
    per_request = 1 / 1000 / requests if requests and tree.period_ns else None
    return FrameDetail(
        symbol=node.frame.symbol,
        module=node.frame.module,
        self_ratio=own / whole if whole else 0.0,
        total_ratio=total / whole if whole else 0.0,
        self_us_per_request=per_request and node.self_period_ns * per_request,
        total_us_per_request=per_request and node.total_period_ns * per_request,
    )


def detail_text(frame: FrameDetail, noun: str = "request") -> str:
    """The numbers in one line: shares, and CPU time per request where it is known."""
    total, own = f"total {percent(frame.total_ratio)}", f"self {percent(frame.self_ratio)}"
    if frame.total_us_per_request is not None and frame.self_us_per_request is not None:
        total += f" {milliseconds(frame.total_us_per_request / 1e6)}/{noun}"
        own += f" {milliseconds(frame.self_us_per_request / 1e6)}/{noun}"
    return f"{total} · {own}"


def detail_line(frame: FrameDetail, noun: str, width: int) -> tuple[str, str]:
    """The line below a flamegraph: the frame's name, filled up, and its numbers at the right.

    Where there is no room for both, the module goes first, then the beginning of the name.
    """
    numbers = detail_text(frame, noun)
    room = max(width - cell_width(numbers) - 2, min(width, 12))
    name = f"{frame.symbol}  {frame.module}".rstrip()
    if cell_width(name) > room:
        name = fit(frame.symbol, room, keep="end")
    gap = min(2, width - room)
    return pad(name, room) + " " * gap, fit(numbers, width - room - gap)
