"""`flashpoint export`: stacks of a file in another format, without a screen."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

from collectors.source import SourceError
from collectors.stackfile.reader import ImportedProfile, read_profile
from collectors.text import sanitise
from tui.export.files import check_writable, write_atomically
from tui.export.stacks.formats import BINARY, StackFormat, format_of, write_stacks
from tui.model.timeline import Timeline, TimeRange

STDOUT: Final = Path("-")
EVERYTHING: Final = TimeRange(-1.0, float(1 << 41))


def timeline_of(profile: ImportedProfile) -> Timeline:
    """Return a timeline that has the stacks of a file, at the times that it tells."""
    timeline = Timeline(profile.batches[0].start)
    for batch in profile.batches:
        timeline.append(batch)
    return timeline


def convert(path: Path, output: Path, asked: StackFormat | None, *, force: bool) -> tuple[str, ...]:
    """Read a file of stacks and write it in another format; return notes on what was read.

    Args:
        path: The file; its format is found out.
        output: Where to; `-` for standard output.
        asked: The format; by the ending of the output's name when None.
        force: Whether a file that is there may be replaced.

    Raises:
        SourceError: it can't be read, or not be written there, or no format is known.
    """
    stack_format = asked or format_of(output)
    if stack_format is None:
        names = ", ".join(StackFormat)
        raise SourceError("which format?", f"add --format: {names}")
    if output != STDOUT:
        check_writable(output)
        if output.is_file() and not force:
            raise SourceError(
                f"{sanitise(str(output))} is there already", "add --force to replace it"
            )
    elif stack_format in BINARY and sys.stdout.isatty():
        raise SourceError(f"{stack_format} is no text", "name a file: -o OUT")
    profile = read_profile(path)
    timeline = timeline_of(profile)
    content = write_stacks(
        stack_format,
        timeline.stacks,
        timeline.stacks_in(EVERYTHING),
        sanitise(path.name, 120),
        _exporter() if stack_format is StackFormat.SPEEDSCOPE else "flashpoint",
        profile.counted_event,
    )
    if output == STDOUT:
        _to_stdout(content)
    else:
        write_atomically(output, content)
    return profile.notes


def _exporter() -> str:
    """Return our name and version, for the one format that tells it."""
    # To find a version takes ten milliseconds, a tenth of what a small file takes.
    from importlib.metadata import version

    return f"flashpoint {version('flashpoint')}"


def _to_stdout(content: bytes) -> None:
    try:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        # Whoever read it has enough; nothing may be written to it at the end either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
