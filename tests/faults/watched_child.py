"""Starts one of the programs beside this file, and looks at its memory from outside."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Watched:
    """What a child told, and how large it became."""

    told: dict[str, Any]
    peak_mib: float


def memory_mib(pid: int, field: str = "VmHWM") -> float:
    """Return a field of a process's status (proc_pid_status(5)): its peak by default."""
    for line in Path("/proc", str(pid), "status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) / 1024
    raise AssertionError(f"no {field}")


async def watched(module: str, *arguments: str, within_s: float) -> Watched:
    """Run a child that tells one line of JSON, to its end.

    Raises:
        AssertionError: it failed.
        TimeoutError: it took too long.
    """
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", f"tests.faults.{module}", *arguments),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=64 << 20,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        async with asyncio.timeout(within_s):
            line = await child.stdout.readline()
            assert line, f"{module} has failed"
            peak = memory_mib(child.pid)
            child.stdin.close()
            assert await child.wait() == 0
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    return Watched(json.loads(line), peak)
