"""What the operator keeps of a run: exports of a range, pictures of the screen, notes."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from textual.app import App

from collectors.samples import Mark, MarkKind
from collectors.source import SourceError
from collectors.text import sanitise
from tui.export.files import check_writable, write_atomically
from tui.export.formats import ENDINGS, TITLES, ExportFormat, Scope, default_name, export
from tui.export.formats import export_format_of as format_of
from tui.looking import Looking
from tui.screens.ask import AskScreen
from tui.views.window import picked_name
from tui.watched import Watched

MAX_NOTE: Final = 200
MAX_TOLD: Final = 300
"""Characters of a path in a toast."""
LONG_S: Final = 1.0
"""From how long on an export is told of while it is written."""


def keep(app: App[Any], watched: Watched, looking: Looking, name: str) -> None:
    """Carry out a command that keeps something."""
    match name:
        case "note":
            _ask_note(app, watched, looking)
        case "screen":
            app.run_worker(_save_screen(app, watched), exclusive=False)
        case _:
            _ask_export(app, watched, looking)


def _ask_note(app: App[Any], watched: Watched, looking: Looking) -> None:
    at = looking.range().end

    def answered(text: str | None) -> None:
        if text is not None:
            watched.append(Mark(at, MarkKind.NOTE, sanitise(text.strip(), MAX_NOTE)))

    app.push_screen(AskScreen("Note", "what was learned, or what was done", str.strip), answered)


def _ask_export(app: App[Any], watched: Watched, looking: Looking) -> None:
    about, range_ = watched.about(), looking.range()
    where = picked_name(watched.timeline, range_)
    suggested = default_name(about.script, about.wall_time(range_.end).astimezone(), ".html")
    # The timeline goes on while the file is written: what is exported does not.
    scope = Scope(watched.timeline.copy(), range_, about, looking.baseline(), looking.lens.measure)

    def check(text: str) -> str:
        asked = format_of(text)
        if asked is None:
            raise ValueError(f"end it with one of {' '.join(ENDINGS)}")
        _path_of(text)
        return f"→ {TITLES[asked]} · {where}"

    def answered(text: str | None) -> None:
        asked = format_of(text) if text else None
        if text is not None and asked is not None:
            app.run_worker(_write(app, _path_of(text), asked, scope), exclusive=False)

    screen = AskScreen(f"Export {where} to", " ".join(ENDINGS), check, suggested)
    app.push_screen(screen, answered)


def _path_of(text: str) -> Path:
    """Return the file that was typed.

    Raises:
        ValueError: it begins with the name of nobody.
    """
    try:
        return Path(text.strip()).expanduser()
    except RuntimeError:
        raise ValueError(f"whose is {text.strip().partition('/')[0]}?") from None


@dataclass(frozen=True, slots=True)
class Written:
    """Files that were written, or why they were not."""

    paths: tuple[Path, ...] = ()
    problem: str = ""


async def _write(app: App[Any], path: Path, asked: ExportFormat, scope: Scope) -> None:
    work = asyncio.create_task(asyncio.to_thread(_write_now, path, asked, scope))
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(asyncio.shield(work), LONG_S)
    if not work.done():
        app.notify(f"writing {sanitise(path.name)} …", markup=False)
    _tell(app, await work)


def _write_now(path: Path, asked: ExportFormat, scope: Scope) -> Written:
    try:
        check_writable(path)
        if path.exists():
            return Written(problem=f"{sanitise(str(path))} is there already: choose another name")
        write_atomically(path, export(asked, scope))
    except SourceError as error:
        return Written(problem=str(error))
    return Written((path.resolve(),))


async def _save_screen(app: App[Any], watched: Watched) -> None:
    picture = app.export_screenshot(title="flashpoint")
    text = "\n".join(strip.text.rstrip() for strip in app.screen._compositor.render_strips())
    now = datetime.now().astimezone()
    path = Path(default_name(f"{watched.about().script}-screen", now, ".svg"))

    def write() -> Written:
        try:
            check_writable(path)
            both = {_taken(path): picture}
            both |= {each.with_suffix(".txt"): text + "\n" for each in both}
            for each, content in both.items():
                write_atomically(each, content.encode())
        except (SourceError, OSError) as error:
            return Written(problem=sanitise(str(error)))
        return Written(tuple(each.resolve() for each in both))

    _tell(app, await asyncio.to_thread(write))


def _taken(path: Path) -> Path:
    """Make a file of a name that nothing has yet, and return it."""
    names = (path.with_stem(f"{path.stem}-{number}") if number else path for number in range(1000))
    for each in names:
        with contextlib.suppress(FileExistsError):
            each.touch(mode=0o600, exist_ok=False)
            return each
    return path


def _tell(app: App[Any], written: Written) -> None:
    if written.problem:
        app.notify(written.problem, severity="warning", markup=False)
        return
    path = str(written.paths[0])
    names = "\n".join(sanitise(str(each), MAX_TOLD) for each in written.paths)
    # A name that is no UTF-8 can't be handed to a clipboard.
    is_text = path.isprintable()
    if is_text:
        app.copy_to_clipboard(path)
    told = f"{names}\nits path was sent to the clipboard" if is_text else names
    app.notify(told, title="written", markup=False)
