"""A recording begins under a name of its own, whoever else begins one at that moment."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from collectors.process import Guard
from collectors.recording.recorder import Recorder
from collectors.samples import Role, Sample
from collectors.source import SourceError
from tui.model.phase import Phase
from tui.options import RunOptions
from tui.recording import _named
from tui.session import Session


def test_who_is_slower_takes_the_next_name(tmp_path: Path) -> None:
    """Two runs of one script may begin in one second; both are recorded."""
    tried: list[Path] = []

    def begin(path: Path) -> Recorder:
        tried.append(path)
        if len(tried) < 3:
            path.touch()  # somebody was faster
            raise SourceError("it is there already")
        return cast("Recorder", path)

    assert cast("Path", _named(begin, tmp_path, "s.js")) == tried[2]
    assert len(set(tried)) == 3


def test_what_is_wrong_otherwise_is_told_at_once(tmp_path: Path) -> None:
    """A folder that can't be written to does not become so by trying."""
    tried: list[Path] = []

    def begin(path: Path) -> Recorder:
        tried.append(path)
        raise SourceError("can't record there")

    with pytest.raises(SourceError, match="can't record there"):
        _named(begin, tmp_path, "s.js")
    assert len(tried) == 1


@pytest.fixture
def session() -> Session:
    """A session that was not opened yet."""
    guard = cast("Guard", SimpleNamespace(pid=71, keeper_pid=70))
    return Session(RunOptions(Path("s.js")), guard, lambda: 100.0)


async def test_a_recording_begins_with_what_is_known(session: Session) -> None:
    """That a run is to begin; how it is moved is found out later."""
    kept: list[Sample] = []
    session.record_to(cast("Recorder", SimpleNamespace(add=kept.append)))
    (state,) = session.timeline.states
    assert kept == [state]
    assert (state.phase, state.script, state.control) == (Phase.STARTING, "s.js", "")


async def test_the_monitor_is_all_that_is_ours(session: Session) -> None:
    """The guard and its keeper cost something, too."""
    assert {os.getpid(), 70, 71} <= set(session._roles()[Role.MONITOR])
