from __future__ import annotations

from dataclasses import replace

import pytest

from collectors.samples import DiskUsage, HostSample, NetworkUsage, Pressure, Role, RoleUsage
from tests.builders import host, texts, usage
from tui.model.timeline import Timeline
from tui.views.format import Unit
from tui.views.host import build_host
from tui.views.table import draw_table
from tui.views.window import TREND_COLUMNS, Window

DISK = DiskUsage("vda", 2048.0, 1024.0, 1.0, 2.0, 0.125)
ROLES = (usage(Role.TARGET, 1.25), replace(usage(Role.GENERATOR, 0.5), processes=3))


def recorded(*samples: HostSample) -> Timeline:
    """Return a timeline begun at 100 s with these samples."""
    timeline = Timeline(100.0)
    for sample in samples:
        timeline.append(sample)
    return timeline


def seconds(first: int, last: int) -> list[HostSample]:
    """Return seconds of a machine with load and a busy disk."""
    return [
        host(float(at), busy_ratio=0.9, roles=ROLES, disks=(DISK,)) for at in range(first, last + 1)
    ]


def test_who_uses_what_stands_in_one_row_each() -> None:
    """Server, k6, ourselves, and the machine as a whole."""
    view = build_host(recorded(*seconds(101, 104)), Window(104.0))
    assert texts(draw_table(view.roles, 68, 5)) == [
        "            cores    memory threads     written        read switches",
        "server       1.25   1.0 KiB       2       7 B/s       6 B/s        9",
        "k6 ×3        0.50   1.0 KiB       2       7 B/s       6 B/s        9",
        "flashpoint      –         –       –           –           –        –",
        "machine      1.80   1.0 MiB           1.0 KiB/s   2.0 KiB/s         ",
    ]


def test_before_the_first_sample_nothing_is_known() -> None:
    """Names and dashes."""
    view = build_host(recorded(), Window(104.0))
    cells = [[cell.text for cell in row[1:]] for row in view.roles.rows]
    assert cells == [["–"] * 6] * 3 + [["–", "–", "", "–", "–", ""]]
    assert [trend.title for trend in view.trends] == ["CPU", "memory", "disk"]
    assert texts(draw_table(view.details, 20, 2))[1] == "not measured yet    "


def test_trends_have_a_ceiling_where_there_is_one() -> None:
    """CPU ends at the number of cores; memory and disk at what they reach."""
    cpu, memory, disk = build_host(recorded(*seconds(101, 103)), Window(103.0)).trends
    assert (cpu.title, cpu.unit, cpu.ceiling) == ("CPU of 2 cores", Unit.CORES, 2.0)
    assert [(each.name, each.newest) for each in cpu.series] == [
        ("server", "1.25"),
        ("k6", "0.50"),
        ("machine", "1.80"),
    ]
    assert cpu.series[0].values == (None,) * (TREND_COLUMNS - 3) + (1.25,) * 3
    assert (memory.title, memory.ceiling) == ("memory of 1.0 GiB", None)
    assert [each.newest for each in memory.series] == ["1.0 KiB", "1.0 KiB"]
    assert [each.newest for each in disk.series] == ["1.0 KiB/s", "2.0 KiB/s"]


def test_a_role_that_is_gone_leaves_a_gap() -> None:
    """Not a zero, and not its last value."""
    samples = [*seconds(101, 102), host(103.0), host(104.0), host(105.0)]
    cpu = build_host(recorded(*samples), Window(105.0)).trends[0]
    assert cpu.series[0].values[-5:] == (1.25, 1.25, None, None, None)
    assert cpu.series[0].newest == "–"
    assert cpu.series[2].values[-3:] == (1.0, 1.0, 1.0)


def test_details_are_of_the_newest_second() -> None:
    """Load, pressure, swap, disks, and networks on which something travels."""
    networks = (NetworkUsage("lo", 0.0, 0.0), NetworkUsage("eth0", 2048.0, 0.0))
    sample = replace(
        host(101.0, disks=(DISK,), pressure=Pressure(0.5, 0.0, 0.25)),
        networks=networks,
        load_1m=1.234,
    )
    rows = build_host(recorded(host(100.5), sample), Window(101.0)).details.rows
    assert [(row[0].text, row[1].text) for row in rows] == [
        ("load average, 1 min", "1.23"),
        ("pressure cpu / memory / io", "50.0% / 0% / 25.0%"),
        ("swap used", "0 B"),
        ("disk vda", "busy 12.5%"),
        ("network eth0", "↑2.0 KiB/s ↓0 B/s"),
    ]
    without = build_host(recorded(host(101.0)), Window(101.0)).details.rows
    assert [row[0].text for row in without] == ["load average, 1 min", "swap used"]


@pytest.mark.parametrize(
    "role",
    [
        replace(usage(Role.TARGET, 1.0), voluntary_switches=None),
        replace(usage(Role.TARGET, 1.0), involuntary_switches=None),
    ],
)
def test_half_of_the_switches_is_not_shown_as_all(role: RoleUsage) -> None:
    """Where one kind is not known, the sum isn't either."""
    view = build_host(recorded(host(101.0, roles=(role,))), Window(101.0))
    assert view.roles.rows[0][-1].text == "–"
