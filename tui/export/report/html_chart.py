"""Draws values over time as SVG: lines with gaps where nothing was measured, marks, axes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from tui.export.report.html_axes import LEFT, RIGHT, WIDTH, PowerAxis, TimeAxis, ValueAxis
from tui.export.report.html_markup import Markup, element, joined, pixels
from tui.model.series import Buckets, Series
from tui.views.format import Unit, quantity

_TOP: Final = 8.0
_PLOT: Final = 112.0
_TIMES: Final = 20.0


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart."""

    name: str
    colour: str
    """Its class: `c1` to `c4`, `bad`."""
    values: Series
    is_dashed: bool = False
    is_filled: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """Lines of one unit over time."""

    key: str
    """Its name for programs."""
    title: str
    unit: Unit
    lines: tuple[Line, ...]
    ceiling: float | None = None
    """What the values can't exceed; drawn."""
    may_be_powers: bool = False
    """Whether small and large values are to be told apart alike, where they are far apart."""

    @property
    def has_values(self) -> bool:
        """Whether anything was measured."""
        return any(value is not None for line in self.lines for value in line.values)


@dataclass(frozen=True, slots=True)
class Ground:
    """What stands behind every chart of a report."""

    axis: TimeAxis
    buckets: Buckets
    marks: tuple[float, ...]
    """Moments at which something was done to the run."""
    band: tuple[float, float] | None = None
    """From when to when the baseline is, where it is in the range."""

    def drawn(self, top: float, bottom: float) -> Markup:
        """Return the grid of time, the band of the baseline and the marks."""
        parts: list[Markup] = []
        if self.band is not None:
            left, right = (self.axis.x(at) for at in self.band)
            parts.append(
                element(
                    "rect", class_="band", x=left, y=top, width=right - left, height=bottom - top
                )
            )
        for x, label in self.axis.ticks():
            parts.append(upright("grid", x, top, bottom))
            # At the edges a label in the middle of its line would be cut off.
            anchor = "end" if x > RIGHT - 16 else "middle"
            parts.append(
                element("text", label, class_="tick", x=x, y=bottom + 14, text_anchor=anchor)
            )
        parts += [upright("mark", self.axis.x(at), top, bottom) for at in self.marks]
        return joined(parts)


def plot(title: str, height: float, *children: str, name: str = "plot") -> Markup:
    """Return a picture over the shared axis of time, with the cursor that our script moves."""
    cursor = element(
        "g",
        element("path", d=f"M0 {pixels(_TOP)}V{pixels(height - _TIMES)}"),
        element("text", y=height - 6, text_anchor="middle"),
        class_="cursor",
        visibility="hidden",
    )
    return element(
        "svg",
        *children,
        cursor,
        class_=name,
        viewBox=f"0 0 {pixels(WIDTH)} {pixels(height)}",
        role="img",
        aria_label=title,
    )


def upright(style: str, x: float, top: float, bottom: float) -> Markup:
    """Return an upright line."""
    return element("path", class_=style, d=f"M{pixels(x)} {pixels(top)}V{pixels(bottom)}")


def value_grid(ticks: Sequence[tuple[float, str]]) -> Markup:
    """Return level lines with what they stand for."""
    parts = []
    for y, label in ticks:
        parts.append(
            element("path", class_="grid", d=f"M{pixels(LEFT)} {pixels(y)}H{pixels(RIGHT)}")
        )
        parts.append(element("text", label, class_="tick", x=LEFT - 8, y=y + 4, text_anchor="end"))
    return joined(parts)


def draw(chart: Chart, ground: Ground) -> Markup:
    """Return a chart with its heading: what the lines are, and the highest value of each."""
    top, bottom = _TOP, _TOP + _PLOT
    values = [value for line in chart.lines for value in line.values if value is not None]
    ceiling = [chart.ceiling] if chart.ceiling is not None else []
    axis = _axis(chart, [*values, *ceiling], top, bottom)
    parts = [ground.drawn(top, bottom), value_grid(axis.ticks())]
    if chart.ceiling is not None:
        y = pixels(axis.y(chart.ceiling))
        parts.append(element("path", class_="ceiling", d=f"M{pixels(LEFT)} {y}H{pixels(RIGHT)}"))
    centres = ground.axis.centres(ground.buckets)
    parts += [_draw_line(line, axis, centres) for line in chart.lines]
    said = f"{chart.title} over time"
    scale = (
        element("span", "powers of ten", class_="legend") if isinstance(axis, PowerAxis) else None
    )
    return element(
        "figure",
        element("figcaption", element("b", chart.title), *_legend(chart), scale),
        plot(said, bottom + _TIMES, *parts),
        class_="chart",
        id=f"chart-{chart.key}",
    )


def told(chart: Chart) -> dict[str, list[str]]:
    """Return what each line says in each column, by the name that the legend has for it."""
    return {
        f"{chart.key}-{number}": [quantity(value, chart.unit) for value in line.values]
        for number, line in enumerate(chart.lines)
    }


def _legend(chart: Chart) -> Iterator[Markup]:
    for number, line in enumerate(chart.lines):
        known = [value for value in line.values if value is not None]
        highest = f"max {quantity(max(known), chart.unit)}" if known else "not measured"
        style = f"key {line.colour} dashed" if line.is_dashed else f"key {line.colour}"
        yield element(
            "span",
            element("i", class_=style),
            f"{line.name} " if line.name else None,
            element("span", highest, class_="value", data_series=f"{chart.key}-{number}"),
            class_="legend",
        )


def _axis(
    chart: Chart, values: Sequence[float], top: float, bottom: float
) -> ValueAxis | PowerAxis:
    powers = PowerAxis.around(values, chart.unit, top, bottom) if chart.may_be_powers else None
    return powers or ValueAxis.up_to(values, chart.unit, top, bottom)


def _draw_line(line: Line, axis: ValueAxis | PowerAxis, centres: Sequence[float]) -> Markup:
    segments = list(_segments(line.values, axis, centres))
    # A segment of one column would have no length, and so no ink.
    path = "".join("M" + "L".join(each if len(each) > 1 else each * 2) for each in segments)
    style = f"line {line.colour} dashed" if line.is_dashed else f"line {line.colour}"
    drawn = element("path", class_=style, d=path)
    if not line.is_filled:
        return drawn
    floor = pixels(axis.bottom_px)
    area = "".join(
        f"M{each[0].split()[0]} {floor}L" + "L".join(each) + f"L{each[-1].split()[0]} {floor}Z"
        for each in segments
    )
    return joined([element("path", class_=f"area {line.colour}", d=area), drawn])


def _segments(
    values: Series, axis: ValueAxis | PowerAxis, centres: Sequence[float]
) -> Iterator[list[str]]:
    """Yield the points of each stretch without a gap."""
    points: list[str] = []
    for value, x in zip(values, centres, strict=True):
        if value is None:
            if points:
                yield points
            points = []
        else:
            points.append(f"{pixels(x)} {pixels(axis.y(value))}")
    if points:
        yield points
