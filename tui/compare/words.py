"""The words and numbers of a comparison: figures, changes and their intervals."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Final

from collectors.samples import RequestKind
from tui.compare.comparison import Compared
from tui.model.change import Change
from tui.model.costchange import CostChange
from tui.model.duration import format_duration
from tui.model.metric import Dimension, Metric
from tui.views.format import (
    ABSENT,
    bytes_,
    count,
    cpu_cores,
    milliseconds,
    percent,
    rate,
)
from tui.views.load import NOUNS, RATE_TITLES

NO_CHANGE: Final = "="
UNSURE: Final = " "
"""The sign of a figure of which nothing tells how sure it is."""

_WRITERS: Final[Mapping[Dimension, Callable[[float], str]]] = {
    Dimension.RATE: rate,
    Dimension.COUNT: lambda value: count(round(value)),
    Dimension.SHARE: percent,
    Dimension.TIME: milliseconds,
    Dimension.CORES: cpu_cores,
    Dimension.BYTES: bytes_,
}


def title(metric: Metric, kind: RequestKind) -> str:
    """Return what a figure is called in a table."""
    noun = NOUNS[kind]
    match metric:
        case Metric.RPS:
            return RATE_TITLES[kind]
        case Metric.REQUESTS:
            return f"{noun}s"
        case Metric.ERRORS:
            return "failed"
        case Metric.CPU_PER_REQUEST:
            return f"CPU per {noun}"
        case Metric.SAMPLED_CPU_PER_REQUEST:
            return f"sampled CPU per {noun}"
        case Metric.GENERATOR_CPU:
            return "CPU of k6, cores"
        case Metric.MEMORY:
            return "most memory of server"
        case Metric.DROPPED:
            return "dropped iterations"
        case _:
            return f"latency {metric.value}"


def quantity(value: float | None, dimension: Dimension) -> str:
    """Return a figure as it is read."""
    if value is None or not math.isfinite(value):
        return ABSENT
    return _WRITERS[dimension](value)


def sign(change: Change | CostChange) -> str:
    """Return `▲`, `▼`, `=` for no more than chance, or a blank where that can't be told."""
    if change.is_changed:
        return "▲" if (_delta(change) or 0.0) > 0 else "▼"
    known = isinstance(change, CostChange) or change.delta_interval is not None
    return NO_CHANGE if known else UNSURE


def change_text(change: Change, dimension: Dimension) -> str:
    """Return by how much a figure changed: in %, of shares in percentage points; `new` from 0."""
    if change.delta is None:
        return ABSENT
    if dimension is Dimension.SHARE:
        return points(change.delta)
    if change.ratio is None or math.isinf(change.ratio):
        return "new" if change.ratio else signed_percent(0.0)
    return signed_percent(change.ratio - 1)


def interval_text(change: Change, dimension: Dimension) -> str:
    """Return the 95 % interval of `change_text`."""
    if dimension is Dimension.SHARE:
        return span(change.delta_interval, points)
    if change.ratio_interval is None:
        return ABSENT
    low, high = change.ratio_interval
    return span((low - 1, high - 1), signed_percent)


def span(interval: tuple[float, float] | None, write: Callable[[float], str]) -> str:
    """Return an interval; where both ends have one unit it is said once: `+8.1 to +12.2 %`."""
    if interval is None:
        return ABSENT
    low, high = map(write, interval)
    number, _, unit = low.partition(" ")
    return f"{number} to {high}" if unit and high.endswith(f" {unit}") else f"{low} to {high}"


def signed_percent(ratio: float) -> str:
    """Return a relative change: `+18.2 %`."""
    return _signed(ratio, lambda size: f"{_decimals(size * 100)} %")


def points(difference: float) -> str:
    """Return a change of a share in percentage points: `+0.62 pp`."""
    return _signed(difference, lambda size: f"{_decimals(size * 100)} pp")


def signed_quantity(value: float, dimension: Dimension) -> str:
    """Return a difference of a figure in its unit; of a share in percentage points."""
    if dimension is Dimension.SHARE:
        return points(value)
    return _signed(value, lambda size: quantity(size, dimension))


def function_cost(cost_us: float, *, is_time: bool) -> str:
    """Return what a function costs per request: a time, or samples."""
    return milliseconds(cost_us / 1e6) if is_time else f"{cost_us:.3g}"


def function_ratio(change: CostChange) -> str:
    """Return how many times as much a function costs."""
    return "new" if change.ratio is None else f"×{change.ratio:.2f}"


def function_interval(change: CostChange, *, is_time: bool) -> str:
    """Return the 95 % interval of the difference in what a function costs per request."""

    def write(cost_us: float) -> str:
        return _signed(cost_us, lambda size: function_cost(size, is_time=is_time))

    return span(change.interval_us, write)


def facts(each: Compared) -> Mapping[str, str]:
    """Return what a side was, by what is told: texts from outside are sanitised, not escaped."""
    about, range_ = each.side.about, each.side.range
    return {
        "run": each.side.name,
        "script": about.script,
        "target": about.target,
        "when": f"{about.wall_time(range_.start):%Y-%m-%d %H:%M:%S} UTC",
        "duration": format_duration(round(range_.duration_s, 1)),
        "load moved by": about.control,
        "profiler": about.profiler,
        "machine": about.machine,
        "k6": about.k6_version,
        "flashpoint": about.flashpoint_version,
    }


def _delta(change: Change | CostChange) -> float | None:
    return change.delta_us if isinstance(change, CostChange) else change.delta


def _signed(value: float, write: Callable[[float], str]) -> str:
    if math.isinf(value):
        return "−∞" if value < 0 else "+∞"
    sign_ = "−" if value < 0 else "+" if value > 0 else ""
    return f"{sign_}{write(abs(value))}"


def _decimals(value: float) -> str:
    decimals = 0 if value >= 999.5 else 1 if value >= 0.995 else 2
    return f"{value:.{decimals}f}" if value else "0"
