"""When something was, as exports tell it."""

from __future__ import annotations

from collections.abc import Sequence

from collectors.samples import Mark
from tui.export.about import About


def iso_utc(about: About, at: float) -> str:
    """Return a moment on the session's clock as ISO 8601 in UTC, to the millisecond."""
    text = about.wall_time(at).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def mark_text(mark: Mark) -> str:
    """Return what a mark says; what it is where it says nothing."""
    return mark.text or mark.kind.value


def marks_text(marks: Sequence[Mark]) -> str:
    """Return what several marks say, in one line."""
    return " · ".join(map(mark_text, marks))
