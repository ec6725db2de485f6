"""The doctor on this very machine, with the real k6 and perf, and real servers to look into."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from collectors.child import Child
from collectors.process import Guard
from tests.integration.conftest import Server
from tests.integration.k6_versions import EACH_K6, k6_of
from tests.integration.program import (
    Finished,
    flashpoint,
    needs_compiler,
    needs_perf,
    needs_rustc,
)
from tests.integration.terminal import Tmux
from tests.waiting import eventually
from tui.demo.build import script_path
from tui.doctor.examination import SCHEMA

pytestmark = [pytest.mark.integration, pytest.mark.timeout(60)]

AREAS = ("k6", "perf", "terminal", "machine", "storage")
PROGRAM = """
#include <stdint.h>
static volatile uint64_t sink;
__attribute__((noinline)) void burn(uint64_t n) {
    uint64_t x = sink;
    for (uint64_t i = 0; i < n; i++) { x = x * 6364136223846793005u + i; __asm__("" : "+r"(x)); }
    sink = x;
}
__attribute__((noinline)) void inner(uint64_t n) { burn(n); sink++; }
__attribute__((noinline)) void outer(uint64_t n) { inner(n); sink++; }
int main(void) { for (;;) outer(100000); }
"""


def checks_of(finished: Finished) -> dict[str, dict[str, str]]:
    """Read the JSON, hold it against its description, and return the checks by area and name."""
    content: dict[str, Any] = json.loads(finished.stdout)
    assert list(content) == ["schema", "flashpoint", "counts", "checks"]
    assert content["schema"] == SCHEMA == "flashpoint.doctor/1"
    assert list(content["counts"]) == ["ok", "warn", "fail"]
    assert sum(content["counts"].values()) == len(content["checks"])
    for each in content["checks"]:
        assert list(each) == ["area", "name", "state", "text", "mend"]
        assert each["state"] in ("ok", "warn", "fail")
        assert each["text"]
        assert "\n" not in each["text"] + each["mend"]
        assert each["mend"] or each["state"] != "warn", each
    assert finished.returncode == int(content["counts"]["fail"] > 0)
    assert finished.stderr == ""
    found = {f"{each['area']} {each['name']}": each for each in content["checks"]}
    assert len(found) == len(content["checks"]), "each name once"
    return found


@needs_perf
async def test_this_machine_is_told_of_as_a_table(tmp_path: Path) -> None:
    """A line for each check, in order, with a word and a sign; then one that sums up."""
    began = time.monotonic()
    finished = await flashpoint("doctor", env={"FLASHPOINT_STATE_DIR": str(tmp_path)})
    assert time.monotonic() - began < 30
    assert finished.returncode in (0, 1)
    assert finished.stderr == ""
    *table, blank, summary = finished.stdout.splitlines()
    assert blank == ""
    assert " ok" in summary
    lines = [line for line in table if not line.startswith(" ")]
    signs = {"✓": "ok", "!": "warn", "✗": "fail"}
    for line in lines:
        sign, state, area, *_ = line.split()
        assert (signs[sign], area in AREAS) == (state, True)
    areas = [line.split()[2] for line in lines]
    assert list(dict.fromkeys(areas)) == list(AREAS)
    assert os.listdir(tmp_path) == [], "nothing is written"


@needs_perf
@pytest.mark.parametrize("version", EACH_K6)
async def test_a_script_is_read_and_its_control_is_named(version: str, tmp_path: Path) -> None:
    """The demo's, with each k6; what a run would use."""
    finished = await flashpoint(
        *("doctor", "--json", str(script_path()), "--k6", k6_of(version)),
        env={"FLASHPOINT_STATE_DIR": str(tmp_path)},
    )
    checks = checks_of(finished)
    assert {check.partition(" ")[0] for check in checks} == set(AREAS)
    assert f"k6 {version}" in checks["k6 program"]["text"]
    assert checks["k6 script"]["text"].startswith("script.js: 1 scenario: default (")
    gate = "redis gate" if version == "1.1" else "secret gate"
    assert checks["k6 control"]["text"].startswith(gate)
    assert checks["k6 options"]["state"] == "ok"
    assert checks["perf program"]["state"] == "ok"


async def test_a_script_that_k6_refuses_fails_in_k6s_words(tmp_path: Path) -> None:
    """As a run would end."""
    script = tmp_path / "bad.js"
    script.write_text("export default function( {")
    finished = await flashpoint("doctor", "--json", str(script), "--k6", k6_of("1.1"))
    assert finished.returncode == 1
    check = checks_of(finished)["k6 script"]
    assert check["state"] == "fail"
    assert "Line" in check["text"]


async def test_a_script_with_scenarios_of_its_own(tmp_path: Path) -> None:
    """They are named, and thresholds that will see waiting VUs are told."""
    script = tmp_path / "two.js"
    script.write_text(
        "export const options = { thresholds: { vus: ['value>0'] }, scenarios: {"
        " browse: { executor: 'constant-vus', vus: 2, duration: '1s' },"
        " buy: { executor: 'constant-arrival-rate', rate: 5, duration: '1s',"
        " preAllocatedVUs: 1, exec: 'buy' } } };"
        "export default function () {} export function buy() {}"
    )
    finished = await flashpoint("doctor", "--json", str(script), "--k6", k6_of("1.1"))
    checks = checks_of(finished)
    text = checks["k6 script"]["text"]
    assert "browse (constant-vus, 2 VUs)" in text
    assert "buy (constant-arrival-rate, from 5 iterations/s)" in text
    assert "the threshold on vus" in checks["k6 as wanted"]["text"]


@needs_perf
@needs_rustc
async def test_the_demo_server_is_as_a_server_should_be(demo_server: Server) -> None:
    """Rust, with names, lines and frame pointers, found by its pid and by its port."""
    for named in (("--pid", str(demo_server.pid)), ("--port", str(demo_server.port))):
        async with loaded(f"{demo_server.url}/heavy"):
            finished = await flashpoint("doctor", "--json", *named)
        checks = checks_of(finished)
        assert f"(pid {demo_server.pid})" in checks["target process"]["text"]
        assert checks["target process"]["text"].endswith("(Rust)")
        assert checks["target symbols"]["text"] == "names and line numbers"
        assert checks["target runtime"]["state"] == "ok"
        assert checks["target namespaces"]["state"] == "ok"
        assert checks["target permission"]["state"] == "ok"
        stacks = checks["target stacks"]
        assert stacks["state"] == "ok", stacks
        assert stacks["text"].startswith("frame pointers: "), stacks


@contextlib.asynccontextmanager
async def loaded(url: str) -> AsyncIterator[None]:
    """Ask a server again and again for the time of the context."""
    answered = 0

    async def ask(session: aiohttp.ClientSession) -> None:
        nonlocal answered
        while True:
            async with session.get(url) as response:
                await response.read()
            answered += 1

    async with aiohttp.ClientSession() as session:
        tasks = [asyncio.create_task(ask(session)) for _ in range(4)]
        try:
            await eventually(lambda: answered > 10, 10)
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def compiled(folder: Path, *flags: str) -> Path:
    (folder / "burner.c").write_text(PROGRAM)
    program = folder / "burner"
    argv = ["gcc", "-O2", "-fno-optimize-sibling-calls", *flags]
    subprocess.run([*argv, str(folder / "burner.c"), "-o", str(program)], check=True)
    return program


@contextlib.asynccontextmanager
async def running(guard: Guard, argv: Sequence[str]) -> AsyncIterator[Child]:
    child = await guard.spawn("target", argv)
    try:
        yield child
    finally:
        await child.stop(grace_s=0.5)


@needs_perf
@needs_compiler
async def test_a_stripped_program_without_frame_pointers_is_told(
    guard: Guard, tmp_path: Path
) -> None:
    """Both, each with the line that mends it; neither is a failure."""
    program = compiled(tmp_path, "-fomit-frame-pointer", "-s")
    async with running(guard, [str(program)]) as child:
        finished = await flashpoint("doctor", "--json", "--pid", str(child.pid))
    checks = checks_of(finished)
    assert "(C or C++)" in checks["target process"]["text"]
    assert checks["target symbols"]["state"] == "warn"
    assert checks["target symbols"]["mend"] == "build with -g, and without -s and strip"
    assert checks["target stacks"]["state"] == "warn"
    assert "no frame pointers" in checks["target stacks"]["text"]
    assert "-fno-omit-frame-pointer" in checks["target stacks"]["mend"]


@needs_perf
@needs_compiler
async def test_a_program_that_was_removed_is_told(guard: Guard, tmp_path: Path) -> None:
    """While it runs on, with frame pointers."""
    program = compiled(tmp_path, "-g", "-fno-omit-frame-pointer")
    async with running(guard, [str(program)]) as child:
        program.unlink()
        finished = await flashpoint("doctor", "--json", "--pid", str(child.pid))
    checks = checks_of(finished)
    assert checks["target process"]["state"] == "warn"
    assert "was deleted or replaced" in checks["target process"]["text"]
    assert "start it anew" in checks["target process"]["mend"]
    assert checks["target stacks"]["text"].startswith(("frame pointers", "whole stacks"))
    assert "-g" not in checks["target stacks"]["mend"]


@needs_perf
async def test_a_python_is_py_spys(guard: Guard) -> None:
    """Whose stacks perf is not asked for."""
    argv = [sys.executable, "-c", "while True: sum(range(1000))"]
    async with running(guard, argv) as child:
        finished = await flashpoint("doctor", "--json", "--pid", str(child.pid))
    checks = checks_of(finished)
    assert "(Python)" in checks["target process"]["text"]
    assert "py-spy" in checks["target runtime"]["text"] + checks["target runtime"]["mend"]


async def test_a_server_that_is_not_there_fails(guard: Guard, unused_port: int) -> None:
    """By port or by pid; what else there is to tell is told."""
    finished = await flashpoint("doctor", "--json", "--port", str(unused_port))
    assert finished.returncode == 1
    checks = checks_of(finished)
    assert checks["target process"]["text"] == f"nobody listens on port {unused_port}"
    assert "machine cores" in checks
    ended = await guard.spawn("target", ["true"])
    await ended.wait()
    finished = await flashpoint("doctor", "--json", "--pid", str(ended.pid))
    assert checks_of(finished)["target process"]["state"] == "fail"


async def test_on_a_real_terminal_its_size_and_colours_are_told() -> None:
    """In tmux, in a window that is too small."""
    tmux = Tmux(70, 60)
    try:
        tmux.run("doctor")
        screen = await tmux.shows("70×60: panes will be cut", "this folder", within_s=20)
    finally:
        tmux.close()
    assert "set-clipboardon" in "".join(screen.split()), "however it is wrapped"


async def test_letters_that_the_output_can_not_show_are_replaced() -> None:
    """And signs are ASCII then."""
    environment = {"PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    finished = await flashpoint("doctor", env=environment)
    assert finished.stderr == ""
    assert finished.stdout.isascii()
    assert finished.stdout.startswith(("+ ok", "! warn", "x fail"))
