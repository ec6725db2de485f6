"""The built-in servers and their script, with the real compiler, k6 and perf."""

import asyncio
import contextlib
import json
import math
import os
import random
import shutil
import sys
from bisect import bisect_left
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from collectors.child import Child
from collectors.process import PIPE, Guard
from tests.integration.program import needs_rustc
from tui.demo.build import demo_command, listening_port, script_path
from tui.demo.cost import read_cost, set_factor
from tui.demo.server import MAX_CONNECTIONS

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

ROUTES = ["/", "/cheap", "/heavy", "/json", "/lock", "/fsync", "/sleep", "/cost", "/health"]
FUNCTIONS = {
    "render_greeting": "/",
    "mine_block": "/heavy",
    "build_document": "/json",
    "write_json": "/json",
    "update_ledger": "/lock",
    "fill_page": "/fsync",
}


@dataclass(frozen=True)
class RunningServer:
    """A built-in server under test."""

    child: Child
    language: str
    url: str

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])


@contextlib.asynccontextmanager
async def started(guard: Guard, cache: Path, language: str) -> AsyncIterator[RunningServer]:
    log: list[str] = []
    path = None if language == "rust" else os.devnull
    server = await demo_command(guard, cache, log.append, path=path)
    assert server.language == language, server.note
    child = await guard.spawn("demo", server.argv, stdout=PIPE)
    assert child.stdout is not None
    async with asyncio.timeout(10):
        line = await child.stdout.read(200)
    port = listening_port(line.decode())
    assert port is not None
    yield RunningServer(child, language, f"http://127.0.0.1:{port}")
    await child.stop(grace_s=2.0)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo", numbered=True)


@pytest.fixture(params=[pytest.param("rust", marks=needs_rustc), "python"])
async def server(
    request: pytest.FixtureRequest, guard: Guard, cache: Path
) -> AsyncIterator[RunningServer]:
    async with started(guard, cache, request.param) as running:
        yield running


@pytest.fixture
async def rust_server(guard: Guard, cache: Path) -> AsyncIterator[RunningServer]:
    if shutil.which("rustc") is None:
        pytest.skip("this machine has no rustc to build the demo server with")
    async with started(guard, cache, "rust") as running:
        yield running


async def request_many(url: str, count: int) -> None:
    async with aiohttp.ClientSession() as session:
        for _ in range(count):
            async with session.get(url) as response:
                assert response.status == 200
                await response.read()


async def exchange(port: int, request: bytes) -> bytes:
    """Send some bytes and return all that comes back until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        with contextlib.suppress(ConnectionError):
            await writer.drain()
            writer.write_eof()
        async with asyncio.timeout(10):
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def test_routes_answer(server: RunningServer) -> None:
    """Every route answers over one connection, JSON where it says so."""
    connector = aiohttp.TCPConnector(limit=1)
    async with aiohttp.ClientSession(connector=connector) as session:
        for route in ROUTES:
            async with session.get(server.url + route) as response:
                assert response.status == 200
                body = await response.read()
                assert body.endswith(b"\n")
                if response.content_type == "application/json":
                    assert json.loads(body)
    report = await read_cost(server.url)
    assert set(report.functions) == set(FUNCTIONS)
    assert all(cost.calls >= 1 for cost in report.functions.values())
    assert all(cost.cpu_seconds > 0 for cost in report.functions.values())


async def test_wrong_requests(server: RunningServer) -> None:
    """Unknown routes, names and methods are told apart, in one line each."""
    cases = {
        ("GET", "/nowhere"): 404,
        ("POST", "/heavy"): 405,
        ("GET", "/cost/mine_block"): 405,
        ("POST", "/cost/nothing?factor=2"): 404,
        ("POST", "/cost/mine_block"): 400,
        ("POST", "/cost/mine_block?factor=two"): 400,
        ("POST", "/cost/mine_block?factor=0.001"): 400,
        ("POST", "/cost/mine_block?factor=1e1"): 400,
        ("POST", "/cost/mine_block?factor=nan"): 400,
        ("HEAD", "/health"): 200,
        ("POST", "/cost/mine_block?factor=1.5"): 200,
    }
    async with aiohttp.ClientSession() as session:
        for (method, path), status in cases.items():
            async with session.request(method, server.url + path) as response:
                assert (response.status, method, path) == (status, method, path)
                body = await response.read()
                assert body.count(b"\n") == (0 if method == "HEAD" else 1)


async def test_malformed_requests(server: RunningServer) -> None:
    """What is no HTTP is refused in one line, and the connection ends."""
    line = b"GET / HTTP/1.1\r\n"
    cases = {
        b"nonsense\r\n\r\n": b"400",
        b"GET / HTTP/2.0\r\n\r\n": b"400",
        b"get / HTTP/1.1\r\n\r\n": b"400",
        b"GET  / HTTP/1.1\r\n\r\n": b"400",
        b"GET x HTTP/1.1\r\n\r\n": b"400",
        line + b"no colon\r\n\r\n": b"400",
        line + b"Content-Length: -1\r\n\r\n": b"400",
        line + b"Content-Length: 99999999999999999999\r\n\r\n": b"413",
        line + b"Transfer-Encoding: chunked\r\n\r\n": b"501",
        line + b"X: \xff\r\n\r\n": b"400",
        line + b"X: " + b"x" * 100_000 + b"\r\n\r\n": b"431",
        b"x" * 100_000: b"431",
    }
    for request, status in cases.items():
        answer = await exchange(server.port, request)
        assert answer.startswith(b"HTTP/1.1 " + status), request[:60]
        assert b"Connection: close" in answer
        assert answer.count(b"HTTP/1.1") == 1


async def test_random_bytes(server: RunningServer) -> None:
    """Whatever arrives, the server lives on."""
    noise = random.Random(1)
    for _ in range(60):
        await exchange(server.port, noise.randbytes(noise.randrange(1, 3000)) + b"\r\n\r\n")
    await request_many(server.url + "/health", 1)
    assert server.child.returncode is None


async def test_pipelined_and_split_requests(server: RunningServer) -> None:
    """Requests may come all at once or byte by byte, with bodies that nobody reads."""
    one = b"GET /health HTTP/1.1\r\nContent-Length: 5\r\n\r\n12345"
    last = b"GET /cheap HTTP/1.1\r\nConnection: close\r\n\r\n"
    answer = await exchange(server.port, one * 3 + last)
    assert answer.count(b"HTTP/1.1 200 OK") == 4
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    for byte in one + last:
        writer.write(bytes([byte]))
        await writer.drain()
    async with asyncio.timeout(10):
        assert (await reader.read()).count(b"HTTP/1.1 200 OK") == 2
    writer.close()
    await writer.wait_closed()


async def test_many_connections(server: RunningServer) -> None:
    """Two hundred connections stay open side by side."""
    connector = aiohttp.TCPConnector(limit=200)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def ask() -> int:
            async with session.get(server.url + "/sleep") as response:
                await response.read()
                return response.status

        for _ in range(2):
            assert set(await asyncio.gather(*(ask() for _ in range(200)))) == {200}


async def test_no_more_than_the_bound(server: RunningServer) -> None:
    """A connection beyond the bound is told so; when others end, there is room again."""
    open_ones = [
        await asyncio.open_connection("127.0.0.1", server.port) for _ in range(MAX_CONNECTIONS)
    ]
    # A server that has answered on the last one has counted them all.
    open_ones[-1][1].write(b"GET /health HTTP/1.1\r\n\r\n")
    assert b"200" in await open_ones[-1][0].read(100)
    assert (await exchange(server.port, b"")).startswith(b"HTTP/1.1 503")
    for _, writer in open_ones:
        writer.close()
    await asyncio.gather(*(writer.wait_closed() for _, writer in open_ones))
    async with asyncio.timeout(10):
        while not (await exchange(server.port, b"GET / HTTP/1.0\r\n\r\n")).endswith(b"hello\n"):
            pass


async def test_costs_agree_with_the_process(server: RunningServer) -> None:
    """Where one function does the work, its account is the CPU time of the process within 15 %."""
    before = await read_cost(server.url)
    await asyncio.gather(*(request_many(server.url + "/heavy", 400) for _ in range(2)))
    after = await read_cost(server.url)
    spent = after.process_cpu_seconds - before.process_cpu_seconds
    mined = after.functions["mine_block"].cpu_seconds - before.functions["mine_block"].cpu_seconds
    assert after.functions["mine_block"].calls - before.functions["mine_block"].calls == 800
    if server.language == "python":  # its HTTP costs more beside the block
        assert 0.6 < mined / spent <= 1.0
    else:
        assert 0.85 < mined / spent <= 1.0


async def cpu_us_per_call(server: RunningServer, name: str, calls: int) -> float:
    before = (await read_cost(server.url)).functions[name]
    await request_many(server.url + FUNCTIONS[name], calls)
    after = (await read_cost(server.url)).functions[name]
    return 1e6 * (after.cpu_seconds - before.cpu_seconds) / (after.calls - before.calls)


@pytest.mark.parametrize("name", ["mine_block", "update_ledger", "build_document", "write_json"])
async def test_factor_scales_the_cost(server: RunningServer, name: str) -> None:
    """Twice the factor is twice the CPU time a call, within 20 %.

    By the cheapest of many rounds, taken in turns: a busy machine only ever adds to a call, and may
    do so for seconds.
    """
    await cpu_us_per_call(server, name, 50)
    plain: list[float] = []
    doubled: list[float] = []
    for _ in range(15):
        for factor, costs in ((1, plain), (2, doubled)):
            report = await set_factor(server.url, name, factor)
            assert report.functions[name].factor == factor
            costs.append(await cpu_us_per_call(server, name, 100))
    assert min(doubled) == pytest.approx(2 * min(plain), rel=0.2)
    others = [cost.factor for other, cost in report.functions.items() if other != name]
    assert set(others) == {1.0}


async def output_of(*argv: str) -> bytes:
    process = await asyncio.create_subprocess_exec(
        *argv, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    return output


async def test_perf_sees_the_named_functions(rust_server: RunningServer, tmp_path: Path) -> None:
    """Frame pointers lead perf from the hot function to the thread's start, its callers kept."""
    data = str(tmp_path / "perf.data")
    heavy = rust_server.url + "/heavy"
    load = [asyncio.create_task(request_many(heavy, 1_000_000)) for _ in range(2)]
    # Given a program to wait for, perf misses threads that begin later.
    async with asyncio.timeout(10):
        while (await read_cost(rust_server.url)).functions["mine_block"].calls < 200:
            pass
    pid = str(rust_server.child.pid)
    record = ["perf", "record", "-q", "-e", "cpu-clock", "-F", "499", "--call-graph", "fp"]
    await output_of(*record, "-p", pid, "-o", data, "--", "sleep", "1.5")
    for task in load:
        task.cancel()
    await asyncio.gather(*load, return_exceptions=True)
    text = await output_of("perf", "script", "-i", data, "-F", "time,ip,sym", "--no-inline")
    blocks = [block.splitlines()[1:] for block in text.decode().split("\n\n")]
    stacks = [block for block in blocks if block]
    leaves = Counter(stack[0].split(None, 1)[1] for stack in stacks)
    assert leaves.most_common(1)[0][0] == "flashpoint_demo::mine_block"
    assert leaves["flashpoint_demo::mine_block"] / len(stacks) > 0.6
    from_start = [stack for stack in stacks if any("serve" in frame for frame in stack)]
    assert len(from_start) / len(stacks) > 0.9


def interpolated(quantiles: Sequence[tuple[float, float]], wanted: float) -> float:
    """Return the value at a quantile, or with the pairs turned around the quantile of a value."""
    keys = [key for key, _ in quantiles]
    at = min(max(bisect_left(keys, wanted), 1), len(keys) - 1)
    (x0, y0), (x1, y1) = quantiles[at - 1], quantiles[at]
    return y0 if x1 == x0 else y0 + (y1 - y0) * (wanted - x0) / (x1 - x0)


def bucketed(quantiles: Sequence[tuple[float, float]], wanted: float) -> float:
    """Return the percentile that a histogram with buckets of 9 % would give."""
    exact = interpolated(quantiles, wanted)
    edges = [math.exp2(index / 8) for index in range(-80, 160)]
    upper = edges[bisect_left(edges, exact)]
    lower = upper / math.exp2(1 / 8)
    by_value = [(value, rank) for rank, value in quantiles]
    below, within = interpolated(by_value, lower), interpolated(by_value, upper)
    share = (wanted - below) / (within - below)
    return lower * math.exp(share * math.log(upper / lower))


async def test_script_on_the_server(server: RunningServer, tmp_path: Path) -> None:
    """The script's thresholds hold, and no narrow peak spoils the percentiles from 90 to 99."""
    k6 = shutil.which("k6") or str(Path(sys.executable).with_name("k6"))
    ranks = [step / 10 for step in range(850, 1000)]
    summary = tmp_path / "summary.json"
    process = await asyncio.create_subprocess_exec(
        *(k6, "run", "--quiet", "--no-usage-report", "--address", ""),
        *("--summary-export", str(summary), "--summary-trend-stats"),
        ",".join(["med", "max", *(f"p({rank})" for rank in ranks)]),
        *("-e", f"TARGET={server.url}", "-e", "DURATION=8s", str(script_path())),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert await process.wait() == 0
    metrics = json.loads(await asyncio.to_thread(summary.read_text))["metrics"]
    assert metrics["http_req_failed"]["passes"] == 0
    assert metrics["blocks_mined"]["count"] > 100
    assert metrics["checkout_time"]["max"] > 0
    latency = metrics["http_req_duration"]
    quantiles = [(rank / 100, latency[f"p({rank})"]) for rank in ranks]
    for wanted in (0.90, 0.95, 0.99):
        exact = interpolated(quantiles, wanted)
        assert bucketed(quantiles, wanted) == pytest.approx(exact, rel=0.05), wanted
    costs = (await read_cost(server.url)).functions
    hottest = max(costs, key=lambda name: costs[name].cpu_seconds)
    assert hottest == "mine_block"
