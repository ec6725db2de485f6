"""The key figures of a report, alone or beside those of the baseline."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from collectors.samples import RequestKind, Role
from tui.export.report.html_markup import Markup, element, exact
from tui.export.report.html_tables import Column, table
from tui.export.series.measured import Measured
from tui.model.latency import quantile
from tui.model.poisson import interval
from tui.views.format import Unit, bytes_, count, cpu_cores, milliseconds, percent, quantity
from tui.views.load import NOUNS, QUANTILES, RATE_TITLES


@dataclass(frozen=True, slots=True)
class KeyFigure:
    """One figure of a range: what it is called, how it is read off and written."""

    name: str
    value: Callable[[Measured], float | None]
    text: Callable[[float | None], str]
    note: Callable[[Measured], str] = lambda _: ""
    """What stands small below it."""
    is_bad: Callable[[Measured], bool] = lambda _: False
    has_ratio: bool = True
    """Whether after divided by before says anything."""


def key_figures(kind: RequestKind) -> tuple[KeyFigure, ...]:
    """Return the figures that a report begins with; times are in seconds."""
    noun = NOUNS[kind]
    return (
        KeyFigure(
            RATE_TITLES[kind],
            lambda m: m.load.rps if m.load else None,
            lambda value: quantity(value, Unit.RATE),
            lambda m: f"{count(m.load.requests)} {noun}s" if m.load else "",
        ),
        *(_percentile(name, q) for name, q, _ in QUANTILES),
        KeyFigure(
            "failed",
            lambda m: m.load.failed_ratio if m.load else None,
            percent,
            lambda m: f"{count(m.load.failed)} {noun}s" if m.load else "",
            lambda m: bool(m.load and m.load.failed),
            has_ratio=False,
        ),
        KeyFigure(
            f"CPU per {noun}",
            lambda m: None if m.cpu_us_per_request is None else m.cpu_us_per_request / 1e6,
            milliseconds,
            _cpu_interval,
        ),
        KeyFigure(
            "samples",
            lambda m: m.tree.samples if m.tree else None,
            lambda value: count(None if value is None else round(value)),
            lambda m: f"{count(m.lost)} lost" if m.lost else "",
            has_ratio=False,
        ),
    )


def machine_figures() -> tuple[KeyFigure, ...]:
    """Return what else can be compared: what the server used."""
    return (
        KeyFigure(
            "CPU of the server, cores",
            lambda m: m.roles[Role.TARGET].cpu_cores_mean if Role.TARGET in m.roles else None,
            cpu_cores,
        ),
        KeyFigure(
            "memory of the server at most",
            lambda m: m.roles[Role.TARGET].rss_bytes_max if Role.TARGET in m.roles else None,
            bytes_,
        ),
    )


def cards(measured: Measured) -> Markup:
    """Return the key figures as cards."""
    return element("dl", *(_card(each, measured) for each in key_figures(measured.kind)),
                   class_="cards")  # fmt: skip


def before_and_after(before: Measured, after: Measured, name: str) -> Markup:
    """Return the figures of two ranges beside each other.

    Args:
        before: The baseline.
        after: The range of the report.
        name: How the baseline is called.
    """
    columns = (
        Column("figure"),
        Column(name, is_number=True),
        Column("this range", is_number=True),
        Column("ratio", is_number=True),
    )
    rows = [
        _both(figure, before, after) for figure in (*key_figures(after.kind), *machine_figures())
    ]
    return element("div", table(columns, rows), class_="narrow")


def _percentile(name: str, q: float) -> KeyFigure:
    return KeyFigure(name, lambda m: quantile(m.load.latency, q) if m.load else None, milliseconds)


def _card(figure: KeyFigure, measured: Measured) -> Markup:
    value = figure.value(measured)
    note = figure.note(measured)
    return element(
        "div",
        element("dt", figure.name),
        element("dd", exact(value, figure.text(value))),
        element("dd", note, class_="note") if note else None,
        class_="card bad" if figure.is_bad(measured) else "card",
    )


def _both(figure: KeyFigure, before: Measured, after: Measured) -> Sequence[str]:
    old, new = figure.value(before), figure.value(after)
    ratio = f"×{new / old:.2f}" if figure.has_ratio and old and new is not None else ""
    return figure.name, exact(old, figure.text(old)), exact(new, figure.text(new)), ratio


def _cpu_interval(measured: Measured) -> str:
    """The 95 % interval of the CPU time per request, from the number of samples."""
    mean_us = measured.cpu_us_per_request
    if mean_us is None or measured.tree is None:
        return ""
    samples = measured.tree.samples
    low, high = (bound / samples * mean_us / 1e6 for bound in interval(samples))
    return f"{milliseconds(low)} to {milliseconds(high)}"
