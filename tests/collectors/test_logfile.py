from __future__ import annotations

import logging
import os
import stat
import sys
from pathlib import Path

import pytest

from collectors.logfile import FILES, MAX_BYTES, LogFile, log_path


def record(text: str, *args: object, name: str = "test", error: object = None) -> logging.LogRecord:
    """Return a record, with an exception or without."""
    info = (type(error), error, None) if isinstance(error, BaseException) else None
    return logging.LogRecord(name, logging.ERROR, __file__, 1, text, args, info)


@pytest.fixture
def log(tmp_path: Path) -> LogFile:
    return LogFile(tmp_path / "state" / "flashpoint.log")


def test_it_is_above_the_recordings(tmp_path: Path) -> None:
    assert log_path({"FLASHPOINT_STATE_DIR": str(tmp_path)}) == tmp_path / "flashpoint.log"


def test_nothing_is_made_before_the_first_record(log: LogFile) -> None:
    assert not log.path.parent.exists()


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777])
def test_it_is_for_its_owner_only(log: LogFile, umask: int) -> None:
    before = os.umask(umask)
    try:
        log.emit(record("x"))
        log.emit(record("y"))
    finally:
        os.umask(before)
    if umask != 0o777:
        assert log.problem == ""
        assert stat.S_IMODE(log.path.stat().st_mode) == 0o600
        assert stat.S_IMODE(log.path.parent.stat().st_mode) == 0o700


def test_what_others_could_read_is_closed_to_them(log: LogFile) -> None:
    log.path.parent.mkdir()
    log.path.write_text("")
    log.path.chmod(0o666)
    log.emit(record("x"))
    assert stat.S_IMODE(log.path.stat().st_mode) == 0o600


def test_a_record_is_one_clean_line_without_secrets(log: LogFile) -> None:
    log.emit(record("a\nb\x1b[2J %s", "http://u:hunter2@h/?k=hunter3 Authorization: Bearer hunt4"))
    text = log.path.read_text()
    assert text.count("\n") == 1
    assert "a␊b␛[2J http://h/?k=… Authorization: Bearer …" in text
    assert "hunt" not in text


def test_an_exception_is_below_its_record(log: LogFile) -> None:
    log.emit(record("it broke", error=ValueError("redis://:hunter2@h/\n\x9b2J")))
    _, below = log.path.read_text().splitlines()
    assert below.startswith("  ValueError: redis://h/␊")
    assert "hunter2" not in below


@pytest.mark.parametrize("name", ["asyncio", "py.warnings"])
def test_what_is_passed_to_callbacks_is_not_shown(log: LogFile, name: str) -> None:
    log.emit(record("Exception in callback\nhandle: <Handle f('hunter2')>", name=name))
    assert "hunter2" not in log.path.read_text()


def test_it_turns_to_the_next_file_in_time(log: LogFile) -> None:
    for number in range(5 * MAX_BYTES // 1800):
        log.emit(record(f"{number} " + "x" * 1800))
    files = sorted(log.path.parent.iterdir())
    assert [each.name for each in files] == [
        "flashpoint.log",
        "flashpoint.log.1",
        "flashpoint.log.2",
    ]
    assert len(files) == FILES
    assert all(each.stat().st_size <= MAX_BYTES for each in files)
    assert all(stat.S_IMODE(each.stat().st_mode) == 0o600 for each in files)
    assert log.path.read_text().splitlines()[-1].count(f" {number} ") == 1


def test_two_writers_lose_nothing(log: LogFile) -> None:
    other = LogFile(log.path)
    for number in range(1500):
        (log if number % 2 else other).emit(record(f"{number:05} " + "x" * 1000))
    text = "".join(each.read_text() for each in sorted(log.path.parent.iterdir()))
    assert all(f" {number:05} " in text for number in range(1500))


@pytest.mark.parametrize("kind", ["link", "hard link", "fifo", "folder", "device"])
def test_what_is_no_file_of_our_own_is_left_alone(log: LogFile, tmp_path: Path, kind: str) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    log.path.parent.mkdir()
    match kind:
        case "link":
            log.path.symlink_to(victim)
        case "hard link":
            log.path.hardlink_to(victim)
        case "fifo":
            os.mkfifo(log.path)
        case "folder":
            log.path.mkdir()
        case "device":
            log = LogFile(Path("/dev/null"))
    log.emit(record("x"))
    assert log.problem
    assert victim.read_text() == "precious"


def test_a_folder_that_cant_be_made_is_told_and_no_more(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    log = LogFile(tmp_path / "file" / "flashpoint.log")
    log.emit(record("x"))
    assert "file" in log.problem


def test_a_record_that_cant_be_formatted_is_no_crash(log: LogFile) -> None:
    log.emit(record("%d", "no number"))
    assert log.problem == "TypeError"
    log.emit(record("fine"))
    assert log.problem == ""


def test_importing_logs_nothing() -> None:
    assert not [h for h in logging.getLogger().handlers if isinstance(h, LogFile)]
    assert sys.excepthook.__module__ != "tui.unhandled"
