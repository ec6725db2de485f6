"""The real k6 streams to us; a server of ours counts what really arrived."""

from __future__ import annotations

import asyncio
import math
import shutil
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from collectors.guard_start import guard_running
from collectors.k6.binary import K6Binary, find_k6, probe_k6
from collectors.k6.histogram import HistogramSum
from collectors.k6.plan import K6Plan, K6Result
from collectors.k6.run import K6Run
from collectors.process import Guard
from collectors.samples import (
    Histogram,
    LoadSample,
    LogLine,
    RequestKind,
    Sample,
    SourceState,
    SourceStatus,
)
from collectors.source import SourceError

pytestmark = [pytest.mark.integration, pytest.mark.timeout(60)]

ENV = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}


class CountingServer:
    """Answers everything, and counts it."""

    def __init__(self) -> None:
        self.url = ""
        self.served = 0

    async def answer(self, request: web.BaseRequest) -> web.Response:
        self.served += 1
        await asyncio.sleep(0.002 * (self.served % 5))
        return web.Response(status=404 if request.path.startswith("/missing") else 200)


@asynccontextmanager
async def counting_server() -> AsyncIterator[CountingServer]:
    server = CountingServer()
    runner = web.ServerRunner(web.Server(server.answer, access_log=None))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()


@asynccontextmanager
async def k6_here() -> AsyncIterator[tuple[Guard, K6Binary]]:
    async with guard_running() as guard:
        yield guard, await probe_k6(guard, find_k6(None, {"PATH": "/usr/local/bin:/usr/bin"}))


def write(folder: Path, text: str) -> str:
    path = folder / "script.js"
    path.write_text(text)
    return str(path)


async def run_script(
    script: str, *, arguments: tuple[str, ...] = (), env: dict[str, str] | None = None
) -> tuple[K6Result, list[Sample]]:
    samples: list[Sample] = []
    async with k6_here() as (guard, binary):
        plan = K6Plan(binary, script, arguments, env or ENV, push_interval_s=0.5)
        run = K6Run(guard, plan, samples.append)
        await run.start()
        return await run.wait(), samples


def loads(samples: list[Sample]) -> list[LoadSample]:
    return [sample for sample in samples if isinstance(sample, LoadSample)]


def last_status(samples: list[Sample]) -> SourceStatus:
    return [sample for sample in samples if isinstance(sample, SourceStatus)][-1]


def percentile(histogram: Histogram, share: float) -> float:
    """Interpolate on the logarithmic scale within the bucket, as the model does."""
    base = 2.0 ** (2.0**-histogram.schema)
    rank = share * histogram.count - histogram.zero_count
    for index in sorted(histogram.buckets):
        count = histogram.buckets[index]
        if rank <= count:
            return math.pow(base, index - 1 + rank / count)
        rank -= count
    raise AssertionError("beyond the last bucket")


LOAD = """
import http from 'k6/http';
import { check, group } from 'k6';
import { Counter } from 'k6/metrics';
const things = new Counter('things');
export const options = { vus: 3, duration: '3s', thresholds: { http_reqs: ['count>0'] } };
export default function () {
  group('shop', () => {
    const answer = http.get(`${__ENV.URL}/ok?secret=${__ITER}`);
    check(answer, { 'is 200': (a) => a.status === 200 });
    http.get(`${__ENV.URL}/missing`);
  });
  things.add(2);
}
"""


async def test_stream_summary_and_server_agree(tmp_path: Path) -> None:
    """Every request is streamed or named as withheld, and the percentiles are k6's."""
    async with counting_server() as server:
        result, samples = await run_script(
            write(tmp_path, LOAD), arguments=("-e", f"URL={server.url}")
        )
    assert result.exit_code == 0
    assert result.summary is not None
    assert result.kind is RequestKind.HTTP
    assert result.withheld_requests is not None
    assert result.streamed_requests + result.withheld_requests == result.summary.requests
    assert result.summary.requests == server.served
    assert result.withheld_requests <= server.served // 100

    latency, failed, endpoints = HistogramSum(), 0, set()
    for load in loads(samples):
        http = load.traffic[0]
        assert http.kind is RequestKind.HTTP
        assert http.requests == sum(e.requests for e in load.endpoints if e.kind == http.kind)
        latency.add(http.latency)
        failed += http.failed
        endpoints |= {(e.name, e.status, e.group) for e in load.endpoints if e.kind == http.kind}
    assert failed == result.summary.failed
    assert endpoints == {
        (f"{server.url}/ok?secret=…", "200", "shop"),
        (f"{server.url}/missing", "404", "shop"),
    }
    p95_ms = 1000 * percentile(latency.build(), 0.95)
    assert p95_ms == pytest.approx(result.summary.latency_ms["p95"], rel=0.05)
    assert sum(m.value for load in loads(samples) for m in load.metrics if m.name == "things") == (
        2 * sum(load.iterations for load in loads(samples))
    )
    assert "http_reqs" in result.summary_text
    assert last_status(samples).state is SourceState.ENDED


async def test_stop_ends_the_run_and_keeps_the_summary(tmp_path: Path) -> None:
    """SIGINT ends k6 with 105; what it did until then is in the summary."""
    samples: list[Sample] = []
    streaming = asyncio.Event()

    def emit(sample: Sample) -> None:
        samples.append(sample)
        if isinstance(sample, LoadSample) and sample.iterations:
            streaming.set()

    async with counting_server() as server, k6_here() as (guard, binary):
        arguments = ("-e", f"URL={server.url}", "--duration", "30s")
        plan = K6Plan(binary, write(tmp_path, LOAD), arguments, ENV, push_interval_s=0.5)
        run = K6Run(guard, plan, emit)
        await run.start()
        async with asyncio.timeout(15):
            await streaming.wait()
        assert run.streamed_requests > 0
        run.stop()
        run.stop()
        result = await run.wait()
    assert result.exit_code == 105
    assert not result.meaning.is_failure
    assert result.summary is not None
    assert result.summary.requests == result.streamed_requests + (result.withheld_requests or 0)


async def test_forced_stop_ends_a_long_teardown_soon(tmp_path: Path) -> None:
    """A teardown that never ends can't hold a forced stop for longer than two seconds."""
    script = """
      import { sleep } from 'k6';
      export const options = { vus: 1, duration: '30s', teardownTimeout: '300s' };
      export default function () { sleep(0.1); }
      export function teardown() { console.log('in teardown'); sleep(300); }
    """
    in_teardown, streaming = asyncio.Event(), asyncio.Event()

    def emit(sample: Sample) -> None:
        if isinstance(sample, LogLine) and "in teardown" in sample.text:
            in_teardown.set()
        if isinstance(sample, LoadSample):
            streaming.set()

    async with k6_here() as (guard, binary):
        run = K6Run(guard, K6Plan(binary, write(tmp_path, script), (), ENV), emit)
        await run.start()
        async with asyncio.timeout(20):
            await streaming.wait()
            run.stop()
            await in_teardown.wait()
        forced_at = time.monotonic()
        run.stop(force=True)
        result = await run.wait()
    assert time.monotonic() - forced_at < 2.5
    assert result.exit_code != 0


@pytest.mark.parametrize(
    ("script", "exit_code", "error"),
    [
        ("export default function () { let x = ; }", 107, "Unexpected token"),
        (
            "export function setup() { throw new Error('boom'); }\nexport default () => {};",
            107,
            "Error: boom at setup",
        ),
        ("import './not-there.js'; export default () => {};", 107, "not-there.js"),
        ("export const a = 1;", 255, "no exported functions"),
        ("export const options = { vus: 'x' }; export default () => {};", 104, "parsing"),
    ],
)
async def test_a_bad_script_ends_with_its_first_error(
    tmp_path: Path, script: str, exit_code: int, error: str
) -> None:
    """What is wrong with a script is told in k6's own first error line."""
    result, samples = await run_script(write(tmp_path, script))
    assert result.exit_code == exit_code
    assert result.first_error is not None
    assert error in result.first_error
    assert result.summary is None or not result.summary.iterations
    status = last_status(samples)
    assert status.state is SourceState.FAILED
    assert error in status.message


async def test_an_old_summary_of_the_users_own_is_not_taken_for_new(tmp_path: Path) -> None:
    """A file that k6 did not write in this run says nothing about it; a fresh one does."""
    mine = tmp_path / "mine.json"
    mine.write_text('{"metrics": {"iterations": {"count": 77}}}')
    arguments = ("--summary-export", str(mine))
    broken = write(tmp_path, "export default function () { let x = ; }")
    result, _ = await run_script(broken, arguments=arguments)
    assert result.summary is None
    good = write(tmp_path, "export default function () {}")
    result, _ = await run_script(good, arguments=arguments)
    assert result.summary is not None
    assert result.summary.iterations == 1


async def test_a_crossed_threshold_is_no_failure_of_k6(tmp_path: Path) -> None:
    """Code 99 and the summary say so, and the source has ended, not failed."""
    script = """
      export const options = { iterations: 3, thresholds: { iterations: ['count>100'] } };
      export default function () {}
    """
    result, samples = await run_script(write(tmp_path, script))
    assert result.exit_code == 99
    assert result.summary is not None
    assert result.summary.thresholds_crossed
    assert result.kind is RequestKind.ITERATION
    assert last_status(samples).state is SourceState.ENDED


async def test_a_script_that_is_not_there_is_refused_before_the_start(tmp_path: Path) -> None:
    """No k6 is started for a script that does not exist."""
    with pytest.raises(SourceError, match="does not exist"):
        await run_script(str(tmp_path / "nope.js"))


async def test_a_killed_k6_is_explained(tmp_path: Path) -> None:
    """What was streamed before the kill is kept; the status names the signal."""
    script = """
      import { sleep } from 'k6';
      export const options = { vus: 1, duration: '30s' };
      export default function () { sleep(0.05); }
    """
    samples: list[Sample] = []
    streaming = asyncio.Event()

    def emit(sample: Sample) -> None:
        samples.append(sample)
        if isinstance(sample, LoadSample) and sample.iterations:
            streaming.set()

    async with k6_here() as (guard, binary):
        plan = K6Plan(binary, write(tmp_path, script), (), ENV, push_interval_s=0.5)
        run = K6Run(guard, plan, emit)
        await run.start()
        async with asyncio.timeout(15):
            await streaming.wait()
        assert run.pid is not None
        guard.signal(run.pid, signal.SIGKILL)
        result = await run.wait()
    assert result.exit_code == -signal.SIGKILL
    assert result.summary is None
    assert result.streamed_requests > 0
    assert "signal 9" in last_status(samples).message


async def test_two_runs_in_one_session_do_not_mix(tmp_path: Path) -> None:
    """Each run counts from zero under its own name."""
    script = write(
        tmp_path, "export const options = { iterations: 5 }; export default function () {}"
    )
    samples: list[Sample] = []
    async with k6_here() as (guard, binary):
        for number in (1, 2):
            plan = K6Plan(binary, script, (), ENV, instance=f"k6-{number}")
            run = K6Run(guard, plan, samples.append)
            await run.start()
            assert (await run.wait()).streamed_requests == 5
    assert {load.instance for load in loads(samples)} == {"k6-1", "k6-2"}


@pytest.mark.parametrize(
    ("text", "message"),
    [("sleep 30", "did not answer"), ("echo fake 1.0", "is not k6"), ("exit 3", "is not k6")],
)
async def test_a_program_that_is_not_k6_is_told(tmp_path: Path, text: str, message: str) -> None:
    """Anything that does not answer like k6 is refused, and soon."""
    program = tmp_path / "k6"
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o755)
    async with guard_running() as guard:
        with pytest.raises(SourceError, match=message):
            await probe_k6(guard, str(program), deadline_s=0.5)


def test_some_k6_is_installed() -> None:
    """The tests here never pass by not running."""
    lookup: Callable[..., str | None] = shutil.which
    assert find_k6(None, {"PATH": "/usr/local/bin:/usr/bin"}, lookup)
