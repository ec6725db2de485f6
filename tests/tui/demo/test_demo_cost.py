from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from collectors.source import SourceError
from tui.demo.cost import CostReport, FunctionCost, read_cost, set_factor

REPORT = {
    "functions": {"mine_block": {"cpu_seconds": 0.5, "calls": 1000, "factor": 2.0}},
    "process_cpu_seconds": 1.25,
}


@asynccontextmanager
async def serving(
    answer: Callable[[web.Request], Awaitable[web.StreamResponse]],
) -> AsyncIterator[str]:
    """Answer every request the same way; gives the address."""
    runner = web.ServerRunner(web.Server(answer))  # type: ignore[arg-type]
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_read_cost() -> None:
    """A report becomes plain values."""

    async def answer(request: web.Request) -> web.Response:
        assert (request.method, request.path_qs) == ("GET", "/cost")
        return web.json_response(REPORT)

    async with serving(answer) as url:
        report = await read_cost(url + "/")
    assert report == CostReport({"mine_block": FunctionCost(0.5, 1000, 2.0)}, 1.25)
    assert report.functions["mine_block"].cpu_us_per_call == pytest.approx(500)


def test_no_calls_yet() -> None:
    """A function that was never called costs nothing a call."""
    assert FunctionCost(0.0, 0, 1.0).cpu_us_per_call == 0.0


async def test_set_factor() -> None:
    """The name is quoted and the factor is sent as a plain decimal number."""
    seen = []

    async def answer(request: web.Request) -> web.Response:
        seen.append((request.method, request.raw_path))
        return web.json_response(REPORT)

    async with serving(answer) as url:
        report = await set_factor(url, "mine/block", 2)
    assert seen == [("POST", "/cost/mine%2Fblock?factor=2.000000")]
    assert report.functions["mine_block"].factor == 2.0


async def test_refusal_is_told() -> None:
    """The server's reason reaches the operator, harmless."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=400, text="factor must be\x1b[31m less\n")

    async with serving(answer) as url:
        with pytest.raises(SourceError, match="answered 400: factor must be␛"):
            await set_factor(url, "mine_block", 1e9)


@pytest.mark.parametrize("body", [b"hello", b"{}", b"\xff", b'{"functions": 3}', b""])
async def test_some_other_server(body: bytes) -> None:
    """What answers something else is no demo server."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=body)

    async with serving(answer) as url:
        with pytest.raises(SourceError, match="is no demo server"):
            await read_cost(url)


async def test_endless_answer() -> None:
    """An answer beyond all measure is not read to its end."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=b" " * 1_000_000)

    async with serving(answer) as url:
        with pytest.raises(SourceError, match="more than a demo server would"):
            await read_cost(url)


async def test_nobody_listens() -> None:
    """An address without a server is an error with a hint."""
    with pytest.raises(SourceError, match="no answer from the demo server") as caught:
        await read_cost("http://127.0.0.1:1")
    assert caught.value.hint
