from __future__ import annotations

from pathlib import Path

import pytest

from collectors.perf.offcpu_preflight import (
    USUAL_MOUNT,
    TraceEvents,
    Tracing,
    preflight_offcpu,
    read_tracing,
)
from collectors.perf.preflight import CAP_PERFMON, CAP_SYS_ADMIN, Privileges

READABLE = Tracing(TraceEvents.READABLE)
MOUNTED_ELSEWHERE = Tracing(TraceEvents.UNREADABLE, "/sys/kernel/debug/tracing")


@pytest.mark.parametrize(
    ("paranoid", "capabilities", "tracing", "message", "hint"),
    [
        (-1, 0, READABLE, "", ""),
        (4, CAP_PERFMON, READABLE, "", ""),
        (2, CAP_SYS_ADMIN, Tracing(TraceEvents.NOT_MOUNTED), "", ""),
        (None, CAP_SYS_ADMIN, READABLE, "no perf events", "perf_event_open"),
        (1, 0, READABLE, "perf_event_paranoid is 1", "sysctl kernel.perf_event_paranoid=-1"),
        (1, 0, READABLE, "perf_event_paranoid is 1", "CAP_PERFMON"),
        (
            *(-1, 0, Tracing(TraceEvents.NOT_MOUNTED)),
            *("tracefs is not mounted", "mount -t tracefs -o gid="),
        ),
        (
            *(-1, 0, MOUNTED_ELSEWHERE, "/sys/kernel/debug/tracing is not readable"),
            ",mode=750 /sys/kernel/debug/tracing",
        ),
        (-1, 0, Tracing(TraceEvents.NO_SUCH_EVENT), "no event sched:sched_switch", "CONFIG_"),
        (-1, 0, Tracing(TraceEvents.NO_TRACEFS), "no trace events", "CONFIG_EVENT_TRACING"),
    ],
)
def test_what_is_missing_is_named(
    paranoid: int | None, capabilities: int, tracing: Tracing, message: str, hint: str
) -> None:
    """One line says what, another the command that brings it."""
    result = preflight_offcpu(Privileges(paranoid, capabilities, 1000), tracing)
    assert result.can_profile == (not message)
    assert message in result.message
    assert hint in result.hint
    assert bool(result.message) == bool(message)
    assert "\n" not in result.message + result.hint


def kernel(folder: Path, *, filesystems: str = "tracefs", mounts: str = "") -> Path:
    (folder / "filesystems").write_text(f"\text4\nnodev\t{filesystems}\n")
    (folder / "mounts").write_text(f"proc /proc proc rw 0 0\n{mounts}")
    return folder


def test_the_event_is_found_where_tracefs_is_mounted(tmp_path: Path) -> None:
    """In whatever folder that is."""
    mounted_at = tmp_path / "tracing"
    proc = kernel(tmp_path, mounts=f"none {mounted_at} tracefs rw 0 0\n")
    assert read_tracing(proc) == Tracing(TraceEvents.NO_SUCH_EVENT, str(mounted_at))
    event = mounted_at / "events/sched/sched_switch"
    event.mkdir(parents=True)
    (event / "id").write_text("372\n")
    assert read_tracing(proc) == Tracing(TraceEvents.READABLE, str(mounted_at))


def test_an_event_for_root_only_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As tracefs is mounted by default."""

    def refuse(_: Path) -> bytes:
        raise PermissionError

    monkeypatch.setattr(Path, "read_bytes", refuse)
    proc = kernel(tmp_path, mounts="none /sys/kernel/tracing tracefs rw 0 0\n")
    assert read_tracing(proc).events is TraceEvents.UNREADABLE


def test_a_kernel_without_tracefs_is_told_from_one_that_has_not_mounted_it(tmp_path: Path) -> None:
    """The one can't be helped, the other takes a command."""
    assert read_tracing(kernel(tmp_path)) == Tracing(TraceEvents.NOT_MOUNTED, USUAL_MOUNT)
    without = kernel(tmp_path, filesystems="tmpfs")
    assert read_tracing(without).events is TraceEvents.NO_TRACEFS
    assert read_tracing(tmp_path / "nowhere").events is TraceEvents.NO_TRACEFS
