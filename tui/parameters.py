"""What options are given as: durations, ramps of VUs, rates."""

from __future__ import annotations

from typing import Any, Final

import click

from collectors.course import CourseUnit
from tui.model.ramp import RampStep, greatest, parse_ramp
from tui.model.rangespec import RangeSpec, parse_moment, parse_range
from tui.model.rate import parse_rate
from tui.options import parse_duration

MOST_VUS: Final = 100_000


class Duration(click.ParamType[float]):
    """A duration in k6's notation."""

    name = "duration"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return seconds."""
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = f"{value}"
        try:
            return parse_duration(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Ramp(click.ParamType[tuple[RampStep, ...]]):
    """A ramp of VUs."""

    name = "ramp"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[RampStep, ...]:
        """Return its steps."""
        if isinstance(value, tuple):
            return value
        try:
            steps = parse_ramp(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)
        most = greatest(steps, 0.0)
        if most > MOST_VUS:
            self.fail(f"{most:.0f} VUs are too many; there can be {MOST_VUS}", param, ctx)
        return steps


class Rate(click.ParamType[tuple[CourseUnit, tuple[RampStep, ...]]]):
    """A target rate."""

    name = "rate"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[CourseUnit, tuple[RampStep, ...]]:
        """Return what is counted, and the steps."""
        if isinstance(value, tuple):
            return value
        try:
            return parse_rate(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Range(click.ParamType[RangeSpec]):
    """A range of a run."""

    name = "range"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> RangeSpec:
        """Return what it says."""
        if isinstance(value, RangeSpec):
            return value
        try:
            return parse_range(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Moment(click.ParamType[float]):
    """A time of a run."""

    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return seconds after its load began."""
        if isinstance(value, float):
            return value
        try:
            return parse_moment(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)
