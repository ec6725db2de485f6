"""How the stacks of a range are looked at: picture, shape, what is searched and compared.

Only a choice, without any stacks: the same lens over another range shows the same things of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from collectors.course import CourseUnit
from collectors.samples import Baseline, Frame, StackMeasure
from tui.model.ranges import load_began_at
from tui.model.shape import Shape
from tui.model.targets import target_at
from tui.model.timeline import Timeline, TimeRange


class Picture(StrEnum):
    """In which form stacks are shown."""

    GRAPH = "graph"
    TABLE = "table"
    """Functions over all callers."""
    SANDWICH = "sandwich"
    """One function between its callers and its callees."""


class TableOrder(StrEnum):
    """What a table of functions is sorted by."""

    SELF = "self"
    TOTAL = "total"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class Lens:
    """How stacks are looked at; each operation returns another lens."""

    picture: Picture = Picture.GRAPH
    shape: Shape = field(default_factory=Shape)
    roots_at_bottom: bool = False
    measure: StackMeasure = StackMeasure.ON_CPU
    pattern: str = ""
    """A regular expression that names are searched for; empty: none."""
    compared_with: str = ""
    """Name of the baseline that the range is compared with; empty: none."""
    function: Frame | None = None
    """What the sandwich is about."""
    order: TableOrder = TableOrder.SELF

    def ordered_anew(self) -> Lens:
        """Return the lens whose table is sorted by the next column."""
        orders = list(TableOrder)
        return replace(self, order=orders[(orders.index(self.order) + 1) % len(orders)])

    def toggled(self, picture: Picture) -> Lens:
        """Return the lens with a picture, or with the graph where it has that one already."""
        return replace(self, picture=Picture.GRAPH if self.picture is picture else picture)

    def reshaped(self, name: str) -> Lens:
        """Return the lens with one switch of its shape turned."""
        switched: dict[str, Any] = {name: not getattr(self.shape, name)}
        return replace(self, shape=replace(self.shape, **switched))

    def hiding(self, frame: Frame) -> Lens:
        """Return the lens that leaves out stacks through a frame."""
        return replace(self, shape=replace(self.shape, hidden=self.shape.hidden | {frame}))

    def focused(self, frame: Frame) -> Lens:
        """Return the lens that shows a frame and what it calls only, or everything again."""
        focus = None if self.shape.focus == frame else frame
        return replace(self, shape=replace(self.shape, focus=focus))

    def plain(self) -> Lens:
        """Return the lens that hides, folds and focuses nothing."""
        return replace(self, shape=Shape(inverted=self.shape.inverted))


def baseline_name(timeline: Timeline, range_: TimeRange) -> str:
    """Return what a range is called as a baseline: its target, like `50 VUs` or `500 requests/s`.

    Where k6 keeps its own schedule, its place on the clock of the run: `0:30 to 0:40`.
    """
    target = target_at(timeline.targets, range_.end)
    if target is not None:
        unit, level = target
        if unit is CourseUnit.VUS:
            return f"{level:.0f} VUs"
        return f"{level:g} {unit.value}/s"
    began_at = load_began_at(timeline, range_.end)
    return f"{range_.start - began_at:.0f} to {range_.end - began_at:.0f} s"


def chosen_baseline(baselines: Mapping[str, Baseline], name: str) -> Baseline | None:
    """Return a baseline by its name, else the newest one; None without any."""
    found = baselines.get(name)
    return found if found is not None else next(reversed(list(baselines.values())), None)
