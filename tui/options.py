"""What the operator asked for: the options of `run` and `demo`, checked and frozen."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_DURATION_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)")
_UNIT_S: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def parse_duration(text: str) -> float:
    """Return seconds of a duration in k6's notation: `15s`, `1m30s`, `500ms`, or plain seconds.

    Raises:
        ValueError: it is no duration, negative or zero.
    """
    text = text.strip()
    seconds = 0.0
    if re.fullmatch(r"\d+(\.\d+)?", text):
        seconds = float(text)
    elif re.fullmatch(f"(?:{_DURATION_PART.pattern})+", text):
        seconds = sum(float(n) * _UNIT_S[unit] for n, unit in _DURATION_PART.findall(text))
    if not 0 < seconds < 1e8:
        raise ValueError(f"{text!r} is no duration; write it like 30s, 1m30s or 500ms")
    return seconds


@dataclass(frozen=True, slots=True)
class RunOptions:
    """Everything that `flashpoint run` was told."""

    script: Path
    """The k6 script, or an archive of `k6 archive`."""
    command: tuple[str, ...] = ()
    """The server to start; empty when attaching."""
    pid: int | None = None
    port: int | None = None
    ready_url: str | None = None
    ready_timeout_s: float = 30.0
    k6: str | None = None
    k6_args: tuple[str, ...] = ()
    headless: bool = False
    duration_s: float | None = None
    warm_up_s: float = 0.0
    summary: Path | None = None
    profile: bool = True
    perf_frequency_hz: int = 99
    perf_event: str = "cpu-clock"
    call_graph: str = "fp"
    theme: str | None = None
