"""The folder that recordings are kept in: how they are named, listed, found and cleared away."""

from __future__ import annotations

import contextlib
import os
import re
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Final

from collectors.recording.about import CLOSED, Card
from collectors.recording.file import remove
from collectors.recording.held import is_written_to
from collectors.recording.reader import Recording
from collectors.recording.schema import SUFFIX
from collectors.recording.sniff import is_recording
from collectors.source import SourceError
from collectors.text import sanitise

NEWEST: Final = "latest"
"""A word for the newest recording."""

_OWN_NAME: Final = re.compile(r"\d{8}-\d{6}-[A-Za-z0-9._-]+" + re.escape(SUFFIX))
_NOT_ALLOWED: Final = re.compile(r"[^A-Za-z0-9._-]+")
_NAME_CHARS: Final = 60


@dataclass(frozen=True, slots=True)
class Entry:
    """One recording in a list."""

    path: Path
    name: str
    """Without its ending; sanitised."""
    began_at: datetime | None
    """Local time; None where the file can't be read."""
    card: Card
    size_bytes: int
    state: str
    """`recording`, `ended`, `ended unclean`, `ended early: …` or why it can't be read."""


def new_path(folder: Path, script: str, began_at: datetime) -> Path:
    """Return a name that is free, from the time and the script.

    Args:
        folder: Where to.
        script: Its name; only letters, digits, `.`, `_` and `-` of it are taken.
        began_at: Local time.
    """
    name = _NOT_ALLOWED.sub("-", Path(script).name.removesuffix(".js").removesuffix(".ts"))
    name = name.strip(".-")[:_NAME_CHARS] or "run"
    stem = f"{began_at:%Y%m%d-%H%M%S}-{name}"
    tries = (f"{stem}{f'-{number}' if number else ''}{SUFFIX}" for number in count())
    return next(folder / each for each in tries if not os.path.lexists(folder / each))


def entries(folder: Path) -> list[Entry]:
    """Return the recordings of a folder, the newest first; what can't be read says why."""
    return [_entry(path) for path in reversed(_paths(folder))]


def find(word: str, folder: Path) -> Path:
    """Return the recording that a word means: a path, a name, a part of it, or `latest`.

    Raises:
        SourceError: none is meant, or several.
    """
    if os.path.exists(word):
        return Path(word)
    paths = _paths(folder)
    if word == NEWEST and paths:
        return paths[-1]
    stems = {each.name.removesuffix(SUFFIX): each for each in paths}
    if word.removesuffix(SUFFIX) in stems:
        return stems[word.removesuffix(SUFFIX)]
    near = [each for stem, each in stems.items() if stem.startswith(word)]
    near = near or [each for stem, each in stems.items() if word in stem]
    if len(near) == 1:
        return near[0]
    if near:
        names = ", ".join(sanitise(each.name.removesuffix(SUFFIX), 80) for each in near[-5:])
        raise SourceError(f"{sanitise(word, 120)} may be one of {names}", "type more of its name")
    raise SourceError(
        f"there is no recording {sanitise(word, 120)}",
        f"`flashpoint ls` shows those in {sanitise(str(folder))}",
    )


def clear_away(folder: Path, keep: int) -> list[str]:
    """Remove the oldest recordings beyond a number; return their names.

    Those that were given a name, that hold a note or that are being written to stay, and do not
    count.
    """
    removed = []
    own = [path for path in _paths(folder) if _OWN_NAME.fullmatch(path.name)]
    plain = [path for path in own if not is_written_to(path) and not _is_marked(path)]
    for path in plain[: max(0, len(plain) - keep)]:
        with contextlib.suppress(OSError):
            path.unlink()
            removed.append(sanitise(path.name, 120))
            remove(path)
    return removed


def _paths(folder: Path) -> list[Path]:
    """Return the recordings of a folder, the oldest first."""
    try:
        found = [each for each in folder.iterdir() if each.suffix == SUFFIX and is_recording(each)]
    except OSError:
        return []
    return sorted(found, key=_age)


def _age(path: Path) -> tuple[str, int, str]:
    """Return what recordings are put in order by: when it began, or was written to last."""
    try:
        written_ns = path.stat().st_mtime_ns
    except OSError:
        written_ns = 0
    if _OWN_NAME.fullmatch(path.name):
        began = path.name[:15]
    else:
        began = f"{datetime.fromtimestamp(written_ns / 1e9).astimezone():%Y%m%d-%H%M%S}"
    return began, written_ns, path.name


def _is_marked(path: Path) -> bool:
    try:
        recording = Recording(path)
    except SourceError:
        return True  # what can't be read is not ours to judge
    with contextlib.closing(recording):
        return recording.card.is_marked


def _entry(path: Path) -> Entry:
    name = sanitise(path.name.removesuffix(SUFFIX), 120)
    try:
        size_bytes = sum(
            Path(f"{path}{end}").stat().st_size
            for end in ("", "-wal")
            if os.path.exists(f"{path}{end}")
        )
    except OSError:
        size_bytes = 0
    try:
        recording = Recording(path)
    except SourceError as error:
        return Entry(path, name, None, Card(), size_bytes, error.message)
    with contextlib.closing(recording):
        state = "ended"
        if recording.is_live:
            state = "recording"
        elif recording.is_unclean:
            state = "ended unclean"
        elif recording.ending is not None and recording.ending.reason != CLOSED:
            state = f"ended early: {recording.ending.reason}"
        header = recording.header
        unix_s = header.started_at + header.wall_offset_s
        return Entry(
            path, name, datetime.fromtimestamp(unix_s).astimezone(), recording.card, size_bytes,
            state,
        )  # fmt: skip
