"""Runs the program as its user does, in a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

FLASHPOINT = [sys.executable, "-m", "tui"]

needs_perf = pytest.mark.skipif(
    shutil.which("perf") is None, reason="this machine has no perf; see CONTRIBUTING"
)
needs_compiler = pytest.mark.skipif(
    shutil.which("gcc") is None, reason="this machine has no C compiler to build a target with"
)
needs_rustc = pytest.mark.skipif(
    shutil.which("rustc") is None, reason="this machine has no rustc to build the demo server with"
)


@dataclass(frozen=True, slots=True)
class Finished:
    """How a run of the program ended."""

    returncode: int
    stdout: str
    stderr: str


async def flashpoint(
    *arguments: str, env: Mapping[str, str] | None = None, deadline_s: float = 60.0
) -> Finished:
    """Run the program without a terminal and return what came of it."""
    process = await asyncio.create_subprocess_exec(
        *FLASHPOINT,
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **(env or {})},
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


def read_summary(path: Path) -> dict[str, Any]:
    """Read a summary file."""
    content: dict[str, Any] = json.loads(path.read_text())
    return content


def free_port() -> int:
    """Return a port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def family(pid: int) -> set[tuple[int, float]]:
    """Return a process and all below it, as (pid, start) so that a pid can't be mistaken."""
    found = set()
    try:
        root = psutil.Process(pid)
        for process in [root, *root.children(recursive=True)]:
            found.add((process.pid, process.create_time()))
    except psutil.NoSuchProcess:
        pass
    return found


def alive(processes: set[tuple[int, float]]) -> set[int]:
    """Return which of these very processes still run; zombies do not."""
    left = set()
    for pid, started in processes:
        try:
            process = psutil.Process(pid)
            if process.create_time() == started and process.status() != psutil.STATUS_ZOMBIE:
                left.add(pid)
        except psutil.NoSuchProcess:
            continue
    return left
