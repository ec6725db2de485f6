"""What one frame of a flamegraph cost: its shares, CPU time per request, and what changed in it."""

from __future__ import annotations

from dataclasses import dataclass

from tui.model.calltree import CallNode, CallTree, Path
from tui.model.costchange import CostChange
from tui.model.poisson import interval
from tui.views.flame import weights
from tui.views.format import cell_width, fit, milliseconds, pad, percent, rate


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
    total_us_interval: tuple[float, float] | None = None
    """The 95 % interval of the total, from the number of samples."""
    total_cores: float | None = None
    """CPU seconds a second; None where the time that the stacks cover is not known."""
    counted: str = ""
    """The event that periods count, like `cycles`; empty where they are nanoseconds."""
    self_events: int = 0
    """How many of it there were."""
    total_events: int = 0


def detail(
    tree: CallTree,
    path: Path,
    requests: int | None,
    seconds: float | None = None,
    *,
    is_sampled: bool = True,
    counted: str = "",
) -> FrameDetail | None:
    """What the frame at a path cost; None if the tree does not have it.

    Args:
        tree: The tree.
        path: Of the frame.
        requests: Completed in the range of the tree.
        seconds: That the stacks of the tree cover.
        is_sampled: Whether the number of samples tells how sure a cost is.
        counted: The event that periods count where that is not nanoseconds; no cost is a time then.
    """
    node = tree.find(path)
    if node is None:
        return None
    whole, own, total = weights(tree, node)
    is_time = bool(tree.period_ns) and not counted
    per_request = 1 / 1000 / requests if requests and is_time else None
    return FrameDetail(
        symbol=node.frame.symbol,
        module=node.frame.module,
        self_ratio=own / whole if whole else 0.0,
        total_ratio=total / whole if whole else 0.0,
        self_us_per_request=per_request and node.self_period_ns * per_request,
        total_us_per_request=per_request and node.total_period_ns * per_request,
        total_us_interval=_interval_us(node, per_request) if is_sampled else None,
        total_cores=node.total_period_ns / 1e9 / seconds if seconds and is_time else None,
        counted=counted if tree.period_ns else "",
        self_events=node.self_period_ns if counted else 0,
        total_events=node.total_period_ns if counted else 0,
    )


def _interval_us(node: CallNode, per_request: float | None) -> tuple[float, float] | None:
    if per_request is None or not node.total_samples:
        return None
    weight = node.total_period_ns / node.total_samples * per_request
    low, high = interval(node.total_samples)
    return low * weight, high * weight


def detail_text(frame: FrameDetail, noun: str = "request", *, with_interval: bool = False) -> str:
    """The numbers in one line: shares, and CPU time per request where it is known.

    Without requests it is CPU time a second, in cores; of an event that is no clock how many of it
    there were.
    """
    total, own = f"total {percent(frame.total_ratio)}", f"self {percent(frame.self_ratio)}"
    if frame.total_us_per_request is not None and frame.self_us_per_request is not None:
        total += f" {milliseconds(frame.total_us_per_request / 1e6)}/{noun}"
        own += f" {milliseconds(frame.self_us_per_request / 1e6)}/{noun}"
        if with_interval and frame.total_us_interval is not None:
            total += f" ({_span(*frame.total_us_interval)})"
        if with_interval and frame.total_cores is not None:
            # What a request costs on average says little where requests are of several kinds.
            total += f" {frame.total_cores:.3g} cores"
    elif frame.total_cores is not None:
        total += f" {frame.total_cores:.3g} cores"
    elif frame.counted:
        total += f" {rate(frame.total_events)} {frame.counted}"
        own += f" {rate(frame.self_events)}"
    return f"{total} · {own}"


def _span(low_us: float, high_us: float) -> str:
    """Return an interval; where both ends have one unit it is said once: `8.14 to 12.2 µs`."""
    low, high = milliseconds(low_us / 1e6), milliseconds(high_us / 1e6)
    number, _, unit = low.partition(" ")
    return f"{number} to {high}" if high.endswith(f" {unit}") else f"{low} to {high}"


def change_text(change: CostChange, noun: str = "request", *, is_time: bool = True) -> str:
    """What changed in a frame: sign, difference per request, ratio, and the interval of both.

    Args:
        change: The change.
        noun: What is counted as one.
        is_time: Whether costs are µs; else they are samples.
    """
    low, high = (signed_cost(bound, is_time=is_time) for bound in change.interval_us)
    if not change.is_changed:
        return f"= unchanged ({low} to {high}/{noun})"
    sign = "▲" if change.delta_us > 0 else "▼"
    ratio = "new" if change.ratio is None else f"×{change.ratio:.3g}"
    return (
        f"{sign} {signed_cost(change.delta_us, is_time=is_time)}/{noun} {ratio} ({low} to {high})"
    )


def cost_text(cost: float, *, is_time: bool = True) -> str:
    """Return a cost per request: of µs as time, else as a number of samples."""
    return milliseconds(cost / 1e6) if is_time else f"{cost:.3g}"


def signed_cost(cost: float, *, is_time: bool = True) -> str:
    """Return a difference of costs with its sign."""
    return ("−" if cost < 0 else "+") + cost_text(abs(cost), is_time=is_time)


def detail_line(frame: FrameDetail, noun: str, width: int, about: str = "") -> tuple[str, str]:
    """The line below a flamegraph: the frame's name, filled up, and its numbers at the right.

    Where there is no room for both, the module goes first, then the beginning of the name.

    Args:
        frame: The frame.
        noun: What is counted as one.
        width: Columns.
        about: What is said instead of its shares, like what changed.
    """
    numbers = about or detail_text(frame, noun)
    name = f"{frame.symbol}  {frame.module}".rstrip()
    longer = about or detail_text(frame, noun, with_interval=True)
    if max(cell_width(name), 12) + 2 + cell_width(longer) <= width:
        numbers = longer
    room = max(width - cell_width(numbers) - 2, min(width, 12))
    if cell_width(name) > room:
        name = fit(frame.symbol, room, keep="end")
    gap = min(2, width - room)
    return pad(name, room) + " " * gap, fit(numbers, width - room - gap)
