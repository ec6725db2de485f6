from __future__ import annotations

import os
from pathlib import Path

import pytest

from collectors.perf.command import (
    PerfOptions,
    find_perf,
    perf_environment,
    probe_version,
    record_argv,
    script_argv,
    writing_soon,
)
from collectors.process import Guard
from collectors.source import SourceError


def program(folder: Path, text: str, mode: int = 0o755) -> str:
    path = folder / "perf"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(mode)
    return str(path)


def test_recording_is_asked_for_as_the_decoder_needs_it() -> None:
    """Unbuffered, on the session's clock, to a pipe, for the processes given."""
    argv = record_argv("/usr/bin/perf", PerfOptions(), [30, 4, 30])
    assert argv[:2] == ["/usr/bin/perf", "record"]
    assert set(argv) >= {
        "--output=-",
        "--no-buffering",
        "--clockid=CLOCK_MONOTONIC",
        "--freq=99",
        "--event=cpu-clock",
        "--call-graph=fp",
        "--pid=4,30",
    }
    assert not any(argument.startswith("--mmap-pages") for argument in argv)


def test_options_reach_the_command_line() -> None:
    """Frequency, event, call graph and ring size are those asked for."""
    options = PerfOptions(997, "cycles:u", "dwarf,8192", mmap_pages=16)
    assert set(record_argv("perf", options, [1])) >= {
        "--freq=997",
        "--event=cycles:u",
        "--call-graph=dwarf,8192",
        "--mmap-pages=16",
    }


def test_printing_never_asks_for_names() -> None:
    """Perf is not asked for process names, which could forge a sample."""
    argv = script_argv("perf", "/srv/perf.data")
    assert "--input=/srv/perf.data" in argv
    assert "--no-inline" in argv
    assert not any("comm" in argument or "trace" in argument for argument in argv)


def test_printing_is_written_soon_where_there_is_coreutils(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it perf prints as it does by itself."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert writing_soon(["perf", "script"]) == ["perf", "script"]
    (tmp_path / "stdbuf").touch(0o755)
    stdbuf = str(tmp_path / "stdbuf")
    assert writing_soon(["perf", "script"]) == [stdbuf, "--output=512", "perf", "script"]


@pytest.mark.parametrize(
    ("event", "call_graph", "frequency_hz"),
    [
        ("-e", "fp", 99),
        ("cpu-clock --help", "fp", 99),
        ("", "fp", 99),
        ("cpu-clock", "fp;x", 99),
        ("cpu-clock", "dwarf,", 99),
        ("cpu-clock", "fp", 0),
    ],
)
def test_odd_options_are_refused(event: str, call_graph: str, frequency_hz: int) -> None:
    """What perf would take for something else does not get that far."""
    with pytest.raises(SourceError):
        PerfOptions(frequency_hz, event, call_graph)


def test_environment_holds_no_secrets() -> None:
    """Perf gets a few variables of ours, no settings of the user, and no download address."""
    ours = {"PATH": "/bin", "HOME": "/root", "TOKEN": "x", "LC_ALL": "de_DE", "PERF_CONFIG": "/x"}
    assert perf_environment(ours | {"DEBUGINFOD_URLS": "https://example.org"}) == {
        "PATH": "/bin",
        "HOME": "/root",
        "LC_ALL": "C",
        "PERF_CONFIG": "/dev/null",
        "DEBUGINFOD_URLS": "",
    }


def test_perf_is_found_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a path given, the one on the PATH is taken."""
    path = program(tmp_path, "")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_perf() == path
    assert find_perf(path) == path


def test_missing_perf_names_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without perf, the error says what to install; with a wrong path, that it is wrong."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceError, match="linux-perf"):
        find_perf()
    with pytest.raises(SourceError, match="not an executable file"):
        find_perf(program(tmp_path, "", mode=0o644) if os.geteuid() else str(tmp_path))


async def test_version_is_told(guard: Guard, tmp_path: Path) -> None:
    """The version is what perf itself says."""
    assert await probe_version(guard, program(tmp_path, "echo perf version 6.1.1")) == "6.1.1"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("echo 'WARNING: perf not found for kernel'; exit 2", "does not work on this kernel"),
        ("echo hello", "does not work on this kernel"),
        ("exec sleep 60", "within 0.2 s"),
        ("exec >&-; exec sleep 60", "within 0.2 s"),
    ],
)
async def test_broken_perf_is_told(guard: Guard, tmp_path: Path, text: str, message: str) -> None:
    """A wrapper without its package and a program that hangs are told apart, in time."""
    with pytest.raises(SourceError, match=message):
        await probe_version(guard, program(tmp_path, text), deadline_s=0.2)
