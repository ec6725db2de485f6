"""What the points of one second add up to, by the numbers that `names` gives out."""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from collectors.k6.resultfile.buckets import GrowingHistogram

MAX_CELLS: Final = 1_000_000
"""Details of all seconds together: as many as seven hours with 40 endpoints have; 700 MB."""


class EndpointCell:
    """Requests of one endpoint in one second."""

    __slots__ = ("failed", "latency", "requests")

    def __init__(self) -> None:
        self.requests = 0
        self.failed = 0
        self.latency = GrowingHistogram()


class RateCell:
    """Values of a check or a rate in one second."""

    __slots__ = ("total", "trues")

    def __init__(self) -> None:
        self.trues = 0
        self.total = 0

    def add(self, value: float) -> None:
        """Add one value; whatever is not 0 is true, as in k6."""
        self.trues += value != 0
        self.total += 1

    def join(self, later: RateCell) -> float:
        """Add what came later; return the share of trues so far, 0 to 1."""
        self.trues += later.trues
        self.total += later.total
        return self.trues / self.total if self.total else 0.0


class CustomCell:
    """Values of one custom metric in one second; its type tells which fields hold something."""

    __slots__ = ("newest", "rate", "sum", "values")

    def __init__(self) -> None:
        self.sum = 0.0
        """Counter."""
        self.newest = 0.0
        """Gauge."""
        self.rate = RateCell()
        """Rate."""
        self.values = GrowingHistogram()
        """Trend."""


class SecondSums:
    """Everything of one second of the file's clock."""

    __slots__ = ("checks", "counters", "customs", "endpoints", "gauges", "phases", "points")

    def __init__(self) -> None:
        self.points = 0
        """How many lines it was made of."""
        self.endpoints: dict[int, EndpointCell] = {}
        self.checks: dict[int, RateCell] = {}
        self.customs: dict[int, CustomCell] = {}
        self.phases: defaultdict[str, GrowingHistogram] = defaultdict(GrowingHistogram)
        self.counters: defaultdict[str, float] = defaultdict(float)
        self.gauges: dict[str, float] = {}


class Room:
    """How many more details may be kept."""

    __slots__ = ("left",)

    def __init__(self, cells: int = MAX_CELLS) -> None:
        self.left = cells

    def take(self) -> bool:
        """Take room for one; False where there is none."""
        if self.left <= 0:
            return False
        self.left -= 1
        return True
