"""The question that is answered with a line of text."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import Input, Static

from tests.waiting import eventually
from tui.screens.ask import AskScreen

NASTY = "[/] [b] [@click=app.quit]x[/]"
EXAMPLE = f"200 {NASTY}"


def check(text: str) -> str:
    """Take numbers only."""
    if not text.strip().isdecimal():
        raise ValueError(f"{text} is no number {NASTY}")
    return f"→ {text} {NASTY}"


class Asking(App[None]):
    """Asks one question."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: list[str | None] = []
        self.bells = 0

    def on_mount(self) -> None:
        self.push_screen(AskScreen(f"How many {NASTY}?", EXAMPLE, check), self.answers.append)

    def bell(self) -> None:
        self.bells += 1

    @property
    def verdict(self) -> Static:
        return self.screen.query_one("#verdict", Static)

    @property
    def said(self) -> str:
        return str(self.verdict.content)


@pytest.fixture
async def pilot() -> AsyncIterator[Pilot[None]]:
    """The question, asked."""
    async with Asking().run_test(size=(80, 24)) as running:
        await running.pause()
        yield running


def asking(pilot: Pilot[None]) -> Asking:
    assert isinstance(pilot.app, Asking)
    return pilot.app


async def test_the_question_and_its_example_are_shown(pilot: Pilot[None]) -> None:
    """As they are, whatever they hold; the line is ready to be typed in."""
    app = asking(pilot)
    shown = [str(each.content) for each in app.screen.query(Static)]
    assert f"How many {NASTY}?" in shown
    assert app.said == EXAMPLE
    field = app.screen.query_one(Input)
    assert field.has_focus
    assert field.placeholder == EXAMPLE


async def test_what_would_come_of_a_text_is_told_while_it_is_typed(pilot: Pilot[None]) -> None:
    """Also what is wrong with it; with nothing typed the example is back."""
    app = asking(pilot)
    await pilot.press(*"20")
    await pilot.pause()
    assert (app.said, app.verdict.has_class("-wrong")) == (f"→ 20 {NASTY}", False)
    await pilot.press("o")
    await pilot.pause()
    assert (app.said, app.verdict.has_class("-wrong")) == (f"20o is no number {NASTY}", True)
    await pilot.press("backspace")
    await pilot.pause()
    assert not app.verdict.has_class("-wrong")
    await pilot.press("backspace", "backspace", "space")
    await pilot.pause()
    assert (app.said, app.verdict.has_class("-wrong")) == (EXAMPLE, False)
    assert app.answers == []


async def test_a_right_text_is_the_answer(pilot: Pilot[None]) -> None:
    """As it was typed."""
    await pilot.press(*"20", "enter")
    await eventually(lambda: asking(pilot).answers == ["20"])
    assert not isinstance(pilot.app.screen, AskScreen)


async def test_a_wrong_text_is_no_answer(pilot: Pilot[None]) -> None:
    """It stays to be mended."""
    app = asking(pilot)
    await pilot.press(*"2o", "enter")
    await pilot.pause()
    assert (app.answers, app.bells) == ([], 1)
    assert isinstance(app.screen, AskScreen)
    assert app.screen.query_one(Input).value == "2o"
    await pilot.press("backspace", "0", "enter")
    await eventually(lambda: app.answers == ["20"])


@pytest.mark.parametrize(
    "keys", [["escape"], ["enter"], ["space", "enter"], ["2", "escape"], ["o", "escape"]]
)
async def test_no_answer_is_one_too(pilot: Pilot[None], keys: list[str]) -> None:
    """Escape, or nothing typed."""
    await pilot.press(*keys)
    await eventually(lambda: asking(pilot).answers == [None])
    assert asking(pilot).bells == 0
