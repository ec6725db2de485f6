"""The machine pane: who uses what, and the trends of CPU, memory and disk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from collectors.samples import HostSample, Role
from tui.model.series import Buckets, rates
from tui.model.timeline import Timeline, TimeRange
from tui.model.usage import (
    HostRange,
    RoleRange,
    busy_cores,
    role_usage,
    summarise_host,
    summarise_role,
)
from tui.views.format import Unit, bytes_, bytes_rate, count, cpu_cores, percent
from tui.views.table import Cell, Column, TableView
from tui.views.trend import TrendSeries, TrendView
from tui.views.window import Window, mark_columns, on_window, trend_series

ROLE_TITLES: Final = {
    Role.TARGET: "server",
    Role.GENERATOR: "k6",
    Role.MONITOR: "flashpoint",
}
_ROLE_STYLES: Final = {
    Role.TARGET: "trend-1",
    Role.GENERATOR: "trend-2",
    Role.MONITOR: "trend-4",
}
_COLUMNS: Final = (
    Column("", 10, flexible=True),
    Column("cores", 6, right=True),
    Column("memory", 9, right=True),
    Column("threads", 7, right=True),
    Column("written", 11, right=True),
    Column("read", 11, right=True),
    Column("switches", 8, right=True),
)


@dataclass(frozen=True, slots=True)
class HostView:
    """What the machine pane shows."""

    trends: tuple[TrendView, ...]
    """CPU, memory, disk."""
    roles: TableView
    details: TableView
    """Disks, networks, pressure."""


def build_host(timeline: Timeline, window: Window) -> HostView:
    """Build the machine pane for a window."""
    samples = timeline.hosts_in(window.range)
    return HostView(
        trends=on_window(_trends(timeline, window), window),
        roles=_role_table(samples),
        details=_detail_table(samples),
    )


def _trends(timeline: Timeline, window: Window) -> tuple[TrendView, ...]:
    buckets, marks = window.buckets, mark_columns(timeline, window)
    wide = timeline.widened(TimeRange(buckets.range.start, window.taken_until))
    samples = timeline.hosts_in(wide)
    cores = len(samples[-1].cores) if samples else None
    total = samples[-1].memory_total_bytes if samples else None
    return (
        TrendView(
            title=f"CPU of {cores} cores" if cores else "CPU",
            unit=Unit.CORES,
            series=(
                *(_role_cpu(samples, buckets, r) for r in (Role.TARGET, Role.GENERATOR)),
                trend_series("machine", "trend-3", rates(samples, buckets, busy_cores), Unit.CORES),
            ),
            ceiling=float(cores) if cores else None,
            marks=marks,
        ),
        TrendView(
            title=f"memory of {bytes_(total)}" if total else "memory",
            unit=Unit.BYTES,
            series=tuple(_role_memory(samples, buckets, r) for r in (Role.TARGET, Role.GENERATOR)),
            marks=marks,
        ),
        TrendView(
            title="disk",
            unit=Unit.BYTES_RATE,
            series=(
                trend_series(
                    "written", "trend-1", rates(samples, buckets, _written), Unit.BYTES_RATE
                ),
                trend_series("read", "trend-2", rates(samples, buckets, _read), Unit.BYTES_RATE),
            ),
            marks=marks,
        ),
    )


def _role_cpu(samples: Sequence[HostSample], buckets: Buckets, role: Role) -> TrendSeries:
    def cores(sample: HostSample) -> float | None:
        usage = role_usage(sample, role)
        return usage.cpu_seconds / sample.interval_s if usage and sample.interval_s > 0 else None

    values = rates(samples, buckets, cores)
    return trend_series(ROLE_TITLES[role], _ROLE_STYLES[role], values, Unit.CORES)


def _role_memory(samples: Sequence[HostSample], buckets: Buckets, role: Role) -> TrendSeries:
    def rss(sample: HostSample) -> float | None:
        usage = role_usage(sample, role)
        return float(usage.rss_bytes) if usage else None

    values = rates(samples, buckets, rss)
    return trend_series(ROLE_TITLES[role], _ROLE_STYLES[role], values, Unit.BYTES)


def _written(sample: HostSample) -> float:
    return sum(disk.written_bytes_per_s for disk in sample.disks)


def _read(sample: HostSample) -> float:
    return sum(disk.read_bytes_per_s for disk in sample.disks)


def _role_table(samples: Sequence[HostSample]) -> TableView:
    covered_s = sum(sample.interval_s for sample in samples)
    rows = [_role_row(summarise_role(samples, role), covered_s) for role in Role]
    rows.append(_host_row(summarise_host(samples), covered_s))
    return TableView(columns=_COLUMNS, rows=tuple(rows))


def _role_row(usage: RoleRange, covered_s: float) -> tuple[Cell, ...]:
    switches = None
    if usage.voluntary_switches is not None and usage.involuntary_switches is not None:
        switches = usage.voluntary_switches + usage.involuntary_switches
    name = ROLE_TITLES[usage.role]
    if usage.processes and usage.processes > 1:
        name += f" ×{usage.processes}"
    return (
        Cell(name, _ROLE_STYLES[usage.role]),
        Cell(cpu_cores(usage.cpu_cores_mean)),
        Cell(bytes_(usage.rss_bytes)),
        Cell(count(usage.threads)),
        Cell(bytes_rate(_per_s(usage.written_bytes, covered_s))),
        Cell(bytes_rate(_per_s(usage.read_bytes, covered_s))),
        Cell(_rate(switches, covered_s)),
    )


def _host_row(host: HostRange, covered_s: float) -> tuple[Cell, ...]:
    known = host.cores > 0
    return (
        Cell("machine", "trend-3"),
        Cell(cpu_cores(host.cpu_cores_mean)),
        Cell(bytes_(host.memory_used_bytes)),
        Cell(""),
        Cell(bytes_rate(_per_s(host.written_bytes if known else None, covered_s))),
        Cell(bytes_rate(_per_s(host.read_bytes if known else None, covered_s))),
        Cell(""),
    )


def _detail_table(samples: Sequence[HostSample]) -> TableView:
    rows: list[tuple[Cell, ...]] = []
    if samples:
        last = samples[-1]
        rows.append(_detail("load average, 1 min", f"{last.load_1m:.2f}"))
        if last.pressure is not None:
            shares = (last.pressure.cpu_ratio, last.pressure.memory_ratio, last.pressure.io_ratio)
            text = " / ".join(percent(share) for share in shares)
            rows.append(_detail("pressure cpu / memory / io", text))
        rows.append(_detail("swap used", bytes_(last.swap_used_bytes)))
        rows.extend(
            _detail(f"disk {disk.device}", f"busy {percent(disk.busy_ratio)}")
            for disk in last.disks
        )
        rows.extend(
            _detail(
                f"network {network.interface}",
                f"↑{bytes_rate(network.sent_bytes_per_s)}"
                f" ↓{bytes_rate(network.received_bytes_per_s)}",
            )
            for network in last.networks
            if network.sent_bytes_per_s or network.received_bytes_per_s
        )
    columns = (Column("machine", flexible=True), Column("", 28, right=True))
    return TableView(columns=columns, rows=tuple(rows), empty_text="not measured yet")


def _detail(name: str, text: str) -> tuple[Cell, ...]:
    return (Cell(name), Cell(text))


def _per_s(amount: float | None, covered_s: float) -> float | None:
    return amount / covered_s if amount is not None and covered_s else None


def _rate(amount: int | None, covered_s: float) -> str:
    per_s = _per_s(amount, covered_s)
    return count(None if per_s is None else round(per_s))
