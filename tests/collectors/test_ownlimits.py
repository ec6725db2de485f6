"""What the program denies itself, and what the user's programs get back."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from collectors.process import PIPE, Guard

REPORT = (
    "import os, resource, sys;"
    "m = os.umask(0); s = resource.getrlimit(resource.RLIMIT_CORE);"
    "print(f'{m:o}', *s, flush=True)"
)
STARTS = f"""
import asyncio, os, resource, sys
os.umask(0o027)
hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
resource.setrlimit(resource.RLIMIT_CORE, (4096 if hard != 0 else 0, hard))
from collectors.ownlimits import tighten
from collectors.guard_start import guard_running
from collectors.process import PIPE
tighten()
tighten()
async def main():
    async with guard_running() as guard:
        for core in (True, False):
            child = await guard.spawn(
                "test", [sys.executable, "-c", {REPORT!r}], stdout=PIPE, core=core)
            print((await child.stdout.read()).decode().strip())
            await child.wait()
    own = os.umask(0)
    print(f"{{own:o}}", *resource.getrlimit(resource.RLIMIT_CORE))
asyncio.run(main())
"""


async def test_children_get_back_what_the_user_had_set(guard: Guard) -> None:
    """A program of the user's its umask and its core dumps, k6 and perf the umask only."""
    root = str(Path(__file__).parent.parent.parent)
    child = await guard.spawn(
        "test", [sys.executable, "-c", STARTS], cwd=root, stdout=PIPE, core=True
    )
    assert child.stdout is not None
    users, ours, own = [line.split() for line in (await child.stdout.read()).decode().splitlines()]
    hard = own[2]
    if hard == "0":
        pytest.skip("no process here may leave a core dump")
    assert users == ["27", "4096", hard]
    assert ours == ["27", "0", hard]
    assert own == ["77", "0", hard]
