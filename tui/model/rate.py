"""The notation of a target rate: a ramp, and what is counted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from collectors.course import CourseUnit
from tui.model.ramp import RampStep, describe, parse_ramp

_COUNTED: Final = re.compile(
    r"(?:\s*(?P<requests>requests?|req|rps)|\s*(?P<iterations>iterations?|iter|i))(?:/s)?\s*$",
    re.IGNORECASE,
)
_PER_SECOND: Final = re.compile(r"(?<=\d)\s*/s\s*$")


def parse_rate(text: str) -> tuple[CourseUnit, tuple[RampStep, ...]]:
    """Return what is counted and the steps of a target rate.

    `500`, `500/10s, 1500/30s` and `500 rps` are requests a second, `20 iterations` or `20i` are
    iterations a second.

    Raises:
        ValueError: it is none; in one sentence.
    """
    unit = CourseUnit.REQUESTS
    found = _COUNTED.search(text)
    if found is not None:
        text = text[: found.start()]
        unit = CourseUnit.ITERATIONS if found["iterations"] else CourseUnit.REQUESTS
    elif _PER_SECOND.search(text):
        text = _PER_SECOND.sub("", text)
    return unit, parse_ramp(text)


def describe_rate(unit: CourseUnit, steps: Sequence[RampStep]) -> str:
    """Return a target rate as `parse_rate` reads it."""
    return f"{describe(steps)} {unit.value}"
