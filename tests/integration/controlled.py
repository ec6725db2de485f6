"""A run of the real k6 whose load a test moves, as a session would."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from collectors.course import Course, CourseUnit
from collectors.guard_start import guard_running
from collectors.k6.binary import probe_k6
from collectors.k6.control import LoadControl
from collectors.k6.interactive import Interactive, Script, examine
from collectors.k6.plan import K6Plan, K6Result
from collectors.k6.run import K6Run
from collectors.k6.wrapper import Transport
from collectors.process import Guard
from collectors.samples import LoadSample, LogLine, Sample
from tests.integration.k6_versions import k6_of
from tests.waiting import eventually


@dataclass
class Controlled:
    """A run, and what it emitted."""

    run: K6Run
    script: Script
    guard: Guard
    samples: list[Sample] = field(default_factory=list)

    @property
    def control(self) -> LoadControl:
        """What moves its load."""
        assert self.run.control is not None
        return self.run.control

    @property
    def loads(self) -> list[LoadSample]:
        """What k6 streamed."""
        return [each for each in self.samples if isinstance(each, LoadSample)]

    @property
    def logs(self) -> list[str]:
        """What k6 logged."""
        return [each.text for each in self.samples if isinstance(each, LogLine)]

    def vus(self, level: float) -> None:
        """Ask for a number of VUs."""
        self.control.steer(Course.constant(CourseUnit.VUS, level, time.monotonic()))

    def rate(self, level: float) -> None:
        """Ask for a rate of iterations."""
        self.control.steer(Course.constant(CourseUnit.ITERATIONS, level, time.monotonic()))

    def ramp(self, start: float, end: float, seconds: float) -> float:
        """Ask for a straight line of VUs; return when it begins."""
        now = time.monotonic()
        self.control.steer(Course(CourseUnit.VUS, ((now, start), (now + seconds, end))))
        return now

    async def begun(self) -> float:
        """Wait until the load has begun, and return when that was."""
        await eventually(lambda: self.control.state.first_at is not None, 15)
        first_at = self.control.state.first_at
        assert first_at is not None
        return first_at

    async def stop(self) -> K6Result:
        """Stop as the operator does, and wait for the end."""
        self.run.stop()
        return await self.run.wait()


@contextlib.asynccontextmanager
async def controlled(
    version: str,
    path: Path,
    *,
    env: dict[str, str],
    arguments: Sequence[str] = (),
    vus: float = 1,
    rate: float | None = None,
    ceiling: int | None = None,
    transports: Sequence[Transport] | None = None,
) -> AsyncIterator[Controlled]:
    """Run a script with a load of ours; it is ended with the block."""
    samples: list[Sample] = []
    whole_env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", **env}
    async with guard_running() as guard:
        binary = await probe_k6(guard, k6_of(version))
        script = await examine(guard, binary, path, arguments, whole_env, transports)
        unit, level = (CourseUnit.VUS, vus) if rate is None else (CourseUnit.ITERATIONS, rate)
        course = Course.constant(unit, level, time.monotonic())
        interactive = Interactive(script, ceiling or script.ceiling, course)
        plan = K6Plan(
            binary=binary,
            script=str(path),
            arguments=tuple(arguments),
            env=whole_env,
            interactive=interactive,
        )
        run = K6Run(guard, plan, samples.append)
        await run.start()
        try:
            yield Controlled(run, script, guard, samples)
        finally:
            await run.close()


async def passed(moment: float) -> None:
    """Wait for a moment of CLOCK_MONOTONIC: of the experiment, not for anything to happen."""
    left = moment - time.monotonic()
    await eventually(lambda: time.monotonic() >= moment, max(0.0, left) + 1.0)
