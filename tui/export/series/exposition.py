"""OpenMetrics' text format: families of metrics, line by line.

Format: OpenMetrics 1.0, https://prometheus.io/docs/specs/om/open_metrics_spec/
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from collectors.text import sanitise

_ESCAPES: Final = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


class FamilyType(StrEnum):
    """What the samples of a family are."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Series:
    """One line: a name's ending, labels, and a finite value, which is written as given."""

    ending: str
    labels: Mapping[str, str]
    value: float | int


@dataclass(slots=True)
class Family:
    """One family of metrics; it is not written while it has no series."""

    name: str
    """Without the ending of its samples; ends in its unit where it has one."""
    type: FamilyType
    help: str
    unit: str = ""
    series: list[Series] = field(default_factory=list)

    def add(self, value: float | int | None, **labels: str) -> Family:
        """Add the value of a counter, a gauge or an info, unless it is not known."""
        if value is not None and math.isfinite(value):
            ending = {FamilyType.COUNTER: "_total", FamilyType.INFO: "_info"}.get(self.type, "")
            self.series.append(Series(ending, labels, value))
        return self


def exposition(families: Iterable[Family], at: float) -> bytes:
    """Return the text of families, all of one moment, in the order given.

    Args:
        families: With different names.
        at: Unix time of the moment, seconds.
    """
    lines = []
    for family in families:
        if not family.series:
            continue
        lines.append(f"# TYPE {family.name} {family.type.value}\n")
        if family.unit:
            lines.append(f"# UNIT {family.name} {family.unit}\n")
        lines.append(f"# HELP {family.name} {family.help.translate(_ESCAPES)}\n")
        lines.extend(
            f"{family.name}{each.ending}{_labels(each.labels)} {number(each.value)} {at:.3f}\n"
            for each in family.series
        )
    return "".join((*lines, "# EOF\n")).encode()


def number(value: float | int) -> str:
    """Return a number as the format wants it; `+Inf` for the bound of everything."""
    return "+Inf" if value == math.inf else repr(value)


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    # The format knows one line break; others would end a line for some readers.
    pairs = (f'{name}="{sanitise(text).translate(_ESCAPES)}"' for name, text in labels.items())
    return f"{{{','.join(pairs)}}}"
