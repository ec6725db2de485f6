"""Real servers for the real programs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from collectors.process import PIPE, Guard
from tests.integration.counting_server import CountingServer, counting_server
from tests.integration.program import free_port
from tests.integration.recorded import RecordedRun, record_demo
from tui.demo.build import demo_command, listening_port


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs."""

    pid: int
    port: int

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture(scope="session")
def demo_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keeps the demo server's binary for all tests."""
    folder = tmp_path_factory.mktemp("demo")
    folder.chmod(0o700)
    return folder


@pytest.fixture
async def demo_server(guard: Guard, demo_cache: Path) -> AsyncIterator[Server]:
    """The demo server, started by the test and not by the program."""
    server = await demo_command(guard, demo_cache, lambda _: None)
    child = await guard.spawn("demo", [*server.argv, "0"], stdout=PIPE)
    assert child.stdout is not None
    async with asyncio.timeout(10):
        port = listening_port((await child.stdout.readline()).decode())
    assert port is not None
    yield Server(child.pid, port)
    await child.stop()


@pytest.fixture(scope="session")
def recorded_run(demo_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> RecordedRun:
    """A run of the demo, recorded; about half a minute, once for all tests."""
    return asyncio.run(record_demo(tmp_path_factory.mktemp("recorded"), demo_cache))


@pytest.fixture
async def server() -> AsyncIterator[CountingServer]:
    """A server that counts."""
    async with counting_server() as running:
        yield running


@pytest.fixture
def unused_port() -> int:
    """A port that nobody listens on just now."""
    return free_port()
