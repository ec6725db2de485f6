"""Durations as k6 writes them."""

from __future__ import annotations

import re
from typing import Final

_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)")
_UNIT_S: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def parse_duration(text: str, *, may_be_zero: bool = False) -> float:
    """Return seconds of a duration in k6's notation: `15s`, `1m30s`, `500ms`, or plain seconds.

    Raises:
        ValueError: it is no duration, negative, or zero where it may not be.
    """
    text = text.strip()
    seconds = -1.0
    if re.fullmatch(r"\d+(\.\d+)?", text):
        seconds = float(text)
    elif re.fullmatch(f"(?:{_PART.pattern})+", text):
        seconds = sum(float(n) * _UNIT_S[unit] for n, unit in _PART.findall(text))
    if not (0 < seconds < 1e8 or (may_be_zero and seconds == 0)):
        raise ValueError(f"{text!r} is no duration; write it like 30s, 1m30s or 500ms")
    return seconds


def format_duration(seconds: float) -> str:
    """Return a time of zero or more in k6's notation, to the millisecond: `1h30m`, `1m1.5s`."""
    minutes, ms = divmod(round(seconds * 1000), 60_000)
    hours, minutes = divmod(minutes, 60)
    parts = [f"{hours}h"] if hours else []
    parts += [f"{minutes}m"] if minutes else []
    if ms and (parts or ms >= 1000):
        parts.append(f"{ms / 1000:g}s")
    elif ms:
        parts.append(f"{ms}ms")
    return "".join(parts) or "0s"
