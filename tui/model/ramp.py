"""The notation in which an operator says what the load should become.

A ramp is steps joined by commas: `200` (at once), `200 in 30s` or `200/30s` (a straight line),
`+50`, `-20/10s`, `x2`, `x0.5/10s` (from the level before the step; `*` is `x` too).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate
from typing import Final

from tui.model.duration import format_duration, parse_duration

MOST: Final = 1e7
"""Amounts are below it, and no level is ever above it."""
MOST_STEPS: Final = 100
LONGEST_S: Final = 1e6
"""The duration of a step is below it."""

_STEP: Final = re.compile(
    r"([-+x×*]?)\s*([0-9]+(?:\.[0-9]*)?|\.[0-9]+)\s*(?:(?:/|in(?![a-z]))\s*(\S.*))?",
    re.IGNORECASE | re.DOTALL,
)
_QUOTED_CHARACTERS: Final = 40


class RampOperation(StrEnum):
    """What a step does with the level before it."""

    SET = "set"
    ADD = "add"
    TIMES = "times"


@dataclass(frozen=True, slots=True)
class RampStep:
    """One step of a ramp: where the level goes, and how long it takes to get there."""

    operation: RampOperation
    amount: float
    """The level itself, what is added to it (below zero: taken away), or what multiplies it."""
    duration_s: float = 0.0
    """Of the straight line; 0 is at once."""

    def applied(self, level: float) -> float:
        """Return the level after the step, from that before it; it may be out of bounds."""
        match self.operation:
            case RampOperation.SET:
                return self.amount
            case RampOperation.ADD:
                return level + self.amount
            case RampOperation.TIMES:
                return level * self.amount


def parse_ramp(text: str) -> tuple[RampStep, ...]:
    """Return the steps of a ramp like `50/10s,200 in 1m`.

    Amounts are kept to the millionth, durations to the millisecond.

    Raises:
        ValueError: a part of it is no step, or too large, or there are too many; in one sentence.
    """
    parts = text.split(",")
    if len(parts) > MOST_STEPS:
        raise ValueError(
            f"{len(parts)} steps are too many; a ramp has at most {MOST_STEPS}, "
            "like 50/10s,200 in 1m"
        )
    return tuple(_parse_step(part.strip()) for part in parts)


def _parse_step(part: str) -> RampStep:
    found = _STEP.fullmatch(part)
    if found is None:
        raise ValueError(
            f"{_quoted(part)} is no step of a load; write it like 200, 200 in 30s, +50/10s or x2"
        )
    sign, number, duration = found.groups()
    amount = round(float(number), 6)
    if not amount < MOST:
        raise ValueError(
            f"{_quoted(part)} is too much; write an amount below {MOST:.0f}, like 200 or +50"
        )
    duration_s = _parse_step_duration(duration) if duration else 0.0
    match sign:
        case "":
            return RampStep(RampOperation.SET, amount, duration_s)
        case "+" | "-":
            # 0.0 - 0.0 is 0.0, where -0.0 would be written as `-0`.
            added = amount if sign == "+" else 0.0 - amount
            return RampStep(RampOperation.ADD, added, duration_s)
        case _:
            return RampStep(RampOperation.TIMES, amount, duration_s)


def _parse_step_duration(text: str) -> float:
    if len(text) > _QUOTED_CHARACTERS:
        raise ValueError(f"{_quoted(text)} is no duration; write it like 30s, 1m30s or 500ms")
    seconds = round(parse_duration(text, may_be_zero=True), 3)
    if not seconds < LONGEST_S:
        raise ValueError(
            f"{_quoted(text)} is too long; a step takes less than {LONGEST_S:.0f} seconds, "
            "like 200 in 30s"
        )
    return seconds


def _quoted(text: str) -> str:
    short = text if len(text) <= _QUOTED_CHARACTERS else text[: _QUOTED_CHARACTERS - 1] + "…"
    return repr(short)


def clamped(level: float, ceiling: float | None) -> float:
    """Return the level within 0 and a ceiling, or `MOST` without one; what is no number is 0."""
    # In this order max gives 0 for NaN.
    return min(max(0.0, level), MOST if ceiling is None else ceiling)


def ramp_points(
    steps: Sequence[RampStep], level: float, ceiling: float | None
) -> tuple[tuple[float, float], ...]:
    """Return the corners of a ramp that begins at a level: seconds from its begin, and levels.

    The first is the begin; each step adds where it ends, one that is at once a second level at the
    same offset. Every level is within 0 and the ceiling (None: `MOST`), and the next step begins
    from there.
    """
    offsets = accumulate((step.duration_s for step in steps), initial=0.0)
    levels = accumulate(
        steps,
        lambda before, step: clamped(step.applied(before), ceiling),
        initial=clamped(level, ceiling),
    )
    return tuple(zip(offsets, levels, strict=True))


def greatest(steps: Sequence[RampStep], level: float) -> float:
    """Return the highest level that a ramp reaches from a level when no ceiling stops it."""
    return max(reached for _, reached in ramp_points(steps, level, None))


def describe(steps: Sequence[RampStep]) -> str:
    """Return steps as `parse_ramp` reads them, in one way to write: `+50 in 10s, x2`."""
    return ", ".join(_describe_step(step) for step in steps)


def _describe_step(step: RampStep) -> str:
    number = f"{step.amount:.6f}".rstrip("0").rstrip(".")
    match step.operation:
        case RampOperation.SET:
            sign = ""
        case RampOperation.ADD:
            sign = "" if step.amount < 0 else "+"
        case RampOperation.TIMES:
            sign = "x"
    line = f" in {format_duration(step.duration_s)}" if step.duration_s else ""
    return f"{sign}{number}{line}"
