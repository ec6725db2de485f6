"""What the operator keeps of a run: files that are whole, and told of, whatever is typed."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static

import tui.keeping
from collectors.samples import MarkKind
from tests.tapes import header
from tests.tui.test_app import NASTY, FakeSession, press
from tests.waiting import eventually
from tui.app import FlashpointApp
from tui.export.about import About
from tui.export.formats import ENDINGS, ExportFormat, Scope, export
from tui.screens.ask import AskScreen
from tui.screens.monitor import MonitorScreen
from tui.session import Session
from tui.tape import about_of


class KeptSession(FakeSession):
    """A session that knows what it is of."""

    def about(self) -> About:
        return about_of("", header(100.0, script=f"../{NASTY}.js"), self.timeline)


@pytest.fixture
async def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FlashpointApp]:
    """The application after five seconds, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    session = KeptSession()
    session.feed(5)
    application = FlashpointApp(cast("Session", session))
    async with application.run_test(size=(160, 48), notifications=True) as pilot:
        await pilot.pause()
        yield application


def told(app: FlashpointApp) -> list[str]:
    """What was said in toasts."""
    return [each.message for each in app._notifications]


async def ask(app: FlashpointApp, name: str) -> str:
    """Press `e`, replace what is suggested, and return what would come of it."""
    await press(app, "e")
    assert isinstance(app.screen, AskScreen)
    app.screen.query_one(Input).value = name
    await Pilot[None](app).pause()
    return str(app.screen.query_one("#verdict", Static).content)


@pytest.mark.parametrize("ending", ENDINGS)
async def test_the_ending_of_the_name_tells_the_format(
    app: FlashpointApp, tmp_path: Path, ending: str
) -> None:
    """What is written is what the command line would write of the same range."""
    await ask(app, f"x{ending}")
    timeline, range_ = app.session.timeline, app.looking.range()
    await press(app, "enter")
    await eventually(lambda: any(f"x{ending}" in each for each in told(app)))
    expected = export(ENDINGS[ending], Scope(timeline, range_, app.session.about()))
    assert (tmp_path / f"x{ending}").read_bytes() == expected
    assert os.stat(tmp_path / f"x{ending}").st_mode & 0o777 == 0o600
    assert app.clipboard == str(tmp_path / f"x{ending}")


async def test_a_name_is_suggested_that_is_safe_anywhere(app: FlashpointApp) -> None:
    """From the script and the time; whatever the script is called."""
    await press(app, "e")
    suggested = app.screen.query_one(Input).value
    assert suggested.endswith(".html")
    assert "/" not in suggested
    assert "[" not in suggested


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("x.exe", "end it with one of .html"),
        ("html", "end it with one of .html"),
        ("~nobody-of-this-name/x.html", "whose is ~nobody-of-this-name?"),
    ],
)
async def test_what_can_not_be_written_is_said_while_it_is_typed(
    app: FlashpointApp, tmp_path: Path, name: str, said: str
) -> None:
    """Enter goes nowhere with it."""
    assert said in await ask(app, name)
    await press(app, "enter")
    assert isinstance(app.screen, AskScreen)
    await press(app, "escape")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("there.html", "is there already: choose another name"),
        ("none/x.html", "there is no such folder"),
        ("folder.html", "is a folder"),
        (f"{'x' * 300}.html", "File name too long"),
        ("loop/x.html", "can't write"),
    ],
)
async def test_what_could_not_be_written_is_told(
    app: FlashpointApp, tmp_path: Path, name: str, said: str
) -> None:
    """Nothing is overwritten, and the screen goes on."""
    (tmp_path / "there.html").write_text("old")
    (tmp_path / "folder.html").mkdir()
    (tmp_path / "loop").symlink_to("loop")
    await ask(app, name)
    await press(app, "enter")
    await eventually(lambda: bool(told(app)))
    assert said in told(app)[0]
    assert (tmp_path / "there.html").read_text() == "old"
    assert isinstance(app.screen, MonitorScreen)


async def test_what_is_exported_is_what_was_looked_at_when_it_was_asked(
    app: FlashpointApp, tmp_path: Path
) -> None:
    """A run that goes on while a name is typed, and while it is written, does not matter."""
    session = cast("KeptSession", app.session)
    await ask(app, "x.json")
    session.feed(7)
    await press(app, "enter")
    await eventually(lambda: bool(told(app)))
    assert json.loads((tmp_path / "x.json").read_text())["totals"]["load"]["requests"] == 50


async def test_a_long_export_is_told_of_and_holds_nothing_up(
    app: FlashpointApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The screen goes on meanwhile."""
    may_go_on = threading.Event()

    def slow(asked: ExportFormat, scope: Scope) -> bytes:
        assert may_go_on.wait(10)
        return b"done"

    monkeypatch.setattr(tui.keeping, "export", slow)
    monkeypatch.setattr(tui.keeping, "LONG_S", 0.0)
    await ask(app, "x.md")
    await press(app, "enter")
    await eventually(lambda: told(app) == ["writing x.md …"])
    await press(app, "t", "t")
    assert os.listdir(tmp_path) == []
    may_go_on.set()
    await eventually(lambda: len(told(app)) == 2)
    assert (tmp_path / "x.md").read_bytes() == b"done"


async def test_a_note_is_one_safe_line(app: FlashpointApp) -> None:
    """No longer than 200 characters, at the end of the range."""
    await press(app, "m")
    app.screen.query_one(Input).value = f"  {NASTY}\x1b[2J{'x' * 300}"
    end = app.looking.range().end
    await press(app, "enter")
    notes = [each for each in app.session.timeline.marks if each.kind is MarkKind.NOTE]
    assert [each.at for each in notes] == [end]
    assert notes[0].text.startswith(f"{NASTY}␛[2Jxxx")
    assert len(notes[0].text) <= 200


async def test_nothing_typed_is_no_note(app: FlashpointApp) -> None:
    """Nor are blanks, nor a question that was left."""
    await press(app, "m", "enter")
    await press(app, "m", "space", "enter")
    await press(app, "m", "x", "escape")
    assert app.session.timeline.marks == []


async def test_a_snapshot_that_can_not_be_written_is_told(
    app: FlashpointApp, tmp_path: Path
) -> None:
    """In a folder that is gone."""
    gone = tmp_path / "gone"
    gone.mkdir()
    os.chdir(gone)
    gone.rmdir()
    try:
        await press(app, "S")
        await eventually(lambda: bool(told(app)))
    finally:
        os.chdir(tmp_path)
    assert "can't write" in told(app)[0]


async def test_a_snapshot_replaces_nothing(app: FlashpointApp, tmp_path: Path) -> None:
    """Two within one second are two."""

    async def save() -> Any:
        await press(app, "S")

    await asyncio.gather(save(), save())
    await eventually(lambda: len(told(app)) == 2)
    assert len(os.listdir(tmp_path)) == 4
