"""The pane of stacks over a file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from textual.pilot import Pilot

from collectors.stackfile.reader import read_profile
from tui.convert import timeline_of
from tui.flameapp import USABLE, FlameFileApp
from tui.screens.ask import AskScreen
from tui.screens.help import HelpScreen
from tui.views.flamepane import Subject

NASTY = "[/] [b] [@click=app.quit]x[/]"


@pytest.fixture
async def pilot(tmp_path: Path) -> AsyncIterator[Pilot[None]]:
    """A file, opened on a terminal of 120×30."""
    path = tmp_path / "x.folded"
    path.write_text(f"main;{NASTY} 60\nmain;read;sys_read_[k] 40\nbroken\n")
    profile = read_profile(path)
    subject = Subject("folded samples", "no stacks", has_clock=False)
    app = FlameFileApp(timeline_of(profile), NASTY, subject, profile.notes)
    async with app.run_test(size=(120, 30), notifications=True) as running:
        await running.pause()
        yield running


def text_of(pilot: Pilot[None]) -> str:
    """Return the screen as text."""
    return "\n".join(line.text for line in pilot.app.screen._compositor.render_strips())


async def press(pilot: Pilot[None], *keys: str) -> str:
    await pilot.press(*keys)
    await pilot.pause()
    return text_of(pilot)


async def test_a_file_is_shown_as_it_is(pilot: Pilot[None]) -> None:
    """All of it, its name on the border, what could not be read in a toast."""
    text = text_of(pilot)
    assert f"─ {NASTY}" in text
    assert "whole file · 100 samples · folded samples" in text
    assert f"▏{NASTY}" in text
    assert [each.message for each in pilot.app._notifications] == ["left out: 1 × line unreadable"]


async def test_its_forms_are_those_of_a_run(pilot: Pilot[None]) -> None:
    """Table, sandwich, search, shapes; costs are samples."""
    assert "self samples" in await press(pilot, "t")
    assert "sandwich of" in await press(pilot, "enter")
    assert "sandwich of" not in await press(pilot, "escape")
    assert "inverted" in await press(pilot, "i")
    assert "kernel hidden" in await press(pilot, "i", "K")
    await press(pilot, "K", "slash", *"read")
    assert isinstance(pilot.app.screen, AskScreen)
    assert "2 matches, 40.0%" in await press(pilot, "enter")


async def test_keys_of_a_run_are_not_offered(pilot: Pilot[None]) -> None:
    """Nor do they do anything."""
    last = text_of(pilot).splitlines()[-1]
    assert "x stop" not in last
    assert "t table" in last
    before = text_of(pilot)
    assert await press(pilot, "s", "plus", "b", "o") == before
    assert not USABLE & {"load.start", "view.baseline", "view.offcpu", "view.rebuild"}
    await press(pilot, "question_mark")
    assert isinstance(pilot.app.screen, HelpScreen)


async def test_q_leaves_at_once(pilot: Pilot[None]) -> None:
    """Nothing runs that could be lost."""
    await pilot.press("q")
    await pilot.pause()
    assert pilot.app._exit
