"""A real run of the demo that is recorded while its live timeline is at hand, too."""

from __future__ import annotations

import asyncio
import io
from dataclasses import dataclass
from pathlib import Path

from collectors.guard_start import guard_running
from collectors.samples import Mark, MarkKind
from tests.integration.k6_versions import k6_1
from tests.waiting import eventually
from tui.demo.build import demo_command, script_path
from tui.demo.offers import demo_url
from tui.export.summary import write_summary
from tui.headless import run_headless
from tui.looking import Looking
from tui.model.timeline import Timeline
from tui.options import RunOptions
from tui.recording import record
from tui.session import Session

DURATION_S = 12.0
NOTE = "half of it"
BASELINE = "before"


@dataclass(frozen=True, slots=True)
class RecordedRun:
    """What became of a run."""

    timeline: Timeline
    """As it was in memory while the run was live."""
    recording: Path
    summary: Path
    """The file that --summary asks for."""


async def record_demo(folder: Path, cache: Path) -> RecordedRun:
    """Run what `demo --headless --vus 5` runs; on the way the load is moved and a note is left."""
    recording, summary = folder / "run.flashpoint", folder / "summary.json"
    async with guard_running() as guard:
        server = await demo_command(guard, cache, lambda _: None)
        options = RunOptions(
            script=script_path(),
            command=(*server.argv, "0"),
            k6=k6_1(),
            headless=True,
            vus=5,
            max_vus=10,
            duration_s=DURATION_S,
            record=recording,
        )
        session = Session(
            options,
            guard,
            name="demo",
            script_env=lambda target: {"TARGET": demo_url(target) or "", "DURATION": "1h"},
        )
        recorder = record(session, options, "demo")
        assert recorder is not None
        try:
            await session.open()
            running = asyncio.create_task(run_headless(session, io.StringIO()))
            await eventually(lambda: len(session.timeline.loads) >= 5, 30)
            looking = Looking(session.timeline, session.clock, session.append)
            looking.compare_with(BASELINE)
            session.append(Mark(session.clock(), MarkKind.NOTE, NOTE))
            assert session.operator is not None
            session.operator.step(3)
            async with asyncio.timeout(DURATION_S + 30):
                await running
        finally:
            await session.close()
        assert not recorder.trouble
        write_summary(summary, session.timeline, session.record())
    return RecordedRun(session.timeline, recording, summary)
