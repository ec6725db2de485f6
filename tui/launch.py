"""Runs a session in its surroundings: guard, signals, screen or progress, summary, exit status."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Final, TextIO

import platformdirs

from collectors.exception_text import name_of
from collectors.guard_start import guard_running
from collectors.logfile import log_path
from collectors.process import Guard
from collectors.recording.recorder import Recorder
from collectors.samples import SourceState, SourceStatus
from collectors.source import SourceError
from collectors.text import sanitise
from tui.app import FlashpointApp
from tui.crash import part_of
from tui.demo.build import demo_command, script_path
from tui.demo.offers import cost_offers, demo_url
from tui.export.files import check_writable
from tui.export.summary import write_summary
from tui.headless import run_headless
from tui.options import RunOptions
from tui.recording import discard_empty, record
from tui.session import Session
from tui.unhandled import watch_loop

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
DEMO_DURATION: Final = "12h"
"""Long enough: the operator or --duration ends it."""


async def run(options: RunOptions, *, demo: bool = False) -> int:
    """Run what was asked for and return the exit status.

    Raises:
        SourceError: something is wrong before the start.
    """
    if options.summary is not None:
        check_writable(options.summary)
    async with guard_running() as guard:
        session = await _demo_session(options, guard) if demo else Session(options, guard)
        recorder = record(session, options, "demo" if demo else options.script.name)
        signums = _listen(session)
        broken = _watch(session)
        try:
            try:
                await session.open()
                if options.headless:
                    await run_headless(session, sys.stderr)
                else:
                    await _on_screen(session, guard)
            except asyncio.CancelledError:
                if not signums:
                    raise
            finally:
                await session.close()
                if recorder is not None:
                    discard_empty(recorder, session, options)
        except Exception as error:
            if not isinstance(error, SourceError):
                # What was measured is not lost; what broke first is what is told, and last of all.
                try:
                    _conclude(session, recorder)
                except Exception as second:
                    logging.getLogger("flashpoint").error("at the end", exc_info=second)
            raise
        status = _conclude(session, recorder)
        if broken and not signums:
            raise broken[0]
        return 128 + signums[0] if signums else status


def _listen(session: Session) -> list[int]:
    """End the session on a signal: gently, a second time at once."""
    received: list[int] = []
    loop = asyncio.get_running_loop()
    main_task = asyncio.current_task()
    assert main_task is not None

    def take(signum: int) -> None:
        received.append(signum)
        if session.load.is_under_way:
            session.leave()
        else:
            session.leaving = True
            main_task.cancel()

    for signum in SIGNALS:
        loop.add_signal_handler(signum, take, signum)
    return received


def _watch(session: Session) -> list[Exception]:
    """Tell on the screen of what breaks beside it; the load goes on. Return what broke."""
    broken: list[Exception] = []

    def tell(error: Exception) -> None:
        broken.append(error)
        text = f"{part_of(error)} broke down: {name_of(error)}"
        hint = f"please report it with the end of {sanitise(str(log_path(os.environ)))}"
        state = SourceState.FAILED
        session.append(SourceStatus(session.clock(), "flashpoint", state, text, hint))

    watch_loop(asyncio.get_running_loop(), tell)
    return broken


async def _on_screen(session: Session, guard: Guard) -> None:
    """Show the session until it is over.

    Raises:
        Exception: the screen broke down.
    """
    app = FlashpointApp(session, session.options.theme)
    terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        guard.watch_terminal(terminal)
        guard.screen(is_open=True)
        session.start_load()
        await app.run_async()
    finally:
        guard.screen(is_open=False)
        os.close(terminal)


def _conclude(session: Session, recorder: Recorder | None) -> int:
    """Say what has become of the run; return the exit status."""
    if recorder is not None and recorder.path.exists():
        _tell(f"flashpoint: recorded as {recorder.path.name}", sys.stderr)
    return _report(session)


def _report(session: Session) -> int:
    """Print what k6 says at its end, write the summary file, return the exit status."""
    if session.load.start_error is not None:
        raise session.load.start_error
    result, options = session.load.result, session.options
    if result is not None:
        if result.summary_text:
            _tell(result.summary_text, sys.stdout)
        k6 = session.timeline.statuses.get("k6")
        if k6 is not None:
            hint = f" ({k6.hint})" if k6.hint else ""
            _tell(f"flashpoint: {k6.message}{hint}", sys.stderr)
    if options.summary is not None:
        write_summary(options.summary, session.timeline, session.record())
    return session.load.exit_status


def _tell(text: str, stream: TextIO) -> None:
    # Whoever should read it may be gone, with the terminal or the other end of a pipe.
    with contextlib.suppress(OSError):
        stream.write(text + "\n")
        stream.flush()


async def _demo_session(options: RunOptions, guard: Guard) -> Session:
    """Prepare a session with the built-in server and script."""

    def log(text: str) -> None:
        _tell(f"flashpoint: {text}", sys.stderr)

    cache = Path(platformdirs.user_cache_dir("flashpoint", appauthor=False))
    server = await demo_command(guard, cache, log)
    if server.note:
        log(server.note)
    port = str(options.port) if options.port is not None else "0"
    options = replace(options, command=(*server.argv, port), script=script_path())
    session = Session(
        options,
        guard,
        name="demo",
        note=server.note,
        script_env=lambda target: {"TARGET": demo_url(target) or "", "DURATION": DEMO_DURATION},
    )
    session.offers = cost_offers(session)
    return session
