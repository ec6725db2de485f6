"""Begins the recording of a session, and clears away old ones."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Callable
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

import psutil

from collectors.machine import machine_text
from collectors.recording.about import Header
from collectors.recording.file import remove
from collectors.recording.folder import folder_of, make_folder
from collectors.recording.recorder import Recorder
from collectors.recording.shelf import clear_away, new_path
from collectors.samples import Sample, SourceState, SourceStatus
from collectors.source import SourceError
from collectors.text import sanitise
from tui.options import RunOptions
from tui.session import Session

TRIES: Final = 20
"""To find a free name, where others look for one at the same moment."""


def record(session: Session, options: RunOptions, script: str) -> Recorder | None:
    """Have a session recorded, unless that was not wanted; return its recorder.

    Must be called on the session's event loop, before it is opened.

    Args:
        session: What is recorded.
        options: Where to, and how much is kept.
        script: What the recording is named after.

    Raises:
        SourceError: it can't be written.
    """
    if not options.record_wanted:
        return None
    folder = folder_of(os.environ)
    if options.record is None:
        make_folder(folder)
        clear_away(folder, max(0, options.keep - 1))
    clock = session.clock
    now = clock()
    process = psutil.Process()
    header = Header(
        started_at=session.timeline.origin,
        wall_offset_s=time.time() - now,
        script=sanitise(script, 200),
        flashpoint_version=version("flashpoint"),
        machine=machine_text(),
        writer_pid=process.pid,
        writer_start_ticks=round(process.create_time() * 100),
        profiler_event=options.perf_event if options.profile else "",
        keeps_secrets=not options.redact,
    )
    loop = asyncio.get_running_loop()

    def tell(sample: Sample) -> None:
        # The loop may be closed when the last samples are written.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(session.append, sample)

    def begin(path: Path) -> Recorder:
        return Recorder(path, header, clock, tell, max_bytes=options.record_limit_mb << 20)

    recorder = (
        begin(options.record) if options.record is not None else _named(begin, folder, script)
    )
    session.record_to(recorder)
    name = sanitise(recorder.path.name, 80)
    session.append(SourceStatus(clock(), "recording", SourceState.LIVE, f"to {name}"))
    return recorder


def _named(begin: Callable[[Path], Recorder], folder: Path, script: str) -> Recorder:
    """Begin a recording under a name that is free, also where others begin theirs just now."""
    for _ in range(TRIES):
        path = new_path(folder, script, datetime.now().astimezone())
        try:
            return begin(path)
        except SourceError:
            if not os.path.lexists(path):
                raise  # nobody was faster: something is wrong
    return begin(new_path(folder, script, datetime.now().astimezone()))


def discard_empty(recorder: Recorder, session: Session, options: RunOptions) -> None:
    """Remove the recording of a session that never came to load anything."""
    if options.record is None and not session.timeline.loads:
        with contextlib.suppress(OSError):
            remove(recorder.path)
