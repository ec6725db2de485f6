"""Keys and panes, with a session that is fed by the test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest
from textual.widgets import Static

from collectors.course import CourseUnit
from collectors.samples import (
    EMPTY_HISTOGRAM,
    Frame,
    FrameKind,
    LoadSample,
    Mark,
    MarkKind,
    RequestKind,
    Sample,
    SourceState,
    SourceStatus,
    Stack,
    StackBatch,
    StackCount,
    Traffic,
)
from tui.app import FlashpointApp
from tui.commands import COMMANDS, LIVE, REPLAY, key_name
from tui.model.phase import Phase, RunFacts
from tui.model.ramp import RampStep, describe
from tui.model.rate import describe_rate
from tui.model.timeline import Timeline
from tui.screens.ask import AskScreen
from tui.screens.confirm import ConfirmScreen
from tui.screens.help import HelpScreen, help_text
from tui.screens.monitor import MonitorScreen
from tui.session import Session
from tui.watched import Offer

NASTY = "[/] [unknown] [b] [@click=app.quit]x[/]"


class FakeOperator:
    """Notes what it is asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answer = ""

    def step(self, steps: int) -> str:
        self.asked.append(f"step {steps}")
        return self.answer

    def ramp(self, steps: tuple[RampStep, ...]) -> str:
        self.asked.append(f"ramp {describe(steps)}")
        return self.answer

    def rate(self, unit: CourseUnit, steps: tuple[RampStep, ...]) -> str:
        self.asked.append(f"rate {describe_rate(unit, steps)}")
        return self.answer

    def hold(self) -> str:
        self.asked.append("hold")
        return self.answer

    def pause_or_resume(self) -> str:
        self.asked.append("pause")
        return self.answer


class FakeSession:
    """A session without children: the test sets its clock and feeds it."""

    def __init__(self) -> None:
        self.now = 100.0
        self.timeline = Timeline(self.now)
        self.phase = Phase.RUNNING
        self.aborted = False
        self.leaving = False
        self.offers: tuple[Offer, ...] = ()
        self.operator: FakeOperator | None = None
        self.no_control_reason = ""
        self.done: list[str] = []

    def clock(self) -> float:
        return self.now

    def append(self, sample: Sample) -> None:
        self.timeline.append(sample)

    def start_load(self) -> None:
        self.done.append("start")
        self.phase = Phase.RUNNING

    def stop_load(self) -> None:
        self.done.append("stop")
        self.phase = Phase.STOPPED

    def facts(self) -> RunFacts:
        return RunFacts(
            phase=self.phase,
            elapsed_s=self.now - 100.0,
            duration_s=None,
            script=NASTY,
            k6_version="1.1.0",
            vus=2,
            vus_max=2,
            target=NASTY,
            profiler="cpu-clock 99 Hz",
        )

    def feed(self, seconds: int) -> None:
        """Let time pass: ten requests and ten samples a second."""
        for _ in range(seconds):
            self.now += 1.0
            for sample in second_of_load(self.now):
                self.timeline.append(sample)


def second_of_load(at: float) -> list[Sample]:
    """Return what comes in within one second."""
    traffic = Traffic(RequestKind.HTTP, requests=10, failed=0, latency=EMPTY_HISTOGRAM)
    return [
        LoadSample(
            at=at,
            interval_s=1.0,
            instance="k6-1",
            vus=2,
            vus_max=2,
            iterations=10,
            dropped_iterations=0,
            bytes_sent=0,
            bytes_received=0,
            traffic=(traffic,),
            phases={},
            endpoints=(),
            checks=(),
            metrics=(),
        ),
        StackBatch(
            start=at - 0.9,
            end=at - 0.1,
            counts={0: StackCount(10, 100_000_000)},
            stacks={0: Stack("server", "worker", (0, 1))},
            frames={
                0: Frame("main", "server", FrameKind.USER),
                1: Frame(NASTY, "server", FrameKind.USER),
            },
        ),
    ]


@pytest.fixture
def session() -> FakeSession:
    """A session that has run for five seconds."""
    fake = FakeSession()
    fake.feed(5)
    return fake


@pytest.fixture
async def app(session: FakeSession) -> AsyncIterator[FlashpointApp]:
    """The application on a terminal of 160×48."""
    application = FlashpointApp(cast("Session", session))
    async with application.run_test(size=(160, 48), notifications=True) as pilot:
        await pilot.pause()
        yield application


def text_of(app: FlashpointApp) -> str:
    """Return the screen as text."""
    width, height = app.size
    lines = app.screen._compositor.render_strips()  # the only way to the painted screen
    assert len(lines) == height
    return "\n".join(line.text[:width] for line in lines)


async def press(app: FlashpointApp, *keys: str) -> None:
    """Press keys and let everything settle."""
    from textual.pilot import Pilot

    pilot: Pilot[None] = Pilot(app)
    await pilot.press(*keys)
    await pilot.pause()


async def test_foreign_text_is_shown_as_it_is(app: FlashpointApp) -> None:
    """Brackets of symbols, scripts and servers are neither eaten nor obeyed."""
    screen = text_of(app)
    assert f"→ {NASTY}" in screen
    assert screen.count(NASTY) >= 3
    assert isinstance(app.screen, MonitorScreen)


async def test_figures_and_stacks_of_the_window_are_shown(app: FlashpointApp) -> None:
    """Ten requests and ten samples a second, for five seconds."""
    screen = text_of(app)
    assert "req/s 10.0" in screen
    assert "50 samples" in screen
    assert "0:05" in screen


async def test_freezing_keeps_the_panes_but_not_the_clock(
    app: FlashpointApp, session: FakeSession
) -> None:
    """While frozen nothing moves but the status; afterwards the newest is shown."""
    await press(app, "space")
    session.feed(3)
    app.refresh_view()
    await press(app)
    frozen = text_of(app)
    assert "frozen" in frozen
    assert "40 samples" in frozen  # of the newest second more may come
    assert "0:08" in frozen
    await press(app, "space")
    assert "80 samples" in text_of(app)


async def test_quitting_asks_while_the_load_runs(app: FlashpointApp, session: FakeSession) -> None:
    """No goes back, yes stops the load and leaves."""
    await press(app, "q")
    assert isinstance(app.screen, ConfirmScreen)
    await press(app, "n")
    assert isinstance(app.screen, MonitorScreen)
    assert session.done == []
    await press(app, "q", "y")
    assert session.done == ["stop"]
    assert session.leaving


async def test_escape_never_quits(app: FlashpointApp) -> None:
    """Neither on the monitor nor in a dialog."""
    await press(app, "escape", "escape")
    assert app.is_running
    await press(app, "question_mark")
    assert isinstance(app.screen, HelpScreen)
    await press(app, "escape")
    assert isinstance(app.screen, MonitorScreen)


async def test_start_and_stop_follow_the_phase(app: FlashpointApp, session: FakeSession) -> None:
    """A key does nothing where its command makes no sense."""
    await press(app, "s")
    assert session.done == []
    await press(app, "x")
    await press(app, "x")
    assert session.done == ["stop"]
    await press(app, "s")
    assert session.done == ["stop", "start"]


async def test_the_load_keys_reach_the_operator(app: FlashpointApp, session: FakeSession) -> None:
    """In steps of one and of ten, from either of the keys; what it answers is told."""
    operator = session.operator = FakeOperator()
    await press(app, "plus", "equals_sign", "minus", "greater_than_sign", "less_than_sign")
    await press(app, "p", "H")
    expected = ["step 1", "step 1", "step -1", "step 10", "step -10", "pause", "hold"]
    assert operator.asked == expected
    assert len(app._notifications) == 0
    operator.answer = NASTY
    await press(app, "plus")
    assert [each.message for each in app._notifications] == [NASTY]


@pytest.mark.parametrize(
    ("key", "text", "understood", "asked"),
    [
        ("r", "200/30s", "→ 200 in 30s · VUs", "ramp 200 in 30s"),
        ("r", "x2,+5", "→ x2, +5 · VUs", "ramp x2, +5"),
        ("R", "500", "→ 500 · requests/s", "rate 500 requests"),
        ("R", "20/5s i", "→ 20 in 5s · iterations/s", "rate 20 in 5s iterations"),
    ],
)
async def test_a_load_can_be_typed(
    app: FlashpointApp, session: FakeSession, key: str, text: str, understood: str, asked: str
) -> None:
    """What was understood is shown before it is done; nothing typed is nothing asked."""
    operator = session.operator = FakeOperator()
    await press(app, key, *text)
    assert isinstance(app.screen, AskScreen)
    verdict = app.screen.query_one("#verdict", Static)
    assert str(verdict.content) == understood
    assert operator.asked == []
    await press(app, "enter")
    assert isinstance(app.screen, MonitorScreen)
    assert operator.asked == [asked]
    await press(app, key, "5", "escape")
    await press(app, key, "enter")
    assert isinstance(app.screen, MonitorScreen)
    assert operator.asked == [asked]


async def test_a_load_that_has_ended_meanwhile_is_not_changed(
    app: FlashpointApp, session: FakeSession
) -> None:
    """The question may be open for long."""
    operator = session.operator = FakeOperator()
    await press(app, "r", "5")
    session.phase = Phase.STOPPING
    await press(app, "enter")
    assert operator.asked == []


async def test_without_an_operator_the_reason_is_told(
    app: FlashpointApp, session: FakeSession
) -> None:
    """Once for each key; the keys that need none go on working."""
    session.no_control_reason = f"as written {NASTY}"
    for count, key in enumerate(("plus", "minus", "p", "H", "r", "R"), 1):
        await press(app, key)
        assert isinstance(app.screen, MonitorScreen)
        assert len(app._notifications) == count
    assert {each.message for each in app._notifications} == {session.no_control_reason}
    await press(app, "x")
    assert session.done == ["stop"]


async def test_a_load_that_has_ended_has_no_keys(app: FlashpointApp, session: FakeSession) -> None:
    """Nor one that is ending; while it is prepared it can be changed."""
    operator = session.operator = FakeOperator()
    for phase in (Phase.STOPPING, Phase.STOPPED):
        session.phase = phase
        await press(app, "plus", "p", "H", "r")
        assert isinstance(app.screen, MonitorScreen)
    assert operator.asked == []
    session.phase = Phase.STARTING
    await press(app, "plus")
    assert operator.asked == ["step 1"]


async def test_a_failing_source_is_told_once(app: FlashpointApp, session: FakeSession) -> None:
    """One toast and a word in the status line, whatever its message holds."""
    failed = SourceStatus(session.now, "perf", SourceState.FAILED, NASTY, "sysctl [x]")
    session.timeline.append(failed)
    for _ in range(3):
        app.refresh_view()
        await press(app)
    assert len(app._notifications) == 1
    assert f"perf: {NASTY}" in text_of(app)


async def test_notes_are_told(app: FlashpointApp, session: FakeSession) -> None:
    """What the operator did to the server is said."""
    session.timeline.append(Mark(session.now, MarkKind.NOTE, NASTY))
    app.refresh_view()
    await press(app)
    assert [each.message for each in app._notifications] == [NASTY]


async def test_panels_can_be_walked_and_maximised(app: FlashpointApp) -> None:
    """Tab and digits move, `z` gives one panel the screen and takes it back."""
    monitor = app.screen
    assert isinstance(monitor, MonitorScreen)
    assert monitor.focused_panel() == "flame"
    await press(app, "tab")
    assert monitor.focused_panel() == "load"
    await press(app, "2", "z")
    assert "3 flame" not in text_of(app)
    assert "not measured yet" in text_of(app)
    await press(app, "z", "4")
    assert "nothing logged yet" in text_of(app)
    assert monitor.focused_panel() == "log"
    await press(app, "4")
    assert monitor.focused_panel() == "flame"


async def test_the_flamegraph_is_walked_from_any_panel(app: FlashpointApp) -> None:
    """Arrows and hjkl select frames; enter zooms and escape goes back."""
    monitor = app.screen
    assert isinstance(monitor, MonitorScreen)
    await press(app, "1", "down", "j")
    assert [frame.symbol for frame in monitor.flame.selected] == ["main", NASTY]
    await press(app, "enter")
    zoomed = len(monitor.flame.zoom)
    await press(app, "escape", "k")
    assert (zoomed, len(monitor.flame.zoom), len(monitor.flame.selected)) == (2, 0, 1)


async def test_both_themes_and_others_can_be_used(app: FlashpointApp) -> None:
    """`T` goes from dark to light; themes of Textual's load too."""
    assert app.current_theme.dark
    await press(app, "T")
    assert not app.current_theme.dark
    for name in ("textual-dark", "nord"):
        app.theme = name
        await press(app)


@pytest.mark.parametrize("size", [(80, 24), (200, 60), (40, 12), (20, 5), (10, 3), (1, 1)])
async def test_every_size_can_be_drawn(session: FakeSession, size: tuple[int, int]) -> None:
    """80×24 shows all areas; nothing crashes however small it gets."""
    application = FlashpointApp(cast("Session", session))
    async with application.run_test(size=size) as pilot:
        await pilot.pause()
        screen = text_of(application)
    if size >= (80, 24):
        for part in ("1 load", "2 machine", "3 flame", "● running", "dropped 0", "q quit"):
            assert part in screen, part
    if size == (20, 5):
        assert "● running" in screen


def test_help_names_every_command_and_key() -> None:
    """The help is the command table."""
    for usable in (LIVE, REPLAY):
        text = help_text(76, usable)
        for each in COMMANDS:
            if each.id in usable:
                assert " ".join(each.help.split()[:3]) in text
            else:
                assert f"  {key_name(each.keys[0]):<10}{each.help[:20]}" not in text
        assert max(map(len, text.splitlines())) <= 76


async def test_the_palette_finds_commands_and_offers(
    app: FlashpointApp, session: FakeSession
) -> None:
    """Every command of the table, and what the session brings."""
    ran: list[str] = []
    session.offers = (Offer("Demo: do it", "does [s] it", lambda: ran.append("ran")),)
    await press(app, "ctrl+p")
    await press(app, *"do it")
    await press(app, "enter")
    for _ in range(20):
        await press(app)
    if not ran:
        await press(app, "enter")
    assert ran == ["ran"]


def test_layout_file_has_no_colours() -> None:
    """Colours are variables of the themes."""
    import re

    css = Path(__file__).parents[2].joinpath("themes", "monitor.tcss").read_text()
    assert not re.search(r"#[0-9a-fA-F]{3,8}\s*[;}]|rgb\(", css)
