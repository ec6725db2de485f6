"""Ranges of a run in words: `0:30-1:00`, `last 30s`, `run 2`, the name of a baseline, `all`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from tui.model.duration import parse_duration
from tui.model.timeline import Timeline, TimeRange

# With a number: a baseline may be called `last good`.
_LAST = re.compile(r"last\s*(\d\S*)", re.IGNORECASE)
_SPAN = re.compile(r"\s*([\d:.hms]*)\s*(?:-|\.\.|to)\s*([\d:.hms]*)\s*")


class SpecKind(StrEnum):
    """What a range is named by."""

    ALL = "all"
    LAST = "last"
    SPAN = "span"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class RangeSpec:
    """A range that is not looked up yet."""

    kind: SpecKind = SpecKind.ALL
    start_s: float | None = None
    """Of a span, since the load began; None: from its begin. Of the last seconds: how many."""
    end_s: float | None = None
    name: str = ""
    """Of a baseline; every run that ended is one, too."""

    def __str__(self) -> str:
        """As it may be typed."""
        match self.kind:
            case SpecKind.LAST:
                return f"last {_seconds(self.start_s)}"
            case SpecKind.SPAN:
                return "-".join(_seconds(each) for each in (self.start_s, self.end_s))
            case SpecKind.NAME:
                return self.name
            case _:
                return "all"


def _seconds(value: float | None) -> str:
    # Without an exponent, which nobody types.
    return "" if value is None else f"{value:.9f}".rstrip("0").rstrip(".") + "s"


def parse_range(text: str) -> RangeSpec:
    """Return what a text says.

    Raises:
        ValueError: a time in it is none, or it ends before it begins.
    """
    text = text.strip()
    last, span = _LAST.fullmatch(text), _SPAN.fullmatch(text)
    if not text or text.lower() == "all":
        return RangeSpec()
    if last is not None:
        return RangeSpec(SpecKind.LAST, parse_duration(last[1]))
    if span is not None and (span[1] or span[2]):
        start, end = (parse_moment(each) if each else None for each in span.groups())
        if start is not None and end is not None and end <= start:
            raise ValueError(f"{text!r} ends before it begins")
        return RangeSpec(SpecKind.SPAN, start, end)
    return RangeSpec(SpecKind.NAME, name=text)


def parse_moment(text: str) -> float:
    """Return seconds: `1:30`, `1:02:03`, `90`, `90s` or `1m30s`.

    Raises:
        ValueError: it is none of them.
    """
    text = text.strip()
    if ":" not in text:
        return parse_duration(text, may_be_zero=True)
    parts = text.split(":")
    if len(parts) > 3 or not all(each.isdecimal() and len(each) <= 6 for each in parts):
        raise ValueError(f"{text!r} is no time; write it like 1:30, 1:02:03 or 90s")
    seconds = 0
    for part in parts:
        seconds = seconds * 60 + int(part)
    return float(seconds)


def load_zero(timeline: Timeline) -> float:
    """Return when the first load began; the begin of everything where there was none."""
    first = timeline.loads[0] if timeline.loads else None
    return first.at - first.interval_s if first is not None else timeline.origin


def everything(timeline: Timeline) -> TimeRange:
    """Return the range of all that was measured: of the load, else of the stacks."""
    if timeline.loads:
        return TimeRange(load_zero(timeline), timeline.loads[-1].at)
    stacked = timeline.stacked()
    if stacked is None:
        return TimeRange(timeline.origin, timeline.origin)
    # Whole seconds of stacks: from before the first one to after the last.
    return TimeRange(int(stacked.start) - 0.5, int(stacked.end) + 1.0)


def resolve(spec: RangeSpec, timeline: Timeline) -> TimeRange:
    """Return the range that is meant.

    Raises:
        ValueError: there is no such baseline, or nothing was measured then.
    """
    whole, zero = everything(timeline), load_zero(timeline)
    match spec.kind:
        case SpecKind.LAST:
            found = TimeRange(max(whole.start, whole.end - (spec.start_s or 0.0)), whole.end)
        case SpecKind.SPAN:
            start = whole.start if spec.start_s is None else zero + spec.start_s
            end = whole.end if spec.end_s is None else min(whole.end, zero + spec.end_s)
            found = TimeRange(start, end)
        case SpecKind.NAME:
            baseline = timeline.baselines.get(spec.name)
            if baseline is None:
                names = ", ".join(timeline.baselines) or "none"
                raise ValueError(f"there is no baseline {spec.name!r}; there are: {names}")
            found = TimeRange(baseline.start, baseline.end)
        case _:
            found = whole
    if found.end <= found.start:
        raise ValueError(f"nothing was measured in {spec}")
    return found
