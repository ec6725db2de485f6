"""`flashpoint replay`: opens a recording, shows it, and lets it go."""

from __future__ import annotations

import contextlib
from pathlib import Path

from collectors.source import SourceError
from tui.alone import run_alone
from tui.replay import Replay
from tui.replayapp import ReplayApp
from tui.tape import Tape, open_tape


def watch(path: Path, theme: str | None, *, follow: bool, at_s: float | None) -> int:
    """Show a recording until the operator leaves; return the exit status.

    Args:
        path: A recording, a result file of k6, or a file of stacks.
        theme: Name of a theme, or None for the default one.
        follow: Whether to go on with what is still being recorded.
        at_s: Where to begin, seconds after the load began; it stands still there then.

    Raises:
        SourceError: it can't be read, or nobody records to what is to be followed.
    """
    tape = open_tape(path)
    with contextlib.closing(tape):
        if follow and not tape.is_live:
            raise SourceError(f"nobody is recording to {tape.name}", "leave out --follow")
        return show(tape, theme, follow=follow, at_s=at_s)


def show(tape: Tape, theme: str | None, *, follow: bool = False, at_s: float | None = None) -> int:
    """Show a tape until the operator leaves; return the exit status."""
    replay = Replay(tape, follow=follow)
    if at_s is not None:
        replay.open_at(at_s)
    return run_alone(ReplayApp(replay, theme))
