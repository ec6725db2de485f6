"""The figures of a range as a table, beside those of a baseline where there is one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from collectors.samples import Baseline, Role
from tui.export.report.markdown_text import Heading, code, figure, table
from tui.export.series.measured import Measured
from tui.model.latency import mean, quantile
from tui.views.format import Unit, percent, quantity
from tui.views.host import ROLE_TITLES
from tui.views.load import NOUNS


@dataclass(frozen=True, slots=True)
class _Figure:
    title: str
    unit: Unit
    read: Callable[[Measured], float | None]


def _load(name: str) -> Callable[[Measured], float | None]:
    def read(found: Measured) -> float | None:
        value: float | None = getattr(found.load, name, None)
        return value

    return read


def _latency(q: float) -> Callable[[Measured], float | None]:
    return lambda found: None if found.load is None else quantile(found.load.latency, q)


def _role(role: Role, name: str) -> Callable[[Measured], float | None]:
    def read(found: Measured) -> float | None:
        value: float | None = getattr(found.roles.get(role), name, None)
        return value

    return read


def _cpu_per_request_s(found: Measured) -> float | None:
    us = found.cpu_us_per_request
    return None if us is None else us / 1e6


_FIGURES: Final = (
    _Figure("{noun}s", Unit.COUNT, _load("requests")),
    _Figure("{noun}s per second", Unit.RATE, _load("rps")),
    _Figure("failed", Unit.COUNT, _load("failed")),
    _Figure("failed share", Unit.RATIO, _load("failed_ratio")),
    _Figure("latency p50", Unit.SECONDS, _latency(0.5)),
    _Figure("latency p90", Unit.SECONDS, _latency(0.9)),
    _Figure("latency p95", Unit.SECONDS, _latency(0.95)),
    _Figure("latency p99", Unit.SECONDS, _latency(0.99)),
    _Figure("latency mean", Unit.SECONDS, lambda f: mean(f.load.latency) if f.load else None),
    _Figure("iterations", Unit.COUNT, _load("iterations")),
    _Figure("dropped iterations", Unit.COUNT, _load("dropped_iterations")),
    _Figure("VUs at the end", Unit.COUNT, _load("vus")),
    _Figure("sent", Unit.BYTES, _load("bytes_sent")),
    _Figure("received", Unit.BYTES, _load("bytes_received")),
    _Figure("sampled CPU time per {noun}", Unit.SECONDS, _cpu_per_request_s),
    *(
        _Figure(f"CPU cores of {ROLE_TITLES[role]}", Unit.CORES, _role(role, "cpu_cores_mean"))
        for role in Role
    ),
    _Figure(
        "CPU cores of the machine",
        Unit.CORES,
        lambda f: f.host.cpu_cores_mean if f.host is not None else None,
    ),
    _Figure(
        f"most memory of {ROLE_TITLES[Role.TARGET]}",
        Unit.BYTES,
        _role(Role.TARGET, "rss_bytes_max"),
    ),
)


def figures_table(found: Measured, before: Measured | None, baseline: Baseline | None) -> list[str]:
    """Return the lines of the table.

    Args:
        found: The range.
        before: The baseline's range; None without one.
        baseline: Knows its name.
    """
    noun = NOUNS[found.kind]
    rows = []
    for each in _FIGURES:
        after = each.read(found)
        texts = [figure(each.title.format(noun=noun)), figure(quantity(after, each.unit))]
        if before is not None:
            old = each.read(before)
            texts[1:1] = [figure(quantity(old, each.unit))]
            texts.append(figure(change_text(old, after)))
        rows.append(texts)
    headings = [Heading(""), Heading("this range", is_right=True)]
    if before is not None and baseline is not None:
        headings[1:1] = [Heading(code(baseline.name), is_right=True)]
        headings.append(Heading("change", is_right=True))
    return table(headings, rows)


def change_text(before: float | None, after: float | None) -> str:
    """Return by how much a figure is more or less than before; empty where that can't be told."""
    if before is None or after is None:
        return ""
    if before == after:
        return "0%"
    if not before:
        return "new"
    ratio = after / before - 1
    return f"{'+' if ratio > 0 else '−'}{percent(abs(ratio))}"
