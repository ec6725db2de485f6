"""One run of `perf record | perf script`: started, seen to be attached, ended, its words kept."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
from collections import deque
from collections.abc import Collection, Sequence
from enum import Enum
from pathlib import Path
from typing import Final

from collectors.child import Child
from collectors.lines import LineSplitter
from collectors.perf.command import (
    PerfOptions,
    perf_environment,
    record_argv,
    script_argv,
    writing_soon,
)
from collectors.perf.gathering import Gathering
from collectors.process import PIPE, Guard
from collectors.text import sanitise

POLL_S: Final = 0.02
UNREADABLE_GRACE_S: Final = 0.5
RECORD_GRACE_S: Final = 3.0
SCRIPT_GRACE_S: Final = 5.0
PIPE_BYTES: Final = 1 << 20
MAX_STDERR_LINES: Final = 50


class Attachment(Enum):
    """How an attempt to attach went."""

    DONE = "done"
    DIED = "died"
    TIMED_OUT = "timed out"


class Pipeline:
    """The two processes of one run; made by `start_pipeline`.

    Attributes:
        record: `perf record`.
        script: `perf script`.
        text: What script prints.
    """

    def __init__(self, record: Child, script: Child, text: Gathering) -> None:
        self.record = record
        self.script = script
        self.text = text
        self._record_stderr = _Stderr(record)
        self._script_stderr = _Stderr(script)

    @property
    def pids(self) -> tuple[int, int]:
        """Process ids of `perf record` and `perf script`."""
        return self.record.pid, self.script.pid

    async def attached(self, deadline_s: float) -> Attachment:
        """Wait until record holds its events, has ended, or the deadline is over."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        while self.record.returncode is None:
            waited = loop.time() - began
            holds = _holds_events(self.record.pid)
            # A perf with capabilities of its own does not let us look; that it lives must do then.
            if holds or (holds is None and waited > UNREADABLE_GRACE_S):
                return Attachment.DONE
            if waited > deadline_s:
                return Attachment.TIMED_OUT
            await asyncio.sleep(POLL_S)
        return Attachment.DIED

    def interrupt(self) -> None:
        """Ask record to end; script follows when it has printed the rest."""
        self.record.send_signal(signal.SIGINT)

    async def end(self, record_grace_s: float = RECORD_GRACE_S) -> None:
        """End both, the writer first so that the reader sees the end of its input.

        To be called when all of `text` has been read.
        """
        await self.record.stop(signal.SIGINT, record_grace_s)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.script.wait(), SCRIPT_GRACE_S)
        await self.script.stop(signal.SIGTERM, 0.5)
        self.text.close()
        await asyncio.gather(self._record_stderr.end(), self._script_stderr.end())

    async def kill(self) -> None:
        """End both without waiting for any output; what script has printed can still be read."""
        await asyncio.gather(
            self.record.stop(signal.SIGKILL, 0.5), self.script.stop(signal.SIGKILL, 0.5)
        )
        await asyncio.gather(self._record_stderr.end(), self._script_stderr.end())

    async def abandon(self) -> None:
        """Kill both, of whom nothing is read."""
        await self.kill()
        self.text.close()

    def record_words(self) -> str:
        """Return the first and last lines that record wrote to stderr, sanitised."""
        return self._record_stderr.text()

    def script_words(self) -> str:
        """Return the first and last lines that script wrote to stderr, sanitised."""
        return self._script_stderr.text()


async def start_pipeline(
    guard: Guard, perf: str, options: PerfOptions, pids: Collection[int]
) -> Pipeline:
    """Start recording the processes, and printing what is recorded to script's stdout.

    Raises:
        SourceError: perf can't be executed.
    """
    return await run_pipeline(guard, record_argv(perf, options, pids), script_argv(perf))


async def run_pipeline(guard: Guard, recording: Sequence[str], printing: Sequence[str]) -> Pipeline:
    """Start two command lines of perf, the one that records writing to the one that prints.

    Raises:
        SourceError: perf can't be executed.
    """
    env = perf_environment(os.environ)
    printing = await asyncio.to_thread(writing_soon, printing)
    with contextlib.ExitStack() as ours:
        reads, writes = _pipe(ours)
        text_reads, text_writes = _pipe(ours)
        script = await guard.spawn(
            "perf script", printing, env=env, stdin=reads, stdout=text_writes, stderr=PIPE
        )
        record: Child | None = None
        try:
            record = await guard.spawn(
                "perf record", recording, env=env, stdout=writes, stderr=PIPE
            )
        finally:
            if record is None:
                await script.stop(signal.SIGKILL, 0.5)
        return Pipeline(record, script, Gathering(os.dup(text_reads)))  # the others are closed here


def _pipe(ours: contextlib.ExitStack) -> tuple[int, int]:
    """Return the ends of a pipe, which are closed with `ours`."""
    ends = os.pipe2(os.O_CLOEXEC)
    for end in ends:
        ours.callback(os.close, end)
    # A larger one bridges a short stall of its reader; unprivileged users may not always have it.
    with contextlib.suppress(OSError):
        fcntl.fcntl(ends[1], fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    return ends


def _holds_events(pid: int) -> bool | None:
    """Tell whether a process has opened perf events; None where we may not look."""
    try:
        with os.scandir(Path("/proc", str(pid), "fd")) as entries:
            for entry in entries:
                with contextlib.suppress(FileNotFoundError):
                    if os.readlink(entry.path) == "anon_inode:[perf_event]":
                        return True
    except PermissionError:
        return None
    except OSError:
        return False
    return False


class _Stderr:
    """Reads what a child writes to stderr for as long as it runs; keeps its start and its end."""

    def __init__(self, child: Child) -> None:
        self._first: list[str] = []
        self._last: deque[str] = deque(maxlen=MAX_STDERR_LINES)
        self._task = asyncio.create_task(self._read(child), name=f"{child.name} stderr")

    async def end(self) -> None:
        """Wait until all is read; not for ever, for a stranger may hold the other end."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._task, 1.0)

    def text(self) -> str:
        return "\n".join([*self._first, *self._last])

    async def _read(self, child: Child) -> None:
        assert child.stderr is not None
        splitter = LineSplitter(4096)
        while chunk := await child.stderr.read(65536):
            self._keep(splitter.feed(chunk))
        self._keep(splitter.close())

    def _keep(self, lines: list[bytes]) -> None:
        for line in lines:
            target = self._first if len(self._first) < MAX_STDERR_LINES else self._last
            target.append(sanitise(line))
