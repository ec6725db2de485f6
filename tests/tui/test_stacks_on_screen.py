"""The pane of stacks on the screen: every form of it, with keys and mouse."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import cast

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from collectors.samples import Baseline, Frame, FrameKind, Stack, StackBatch, StackCount
from tests.tui.test_app import NASTY, FakeSession, press, second_of_load, text_of
from tui.app import FlashpointApp
from tui.model.calltree import Path
from tui.screens.ask import AskScreen
from tui.session import Session

MAIN = Frame("main", "server", FrameKind.USER)
WORK = Frame(NASTY, "server", FrameKind.USER)
READ = Frame("sys_read", "[kernel.kallsyms]", FrameKind.KERNEL)


class StackSession(FakeSession):
    """Ten seconds of two stacks: 9 samples a second in the work, 3 in a system call below it."""

    def __init__(self) -> None:
        super().__init__()
        self.rebuilds: list[str] = []
        self.refusal = ""
        self.run_name = "run 1"
        self.off_cpu = False
        self.feed(10)

    def feed(self, seconds: int, work: int = 9) -> None:
        """Let time pass."""
        for _ in range(seconds):
            self.now += 1.0
            self.timeline.append(second_of_load(self.now)[0])
            self.timeline.append(
                StackBatch(
                    start=self.now - 0.9,
                    end=self.now - 0.1,
                    counts={
                        7: StackCount(work, work * 10_000_000),
                        8: StackCount(3, 30_000_000),
                    },
                    stacks={
                        7: Stack("server", "worker-1", (70, 71)),
                        8: Stack("server", "worker-2", (70, 71, 72)),
                    },
                    frames={70: MAIN, 71: WORK, 72: READ},
                )
            )

    def rebuild(self) -> str:
        self.rebuilds.append(self.run_name)
        return self.refusal

    def toggle_off_cpu(self) -> str:
        self.off_cpu = not self.off_cpu and not self.refusal
        return self.refusal


@pytest.fixture
def session() -> StackSession:
    """A session with stacks."""
    return StackSession()


@pytest.fixture
async def app(session: StackSession) -> AsyncIterator[FlashpointApp]:
    """The application on a terminal of 160×48."""
    application = FlashpointApp(cast("Session", session))
    async with application.run_test(size=(160, 48), notifications=True) as pilot:
        await pilot.pause()
        yield application


def pane_text(app: FlashpointApp) -> str:
    """Return what is drawn from the pane's border on."""
    text = text_of(app)
    return text[text.index("3 flame") :]


def selected(app: FlashpointApp) -> Path:
    """Return what the cursor of the graph is on."""
    return app._monitor.flame.selected


def told(app: FlashpointApp) -> list[str]:
    return [each.message for each in app._notifications]


async def test_inverted_the_selected_function_stays_selected(app: FlashpointApp) -> None:
    """The leaf is at the root then, its callers below; and back."""
    await press(app, "down", "down", "down")
    assert selected(app) == (MAIN, WORK, READ)
    await press(app, "i")
    assert selected(app) == (READ,)
    assert "inverted" in pane_text(app)
    await press(app, "down")
    assert selected(app) == (READ, WORK)
    await press(app, "i")
    assert selected(app)[-1] in (WORK, READ)


async def test_the_table_has_the_selected_function_and_gives_it_back(app: FlashpointApp) -> None:
    """Its figures are those of the graph; `⏎` makes a sandwich of a row."""
    await press(app, "down", "down", "t")
    table = app._monitor.pane.functions
    assert table.selected == WORK
    lines = pane_text(app).splitlines()
    (row,) = (line for line in lines if "▶" in line)
    assert NASTY in row
    assert "75.0%" in row
    assert "100%" in row
    await press(app, "down", "t")
    assert selected(app)[-1] == READ
    await press(app, "t", "enter")
    text = pane_text(app)
    assert "sandwich of sys_read" in text
    assert app._monitor.pane.callers.view is not None
    await press(app, "escape")
    assert "sandwich" not in pane_text(app)


async def test_a_sandwich_stands_between_callers_and_callees(app: FlashpointApp) -> None:
    """Callers above the function, callees below it; nothing of it is markup."""
    await press(app, "down", "down", "f")
    lines = pane_text(app).splitlines()
    places = {
        name: i for i, line in enumerate(lines) for name in ("▏main", "▏sys_read") if name in line
    }
    middle = [i for i, line in enumerate(lines) if f"▶{NASTY}" in line]
    assert len(middle) == 2
    assert places["▏main"] < middle[0] < middle[1] < places["▏sys_read"]


async def test_the_mouse_says_which_half_of_a_sandwich_the_keys_are_for(app: FlashpointApp) -> None:
    """At first for the callees; the pane keeps the focus."""
    await press(app, "down", "down", "f", "down")
    pane, pilot = app._monitor.pane, Pilot(app)
    assert (pane.callers.selected, pane.graph.selected) == ((), (READ,))
    await pilot.click(pane.callers, offset=(4, pane.callers.size.height - 2))
    await press(app, "up")
    assert (pane.callers.selected, pane.graph.selected) == ((MAIN,), (READ,))
    assert pane.selected == MAIN
    await pilot.click(pane.graph, offset=(4, 1))
    await press(app, "up")
    assert pane.selected == WORK
    assert app.screen.focused is pane


async def test_a_table_is_gone_through_by_pages(app: FlashpointApp) -> None:
    """And to its ends."""
    await press(app, "t", "end")
    pane = app._monitor.pane
    assert pane.functions.selected_row == 2
    await press(app, "pageup")
    assert pane.functions.selected_row == 0
    await press(app, "pagedown")
    assert pane.functions.selected_row == 2
    await press(app, "home")
    assert pane.functions.selected_row == 0


async def test_a_search_marks_counts_and_walks(app: FlashpointApp) -> None:
    """Matches and their share; `n` goes on and begins anew, nothing typed ends it."""
    await press(app, "slash", *"sys|main")
    assert isinstance(app.screen, AskScreen)
    await press(app, "enter")
    assert "2 matches, 100%" in pane_text(app)
    assert selected(app) == (MAIN,)
    await press(app, "n")
    assert selected(app) == (MAIN, WORK, READ)
    await press(app, "n")
    assert selected(app) == (MAIN,)
    await press(app, "N")
    assert selected(app) == (MAIN, WORK, READ)
    await press(app, "escape")
    assert "matches" not in pane_text(app)
    await press(app, "n")
    assert selected(app) == (MAIN, WORK, READ)


async def test_a_bad_pattern_is_not_taken(app: FlashpointApp) -> None:
    """It stays to be mended, and says what is wrong."""
    await press(app, "slash", *"a(")
    await press(app, "enter")
    assert isinstance(app.screen, AskScreen)
    assert app.screen.query_one(Input).value == "a("
    assert "can't be read" in text_of(app)


async def test_what_changed_since_the_baseline(app: FlashpointApp, session: StackSession) -> None:
    """Per request, whatever the rate; signs tell it too, in the graph and in the table."""
    await press(app, "d")
    assert "nothing to compare with" in told(app)[-1]
    await press(app, "b", "d")
    assert "0 of 3 frames changed" in pane_text(app)
    session.feed(10, work=30)
    await press(app, "down", "down")
    app.refresh_view()
    await press(app)
    text = pane_text(app)
    assert "2 of 3 frames changed" in text
    assert f"▶+{NASTY}" in text
    graph = app._monitor.flame
    # A toast lies on the last line.
    assert "▲ +21.2 ms/request ×2.75" in graph.render_line(graph.size.height - 1).text
    await press(app, "t")
    rows = [line for line in pane_text(app).splitlines() if re.search("[ ▶][▲=] ", line)]
    assert ["▲" in row for row in rows[:3]] == [True, False, False]
    assert "+21.2 ms" in rows[0]
    # What was selected in the graph is selected here, and has its own line at the bottom.
    assert "▶▲ " in rows[0]
    assert app._monitor.pane.selected == WORK
    await press(app, "down")
    assert app._monitor.pane.selected != WORK
    await press(app, "d")
    assert "▶" in pane_text(app)


async def test_a_baseline_is_chosen_by_its_name(app: FlashpointApp, session: StackSession) -> None:
    """Or the range is kept under a new one."""
    session.timeline.append(Baseline(105.0, "calm", 101.0, 105.0))
    await press(app, "B")
    assert "calm" in text_of(app)
    await press(app, *"calm", "enter")
    assert "vs calm: 0 of 3 frames changed" in pane_text(app)
    await press(app, "B", *"late", "enter")
    assert list(session.timeline.baselines) == ["calm", "late"]


async def test_the_window_and_the_cursor_move_every_pane(
    app: FlashpointApp, session: StackSession
) -> None:
    """Picked ranges stand still while the session goes on; escape goes back to live."""
    await press(app, "w")
    assert "last 30 s" in pane_text(app)
    await press(app, "left_square_bracket", "right_curly_bracket")
    text = text_of(app)
    assert "❄ 0:00 to 0:09" in text or "space goes on" in text
    session.feed(5)
    app.refresh_view()
    await press(app)
    assert "space goes on" in text_of(app)
    await press(app, "escape")
    assert "space goes on" not in text_of(app)


async def test_a_range_is_dragged_on_a_trend(app: FlashpointApp) -> None:
    """The last four seconds of the load: 48 samples."""
    from textual.pilot import Pilot

    pilot: Pilot[None] = Pilot(app)
    width = app.screen.query_one("#rate").size.width
    await pilot.mouse_down("#rate", offset=(width - 4, 1))
    await pilot.hover("#rate", offset=(width - 1, 1))
    await pilot.mouse_up("#rate", offset=(width - 1, 1))
    await pilot.pause()
    assert "48 samples" in pane_text(app)


async def test_shapes_say_what_they_leave_out(app: FlashpointApp) -> None:
    """By thread, without the kernel, without a frame, and all of it again."""
    await press(app, "Y", "K")
    text = pane_text(app)
    assert "by thread · kernel hidden" in text
    assert "▏worker" in text
    assert "sys_read" not in text
    await press(app, "K", "Y")
    await press(app, *["down"] * 3, "delete")
    assert "left out 25.0%" in pane_text(app)
    await press(app, "U")
    assert "left out" not in pane_text(app)
    assert "sys_read" in pane_text(app)


async def test_roots_can_stand_at_the_bottom(app: FlashpointApp) -> None:
    """Keys follow the eye: up is what is drawn above."""
    await press(app, "u")
    lines = pane_text(app).splitlines()
    where = {n: i for i, line in enumerate(lines) for n in ("all", "▏main") if f"{n} " in line}
    assert where["▏main"] < where["all"]
    await press(app, "up", "up")
    assert selected(app) == (MAIN, WORK)
    await press(app, "down")
    assert selected(app) == (MAIN,)


async def test_a_rebuilt_server_is_compared_with_the_run_before(
    app: FlashpointApp, session: StackSession
) -> None:
    """Once that has ended; where it can't be rebuilt the reason is told."""
    await press(app, "f5")
    assert session.rebuilds == ["run 1"]
    assert "no baseline run 1 yet" in pane_text(app)
    session.timeline.append(Baseline(110.0, "run 1", 101.0, 109.0))
    app.refresh_view()
    await press(app)
    assert "vs run 1: 0 of 3 frames changed" in pane_text(app)
    session.refusal = f"no command {NASTY}"
    await press(app, "f5")
    assert told(app)[-1] == session.refusal


async def test_waits_are_shown_where_they_can_be(app: FlashpointApp, session: StackSession) -> None:
    """Else the reason is told, and the graph stays."""
    session.refusal = f"no tracefs {NASTY}"
    await press(app, "o")
    assert told(app)[-1] == session.refusal
    assert "cpu-clock" in pane_text(app)
    session.refusal = ""
    await press(app, "o")
    assert "off-CPU" in pane_text(app)
    await press(app, "b", "d")
    assert "waits are not compared" in pane_text(app)
    await press(app, "d")
    await press(app, "o")
    assert "cpu-clock" in pane_text(app)
