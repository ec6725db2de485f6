"""The notation of `--fail-if`: a figure, `>` or `<`, and a limit.

    p95>+10%  cpu_per_request>+20us  rps<-5%  errors>+0.5%     a change since the run before
    p99>250ms  errors>1%  memory>512MiB                         the run after, by itself
    symbol:parse_json>+10%  symbol:/^json::/>50us               what functions cost themselves

A sign makes it a change, no sign makes it the figure of the run after. A signed limit in % is
relative to the run before, but for shares (`errors`, `dropped`), which are in % themselves: theirs
are percentage points, and may be written as `+0.5pp`. A signed limit in the figure's own unit is a
difference. `>` asks for a rise and goes with `+`, `<` for a fall and goes with `-`.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from typing import Final

from tui.model.metric import Dimension, Metric
from tui.model.search import compile_pattern

MAX_LENGTH: Final = 500
SYMBOL_PREFIX: Final = "symbol:"

_UNITS: Final = {
    Dimension.RATE: {"": 1.0, "/s": 1.0},
    Dimension.COUNT: {"": 1.0},
    Dimension.SHARE: {"%": 0.01},
    Dimension.TIME: {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0},
    Dimension.CORES: {"": 1.0, "cores": 1.0},
    Dimension.BYTES: {
        "B": 1.0, "kB": 1e3, "MB": 1e6, "GB": 1e9,
        "KiB": 2.0**10, "MiB": 2.0**20, "GiB": 2.0**30,
    },
}  # fmt: skip
_EXAMPLES: Final = {
    Dimension.RATE: "-5% or 100",
    Dimension.COUNT: "-5% or 1000",
    Dimension.SHARE: "1% or +0.5pp",
    Dimension.TIME: "+10%, +20us or 250ms",
    Dimension.CORES: "+10% or 1.5",
    Dimension.BYTES: "+10% or 512MiB",
}
_SHAPE: Final = re.compile(r"(?P<name>.*)(?P<sign>[<>])(?P<limit>[^<>]*)", re.DOTALL)
_LIMIT: Final = re.compile(
    r"\s*(?P<sign>[+−-]?)\s*(?P<number>\d+(?:\.\d*)?|\.\d+)\s*(?P<unit>[^\s\d]*)\s*"
)
_PATTERN: Final = re.compile(r"/(.+)/", re.DOTALL)


class LimitKind(StrEnum):
    """What a limit is held against."""

    VALUE = "value"
    """The figure of the run after, by itself."""
    DELTA = "delta"
    """After less before, in the figure's unit."""
    RATIO = "ratio"
    """After divided by before, less 1."""


@dataclass(frozen=True, slots=True)
class Symbols:
    """Functions by name: one name, or all that an expression finds."""

    word: str = ""
    pattern: re.Pattern[str] | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """When a comparison fails."""

    text: str
    """As it was written."""
    subject: Metric | Symbols
    """Functions: what a request costs in them, themselves."""
    is_above: bool
    """Whether it fails above the limit; else below."""
    limit: float
    """In the figure's unit (seconds, share, bytes …), or what `RATIO` is; signed for changes."""
    kind: LimitKind

    @property
    def dimension(self) -> Dimension:
        """What the figure is."""
        return Dimension.TIME if isinstance(self.subject, Symbols) else self.subject.dimension


def parse_condition(text: str) -> Condition:
    """Read a condition.

    Raises:
        ValueError: it is none; where it is wrong and what can stand there, in one sentence.
    """
    if len(text) > MAX_LENGTH:
        raise ValueError(f"A condition has {MAX_LENGTH} characters at most.")
    shown = f"{text.strip()!r}"
    found = _SHAPE.fullmatch(text)
    if found is None:
        raise ValueError(f"{shown} has no '>' or '<'; write it like p95>+10%.")
    name = found["name"].strip()
    # In the name of a function there may be anything, also `operator>=`; before it there may not.
    if found["limit"].startswith("="):
        raise ValueError(f"In {shown} after {found['name'].strip()!r}: use '>' or '<' without '='.")
    subject = _subject(name, shown)
    dimension = Dimension.TIME if isinstance(subject, Symbols) else subject.dimension
    limit, kind = _limit(found["limit"], dimension, shown, name)
    is_above = found["sign"] == ">"
    if kind is not LimitKind.VALUE and math.copysign(1.0, limit) != (1 if is_above else -1):
        raise ValueError(
            f"In {shown} '{found['sign']}' and the sign of the limit contradict each other: '>' "
            "goes with '+' and fails on a rise, '<' goes with '-' and fails on a fall."
        )
    return Condition(text.strip(), subject, is_above, limit, kind)


def _subject(name: str, shown: str) -> Metric | Symbols:
    if name.startswith(SYMBOL_PREFIX):
        word = name.removeprefix(SYMBOL_PREFIX).strip()
        if not word:
            raise ValueError(
                f"In {shown} after '{SYMBOL_PREFIX}' the name of a function is missing."
            )
        expression = _PATTERN.fullmatch(word)
        if expression is None:
            return Symbols(word=word)
        try:
            return Symbols(pattern=compile_pattern(expression[1]))
        except ValueError as error:
            raise ValueError(f"In {shown} after '{SYMBOL_PREFIX}': {error}") from None
    try:
        return Metric(name)
    except ValueError:
        pass
    known = [*(metric.value for metric in Metric), f"{SYMBOL_PREFIX}NAME"]
    near = get_close_matches(name.lower(), known, n=1, cutoff=0.5)
    asked = f" Did you mean {near[0]}?" if near else ""
    what = f"there is no figure {name!r}" if name else "the name of a figure is missing"
    raise ValueError(f"In {shown} {what}.{asked} Known are {', '.join(known)}.")


def _limit(text: str, dimension: Dimension, shown: str, name: str) -> tuple[float, LimitKind]:
    place = f"In {shown} after '>' or '<':"
    wanted = f"write a limit of {name} like {_EXAMPLES[dimension]}."
    found = _LIMIT.fullmatch(text)
    if found is None:
        what = f"{text.strip()!r} is no number" if text.strip() else "a number is missing"
        raise ValueError(f"{place} {what}; {wanted}")
    number, unit = float(found["number"]), found["unit"]
    sign = {"": 0.0, "+": 1.0}.get(found["sign"], -1.0)
    if not math.isfinite(number):
        raise ValueError(f"{place} the number is too large.")
    if unit == "pp" and dimension is Dimension.SHARE:
        if not sign:
            raise ValueError(f"{place} percentage points are a change; write +{number:g}pp.")
        return sign * number / 100, LimitKind.DELTA
    if unit == "%" and dimension is not Dimension.SHARE:
        if not sign:
            raise ValueError(f"{place} {number:g}% of what? A change is signed: +{number:g}%.")
        return sign * number / 100, LimitKind.RATIO
    units = _UNITS[dimension]
    # Nothing is nothing, whatever it is counted in.
    factor = 1.0 if not unit and not number else units.get(unit)
    if factor is None:
        what = f"the unit {unit!r} is not one of it" if unit else "the unit is missing"
        raise ValueError(f"{place} {what}; {wanted}")
    if sign:
        return sign * number * factor, LimitKind.DELTA
    return number * factor, LimitKind.VALUE
