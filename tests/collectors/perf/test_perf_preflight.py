from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest

from collectors.perf.preflight import (
    CAP_PERFMON,
    CAP_SYS_ADMIN,
    Preflight,
    Privileges,
    check,
    explain,
    file_capabilities,
    read_privileges,
)

FINE = Preflight(True, True)

REFUSED = """Error:
Access to performance monitoring and observability operations is limited.
Consider adjusting /proc/sys/kernel/perf_event_paranoid setting to open
access to performance monitoring and observability operations for processes
without CAP_PERFMON, CAP_SYS_PTRACE or CAP_SYS_ADMIN Linux capability.
perf_event_paranoid setting is 2:
  -1: Allow use of (almost) all events by all users
      Ignore mlock limit after perf_event_mlock_kb without CAP_IPC_LOCK"""


@pytest.mark.parametrize(
    ("paranoid", "capabilities", "target_uid", "can", "kernel", "words"),
    [
        (-1, 0, 1000, True, True, ""),
        (1, 0, 1000, True, True, ""),
        (1, 0, None, True, True, ""),
        (2, 0, 1000, True, False, "kernel.perf_event_paranoid=1"),
        (3, 0, 1000, False, False, "kernel.perf_event_paranoid=2"),
        (4, 0, 1000, False, False, "kernel.perf_event_paranoid=2"),
        (1, 0, 0, False, False, "CAP_SYS_PTRACE"),
        (4, CAP_PERFMON, 0, True, True, ""),
        (4, CAP_SYS_ADMIN, 0, True, True, ""),
        (None, CAP_SYS_ADMIN, 0, False, False, "perf_event_open"),
    ],
)
def test_what_is_missing_is_named(
    paranoid: int | None,
    capabilities: int,
    target_uid: int | None,
    can: bool,
    kernel: bool,
    words: str,
) -> None:
    """Level, capabilities and owner of the target tell what works and what would help."""
    result = check(Privileges(paranoid, capabilities, 1000), target_uid)
    assert (result.can_profile, result.kernel_frames) == (can, kernel)
    assert words in result.hint
    assert bool(result.message) == bool(words)
    assert "\n" not in result.hint


def test_privileges_are_read(tmp_path: Path) -> None:
    """Level and capabilities come from procfs."""
    (tmp_path / "sys/kernel").mkdir(parents=True)
    (tmp_path / "sys/kernel/perf_event_paranoid").write_text("3\n")
    (tmp_path / "self").mkdir()
    (tmp_path / "self/status").write_text("Name:\tx\nCapEff:\t0000004000000000\nCapBnd:\t0\n")
    expected = Privileges(3, CAP_PERFMON, os.geteuid())
    assert read_privileges("/nonexistent", tmp_path) == expected


def test_unreadable_procfs_is_no_privilege(tmp_path: Path) -> None:
    """Where nothing can be read, nothing is allowed."""
    assert read_privileges("/nonexistent", tmp_path) == Privileges(None, 0, os.geteuid())


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (struct.pack("<5I", 0x02000001, 0, 0, 1 << 6, 0), CAP_PERFMON),
        (struct.pack("<5I", 0x02000000, 0, 0, 1 << 6, 0), 0),
        (struct.pack("<6I", 0x03000001, 1 << 21, 0, 0, 0, 0), CAP_SYS_ADMIN),
        (b"\x01", 0),
    ],
)
def test_file_capabilities_are_read(
    raw: bytes, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A perf with capabilities of its own counts, if they are effective at once."""
    monkeypatch.setattr(os, "getxattr", lambda *_: raw)
    assert file_capabilities("perf") == expected


@pytest.mark.parametrize(
    ("stderr", "message", "hint"),
    [
        (REFUSED, "the target belongs to another user", "CAP_PERFMON"),
        ("Permission error mapping pages.\nConsider", "may not lock", "perf_event_mlock_kb"),
        ("Error:\nToo many events are opened.", "out of open files", "ulimit -n"),
        ("Error:\nsomething odd\nmore", "perf failed: something odd", ""),
        ("[ perf record: Woken up 1 times ]", "perf failed without a word", ""),
        ("", "perf failed without a word", ""),
    ],
)
def test_refusal_is_explained(stderr: str, message: str, hint: str) -> None:
    """Perf's own words become one line and the thing to do."""
    failure = explain(stderr, check(Privileges(2, 0, 1000), 0))
    assert message in failure.message
    assert hint in failure.hint
    assert not failure.event_unknown
    assert not failure.target_gone


def test_refusal_against_all_rules_names_capability_and_container() -> None:
    """Where all looks allowed, a target with more capabilities or a container is the reason."""
    assert "CAP_PERFMON" in explain(REFUSED, FINE).hint
    assert "--cap-add PERFMON" in explain(REFUSED, FINE).hint


def test_gone_target_and_unknown_event_are_told_apart() -> None:
    """Both have their own way on."""
    gone = explain("Couldn't create thread/CPU maps: No such process", FINE)
    assert (gone.target_gone, gone.event_unknown) == (True, False)
    unknown = explain("event syntax error: 'x'\n   \\___ parser error", FINE)
    assert (unknown.target_gone, unknown.event_unknown) == (False, True)
