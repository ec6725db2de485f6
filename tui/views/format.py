"""Numbers and names as they stand on the screen: short, three significant digits, fixed width.

Every function takes None for 'not known' and answers `–`. Spaces inside a number are plain ones.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final, Literal

ABSENT: Final = "–"
"""What stands where nothing is known."""

_SI: Final = ("", "k", "M", "G", "T", "P", "E")
_BINARY: Final = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


def _significant(value: float) -> str:
    """Three significant digits of a value below 1000, at most two decimals."""
    size = abs(value)
    decimals = 2 if size < 9.995 else 1 if size < 99.95 else 0
    text = f"{value:.{decimals}f}"
    return text if size else "0"


def _scaled(value: float, step: float, units: tuple[str, ...]) -> tuple[str, str]:
    size, index = abs(value), 0
    # 999.5 would be shown as 1000: it belongs to the next unit already.
    while size >= 999.5 and index < len(units) - 1:
        size /= step
        index += 1
    return _significant(math.copysign(size, value)), units[index]


def _known(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def rate(per_s: float | None) -> str:
    """A rate, like `3.02k`; the unit stands in the title."""
    if per_s is None or not _known(per_s):
        return ABSENT
    return "".join(_scaled(per_s, 1000, _SI))


def count(number: int | None) -> str:
    """A count: exact below 10 000, then like `12.3k`."""
    if number is None:
        return ABSENT
    return str(number) if abs(number) < 10_000 else "".join(_scaled(number, 1000, _SI))


def milliseconds(seconds: float | None) -> str:
    """A short time given in seconds, in the unit that suits it: `437 µs`, `4.37 ms`, `1.20 s`."""
    if seconds is None or not _known(seconds):
        return ABSENT
    size = abs(seconds)
    if size == 0:
        return "0 ms"
    if size < 0.9995e-6:
        return f"{_significant(seconds * 1e9)} ns"
    if size < 0.9995e-3:
        return f"{_significant(seconds * 1e6)} µs"
    if size < 0.9995:
        return f"{_significant(seconds * 1e3)} ms"
    return f"{_significant(seconds)} s" if size < 999.5 else f"{seconds:.0f} s"


def percent(ratio: float | None) -> str:
    """A ratio as percent: `12.3%`; what is not nothing or not all never reads as if it were."""
    if ratio is None or not _known(ratio):
        return ABSENT
    if ratio == 0:
        return "0%"
    value = ratio * 100
    if 0 < value < 0.01:
        return "<0.01%"
    if abs(value) < 0.995:
        return f"{value:.2f}%"
    if 99.9 < value < 100:
        return "99.9%"
    return f"{value:.1f}%" if abs(value) < 99.95 else f"{value:.0f}%"


def bytes_(size: float | None) -> str:
    """A size in binary units: `1.2 MiB`, `512 B`."""
    if size is None or not _known(size):
        return ABSENT
    value, index = abs(size), 0
    while value >= 999.5 and index < len(_BINARY) - 1:
        value /= 1024
        index += 1
    decimals = 0 if index == 0 or value >= 99.95 else 1
    return f"{math.copysign(value, size):.{decimals}f} {_BINARY[index]}"


def bytes_rate(bytes_per_s: float | None) -> str:
    """Bytes a second in binary units: `1.2 MiB/s`."""
    text = bytes_(bytes_per_s)
    return text if text == ABSENT else f"{text}/s"


def clock(seconds: float | None) -> str:
    """A duration as a clock shows it: `1:23`, `1:02:03`; parts of a second are not yet over."""
    if seconds is None or not _known(seconds):
        return ABSENT
    whole = int(abs(seconds))
    sign = "-" if seconds <= -1 else ""
    hours, minutes = divmod(whole // 60, 60)
    if hours:
        return f"{sign}{hours}:{minutes:02d}:{whole % 60:02d}"
    return f"{sign}{minutes}:{whole % 60:02d}"


def cpu_cores(cores: float | None) -> str:
    """CPU seconds a second: `1.23` is one core and a quarter."""
    if cores is None or not _known(cores):
        return ABSENT
    return f"{cores:.2f}" if abs(cores) < 99.995 else f"{cores:.0f}"


class Unit(StrEnum):
    """What the values of a series are, and so how they are written."""

    RATE = "rate"
    COUNT = "count"
    SECONDS = "seconds"
    RATIO = "ratio"
    BYTES = "bytes"
    BYTES_RATE = "bytes_rate"
    CORES = "cores"


_WRITERS: Final[Mapping[Unit, Callable[[float | None], str]]] = {
    Unit.RATE: rate,
    Unit.COUNT: lambda value: count(None if value is None else round(value)),
    Unit.SECONDS: milliseconds,
    Unit.RATIO: percent,
    Unit.BYTES: bytes_,
    Unit.BYTES_RATE: bytes_rate,
    Unit.CORES: cpu_cores,
}


def quantity(value: float | None, unit: Unit) -> str:
    """A value in the way its unit asks for."""
    return _WRITERS[unit](value)


def cell_width(text: str) -> int:
    """Terminal columns that a text takes: wide characters two, combining ones none.

    Source: Unicode Standard Annex 11, East Asian Width; ambiguous counts as narrow.
    """
    return len(text) if text.isascii() else sum(map(_char_width, text))


def _char_width(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def fit(text: str, width: int, *, keep: Literal["start", "end"] = "start") -> str:
    """Cut a text to at most `width` columns, with `…` where something is missing.

    Args:
        text: Sanitised text.
        width: Columns.
        keep: Which end of the text survives.
    """
    if cell_width(text) <= width:
        return text
    if width <= 0:
        return ""
    if keep == "end":
        return "…" + _take(text[::-1], width - 1)[::-1]
    return _take(text, width - 1) + "…"


def _take(text: str, width: int) -> str:
    if text.isascii():
        return text[:width]
    used = 0
    for index, char in enumerate(text):
        used += _char_width(char)
        if used > width:
            return text[:index]
    return text


def pad(text: str, width: int, *, align: Literal["left", "right"] = "left") -> str:
    """Fit a text and fill it up with blanks to exactly `width` columns."""
    text = fit(text, width)
    blanks = " " * (width - cell_width(text))
    return blanks + text if align == "right" else text + blanks
