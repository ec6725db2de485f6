"""What is below a process ends, whatever it does, and is not looked for all the time."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = """
import json, os, subprocess, sys
from collectors import ending

looks = []

def look(root, really=ending.descendants):
    looks.append(really(root))
    return looks[-1]

ending.descendants = look
ending.prctl(ending.PR_SET_CHILD_SUBREAPER, 1)
if sys.argv[1]:
    child = subprocess.Popen(["sh", "-c", sys.argv[1]], stdout=subprocess.PIPE)
    child.stdout.readline()
ending.end_all(None)
try:
    os.waitpid(-1, os.WNOHANG)
    left = True
except ChildProcessError:
    left = False
print(json.dumps([len(looks), left]))
os._exit(0)
"""
POLITE = "echo; exec sleep 60"
STUBBORN = "trap '' TERM; setsid sleep 61 & echo; sleep 62; sleep 63"
STORM = "trap '' TERM; echo; while :; do (true &); done"
"""Each of the short lives loses its parent, and becomes a child of the one who ends them."""


@pytest.mark.parametrize(
    ("script", "most_looks"), [("", 0), (POLITE, 8), (STUBBORN, 8), (STORM, None)]
)
async def test_what_is_below_ends_with_few_looks_at_it(script: str, most_looks: int | None) -> None:
    """Reading `/proc` over and over took the guard the processor time that its promise needs."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PROGRAM, script), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(20):
        output, _ = await process.communicate()
    looks, left = json.loads(output)
    assert not left
    assert most_looks is None or looks <= most_looks
