"""Builds the system under test anew, by a command of the operator's."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Final

from collectors.process import PIPE, Guard
from collectors.samples import LogLine
from collectors.source import Clock, SourceError
from collectors.target_log import TargetLogs
from collectors.target_start import show_exit
from collectors.text import sanitise

STOP_GRACE_S: Final = 2.0


def build_argv(command: str) -> list[str]:
    """Split a build command as a shell does, without running one.

    Raises:
        SourceError: it is empty, or a quote is open.
    """
    try:
        argv = shlex.split(command)
    except ValueError as error:
        raise SourceError(
            f"the build command {sanitise(command, 80)} can't be read: {str(error).lower()}",
            "write it as in a shell, like --build 'cargo build --release'",
        ) from None
    if not argv:
        raise SourceError(
            "the build command is empty", "give one, like --build 'cargo build --release'"
        )
    return argv


async def build_target(
    guard: Guard,
    command: str,
    clock: Clock,
    emit_log: Callable[[LogLine], None],
    *,
    redact: bool = True,
) -> None:
    """Run a build command to its end; what it writes becomes log lines of the source `build`.

    Raises:
        SourceError: it can't be started or fails, with its last line.
    """
    argv = build_argv(command)
    child = await guard.spawn("build", argv, stdout=PIPE, stderr=PIPE, core=True)
    logs = TargetLogs(child, clock, emit_log, "build", redact=redact)
    try:
        status = await child.wait()
        await logs.close()
    finally:
        if child.returncode is None:
            await child.stop(grace_s=STOP_GRACE_S)
    if status:
        said = f"; its last line: {logs.last}" if logs.last else ""
        raise SourceError(
            f"the build {show_exit(status)}{said}", "its log has the rest; the old server is left"
        )
