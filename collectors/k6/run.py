"""One run of k6: its process, its stream, its log, and what it ends with."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from collectors.child import Child
from collectors.k6.command import K6Command, Stream, build_command
from collectors.k6.control import LoadControl
from collectors.k6.drops import DropCounter
from collectors.k6.end_status import status_of_end
from collectors.k6.exit_codes import explain_exit
from collectors.k6.log import LogReader
from collectors.k6.plan import K6Plan, K6Result
from collectors.k6.receiver import PushReceiver
from collectors.k6.steering import Steering, Wrapped
from collectors.k6.stream import OTHER, OVER_LIMIT, LoadAssembler
from collectors.k6.summary import read_summary
from collectors.process import PIPE, Guard
from collectors.redact import Redactor
from collectors.samples import Drop, LoadSample, RequestKind, Sample, SourceState, SourceStatus
from collectors.source import Clock, Emit
from collectors.text import sanitise_lines

__all__ = ["K6Plan", "K6Result", "K6Run"]

MAX_STDOUT_BYTES: Final = 1 << 20
READ_BYTES: Final = 1 << 16
STOP_GRACE_S: Final = 0.8
"""What k6 gets after a forced stop before it is killed."""
OUTPUT_DEADLINE_S: Final = 2.0
"""How long the pipes may stay open after k6 is gone, held by processes it started."""


class K6Run:
    """Runs k6 once and emits what it does.

    Emits `LoadSample`, `LogLine`, `Drop`, and `SourceStatus` of the source `k6`.

    Args:
        guard: Starts the process.
        plan: What to run.
        emit: Takes the samples.
        clock: The session's clock.
    """

    def __init__(
        self, guard: Guard, plan: K6Plan, emit: Emit, clock: Clock = time.monotonic
    ) -> None:
        self._guard = guard
        self._plan = plan
        self._emit = emit
        self._clock = clock
        self._drops = DropCounter(emit)
        self._folder: Path | None = None
        self._command: K6Command | None = None
        self._assembler: LoadAssembler | None = None
        self._receiver: PushReceiver | None = None
        self._child: Child | None = None
        self._readers: list[asyncio.Task[None]] = []
        self._killer: asyncio.Task[int] | None = None
        self._starting: asyncio.Task[None] | None = None
        self._stopper: asyncio.Task[None] | None = None
        self._steering: Steering | None = None
        self._log = LogReader(Redactor(enabled=plan.redact))
        self._redactor = Redactor(enabled=plan.redact)
        self._stdout = bytearray()
        self._is_live = False
        self._is_stopping = False
        self._is_over_limit = False
        self._old_summary: int | None = None
        self.result: K6Result | None = None
        """How it ended, once it has."""

    @property
    def instance(self) -> str:
        """The name of this run in its samples."""
        return self._plan.instance

    @property
    def version(self) -> str:
        """The version of k6."""
        return self._plan.binary.version

    @property
    def pid(self) -> int | None:
        """The process id of k6, once started."""
        return self._child.pid if self._child is not None else None

    @property
    def control(self) -> LoadControl | None:
        """What moves the load; None where k6 keeps its own schedule, or before the start."""
        return self._steering.control if self._steering is not None else None

    @property
    def streamed_requests(self) -> int:
        """Requests streamed so far, of the first kind that was seen."""
        if self._assembler is None:
            return 0
        return self._assembler.totals.requests[self._streamed_kind()]

    @property
    def first_error(self) -> str | None:
        """The first error that k6 logged."""
        return self._log.first_error

    async def start(self) -> bool:
        """Start k6; return whether it was, not where it was stopped before that.

        Raises:
            SourceError: it can't be started as asked; nothing is left behind.
        """
        self._status(SourceState.STARTING, f"starting k6 {self.version}")
        starting = self._starting = asyncio.create_task(self._start(), name="k6 start")
        if self._is_stopping:
            starting.cancel()
        try:
            await asyncio.wait([starting])
            if not starting.cancelled():  # only a stop does that
                starting.result()
                return True
        except BaseException:
            starting.cancel()
            await asyncio.wait([starting])
            await self.close()
            raise
        await self.close()
        self._status(SourceState.ENDED, "the run was stopped before it began")
        return False

    async def _start(self) -> None:
        plan = self._plan
        self._folder = Path(tempfile.mkdtemp(prefix="flashpoint-k6-"))
        self._guard.remove_folder(str(self._folder))
        self._assembler = LoadAssembler(plan.instance, self._redactor)
        self._receiver = PushReceiver(self._assembler, self._take, self._clock)
        await self._receiver.start()
        wrapped = await self._wrapped(self._folder)
        self._command = build_command(
            plan.binary,
            wrapped.script,
            wrapped.arguments,
            wrapped.env,
            Stream(self._receiver.url, self._receiver.token, plan.push_interval_s),
            str(self._folder / "summary.json"),
        )
        secrets = self._command.secrets | wrapped.secrets
        self._redactor = Redactor(enabled=plan.redact, secrets=secrets)
        self._log = LogReader(self._redactor)
        self._old_summary = _stamp(self._summary_path())
        self._child = await self._guard.spawn(
            "k6",
            self._command.argv,
            env=self._command.env,
            cwd=plan.cwd,
            stdout=PIPE,
            stderr=PIPE,
        )
        if self._steering is not None:
            self._steering.begin(self._child.pid)
        self._readers = [
            asyncio.create_task(self._read_stdout(self._child), name="k6 stdout"),
            asyncio.create_task(self._read_stderr(self._child), name="k6 stderr"),
        ]

    async def _wrapped(self, folder: Path) -> Wrapped:
        plan = self._plan
        if plan.interactive is None:
            return Wrapped(plan.script, plan.arguments, plan.env, frozenset())
        self._steering = Steering(self._guard, plan.interactive, self._emit, self._clock)
        return await self._steering.prepare(folder, plan.binary, plan.arguments, plan.env)

    def stop(self, *, force: bool = False) -> None:
        """Ask k6 to end: SIGINT, once. Forced: once more, and soon after that kill it.

        Where it is not started yet, it won't be.

        A second SIGINT ends k6 at once, without teardown and summary, so only force sends one.
        Where we own the load, the first one waits until no iteration is under way any more, or
        the script's gracefulStop is over: k6 would not count the requests in flight.
        """
        if self._child is None:
            # To wait for it would mean to wait for its script to be read, and to load the server.
            self._is_stopping = True
            if self._starting is not None:
                self._starting.cancel()
            return
        if self._child.returncode is not None:
            return
        if not force and not self._is_stopping:
            self._is_stopping = True
            self._stopper = asyncio.create_task(self._interrupt(self._child), name="k6 stop")
        elif force and self._killer is None:
            stopping = self._child.stop(signal.SIGINT, STOP_GRACE_S)
            self._killer = asyncio.create_task(stopping, name="k6 forced stop")

    async def _interrupt(self, child: Child) -> None:
        if self._steering is not None:
            await self._steering.drain()
        child.send_signal(signal.SIGINT)

    async def wait(self) -> K6Result:
        """Wait until k6 has ended and everything it sent is emitted; then clean up."""
        if self.result is not None:
            return self.result
        assert self._child is not None, "start() comes first"
        assert self._receiver is not None
        try:
            exit_code = await self._child.wait()
            await asyncio.wait(self._readers, timeout=OUTPUT_DEADLINE_S)
            await self._receiver.drain()
            self.result = self._finish(exit_code)
        finally:
            await self.close()
        return self.result

    async def close(self) -> None:
        """End k6 if it still runs, and leave nothing behind."""
        if self._child is not None and self._child.returncode is None:
            await self._child.stop(signal.SIGINT, STOP_GRACE_S)
        for task in [*self._readers, self._killer, self._stopper]:
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        self._readers = []
        if self._steering is not None:
            await self._steering.control.close()
        if self._receiver is not None:
            await self._receiver.close()
        if self._folder is not None:
            await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)
            self._folder = None

    def _finish(self, exit_code: int) -> K6Result:
        assert self._assembler is not None
        summary_path = self._summary_path()
        is_new = _stamp(summary_path) != self._old_summary
        summary = read_summary(summary_path) if is_new else None
        kind = summary.kind if summary is not None else self._streamed_kind()
        streamed = self._assembler.totals.requests[kind]
        withheld = None
        if summary is not None and summary.requests is not None and summary.requests >= streamed:
            withheld = summary.requests - streamed
        meaning = explain_exit(exit_code)
        now = self._clock()
        if withheld:
            self._drops.add("k6_withheld", now, withheld)
        self._drops.flush(now)
        result = K6Result(
            exit_code=exit_code,
            meaning=meaning,
            summary=summary,
            summary_text=self._summary_text(),
            first_error=self.first_error,
            kind=kind,
            streamed_requests=streamed,
            withheld_requests=withheld,
        )
        self._emit(status_of_end(result, now, is_stopping=self._is_stopping))
        return result

    def _summary_path(self) -> Path:
        assert self._command is not None
        return Path(self._plan.cwd or ".") / self._command.summary_path

    def _streamed_kind(self) -> RequestKind:
        kinds = self._assembler.kinds if self._assembler is not None else set()
        return next((kind for kind in RequestKind if kind in kinds), RequestKind.ITERATION)

    def _summary_text(self) -> str:
        text = self._stdout.decode("utf-8", "backslashreplace")
        return sanitise_lines(self._redactor.text(text)).strip("\n")

    def _take(self, sample: Sample) -> None:
        if isinstance(sample, LoadSample) and not self._is_live:
            self._is_live = True
            self._status(SourceState.LIVE, f"k6 {self.version} is streaming")
            # k6 pushes an interval after it has something to send: before that it was preparing.
            begun_s = min(sample.interval_s, self._plan.push_interval_s)
            sample = replace(sample, interval_s=begun_s)
        if isinstance(sample, LoadSample) and self._steering is not None:
            sample = self._steering.with_running_vus(sample)
        self._emit(sample)
        if isinstance(sample, Drop) and sample.reason == OVER_LIMIT and not self._is_over_limit:
            self._is_over_limit = True
            self._status(
                SourceState.DEGRADED,
                f"more endpoints than can be told apart; the rest is summed as {OTHER}",
                "give requests a `name` tag, so that URLs with ids in them are one endpoint",
            )

    def _status(self, state: SourceState, message: str, hint: str = "") -> None:
        self._emit(SourceStatus(self._clock(), "k6", state, message, hint))

    async def _read_stdout(self, child: Child) -> None:
        assert child.stdout is not None
        while chunk := await child.stdout.read(READ_BYTES):
            self._stdout += chunk
            # The summary is what comes last.
            del self._stdout[: max(0, len(self._stdout) - MAX_STDOUT_BYTES)]

    async def _read_stderr(self, child: Child) -> None:
        assert child.stderr is not None
        while chunk := await child.stderr.read(READ_BYTES):
            self._emit_log(self._log.feed(chunk, self._clock()))
        self._emit_log(self._log.close(self._clock()))

    def _emit_log(self, lines: Sequence[Sample]) -> None:
        for line in lines:
            self._emit(line)
        if over_limit := self._log.take_over_limit():
            self._drops.add("log_lines_over_limit", self._clock(), over_limit)


def _stamp(path: Path) -> int | None:
    """Tell one state of a file from another: a summary of the user's own may be an old one."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return None
