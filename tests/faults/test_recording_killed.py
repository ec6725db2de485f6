"""A writer that is killed at any moment leaves a recording of all but the last moments."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import sqlite3
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from collectors.recording.reader import Recording
from tests.faults.made_up_recordings import serial_of
from tests.waiting import eventually

KILLS: Final = int(os.environ.get("FLASHPOINT_TEST_KILLS", "12"))
AT_ONCE: Final = 3
SEED: Final = 20_240_608
MAX_LOST_S: Final = 1.0

pytestmark = pytest.mark.timeout(60 + 3 * KILLS)


@dataclass(frozen=True, slots=True)
class Killed:
    """A recording whose writer was killed."""

    path: Path
    at: float
    handed_over: list[float]
    """When each sample was handed to the recorder, by serial number."""


async def killed(path: Path, number: int) -> Killed:
    """Have a process record, and kill it at a random moment of its first seconds."""
    rng = random.Random(SEED + number)
    writer = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.faults.recording_child"),
        *(str(path), str(number), str(rng.choice([40, 1000]))),
        stdout=asyncio.subprocess.PIPE,
    )
    assert writer.stdout is not None
    try:
        first = await writer.stdout.readline()
        moment = time.monotonic() + rng.uniform(0.0, 2.5)
        await eventually(lambda: time.monotonic() >= moment)
    finally:
        at = time.monotonic()
        writer.send_signal(signal.SIGKILL)
        await writer.wait()
    text = (first + await writer.stdout.read()).decode()
    # The last line may be cut.
    handed_over = [float(line.split()[1]) for line in text.splitlines(keepends=True)[:-1]]
    return Killed(path, at, handed_over)


def lost_s(run: Killed) -> float:
    """Check what is there of a recording; return how old the oldest is of what is missing."""
    recording = Recording(run.path)
    with closing(recording):
        assert recording.is_unclean
        assert not recording.is_live
        arrivals = [arrival for chunk in recording.chunks() for arrival in chunk.arrivals]
        assert recording.rejected() == {}
    found = [serial_of(arrival.sample) for arrival in arrivals]
    assert found == list(range(len(found))), "not the beginning of what was sent"
    assert len(found) <= len(run.handed_over) + 2
    for arrival, moment in zip(arrivals, run.handed_over, strict=False):
        assert arrival.at <= moment
    missing = run.handed_over[len(found) :]
    return run.at - missing[0] if missing else 0.0


def is_intact(run: Killed, folder: Path) -> bool:
    """Tell whether SQLite finds a copy of the recording in order after its own recovery."""
    copy = folder / f"copy-{run.path.name}"
    for end in ("", "-wal"):
        shutil.copyfile(f"{run.path}{end}", f"{copy}{end}")
    with closing(sqlite3.connect(copy)) as connection:
        result: list[tuple[str]] = connection.execute("PRAGMA integrity_check").fetchall()
        return result == [("ok",)]


def bytes_of(run: Killed) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in run.path.parent.glob(f"{run.path.name}*")}


async def test_a_killed_writer_loses_a_second_at_most(tmp_path: Path) -> None:
    room = asyncio.Semaphore(AT_ONCE)
    lost = []

    async def one(number: int) -> Killed:
        async with room:
            return await killed(tmp_path / f"{number}.flashpoint", number)

    for run in await asyncio.gather(*map(one, range(KILLS))):
        before = bytes_of(run)
        lost.append(lost_s(run))
        assert is_intact(run, tmp_path)
        assert bytes_of(run) == before, "reading has changed what is there"
    print(f"{KILLS} kills: at most {max(lost):.2f} s lost")  # noqa: T201 - shown by pytest -s
    assert max(lost) <= MAX_LOST_S, sorted(lost)


async def test_what_follows_a_recording_sees_how_it_ends(tmp_path: Path) -> None:
    """A reader that was there before the kill is told by the lock that is gone."""
    path = tmp_path / "followed.flashpoint"
    writer = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.faults.recording_child", str(path), "1", "1000"),
        stdout=asyncio.subprocess.PIPE,
    )
    assert writer.stdout is not None
    try:
        await writer.stdout.readline()
        recording = Recording(path)
        with closing(recording):
            assert recording.is_live
            assert not recording.is_unclean
            last = 0

            def comes_more() -> bool:
                nonlocal last
                before = last
                for chunk in recording.chunks(last):
                    last = chunk.number
                return last > before > 0

            await eventually(comes_more)
            await eventually(comes_more)
            writer.send_signal(signal.SIGKILL)
            await writer.wait()
            assert not recording.is_live
            assert recording.is_unclean
            assert recording.rejected() == {}
    finally:
        if writer.returncode is None:
            writer.kill()
        await writer.wait()
