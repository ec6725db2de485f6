"""A recording that was damaged in any way is read in part, or refused in one line."""

from __future__ import annotations

import asyncio
import json
import os
import random
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from collectors.recording.reader import Recording
from collectors.source import SourceError
from tests.faults.made_up_recordings import closed, cut_off
from tests.integration.program import flashpoint

MUTANTS: Final = int(os.environ.get("FLASHPOINT_TEST_MUTANTS", "1500"))
COMMANDS: Final = int(os.environ.get("FLASHPOINT_TEST_MUTANT_COMMANDS", "50"))
AT_ONCE: Final = 2
SEED: Final = 20_240_609
MAX_S: Final = 2.0
MAX_BYTES: Final = 64 << 20
PAGE_BYTES: Final = 4096

pytestmark = pytest.mark.timeout(60 + MUTANTS // 50 + 5 * COMMANDS)


@dataclass(slots=True)
class Outcomes:
    """What became of some mutants."""

    whole: int = 0
    in_part: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    longest_refusal: str = ""
    lines: int = 0
    """Of a refusal."""
    slowest_s: float = 0.0
    most_bytes: int = 0


def peak_bytes() -> int:
    """Return the most memory that this process had since it was asked to forget."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (line,) = (each for each in lines if each.startswith("VmHWM:"))
    return int(line.split()[1]) << 10


def forget_peak() -> None:
    """Have the most memory be what there is now (proc(5), clear_refs)."""
    Path("/proc/self/clear_refs").write_text("5")


def mutate(content: bytes, rng: random.Random) -> bytes:
    """Return something that was once a database, or its log."""
    mutant = bytearray(content)
    for _ in range(rng.choice([1, 1, 2, 3, 8])):
        place = rng.randrange(len(mutant) or 1)
        pages = len(mutant) // PAGE_BYTES or 1
        one, other = (rng.randrange(pages) * PAGE_BYTES for _ in range(2))
        match rng.randrange(8):
            case 0:
                del mutant[place:]
            case 1:
                mutant[place : place + 1] = bytes([rng.randrange(256)])
            case 2:
                # Where SQLite has its own words: headers of the file and of pages.
                place = one + rng.randrange(108)
                mutant[place : place + 1] = bytes([rng.choice([0, 1, 127, 128, 255])])
            case 3:
                del mutant[place : place + rng.randint(1, 5_000)]
            case 4:
                mutant[place:place] = rng.randbytes(rng.randint(1, 5_000))
            case 5:
                page = mutant[one : one + PAGE_BYTES]
                mutant[one : one + PAGE_BYTES] = mutant[other : other + PAGE_BYTES]
                mutant[other : other + PAGE_BYTES] = page
            case 6:
                mutant[one : one + PAGE_BYTES] = mutant[other : other + PAGE_BYTES]
            case _:
                mutant[place : place + 4] = rng.choice([b"\xff" * 4, bytes(4), b"\0\0\0\1"])
    return bytes(mutant)


def put(folder: Path, originals: dict[str, bytes], rng: random.Random) -> Path:
    """Write a mutant, with a log or without one; return its path."""
    path = folder / "mutant.flashpoint"
    log = Path(f"{path}-wal")
    log.unlink(missing_ok=True)
    match rng.randrange(3):
        case 0:
            path.write_bytes(mutate(originals["closed"], rng))
        case 1:
            path.write_bytes(mutate(originals["cut off"], rng))
            log.write_bytes(originals["log"])
        case _:
            path.write_bytes(originals["cut off"])
            log.write_bytes(mutate(originals["log"], rng))
    return path


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The bytes of recordings that nothing is wrong with."""
    folder = tmp_path_factory.mktemp("originals")
    path = cut_off(folder / "cut.flashpoint")
    return {
        "closed": closed(folder / "closed.flashpoint").read_bytes(),
        "cut off": path.read_bytes(),
        "log": Path(f"{path}-wal").read_bytes(),
    }


def read(path: Path, outcomes: Outcomes) -> None:
    """Open a recording and read all of it, as far as that goes."""
    try:
        recording = Recording(path)
    except SourceError as error:
        reason = error.message.partition(": ")[2][:30]
        outcomes.refused[reason] = outcomes.refused.get(reason, 0) + 1
        outcomes.longest_refusal = max(str(error), outcomes.longest_refusal, key=len)
        outcomes.lines = max(outcomes.lines, len(str(error).splitlines()))
        return
    with closing(recording):
        count = sum(len(chunk.arrivals) for chunk in recording.chunks())
        assert recording.is_unclean in (True, False)
        if recording.rejected() or count < 24:
            outcomes.in_part += 1
        else:
            outcomes.whole += 1


def test_every_mutant_is_read_in_part_or_refused(
    originals: dict[str, bytes], tmp_path: Path
) -> None:
    """Within 2 s and 64 MB, and nothing of it is changed."""
    rng = random.Random(SEED)
    outcomes = Outcomes()
    for _ in range(MUTANTS):
        path = put(tmp_path, originals, rng)
        before = {each: (each.read_bytes(), each.stat().st_mtime_ns) for each in beside(path)}
        forget_peak()
        base, start = peak_bytes(), time.monotonic()
        read(path, outcomes)
        outcomes.slowest_s = max(outcomes.slowest_s, time.monotonic() - start)
        outcomes.most_bytes = max(outcomes.most_bytes, peak_bytes() - base)
        assert outcomes.slowest_s < MAX_S
        assert outcomes.most_bytes < MAX_BYTES
        after = {each: (each.read_bytes(), each.stat().st_mtime_ns) for each in beside(path)}
        assert after == before
    print(outcomes)  # noqa: T201 - shown by pytest -s
    assert outcomes.lines == 1
    assert len(outcomes.longest_refusal) < 500
    assert outcomes.in_part > MUTANTS // 20
    assert sum(outcomes.refused.values()) > MUTANTS // 20


def beside(path: Path) -> list[Path]:
    return sorted(path.parent.glob(f"{path.name}*"))


async def test_every_mutant_ends_the_command_in_order(
    originals: dict[str, bytes], tmp_path: Path
) -> None:
    """It writes all of it, or says in a line what is missing or why there is nothing."""
    rng = random.Random(SEED + 1)
    room = asyncio.Semaphore(AT_ONCE)
    codes = []

    async def one(number: int) -> None:
        folder = tmp_path / f"{number}"
        folder.mkdir()
        path = put(folder, originals, rng)
        async with room:
            done = await flashpoint("export", str(path), "--format", "json", "-o", "-")
        codes.append(done.returncode)
        assert done.returncode in (0, 2), done.stderr
        assert "Traceback" not in done.stderr
        lines = done.stderr.splitlines()
        assert all(line.startswith("flashpoint: ") for line in lines)
        if done.returncode == 0:
            json.loads(done.stdout)
            assert len(lines) <= 4
        else:
            assert done.stdout == ""
            assert len(lines) == 1
        assert sorted(each.name for each in beside(path)) == sorted(os.listdir(folder))

    await asyncio.gather(*map(one, range(COMMANDS)))
    assert set(codes) == {0, 2}
