"""The server is built and started anew, and the run before is kept."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from collectors.process import Guard
from collectors.samples import Baseline, Mark, MarkKind, Sample, SourceState, SourceStatus
from collectors.source import SourceError
from tests.builders import load
from tui.model.timeline import Timeline
from tui.options import RunOptions
from tui.rebuild import keep_run, rebuild_target


def test_a_run_is_kept_from_its_load_to_its_end() -> None:
    """Whole seconds only, of the newest run."""
    timeline = Timeline(100.0)
    timeline.append(Mark(101.0, MarkKind.START, "start"))
    for at in (103.5, 104.5, 109.9):
        timeline.append(load(at))
    assert keep_run(timeline, "run 1", 110.4) == Baseline(110.4, "run 1", 103.0, 110.0)


@pytest.mark.parametrize("pushes", [[], [110.2]])
def test_nothing_is_kept_of_a_run_that_was_none(pushes: list[float]) -> None:
    """Without a load, or without a whole second of it."""
    timeline = Timeline(100.0)
    timeline.append(Mark(109.0, MarkKind.START, "start"))
    for at in pushes:
        timeline.append(load(at))
    assert keep_run(timeline, "run 1", 110.4) is None


class Restarted:
    """Stands for the server."""

    def __init__(self) -> None:
        self.restarts = 0

    async def restart(self) -> None:
        self.restarts += 1


async def rebuild(guard: Guard, build: str | None) -> tuple[list[Sample], int]:
    """Rebuild, and return what was told of it and how often the server was started."""
    told: list[Sample] = []
    server: Any = Restarted()
    options = RunOptions(__file__, command=("server",), build=build)  # type: ignore[arg-type]
    try:
        await rebuild_target(guard, options, server, lambda: 100.0, told.append)
    except SourceError:
        told.append(SourceStatus(100.0, "raised", SourceState.FAILED, ""))
    return told, server.restarts


async def test_without_a_build_command_the_server_is_started_anew(guard: Guard) -> None:
    """It may have been built elsewhere."""
    assert await rebuild(guard, None) == ([], 1)


async def test_a_build_comes_before_the_start(guard: Guard) -> None:
    """It is told, logged and marked."""
    told, restarts = await rebuild(guard, f"{sys.executable} -c 'print(1)'")
    assert restarts == 1
    assert [type(each).__name__ for each in told] == [
        *("SourceStatus", "LogLine", "SourceStatus", "Mark"),
    ]


async def test_after_a_build_that_fails_the_old_server_runs_on(guard: Guard) -> None:
    """And the reason is told."""
    told, restarts = await rebuild(guard, f"{sys.executable} -c 'raise SystemExit(1)'")
    assert restarts == 0
    *_, status, raised = told
    assert isinstance(status, SourceStatus)
    assert (status.source, status.state) == ("build", SourceState.FAILED)
    assert isinstance(raised, SourceStatus)
    assert raised.source == "raised"
