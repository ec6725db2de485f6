"""A process that watches a run as the program does, while something stands in for k6.

Usage: python -m tests.faults.load_watcher SCRIPT PUSHER_ARGUMENT…

Writes to standard output, when the run has ended, what came of it as a line of JSON, and lives on
until its standard input ends, so that it can be looked at from outside.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any, Final

from collectors.guard_start import guard_running
from collectors.k6.binary import K6Binary
from collectors.k6.plan import K6Plan
from collectors.k6.run import K6Run
from collectors.k6.stream import OTHER
from collectors.samples import LoadSample, RequestKind, Sample
from tui.model.thinning import HISTORY_BYTES
from tui.model.timeline import Timeline

PROBE_S: Final = 0.02
ROOT: Final = Path(__file__).parents[2]


class Told:
    """What was emitted."""

    def __init__(self) -> None:
        self.timeline = Timeline(time.monotonic(), HISTORY_BYTES)
        self.requests: Counter[str] = Counter()
        self.observed = 0
        self.other = 0
        self.names: set[str] = set()
        self.hints: list[str] = []

    def take(self, sample: Sample) -> None:
        """Take what is emitted."""
        self.timeline.append(sample)
        if isinstance(sample, LoadSample):
            for traffic in sample.traffic:
                self.requests[traffic.kind] += traffic.requests
                if traffic.kind is RequestKind.HTTP:
                    self.observed += traffic.latency.count
            for endpoint in sample.endpoints:
                if endpoint.name == OTHER:
                    self.other += endpoint.requests
                elif endpoint.kind is RequestKind.HTTP:
                    self.names.add(f"{endpoint.name} {endpoint.group}")
        status = self.timeline.statuses.get("k6")
        if status is not None and status.hint and status.hint not in self.hints:
            self.hints.append(status.hint)


async def probe(late: list[float]) -> None:
    """Note how late each turn of the event loop is."""
    while True:
        start = time.monotonic()
        await asyncio.sleep(PROBE_S)
        late.append(time.monotonic() - start - PROBE_S)


async def watch(script: str, arguments: list[str]) -> dict[str, Any]:
    """Run to the end."""
    told, late = Told(), list[float]()
    fake = Path(script).with_name("k6")
    words = " ".join(arguments)
    fake.write_text(
        f"#!/bin/sh\ncd {ROOT}\nexec {sys.executable} -m tests.faults.load_pusher {words}\n"
    )
    fake.chmod(0o755)
    async with guard_running() as guard:
        plan = K6Plan(K6Binary(str(fake), "1.1.0", (1, 1, 0)), script, push_interval_s=1.0)
        run = K6Run(guard, plan, told.take)
        probing = asyncio.create_task(probe(late))
        start = time.monotonic()
        await run.start()
        result = await run.wait()
        took = time.monotonic() - start
        probing.cancel()
    return {
        "exit": result.exit_code,
        "refused": result.summary_text.strip(),
        "error": result.first_error,
        "requests": dict(told.requests),
        "observed": told.observed,
        "other": told.other,
        "endpoints": len(told.names),
        "hints": told.hints,
        "drops": dict(told.timeline.drops),
        "late": sorted(late),
        "seconds": took,
    }


def main(script: str, arguments: list[str]) -> None:
    """Watch, tell, and stay."""
    found = asyncio.run(watch(script, arguments))
    print(json.dumps(found), flush=True)  # noqa: T201 - what it is asked for
    sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
