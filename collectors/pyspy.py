"""Live stacks of Python servers that perf can't see into, from py-spy.

py-spy writes what it sampled at the end of a recording only, so recordings of one second follow
each other, the next one started on the clock and not when the last one ends: its start-up lies
under the end of the one before. It never pauses the target (`--nonblocking`). Only threads that
hold the interpreter's lock are sampled: one that waits for it burns nothing. Format: py-spy's
`raw`, lines of `caller;…;leaf count` with frames `function (file:line)`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import signal
import sysconfig
import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import Final

from collectors.child import Child
from collectors.perf.interner import Interner
from collectors.perf.second import Second, Seen
from collectors.process import PIPE, STDOUT, Guard
from collectors.samples import (
    Frame,
    FrameKind,
    SourceState,
    SourceStatus,
    StackMeasure,
)
from collectors.source import Clock, Emit, SourceError
from collectors.text import MAX_SYMBOL_BYTES, sanitise

RECORDING_S: Final = 1
START_S: Final = 0.3
"""What py-spy takes to find its way into the target."""
MAX_OUTPUT_BYTES: Final = 8 << 20
MAX_DEPTH: Final = 256
MAX_FAILURES: Final = 5
MAX_PROCESSES: Final = 16
INSTALL_HINT: Final = "pip install 'flashpoint[py-spy]'"
_FRAME: Final = re.compile(r"(.{1,400}) \((.{1,400}?)(?::\d+)?\)")


def is_plain_python(pid: int) -> bool:
    """Tell whether a process is a Python interpreter that has not told perf of its functions."""
    try:
        program = os.path.basename(os.readlink(f"/proc/{pid}/exe"))
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        has_map = Path(f"/tmp/perf-{pid}.map").exists()
    except OSError:
        return False
    return bool(re.match(r"python3?[.\d]*$", program)) and not has_map and b"perf" not in arguments


def find_pyspy(path: str | None = None) -> str:
    """Return the absolute path of py-spy: on the PATH, or beside this interpreter.

    Raises:
        SourceError: there is none.
    """
    found = shutil.which("py-spy", path=path) or shutil.which(
        "py-spy", path=sysconfig.get_path("scripts")
    )
    if found is None:
        raise SourceError("py-spy is not installed", INSTALL_HINT)
    return os.path.abspath(found)


def has_pyspy() -> bool:
    """Tell whether there is a py-spy."""
    try:
        find_pyspy()
    except SourceError:
        return False
    return True


def parse_raw(text: bytes) -> tuple[dict[tuple[tuple[str, str], ...], int], int]:
    """Read py-spy's raw format.

    Returns:
        Frames (function and file, the outermost first) → samples; and the unreadable lines.
    """
    stacks: dict[tuple[tuple[str, str], ...], int] = {}
    rejected = 0
    for line in text.decode("utf-8", "backslashreplace").splitlines():
        names, _, number = line.rpartition(" ")
        if not names or not number.isascii() or not number.isdigit() or len(number) > 9:
            rejected += 1
            continue
        frames = tuple(_frame(name) for name in names.split(";")[-MAX_DEPTH:])
        stacks[frames] = stacks.get(frames, 0) + int(number)
    return stacks, rejected


def _frame(text: str) -> tuple[str, str]:
    match = _FRAME.fullmatch(text)
    function, file = (match[1], os.path.basename(match[2])) if match else (text, "")
    return sanitise(function, MAX_SYMBOL_BYTES), sanitise(file, 200)


class PySpySource:
    """Samples one Python process and emits `StackBatch` and `SourceStatus`, as `PerfSource` does.

    Args:
        guard: Starts py-spy.
        clock: The session's clock.
        emit: Takes the samples, on the event loop.
        frequency_hz: Samples a second.
        interner: Gives the ids of frames and stacks.
    """

    def __init__(
        self, guard: Guard, clock: Clock, emit: Emit, frequency_hz: int, interner: Interner
    ) -> None:
        self._guard = guard
        self._clock = clock
        self._emit = emit
        self._frequency_hz = frequency_hz
        self._interner = interner
        self._running: set[Child] = set()
        self._task: asyncio.Task[None] | None = None
        self._is_live = False

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids of py-spy."""
        return tuple(child.pid for child in self._running)

    async def attach(self, pids: Collection[int]) -> bool:
        """Sample processes that run now; those that come later are left out."""
        await self.detach()
        if not pids:
            return False
        self._task = asyncio.create_task(self._record(tuple(pids)[:MAX_PROCESSES]), name="py-spy")
        return True

    async def detach(self) -> None:
        """End sampling."""
        if self._task is None:
            return
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._task = None
        self._is_live = False
        for child in tuple(self._running):
            await child.stop(signal.SIGINT, 1.0)
        self._running.clear()
        self._say(SourceState.ENDED, "detached")

    async def _record(self, pids: Collection[int]) -> None:
        try:
            program = find_pyspy()
        except SourceError as error:
            self._say(SourceState.FAILED, error.message, error.hint)
            return
        with tempfile.TemporaryDirectory(prefix="flashpoint-py-spy-") as folder:
            async with asyncio.TaskGroup() as processes:
                for pid in pids:
                    processes.create_task(self._follow(program, pid, Path(folder)))

    async def _follow(self, program: str, pid: int, folder: Path) -> None:
        failures = turn = 0
        async with asyncio.TaskGroup() as recordings:
            while failures < MAX_FAILURES:
                output = folder / f"{pid}-{turn % 4}"
                recording = recordings.create_task(self._one(program, pid, output))
                turn += 1
                await asyncio.sleep(RECORDING_S)
                if recording.done() and not recording.result():
                    failures += 1

    async def _one(self, program: str, pid: int, output: Path) -> bool:
        argv = [program, "record", "--nonblocking", "--gil", "--format", "raw"]
        argv += ["--rate", str(self._frequency_hz), "--duration", str(RECORDING_S)]
        argv += ["--output", str(output), "--pid", str(pid)]
        started_at = self._clock()
        child = await self._guard.spawn("py-spy", argv, stdout=PIPE, stderr=STDOUT)
        self._running.add(child)
        try:
            assert child.stdout is not None
            said = await child.stdout.read(4096)
            while await child.stdout.read(4096):
                pass
            status = await child.wait()
        finally:
            self._running.discard(child)
        if status != 0:
            self._tell_failure(said)
            return False
        if not self._is_live:
            self._is_live = True
            note = "py-spy, threads that hold the interpreter's lock"
            self._say(SourceState.LIVE, f"{note}, {self._frequency_hz} Hz")
        self._take(await asyncio.to_thread(_read, output), started_at)
        return True

    def _take(self, text: bytes, started_at: float) -> None:
        stacks, rejected = parse_raw(text)
        # One second of samples: told as of its middle, so that it lies in one second of the clock.
        second = Second(started_at + START_S + RECORDING_S / 2)
        period_ns = round(1e9 / self._frequency_hz)
        for frames, samples in stacks.items():
            ids = tuple(
                self._interner.frame_id(Frame(name, file, FrameKind.USER)) for name, file in frames
            )
            stack = self._interner.stack_id("python", "", ids)
            seen = Seen(stack, self._interner.left_out(stack, ids))
            second.add(seen, samples, samples * period_ns)
        if rejected:
            second.rejected["py_spy_line_unreadable"] = rejected
        self._emit(second.batch(self._interner, StackMeasure.ON_CPU))

    def _tell_failure(self, said: bytes) -> None:
        text = sanitise(said.strip().splitlines()[-1] if said.strip() else b"it said nothing", 200)
        hint = "py-spy works on running Python processes"
        if "ermission" in text:
            hint = "run as root, or: sudo sysctl kernel.yama.ptrace_scope=0"
        self._say(SourceState.FAILED, f"py-spy: {text}", hint)

    def _say(self, state: SourceState, message: str, hint: str = "") -> None:
        self._emit(SourceStatus(self._clock(), "perf", state, message, hint))


def _read(path: Path) -> bytes:
    with contextlib.suppress(OSError), path.open("rb") as file:
        return file.read(MAX_OUTPUT_BYTES)
    return b""
