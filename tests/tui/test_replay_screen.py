"""The screen over a recording: its keys play, and what is kept of it can be found."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static

from collectors.samples import MarkKind, SourceState, SourceStatus
from tests.tapes import BEGIN, FakeTape, a_run, timeline_of
from tests.waiting import eventually
from tui.commands import COMMANDS, LIVE, REPLAY
from tui.replay import Replay
from tui.replayapp import ReplayApp
from tui.screens.ask import AskScreen
from tui.screens.help import HelpScreen
from tui.screens.monitor import ReplayScreen

RUN = a_run(200)
ZERO = next(each.at - each.interval_s for each in timeline_of(RUN).loads)
END = RUN[-1].at
NASTY = "[/] [b] [@click=app.quit]x[/]"


class FakeClock:
    """A steady clock that the test moves."""

    now = 50.0

    def __call__(self) -> float:
        return self.now


class Watching:
    """A replay under the screen, and the hands of who watches."""

    def __init__(self, pilot: Pilot[None], replay: Replay, clock: FakeClock) -> None:
        self.pilot = pilot
        self.app = pilot.app
        assert isinstance(self.app, ReplayApp)
        self.looking = self.app.looking
        self.replay = replay
        self.clock = clock

    async def press(self, *keys: str) -> str:
        """Press keys, let everything settle, and return the screen."""
        await self.pilot.press(*keys)
        await self.pilot.pause()
        return self.text

    @property
    def text(self) -> str:
        """The screen."""
        return "\n".join(line.text for line in self.app.screen._compositor.render_strips())

    async def play(self, seconds: float) -> str:
        """Let time pass, and return the screen."""
        self.clock.now += seconds
        assert isinstance(self.app, ReplayApp)
        self.app.refresh_view()
        await self.pilot.pause()
        return self.text

    @property
    def at(self) -> float:
        """Where the replay is, seconds since the load began."""
        return round(self.replay.clock() - ZERO, 6)

    @property
    def told(self) -> list[str]:
        """What was said in toasts."""
        return [each.message for each in self.app._notifications]


@pytest.fixture
async def watching(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Watching]:
    """A recording of 200 seconds on a terminal of 160×48, in a folder of its own, all read."""
    monkeypatch.chdir(tmp_path)
    clock = FakeClock()
    replay = Replay(FakeTape(RUN), clock=clock)
    app = ReplayApp(replay)
    async with app.run_test(size=(160, 48), notifications=True) as pilot:
        await eventually(lambda: replay.is_read and isinstance(app.screen, ReplayScreen))
        await pilot.pause()
        yield Watching(pilot, replay, clock)


async def test_it_plays_and_stands_still(watching: Watching) -> None:
    """With space; the screen shows where it is, and figures of then."""
    begin = watching.at
    await watching.play(30)
    assert watching.at == begin + 30
    assert "▶" in watching.text
    text = await watching.press("space")
    assert "⏸" in text
    await watching.play(30)
    assert watching.at == begin + 30
    await watching.press("space")
    await watching.play(5)
    assert watching.at == begin + 35
    assert "frozen" not in watching.text


async def test_keys_go_on_and_back(watching: Watching) -> None:
    """Ten seconds, a minute, to either end."""
    await watching.press("space")
    begin = watching.at
    for key, moved in (("full_stop", 10), ("full_stop", 20), ("comma", 10), ("colon", 70),
                       ("semicolon", 10)):  # fmt: skip
        await watching.press(key)
        assert watching.at == begin + moved, key
    await watching.press("G")
    assert watching.replay.clock() == END
    await watching.press("g")
    assert watching.replay.clock() == BEGIN


async def test_keys_change_the_speed(watching: Watching) -> None:
    """Which is shown beside the position."""
    begin = watching.at
    await watching.press("greater_than_sign", "greater_than_sign")
    text = await watching.play(10)
    assert watching.at == begin + 40
    assert "×4" in text
    text = await watching.press("less_than_sign", "less_than_sign", "less_than_sign")
    assert "×0.5" in text
    await watching.play(10)
    assert watching.at == begin + 45


async def test_a_time_can_be_typed(watching: Watching) -> None:
    """What was understood is shown before; what is no time is refused."""
    await watching.press("space", "J", *"1:30")
    assert isinstance(watching.app.screen, AskScreen)
    verdict = watching.app.screen.query_one("#verdict", Static)
    assert str(verdict.content) == "→ 90 s after the load began"
    text = await watching.press("enter")
    assert watching.at == 90.0
    assert "1:30/" in text
    await watching.press("J", *"soon", "enter")
    assert isinstance(watching.app.screen, AskScreen)
    await watching.press("escape")
    assert watching.at == 90.0
    await watching.press("J", *"9h", "enter")
    assert watching.replay.clock() == END


async def test_a_range_is_picked_and_playing_lets_it_go(watching: Watching) -> None:
    """The range stands still; whoever plays on wants to see it go."""
    await watching.press("space", "J", *"100", "enter")
    text = await watching.press("left_square_bracket", "left_square_bracket")
    assert watching.looking.choice.is_held
    picked = watching.looking.range()
    assert "❄" in text
    await watching.press("right_curly_bracket")
    assert watching.looking.range().duration_s < picked.duration_s
    await watching.press("full_stop")
    assert not watching.looking.choice.is_held
    assert watching.looking.range().end == watching.replay.clock()


async def test_a_range_is_compared_with_a_baseline(watching: Watching) -> None:
    """One that is kept while watching is there wherever one goes."""
    await watching.press("space", "J", *"60", "enter", "b")
    assert any("baseline" in each for each in watching.told)
    text = await watching.press("J", *"150", "enter", "d", "t")
    assert watching.looking.baseline() is not None
    assert watching.looking.lens.compared_with in text
    await watching.press("J", *"10", "enter")
    assert watching.looking.baseline() is not None


async def test_a_note_is_on_the_timeline(watching: Watching) -> None:
    """Where the range ends; shown and told as it was typed."""
    await watching.press("space", "J", *"50", "enter", "m", *"look here", "enter")
    notes = [each for each in watching.replay.timeline.marks if each.kind is MarkKind.NOTE]
    assert [(each.text, each.at) for each in notes] == [("look here", ZERO + 50.0)]
    await eventually(lambda: "look here" in watching.told)
    await watching.press("m", "enter")
    await watching.press("m", "x", "escape")
    assert len([e for e in watching.replay.timeline.marks if e.kind is MarkKind.NOTE]) == 1


async def test_a_range_is_exported(watching: Watching, tmp_path: Path) -> None:
    """To the file that was asked for; its path can be pasted."""
    await watching.press("space", "J", *"50", "enter", "e")
    question = watching.app.screen
    assert isinstance(question, AskScreen)
    line = question.query_one(Input)
    assert line.value.startswith("shop-")
    assert line.value.endswith(".html")
    line.value = "out.folded"
    await watching.pilot.pause()
    assert "stacks" in str(question.query_one("#verdict", Static).content)
    await watching.press("enter")
    await eventually(lambda: any("out.folded" in each for each in watching.told))
    written = tmp_path / "out.folded"
    counts = watching.replay.timeline.stacks_in(watching.looking.range())
    # Weights are microseconds of CPU.
    lines = written.read_text().splitlines()
    assert len(lines) == len(counts)
    assert watching.app.clipboard == str(written)


async def test_a_snapshot_is_a_picture_and_a_text(watching: Watching, tmp_path: Path) -> None:
    """Both have what was on the screen."""
    text = await watching.press("space", "S")
    await eventually(lambda: any(".svg" in each for each in watching.told))
    svg, plain = (tmp_path / name for name in sorted(os.listdir(tmp_path)))
    assert (svg.suffix, plain.suffix) == (".svg", ".txt")
    assert svg.read_text().startswith("<svg")
    rows = plain.read_text().splitlines()
    assert len(rows) == 48
    assert "1 load" in plain.read_text()
    assert rows[5].strip() in text


async def test_keys_of_the_load_do_nothing(watching: Watching) -> None:
    """They are in neither the footer nor the help."""
    before = (watching.at, len(watching.replay.timeline.marks))
    await watching.press("space")
    for key in ("s", "x", "p", "plus", "minus", "r", "R", "H", "f5"):
        await watching.press(key)
        assert isinstance(watching.app.screen, ReplayScreen), key
    assert (watching.at, len(watching.replay.timeline.marks)) == before
    footer = watching.text.splitlines()[-1]
    assert "play" in footer
    assert "stop" not in footer
    await watching.press("question_mark")
    assert isinstance(watching.app.screen, HelpScreen)
    assert "Stop the load" not in watching.text


def test_commands_of_both_screens_share_no_key_within_one() -> None:
    """Each key means one thing, on either screen."""
    for usable in (LIVE, REPLAY):
        keys = [key for each in COMMANDS if each.id in usable for key in each.keys]
        assert len(keys) == len(set(keys))


async def test_it_is_left_without_a_question(watching: Watching) -> None:
    """Nothing runs that could be lost, whatever phase was recorded."""
    await watching.press("space", "J", *"100", "enter")
    assert "running" in watching.text
    await watching.press("q")
    await eventually(lambda: not watching.app.is_running)


async def test_what_was_recorded_is_shown_as_it_is(watching: Watching) -> None:
    """Foreign texts are neither eaten nor obeyed."""
    watching.replay.append(SourceStatus(BEGIN, "perf", SourceState.FAILED, NASTY))
    await watching.play(1)
    assert any(NASTY in each for each in watching.told)
    assert f"perf: {NASTY}" in watching.text


@pytest.mark.parametrize("size", [(80, 24), (40, 12), (20, 5), (1, 1)])
async def test_every_size_can_be_drawn(size: tuple[int, int]) -> None:
    """Position and keys are there at 80×24; nothing crashes below."""
    replay = Replay(FakeTape(RUN), clock=FakeClock())
    replay.open_at(61.0)
    app = ReplayApp(replay)
    async with app.run_test(size=size) as pilot:
        await eventually(lambda: isinstance(app.screen, ReplayScreen))
        app.refresh_view()
        await pilot.pause()
        lines = [line.text for line in app.screen._compositor.render_strips()]
    if size == (80, 24):
        assert "⏸ 1:01/" in "\n".join(lines)
        assert "play" in lines[-1]
