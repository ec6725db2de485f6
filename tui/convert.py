"""`flashpoint export`: a run or the stacks of a file in another format, without a screen."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from collectors.recording.sniff import is_recording
from collectors.source import SourceError
from collectors.stackfile.reader import ImportedProfile, read_profile
from collectors.text import sanitise
from tui.export.files import check_writable, write_atomically
from tui.export.formats import STACKS, ExportFormat, export_format_of
from tui.export.stacks.formats import StackFormat, format_of, write_stacks
from tui.model.rangespec import RangeSpec, SpecKind
from tui.model.timeline import Timeline, TimeRange

STDOUT: Final = Path("-")
EVERYTHING: Final = TimeRange(-1.0, float(1 << 41))
NO_STACKS: Final = "choose another --range, or a format that is of the load too"
BINARY: Final = frozenset({ExportFormat.PPROF})
"""Formats that are no text."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an export shall be."""

    output: Path
    """`-` for standard output."""
    format: ExportFormat | None = None
    """None: by the ending of the output's name."""
    force: bool = False
    """Whether a file that is there may be replaced."""
    range: RangeSpec | None = None
    """None: everything."""
    baseline: str = ""
    """Which baseline of the run the range is compared with; empty: none."""


def timeline_of(profile: ImportedProfile) -> Timeline:
    """Return a timeline that has the stacks of a file, at the times that it tells."""
    timeline = Timeline(profile.batches[0].start)
    for batch in profile.batches:
        timeline.append(batch)
    return timeline


def convert(path: Path, wanted: Wanted) -> Sequence[str]:
    """Read a file and write it in another format; return notes on what was read.

    Args:
        path: A recording, a result file of k6, or a file of stacks: found out by what is in it.
        wanted: The format, and where to.

    Raises:
        SourceError: it can't be read, or not be written there, or no format is known.
    """
    is_run = is_recording(path) or _is_k6_result(path)
    asked = wanted.format or _by_name(wanted.output, is_run=is_run)
    if asked is None:
        raise SourceError(
            "which format?", f"add --format: {', '.join(ExportFormat if is_run else STACKS)}"
        )
    output = wanted.output
    if output != STDOUT:
        check_writable(output)
        if output.is_file() and not wanted.force:
            raise SourceError(
                f"{sanitise(str(output))} is there already", "add --force to replace it"
            )
    elif asked in BINARY and sys.stdout.isatty():
        raise SourceError(f"{asked} is no text", "name a file: -o OUT")
    if is_run:
        from tui.patience import told_if_long

        with told_if_long(f"writing {sanitise(path.name, 60)} as {asked}", sys.stderr):
            content, notes = _run(path, asked, wanted)
    else:
        content, notes = _stacks(path, asked, wanted)
    if output == STDOUT:
        _to_stdout(content)
    else:
        write_atomically(output, content)
    return notes


def _by_name(output: Path, *, is_run: bool) -> ExportFormat | None:
    if is_run:
        return export_format_of(output.name)
    found = format_of(output)
    return ExportFormat(found.value) if found is not None else None


def _is_k6_result(path: Path) -> bool:
    from collectors.k6.resultfile.reader import is_k6_result

    return is_k6_result(path)


def _run(path: Path, asked: ExportFormat, wanted: Wanted) -> tuple[bytes, Sequence[str]]:
    from tui.export.formats import Scope, export
    from tui.model.rangespec import resolve
    from tui.tape import about_of, open_tape, whole

    tape = open_tape(path)
    try:
        timeline = whole(tape)
        notes = [
            f"{count} × {reason.replace('_', ' ')}" for reason, count in tape.rejected().items()
        ]
        if tape.is_unclean:
            notes.append(f"{tape.name} ended unclean: its writer was cut off")
    finally:
        tape.close()
    try:
        range_ = resolve(wanted.range or RangeSpec(), timeline)
        baseline = None
        if wanted.baseline:
            resolve(RangeSpec(SpecKind.NAME, name=wanted.baseline), timeline)
            baseline = timeline.baselines[wanted.baseline]
    except ValueError as error:
        raise SourceError(f"{tape.name}: {error}", "see --range and --baseline") from None
    if asked in STACKS and not timeline.stacks_in(range_):
        raise SourceError(f"{tape.name}: there are no stacks in {_words(wanted.range)}", NO_STACKS)
    about = about_of(tape.name, tape.header, timeline)
    return export(asked, Scope(timeline, range_, about, baseline)), notes


def _words(spec: RangeSpec | None) -> str:
    return "it" if spec is None else str(spec)


def _stacks(path: Path, asked: ExportFormat, wanted: Wanted) -> tuple[bytes, Sequence[str]]:
    if not path.exists():
        raise SourceError(f"there is no file {sanitise(str(path), 200)}", "look at its name")
    if asked not in STACKS:
        profile_formats = ", ".join(STACKS)
        raise SourceError(
            f"{sanitise(path.name, 120)} holds stacks only, and {asked} is of a whole run",
            f"choose one of {profile_formats}",
        )
    if wanted.range is not None or wanted.baseline:
        raise SourceError(
            f"{sanitise(path.name, 120)} is no run: --range and --baseline mean nothing",
            "leave them out",
        )
    profile = read_profile(path)
    timeline = timeline_of(profile)
    stack_format = STACKS[asked]
    content = write_stacks(
        stack_format,
        timeline.stacks,
        timeline.stacks_in(EVERYTHING),
        sanitise(path.name, 120),
        _exporter() if stack_format is StackFormat.SPEEDSCOPE else "flashpoint",
        profile.counted_event,
    )
    return content, profile.notes


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
