"""Builds and starts the server anew between two runs, and keeps the run before to compare with."""

from __future__ import annotations

import math

from collectors.process import Guard
from collectors.samples import Baseline, Mark, MarkKind, SourceState, SourceStatus
from collectors.source import Clock, Emit, SourceError
from collectors.target_build import build_argv, build_target
from collectors.text import sanitise
from tui.model.ranges import load_began_at
from tui.model.timeline import Timeline
from tui.options import RunOptions
from tui.undertest import SystemUnderTest

NO_COMMAND = "F5 is for a server that flashpoint started: give its command after --"


def keep_run(timeline: Timeline, name: str, until: float) -> Baseline | None:
    """Return the newest run as a baseline; None where it was shorter than a second.

    Args:
        timeline: What is known of it.
        name: What it is called.
        until: When it ended, or now.
    """
    start, end = math.ceil(load_began_at(timeline, until)), math.floor(until)
    if not timeline.loads or end <= start:
        return None
    return Baseline(until, name, float(start), float(end))


async def rebuild_target(
    guard: Guard, options: RunOptions, under_test: SystemUnderTest, clock: Clock, emit: Emit
) -> None:
    """Build the server, where there is a command for that, and start it anew.

    Raises:
        SourceError: the build fails, and the old server runs on; or the new one does not start.
    """
    if options.build is not None:
        # Its arguments may hold secrets; like those of any other command, they are not kept.
        shown = build_argv(options.build)[0] if options.redact else options.build
        text = f"building with {sanitise(shown, 200)}"
        emit(SourceStatus(clock(), "target", SourceState.STARTING, text))
        try:
            await build_target(guard, options.build, clock, emit, redact=options.redact)
        except SourceError as error:
            emit(SourceStatus(clock(), "build", SourceState.FAILED, error.message, error.hint))
            raise
        emit(SourceStatus(clock(), "build", SourceState.ENDED, "built"))
        emit(Mark(clock(), MarkKind.BUILD, "build"))
    await under_test.restart()
