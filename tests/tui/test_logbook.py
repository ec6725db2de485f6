"""What is noted of a run while it goes on, and that all of it is recorded."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

import tui.logbook
from collectors.recording.reader import Recording
from collectors.recording.recorder import Recorder
from collectors.runstate import RunState
from collectors.samples import Mark, MarkKind
from tests.builders import load
from tests.tapes import BEGIN, contents, header, state
from tests.waiting import eventually
from tui.logbook import Logbook
from tui.model.timeline import Timeline
from tui.tape import whole


class Run:
    """A run whose state the test changes."""

    def __init__(self, path: Path) -> None:
        self.now = BEGIN
        self.phase = "starting"
        self.timeline = Timeline(BEGIN)
        self.logbook = Logbook(self.timeline, lambda: self.now)
        self.recorder = Recorder(path, header(), lambda: self.now, lambda _: None)
        self.logbook.record_to(self.recorder)

    def state(self) -> RunState:
        return replace(state(self.now, self.phase), at=self.now)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A run that is noted as often as can be."""
    monkeypatch.setattr(tui.logbook, "LOOK_S", 0.0)
    return Run(tmp_path / "x.flashpoint")


async def test_the_state_is_noted_when_it_changes(run: Run) -> None:
    """And not when only time has passed."""
    keeping = asyncio.create_task(run.logbook.keep(run.state))
    await eventually(lambda: len(run.timeline.states) == 1)
    run.now += 1.0
    run.phase = "running"
    await eventually(lambda: len(run.timeline.states) == 2)
    run.now += 30.0
    for _ in range(20):
        await asyncio.sleep(0)
    assert [(each.phase, each.at) for each in run.timeline.states] == [
        ("starting", BEGIN),
        ("running", BEGIN + 1),
    ]
    keeping.cancel()
    await run.logbook.close(run.state())


async def test_everything_that_is_appended_is_in_the_recording(run: Run) -> None:
    """From when it began to the last state; the card is of all of it."""
    keeping = asyncio.create_task(run.logbook.keep(run.state))
    run.timeline.append(Mark(BEGIN, MarkKind.NOTE, "look"))
    run.phase = "running"
    for _ in range(8):
        run.now += 1.0
        run.timeline.append(load(run.now, 25))
    await eventually(lambda: bool(run.timeline.states))
    keeping.cancel()
    run.phase = "closed"
    await run.logbook.close(run.state())
    expected = contents(run.timeline)
    run.timeline.append(load(run.now + 1))  # nobody records it any more
    recording = Recording(run.recorder.path)
    found = whole(recording)
    assert recording.card.requests == 200
    assert recording.card.peak_rps == 25.0
    assert recording.card.is_marked
    assert not recording.is_unclean
    recording.close()
    assert found.states[-1].phase == "closed"
    assert contents(found) == expected


async def test_what_a_list_says_follows_the_run(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every few seconds, while it is recorded."""
    told: list[int] = []
    monkeypatch.setattr(run.recorder, "describe", lambda card: told.append(card.requests))
    keeping = asyncio.create_task(run.logbook.keep(run.state))
    await eventually(lambda: bool(run.timeline.states))
    for _ in range(3):
        run.now += tui.logbook.CARD_S
        run.timeline.append(load(run.now, 10))
        before = len(told)
        await eventually(lambda before=before: len(told) > before)  # type: ignore[misc]
    keeping.cancel()
    await run.logbook.close(run.state())
    assert told == [10, 20, 30, 30]
