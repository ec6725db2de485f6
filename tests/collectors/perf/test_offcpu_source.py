from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from collectors.perf.command import PerfOptions
from collectors.perf.interner import Interner
from collectors.perf.offcpu_preflight import TraceEvents, Tracing
from collectors.perf.offcpu_source import OffCpuSource
from collectors.process import Guard
from collectors.samples import Sample, SourceState, SourceStatus
from collectors.source import SourceError


def fake_perf(folder: Path) -> PerfOptions:
    """A perf that gives up at once and notes that it was started."""
    path = folder / "perf"
    path.write_text(f"#!/bin/sh\ntouch {folder}/started\necho no luck >&2\nexit 1\n")
    path.chmod(0o755)
    return PerfOptions(perf_path=str(path))


@pytest.fixture
def tracing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel that allows everything."""
    module = "collectors.perf.offcpu_preflight"
    monkeypatch.setattr(f"{module}.Privileges.may_see_all", True)
    monkeypatch.setattr(
        "collectors.perf.offcpu_source.read_tracing", lambda: Tracing(TraceEvents.READABLE)
    )


async def attach(guard: Guard, options: PerfOptions, pid: int) -> SourceStatus:
    """Try to attach, in vain, and return the last thing told."""
    told: list[Sample] = []
    source = OffCpuSource(guard, time.monotonic, told.append, options, Interner())
    assert not await source.attach([pid])
    assert source.pids == ()
    await source.detach()
    assert all(isinstance(each, SourceStatus) and each.source == "off-cpu" for each in told)
    assert isinstance(told[-1], SourceStatus)
    return told[-1]


@pytest.mark.usefixtures("tracing")
async def test_a_perf_that_gives_up_is_a_status(guard: Guard, tmp_path: Path) -> None:
    """Its words are passed on, and neither it nor the pulse is left."""
    status = await attach(guard, fake_perf(tmp_path), os.getpid())
    assert (status.state, status.message) == (SourceState.FAILED, "perf failed: no luck")


async def test_no_living_process_is_the_end(guard: Guard, tmp_path: Path) -> None:
    """Perf is not started for processes that are gone."""
    status = await attach(guard, fake_perf(tmp_path), 2**22 + 1)
    assert (status.state, status.message) == (SourceState.ENDED, "target exited")
    assert not (tmp_path / "started").exists()


async def test_what_the_kernel_lacks_is_told_before_perf_is_started(
    guard: Guard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a status when attaching, as an error when asked."""
    monkeypatch.setattr(
        "collectors.perf.offcpu_source.read_tracing", lambda: Tracing(TraceEvents.NO_TRACEFS)
    )
    options = fake_perf(tmp_path)
    status = await attach(guard, options, os.getpid())
    assert status.state is SourceState.FAILED
    assert not (tmp_path / "started").exists()
    source = OffCpuSource(guard, time.monotonic, lambda _: None, options, Interner())
    with pytest.raises(SourceError) as error:
        source.check()
    assert (error.value.message, error.value.hint) == (status.message, status.hint)


async def test_a_missing_perf_is_told_when_asked(guard: Guard) -> None:
    """With what installs it."""
    options = PerfOptions(perf_path="/nonexistent/perf")
    source = OffCpuSource(guard, time.monotonic, lambda _: None, options, Interner())
    with pytest.raises(SourceError, match="not an executable file"):
        source.check()
