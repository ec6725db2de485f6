"""Every text of others × everything that attacks a terminal or Textual, through the painted screen.

Nothing that a terminal obeys is painted or written, nothing is read as markup, nothing crashes and
nothing is done.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from rich.segment import Segment
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input, OptionList
from textual.widgets._toast import Toast

from collectors.text import sanitise
from tests.faults.conftest import Report
from tests.faults.hostile_session import HostileApp, HostileSession
from tests.faults.hostile_texts import MARKUP, PAYLOADS, SINKS, hostile_in, samples, texts_in
from tests.integration import terminal
from tests.integration.terminal import Pty
from tests.waiting import eventually
from tui.flameapp import FlameFileApp
from tui.model.timeline import Timeline
from tui.screens.monitor import MonitorScreen
from tui.views.flamepane import Subject

pytestmark = [pytest.mark.timeout(60)]

SIZE = (260, 70)
CASES = [(sink, payload) for payload in PAYLOADS for sink in SINKS]
PROGRAM = Path(__file__).with_name("hostile_session.py")


class Seen:
    """All that was painted for one payload."""

    def __init__(self) -> None:
        self.text = ""
        self.links: list[str] = []

    def look(self, app: HostileApp | FlameFileApp) -> None:
        """Take what is on the screen now."""
        for strip in app.screen._compositor.render_strips():
            self.text += strip.text + "\n"
            self.links += [link for segment in strip for link in _links(segment)]


def _links(segment: Segment) -> list[str]:
    style = segment.style
    if style is None:
        return []
    meta = style.meta or {}
    return [
        *([style.link] if style.link else []),
        *(str(v) for k, v in meta.items() if k == "@click"),
    ]


class Attack:
    """One application, and each payload in turn on it.

    Args:
        app: The application.
        pilot: Of it.
    """

    def __init__(self, app: HostileApp, pilot: Pilot[None]) -> None:
        self._app = app
        self._pilot = pilot
        self.sessions = {name: HostileSession(payload) for name, payload in PAYLOADS.items()}
        self.seen = {name: Seen() for name in PAYLOADS}

    async def _look(self, name: str) -> None:
        await self._pilot.pause()
        self.seen[name].look(self._app)

    async def panes(self) -> None:
        """The whole screen with the log and toasts; the table of functions; two panes alone."""
        app, monitor = self._app, self._app.screen
        assert isinstance(monitor, MonitorScreen)
        app.action_command("panel.log")
        for name, session in self.sessions.items():
            app.attack(session)
            app.tell_paths(PAYLOADS[name])
            await eventually(self._tells_the_newest)
            await self._look(name)
        app.clear_notifications()
        await eventually(self._tells_the_newest)
        monitor.go_to("load")
        monitor.maximise()
        for panel in ("load", "machine", "flame"):
            monitor.go_to(panel)
            await self._pilot.pause()
            for name, session in self.sessions.items():
                app.attack(session, is_told=False)
                if panel == "flame":
                    app.action_command("view.table")
                    await self._look(name)
                else:
                    self.seen[name].look(app)  # nothing has moved, so it is painted as it is asked
        monitor.maximise()
        app.action_command("panel.log")
        await self._pilot.pause()

    def _tells_the_newest(self) -> bool:
        shown = {each._notification.identity for each in self._app.screen.query(Toast)}
        return shown == {each.identity for each in self._app._notifications}

    async def palette(self) -> None:
        """What a session offers, found and not yet found."""
        app = self._app
        for name, session in self.sessions.items():
            app.attack(session, is_told=False)
            app.action_command_palette()
            await eventually(lambda: _has_options(app))
            await self._look(name)
            if name in MARKUP:
                app.screen.query_one(Input).value = session.offers[0].title[:4]
                await eventually(lambda: _has_options(app, most=1))
                await self._look(name)
            app.screen.dismiss()
            await self._back()
            await self._pilot.pause()

    async def questions(self) -> None:
        """What is asked, suggested, pasted and refused; a note and a baseline of that name."""
        app = self._app
        for name, session in self.sessions.items():
            app.attack(session, is_told=False)
            app.ask(PAYLOADS[name])
            await self._look(name)
            await self._paste(name)
            self.seen[name].look(app)
            app.close_question()
            await self._back()
            app.action_command("view.baselines")
            await self._look(name)
            if name in MARKUP:
                await self._submit(name)
                app.action_command("keep.note")
                await self._submit(name)
                await self._look(name)
            app.close_question()
            await self._back()

    async def _submit(self, name: str) -> None:
        """Paste, and press Enter twice, faster than the first is heard."""
        line = await self._paste(name)
        for _ in range(2):
            await line.action_submit()
        await self._back()

    async def _back(self) -> None:
        await eventually(lambda: isinstance(self._app.screen, MonitorScreen))

    async def _paste(self, name: str) -> Input:
        await eventually(lambda: self._app.screen.query(Input))
        line = self._app.screen.query_one(Input)
        line.value = ""
        line.post_message(events.Paste(SINKS["pasted"].mark + PAYLOADS[name]))
        await self._pilot.pause()
        assert hostile_in(line.value) == set()
        assert line.value.startswith(SINKS["pasted"].mark)
        return line


def _has_options(app: HostileApp, most: int = 1000) -> bool:
    return any(0 < each.option_count <= most for each in app.screen.query(OptionList))


STAGES = {
    "palette": ("offer title", "offer help"),
    "questions": ("question", "suggestion", "pasted", "pattern error", "baseline"),
}
STAGES["panes"] = tuple(
    sink for sink in SINKS if sink not in (*STAGES["palette"], *STAGES["questions"], "file name")
)


@pytest.mark.parametrize("stage", STAGES)
async def test_no_text_of_others_is_obeyed(stage: str, report: Report) -> None:
    """Every sink with every payload; see the rows for how many."""
    app = HostileApp(HostileSession(""))
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await pilot.pause()
        attack = Attack(app, pilot)
        await {
            "panes": attack.panes,
            "palette": attack.palette,
            "questions": attack.questions,
        }[stage]()
        assert isinstance(app.screen, MonitorScreen)
        assert app.is_running
    assert app.asked == []
    looked_at = STAGES[stage]
    for name, seen in attack.seen.items():
        session = attack.sessions[name]
        assert session.done == []
        assert hostile_in(seen.text.replace("\n", "")) == set(), name
        assert seen.links == [], name
        kept = [text for sample in session.kept for text in texts_in(sample)]
        assert [text for text in kept if hostile_in(text)] == [], name
        wrong = [sink for sink in looked_at if not _is_right(sink, name, seen.text, kept)]
        report(
            f"foreign text, {stage}: {name}",
            tries=len(looked_at),
            passed=len(looked_at) - len(wrong),
            figure=f"not seen as it is: {', '.join(wrong) or 'none'}",
            target=f"{len(looked_at)} of {len(looked_at)}",
        )


def _is_right(sink: str, name: str, painted: str, kept: list[str]) -> bool:
    """Tell whether a text arrived, and whether it is shown as it was written."""
    place = SINKS[sink]
    if not place.is_shown:
        return any(place.mark in text for text in kept) or name.startswith("long")
    if place.mark not in painted:
        return name.startswith("long")  # refused, or beyond the edge
    if name not in MARKUP:
        return True
    # Where there is room for it; every part that is shown is as it was written.
    payload = PAYLOADS[name].replace("/", ":") if sink == "module" else PAYLOADS[name]
    return all(
        payload.startswith(after[:2].rstrip(" …│")) for after in painted.split(place.mark)[1:]
    )


async def test_no_name_of_a_file_is_obeyed(report: Report) -> None:
    """In the title of the pane and in what is told of it."""
    timeline = Timeline(100.0)
    for sample in samples("x", 101.0):
        timeline.append(sample)
    subject = Subject("perf", "no stacks", has_clock=False)
    app = FlameFileApp(timeline, "", subject)
    right = 0
    async with app.run_test(size=(120, 30), notifications=True) as pilot:
        for name, payload in PAYLOADS.items():
            seen = Seen()
            app._file_name = sanitise(SINKS["file name"].mark + payload, 80)
            app._notes = [app._file_name]
            app._open()
            await pilot.pause()
            seen.look(app)
            assert hostile_in(seen.text.replace("\n", "")) == set()
            assert seen.links == []
            right += _is_right("file name", name, seen.text, [])
            app.clear_notifications()
    report(
        "foreign text: names of files",
        tries=len(PAYLOADS),
        passed=right,
        figure="in titles and toasts",
        target=f"{len(PAYLOADS)} of {len(PAYLOADS)}",
    )


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= 1_100


async def test_a_click_on_it_does_nothing() -> None:
    """Wherever it is painted."""
    app = HostileApp(HostileSession(PAYLOADS["click"]))
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await pilot.press("L")
        await pilot.pause()
        lines = [strip.text for strip in app.screen._compositor.render_strips()]
        places = [
            (match.start(), y) for y, line in enumerate(lines) for match in re.finditer("@cl", line)
        ]
        assert len(places) > 8
        for place in places:
            await pilot.click(offset=place)
        await pilot.pause()
        assert app.asked == []
        assert app.is_running


ALLOWED = re.compile(
    rb"\x1b\[[0-9;:]*m|\x1b\[[0-9;]*[HJKABCD]|\x1b\[\?(?:1049|1000|1002|1003|1004|1006|1015|1016"
    rb"|2004|2026|2031|2048|25|7)[hl]|\x1b\[\?(?:2026|2048)\$p|\x1b\[\?996n|\x1b\[[<>=][0-9;]*u"
    rb"|\x1b\]22;default\x07|\x1b\]52;c;[A-Za-z0-9+/=]*\x07"
)


@pytest.mark.integration
@pytest.mark.timeout(120)
async def test_nothing_hostile_is_written_to_a_real_terminal(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, report: Report
) -> None:
    """The very bytes: after what Textual writes by itself, no control character is left."""
    monkeypatch.setenv("PYTHONPATH", str(PROGRAM.parent.parent.parent))
    monkeypatch.setattr(terminal, "FLASHPOINT", [sys.executable, str(PROGRAM)])
    pty = await Pty.start([], columns=220, rows=70)
    try:
        await eventually(lambda: pty.process.returncode is not None, 100)
    finally:
        await pty.close()
    written = b"".join(chunk.data for chunk in pty.chunks)
    assert pty.process.returncode == 0, written[-3000:]
    assert f"{4 * len(PAYLOADS) + 2} attacks".encode() in written
    text = ALLOWED.sub(b"", written).decode()
    left = hostile_in(text) - {"\r", "\n"}
    where = [text[max(0, at - 40) : at + 40] for at in map(text.index, left)]
    clipboard = [b"aGk=" in each for each in re.findall(rb"\x1b\]52;c;[^\x07]*\x07", written)]
    report(
        "foreign text on a real terminal",
        tries=len(PAYLOADS),
        passed=len(PAYLOADS) if not left and not any(clipboard) else 0,
        figure=f"{len(written) >> 10} KiB, hostile: {where}",
        target="0 hostile bytes",
    )
