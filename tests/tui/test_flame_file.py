"""The pane of stacks over a file."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from collectors.stackfile.reader import read_profile
from tui.flameapp import NO_TIMES, USABLE, app_of
from tui.screens.ask import AskScreen
from tui.screens.help import HelpScreen

NASTY = "[/] [b] [@click=app.quit]x[/]"


@pytest.fixture
async def pilot(tmp_path: Path) -> AsyncIterator[Pilot[None]]:
    """A file, opened on a terminal of 120×30."""
    path = tmp_path / "x.folded"
    path.write_text(f"main;{NASTY} 60\nmain;read;sys_read_[k] 40\nbroken\n")
    app = app_of(read_profile(path), NASTY, None)
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


async def test_a_file_without_times_has_no_ranges(pilot: Pilot[None]) -> None:
    """Its keys are dimmed, and tell why."""
    before = text_of(pilot)
    await press(pilot, "left_square_bracket")
    assert [each.message for each in pilot.app._notifications][-1] == NO_TIMES
    pilot.app.clear_notifications()
    assert "whole file" in await press(pilot, "w", "left_curly_bracket", "space")
    assert before.splitlines()[1:3] == text_of(pilot).splitlines()[1:3]


def samples(seconds: int, event: str = "cpu-clock") -> str:
    """Return a text of perf: a sample a second, each of a function of its own."""
    return "".join(
        f"w 1 {100 + n}.250000:    {2_000_000 + n} {event}: \n"
        f"\t            {0x1151 + n:x} work{n} (/srv/w)\n\t            1050 main (/srv/w)\n\n"
        for n in range(seconds)
    )


@asynccontextmanager
async def opened(folder: Path, text: str) -> AsyncIterator[Pilot[None]]:
    """Open a text of perf as the command does."""
    path = folder / "stacks.txt"
    path.write_text(text)
    app = app_of(read_profile(path), "stacks.txt", None)
    async with app.run_test(size=(120, 30), notifications=True) as running:
        await running.pause()
        yield running


def range_of(text: str) -> str:
    """Return how the range is called, and its samples."""
    return " · ".join(text.splitlines()[1].strip(" │").split(" · ")[:2])


async def test_ranges_are_moved_like_those_of_a_run(tmp_path: Path) -> None:
    """Named by the time since the file's begin; never outside of it."""
    async with opened(tmp_path, samples(18)) as pilot:
        assert range_of(text_of(pilot)) == "whole file · 18 samples"
        keys = (
            *("w", "w", "left_square_bracket", "left_curly_bracket", "right_curly_bracket"),
            *("right_square_bracket", "right_square_bracket", "space"),
            *("right_curly_bracket", "left_curly_bracket", "left_square_bracket", "escape", "w"),
            *("escape",),
        )
        told = [range_of(await press(pilot, key)) for key in keys]
        assert told == [
            "0:13 to 0:18 of the file · 5 samples",
            "0:08 to 0:18 of the file · 10 samples",
            "0:07 to 0:17 of the file · 10 samples",
            "0:02 to 0:17 of the file · 15 samples",
            "0:07 to 0:17 of the file · 10 samples",
            "0:08 to 0:18 of the file · 10 samples",
            "0:08 to 0:18 of the file · 10 samples",
            "whole file · 18 samples",
            "0:03 to 0:18 of the file · 15 samples",
            "whole file · 18 samples",
            "0:00 to 0:17 of the file · 17 samples",
            "whole file · 18 samples",
            "0:13 to 0:18 of the file · 5 samples",
            "whole file · 18 samples",
        ]
        assert list(pilot.app._notifications) == []


async def test_w_goes_round(tmp_path: Path) -> None:
    """Through the lengths that are shorter than the file, and the whole of it."""
    async with opened(tmp_path, samples(18)) as pilot:
        told = [range_of(await press(pilot, "w"))[:6] for _ in range(5)]
        assert told == ["0:13 t", "0:08 t", "whole ", "0:13 t", "0:08 t"]


async def test_a_range_at_the_begin_stays_in_the_file(tmp_path: Path) -> None:
    """Its length is what is there."""
    async with opened(tmp_path, samples(18)) as pilot:
        text = await press(pilot, "w", "w", *["left_square_bracket"] * 20)
        assert range_of(text) == "0:00 to 0:01 of the file · 1 samples"
        assert range_of(await press(pilot, "left_square_bracket")) == range_of(text)


async def test_events_that_are_no_clock_are_no_time(tmp_path: Path) -> None:
    """The pane names them; nowhere is a unit of time."""
    async with opened(tmp_path, samples(18, "cycles")) as pilot:
        graph = await press(pilot, "down")
        assert "total 100% 36.0M cycles" in graph
        table = await press(pilot, "t")
        assert "self cycles" in table
        assert not re.search(r"\d (µs|ms|s|cores)\b", graph + table)


async def test_q_leaves_at_once(pilot: Pilot[None]) -> None:
    """Nothing runs that could be lost."""
    await pilot.press("q")
    await pilot.pause()
    assert pilot.app._exit
