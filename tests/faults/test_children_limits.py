"""Limits of the user that are too tight for a run: told in a line, and nothing is left."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil
import pytest

from tests.faults.conftest import Report
from tests.faults.fake_programs import Fakes
from tests.integration.program import FLASHPOINT
from tests.integration.terminal import plain_environment
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

NOBODY = (
    *("setpriv", "--reuid=65534", "--clear-groups", "--inh-caps=-all,+dac_override"),
    "--ambient-caps=-all,+dac_override",
)
"""A user without processes, who reads this Python and this folder wherever they are."""


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can read."""
    folder = Path(tempfile.mkdtemp(prefix="flashpoint-limits-"))
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


async def limited(
    arguments: Sequence[str], limit: int, most: int, under: Sequence[str], folder: Path
) -> tuple[int, str]:
    """Run the program under a limit; return its status and what it said."""
    process = await asyncio.create_subprocess_exec(
        *under,
        *FLASHPOINT,
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        preexec_fn=lambda: resource.setrlimit(limit, (most, most)),
        env={**plain_environment(), "HOME": str(folder), "FLASHPOINT_STATE_DIR": str(folder)},
    )
    try:
        async with asyncio.timeout(30):
            said, _ = await process.communicate()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    assert process.returncode is not None
    return process.returncode, said.decode(errors="replace")


def processes_of(folder: Path) -> list[int]:
    """Return the processes that have a folder in their command line."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if any(str(folder) in word for word in process.cmdline()):
                found.append(process.pid)
    return found


async def tried(
    folder: Path, limit: int, values: Sequence[int], under: Sequence[str] = ()
) -> tuple[list[str], list[str]]:
    """Run the program once under each limit; return what went wrong, and what was said."""
    fakes = Fakes.make(folder / "fakes")
    (folder / "fakes").chmod(0o777)
    arguments = [*fakes.arguments(), "--headless", "--no-profile", "--duration", "1s"]
    wrong, told = [], []
    for most in values:
        status, said = await limited(arguments, limit, most, under, folder)
        lines = [line for line in said.splitlines() if line.startswith("flashpoint: ")]
        last = lines[-1][:110] if lines else said[-200:]
        told.append(f"{most}: {status}")
        if "Traceback" in said or (status and not lines):
            wrong.append(f"{most}: status {status}, {last}")
        try:
            await eventually(lambda: not processes_of(fakes.folder), 2)
        except AssertionError:
            wrong.append(f"{most}: something runs on")
    return wrong, told


async def test_too_few_descriptors_are_told_in_one_line(open_folder: Path, report: Report) -> None:
    """No half-started run, no traceback: a line, or a run that works."""
    values = (7, 10, 14, 32)
    wrong, told = await tried(open_folder, resource.RLIMIT_NOFILE, values)
    report(
        "RLIMIT_NOFILE of 7 to 32",
        tries=len(values),
        passed=len(values) - len(wrong),
        figure=f"limit: status {', '.join(told)} {wrong[:2] or ''}",
        target="works, or one clear line; nothing left",
    )


@pytest.mark.skipif(
    os.getuid() != 0 or shutil.which("setpriv") is None,
    reason="only root can become a user without processes",
)
async def test_too_few_processes_are_told_in_one_line(open_folder: Path, report: Report) -> None:
    """The guard, its keeper, k6, or a thread of ours can't be started."""
    values = (1, 2, 3, 4)
    wrong, told = await tried(open_folder, resource.RLIMIT_NPROC, values, NOBODY)
    report(
        "RLIMIT_NPROC of 1 to 4",
        tries=len(values),
        passed=len(values) - len(wrong),
        figure=f"limit: status {', '.join(told)} {wrong[:2] or ''}",
        target="works, or one clear line; nothing left",
    )
