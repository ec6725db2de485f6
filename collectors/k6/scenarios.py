"""Reads from a script's options which scenarios it has and how many VUs they use.

Source of the meaning: k6's documentation of executors and of the options that are short for one
scenario (grafana.com/docs/k6/latest/using-k6/scenarios).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from collectors.source import SourceError
from collectors.text import sanitise

DEFAULT_GRACE_S: Final = 30.0
"""k6's own gracefulStop."""
LOAD_KEYS: Final = ("vus", "duration", "iterations", "stages", "scenarios")

_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h|d)")
_UNIT_S: Final = {
    **{"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3},
    **{"s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0},
}


@dataclass(frozen=True, slots=True)
class Scenario:
    """One scenario of the user's."""

    name: str
    function: str
    """The exported function that it runs."""
    executor: str
    start_vus: int
    """How many VUs run it when it begins."""
    max_vus: int
    """How many may run it at most; at least 1."""
    start_rate: float = 0.0
    """Iterations per second when it begins; 0 where it goes by VUs."""
    graceful_stop_s: float = DEFAULT_GRACE_S
    kept: Mapping[str, Any] = field(default_factory=dict)
    """Its settings that stay: env, tags, gracefulStop, options."""


def read_scenarios(options: Mapping[str, Any]) -> tuple[Scenario, ...]:
    """Return the scenarios of a script.

    Args:
        options: As `k6 inspect` prints them.

    Raises:
        SourceError: a scenario is not to be understood; k6 would not run it either.
    """
    named = options.get("scenarios")
    if isinstance(named, Mapping) and named:
        return tuple(_scenario(str(name), each) for name, each in named.items())
    return (_shortcut(options),)


def has_load(options: Mapping[str, Any]) -> bool:
    """Tell whether options say anything about the load."""
    return any(options.get(key) is not None for key in LOAD_KEYS)


def _shortcut(options: Mapping[str, Any]) -> Scenario:
    start = _int(options.get("vus"), 1)
    most = max([1, start, *_targets(options)])
    return Scenario("default", "default", "default", start, most)


def _scenario(name: str, given: object) -> Scenario:
    if not isinstance(given, Mapping):
        raise SourceError(f"scenario {sanitise(name, 60)} has no settings", "mend the script")
    executor = str(given.get("executor"))
    targets = _targets(given)
    rate = 0.0
    match executor:
        case "ramping-vus":
            start = _int(given.get("startVUs"), 1)
            most = max([start, *targets])
        case "constant-arrival-rate" | "ramping-arrival-rate":
            start = _int(given.get("preAllocatedVUs"), 1)
            most = max(start, _int(given.get("maxVUs"), 0))
            rate = _start_rate(given, targets)
        case "externally-controlled":
            start = _int(given.get("vus"), 0)
            most = max(start, _int(given.get("maxVUs"), 0))
        case _:
            start = most = _int(given.get("vus"), 1)
    if given.get("startTime") and seconds(given["startTime"], 0.0):
        start = 0
    function = str(given.get("exec") or "default")
    # JavaScript's rule for names is Python's, and $.
    if not function.replace("$", "_").isidentifier():
        raise SourceError(
            f"scenario {sanitise(name, 60)}: {sanitise(function, 60)} is no name of a function",
            "use --as-written",
        )
    kept = {
        key: given[key]
        for key in ("env", "tags", "gracefulStop", "options")
        if given.get(key) is not None
    }
    grace_s = seconds(given.get("gracefulStop"), DEFAULT_GRACE_S)
    return Scenario(name, function, executor, start, max(1, most), rate, grace_s, kept)


def _start_rate(given: Mapping[str, Any], targets: Sequence[int]) -> float:
    """Return iterations per second at the begin; of a ramp from zero where it first leads to."""
    given_rates = (given.get("rate"), given.get("startRate"), *targets)
    starts = next((rate for each in given_rates if (rate := _int(each, 0))), 0)
    unit_s = seconds(given.get("timeUnit"), 1.0)
    return starts / unit_s if unit_s > 0 else float(starts)


def seconds(value: object, default: float) -> float:
    """Return the seconds of one of k6's durations: text like `1d1m30s`, or milliseconds."""
    parts = _PART.findall(value) if isinstance(value, str) else []
    if parts:
        found = sum(float(number) * _UNIT_S[unit] for number, unit in parts)
    elif isinstance(value, str | int | float):
        try:
            found = float(value) / 1_000
        except (ValueError, OverflowError):
            return default
    else:
        return default
    return found if math.isfinite(found) else default


def _int(value: object, default: int) -> int:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e9:
        return int(value)
    return default


def _targets(given: Mapping[str, Any]) -> list[int]:
    stages = given.get("stages")
    if not isinstance(stages, list):
        return []
    return [_int(stage.get("target"), 0) for stage in stages if isinstance(stage, Mapping)]
