from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from collectors.perf.command import PerfOptions
from collectors.perf.names import is_running
from collectors.perf.source import PerfSource
from collectors.process import Guard
from collectors.samples import Sample, SourceState, SourceStatus


def fake_perf(folder: Path, record: str) -> PerfOptions:
    """A perf whose `record` does as told and whose `script` copies."""
    path = folder / "perf"
    path.write_text(f'#!/bin/sh\nif [ "$1" = script ]; then exec cat; fi\n{record}\n')
    path.chmod(0o755)
    return PerfOptions(perf_path=str(path))


async def attach(guard: Guard, options: PerfOptions, *pids: int) -> list[SourceStatus]:
    """Try to attach, in vain, and return what was told."""
    told: list[Sample] = []
    source = PerfSource(guard, time.monotonic, told.append, options)
    assert not await source.attach(pids or [os.getpid()])
    assert source.pids == ()
    await source.detach()
    statuses = [sample for sample in told if isinstance(sample, SourceStatus)]
    assert len(statuses) == len(told)
    assert statuses[0].state is SourceState.STARTING
    return statuses[1:]


async def test_missing_perf_is_a_status(guard: Guard, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without perf the source has failed and names the package; nothing is raised."""
    monkeypatch.setenv("PATH", "/nonexistent")
    (status,) = await attach(guard, PerfOptions())
    assert (status.source, status.state) == ("perf", SourceState.FAILED)
    assert status.message == "perf is not on the PATH"
    assert "linux-perf" in status.hint


async def test_words_of_perf_are_passed_on_harmless(guard: Guard, tmp_path: Path) -> None:
    """What perf says before it gives up becomes the message, without its escapes."""
    options = fake_perf(tmp_path, r"printf 'Error:\nno \033[2J luck\n' >&2; exit 1")
    (status,) = await attach(guard, options)
    assert status.state is SourceState.FAILED
    assert status.message == "perf failed: no ␛[2J luck"


async def test_flood_of_words_does_not_block_perf(guard: Guard, tmp_path: Path) -> None:
    """Megabytes on stderr are read and mostly forgotten."""
    noise = (
        "echo first >&2; head -c 3000000 /dev/zero | tr '\\0' 'x' >&2; yes '' | head -c 300000 >&2"
    )
    (status,) = await attach(guard, fake_perf(tmp_path, f"{noise}; exit 1"))
    assert status.message == "perf failed: first"


async def test_unknown_event_is_tried_once_more(guard: Guard, tmp_path: Path) -> None:
    """When even the default event is unknown, that is the end."""
    options = fake_perf(tmp_path, "echo \"event syntax error: 'x'\" >&2; exit 1")
    other = PerfOptions(event="cycles", perf_path=options.perf_path)
    for tried in (options, other):
        (status,) = await attach(guard, tried)
        assert status.state is SourceState.FAILED
        assert status.message == "perf does not know this event here"


async def test_no_living_process_is_the_end(guard: Guard, tmp_path: Path) -> None:
    """Attaching to processes that are gone ends at once, without starting perf."""
    options = fake_perf(tmp_path, f"touch {tmp_path}/started")
    (status,) = await attach(guard, options, 2**22 + 1)
    assert (status.state, status.message) == (SourceState.ENDED, "target exited")
    assert not (tmp_path / "started").exists()


async def test_detaching_twice_is_harmless(guard: Guard) -> None:
    """Detaching what is not attached says and does nothing."""
    told: list[Sample] = []
    source = PerfSource(guard, time.monotonic, told.append)
    await source.detach()
    await source.detach()
    assert told == []


async def test_perf_that_never_attaches_is_given_up(
    guard: Guard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A perf that opens no events within the deadline is ended."""
    monkeypatch.setattr("collectors.perf.source.ATTACH_DEADLINE_S", 0.3)
    options = fake_perf(tmp_path, f"echo $$ > {tmp_path}/pid; exec sleep 60")
    (status,) = await attach(guard, options)
    assert status.state is SourceState.FAILED
    assert status.message == "perf did not attach within 0.3 s"
    assert not is_running(int((tmp_path / "pid").read_text()))
