"""Every kind of script does with k6 alone what the table of kinds says, and asks as k6 says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.integration.counting_server import CountingServer, counting_server
from tests.integration.k6_versions import EACH_K6, k6_of
from tests.integration.program import Finished, read_summary
from tests.integration.script_kinds import KINDS, SCRIPTS, ScriptKind

pytestmark = [pytest.mark.integration]

ENV = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "K6_NO_USAGE_REPORT": "true"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def one_server() -> AsyncIterator[CountingServer]:
    """One for all: to start and end it takes as long as half of a run."""
    async with counting_server() as server:
        yield server


@pytest_asyncio.fixture(loop_scope="module")
async def server(one_server: CountingServer) -> CountingServer:
    """The server, from zero."""
    await one_server.reset()
    return one_server


async def run_k6(k6: str, *arguments: str, deadline_s: float = 15.0) -> Finished:
    """Run a k6 and return what came of it."""
    process = await asyncio.create_subprocess_exec(
        k6,
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=ENV,
    )
    try:
        async with asyncio.timeout(deadline_s):
            stdout, stderr = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode is not None
    return Finished(process.returncode, stdout.decode(), stderr.decode())


@pytest.mark.parametrize("kind", [pytest.param(kind, id=kind.name) for kind in KINDS])
@pytest.mark.parametrize("version", EACH_K6)
@pytest.mark.asyncio(loop_scope="module")
async def test_a_script_as_written(
    version: str, kind: ScriptKind, server: CountingServer, tmp_path: Path
) -> None:
    """It ends and asks as the table says, and k6 counts as many requests as the server."""
    export = tmp_path / "summary.json"
    words = ["run", "--quiet", "--no-color", "--address", "", "--summary-export", str(export)]
    words += ["-e", f"TARGET={server.url}", *kind.arguments, str(kind.path)]
    run = await run_k6(k6_of(version), *words)
    counts = await server.counts()
    if int(version[0]) not in kind.k6_majors:
        assert run.returncode != 0
        assert counts.total == 0
        return
    assert run.returncode == kind.exit_code, run.stderr
    assert set(counts.paths) == kind.paths
    if kind.paths:
        assert read_summary(export)["metrics"]["http_reqs"]["count"] == counts.total
    else:
        assert not export.exists()
    assert counts.gone == counts.in_flight == 0
    if kind.name == "handle-summary":
        assert run.stdout == f"HANDLED {counts.total}\n"


def test_every_script_is_in_the_table() -> None:
    """And says in its first line what it is."""
    listed = {kind.path for kind in KINDS}
    there = {path for path in SCRIPTS.rglob("*") if path.suffix in (".js", ".ts")}
    assert there - listed == {SCRIPTS / "modules" / "lib" / "answers.js"}
    assert listed <= there
    assert len({kind.name for kind in KINDS}) == len(KINDS)
    for path in there:
        assert path.read_text().startswith("// ")
