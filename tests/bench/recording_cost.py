"""What an hour of recording takes: on the disk, to be opened, to be gone through.

The recording is made up (`tests.bench.synthetic_hour`). It is read by a process of its own, so that
memory is that of a replay and nothing else; the screen is that of the real program on a terminal.
"""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import psutil

from tests.bench.synthetic_hour import write_recording
from tests.integration.terminal import Pty
from tests.waiting import eventually
from tui.replay import Replay
from tui.tape import open_tape

SECONDS: Final = 3_600
SEEKS: Final = 20
LATER_SEEKS: Final = 50
PAINTED: Final = ("load", "flame", "0:0")
"""What the first screen has, in this order of being told."""
AIMS: Final = {
    "file size, MB": 20.0,
    "first painted screen, s": 1.0,
    "slowest of 20 seeks, ms": 200.0,
}


async def measure(rounds: int) -> dict[str, list[float]]:
    """Return figures by name; of times one a round."""
    found: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "hour.flashpoint"
        await asyncio.to_thread(write_recording, path, SECONDS)
        found["file size, MB"] = [path.stat().st_size / 1e6]
        for _ in range(rounds):
            found.setdefault("first painted screen, s", []).append(await _until_painted(path))
            argv = [sys.executable, "-m", "tests.bench.recording_cost", str(path)]
            told = await asyncio.to_thread(subprocess.check_output, argv)
            for figure, value in json.loads(told).items():
                found.setdefault(figure, []).append(value)
    return found


async def _until_painted(path: Path) -> float:
    begin = time.monotonic()
    terminal = await Pty.start(["replay", str(path)])
    try:

        def is_painted() -> bool:
            seen = b"".join(each.data for each in terminal.chunks).decode(errors="replace")
            return all(text in seen for text in PAINTED)

        await eventually(is_painted, 60)
        return terminal.chunks[-1].at - begin
    finally:
        await terminal.close()


async def _go_through(path: Path) -> dict[str, float]:
    """Read a recording and go to random moments of it, as a process that does nothing else."""
    process, chance = psutil.Process(), random.Random(1)
    begin = time.perf_counter()
    replay = Replay(open_tape(path))
    await replay.read()
    read_s = time.perf_counter() - begin
    replay.play_or_pause()
    start, end = replay.player.start, replay.player.end

    def seek() -> float:
        before = time.perf_counter()
        replay.go_to(chance.uniform(start, end))
        return 1e3 * (time.perf_counter() - before)

    rss_mb = [process.memory_info().rss / 1e6]
    seeks_ms = [seek() for _ in range(SEEKS)]
    for _ in range(LATER_SEEKS):
        seek()
    rss_mb.append(process.memory_info().rss / 1e6)
    return {
        "everything read, s": read_s,
        "slowest of 20 seeks, ms": max(seeks_ms),
        "mean of 20 seeks, ms": sum(seeks_ms) / SEEKS,
        "RSS when read, MB": rss_mb[0],
        "RSS after 70 seeks, MB": rss_mb[1],
    }


def table(found: dict[str, list[float]]) -> str:
    """Return the worst of each figure beside what is aimed at."""
    title = f"{SECONDS // 60} min, 99 Hz x 8 cores, 50 endpoints"
    lines = [f"{title:40}{'worst':>10}{'best':>10}{'aim':>8}"]
    for name, values in found.items():
        aim = f"{AIMS[name]:8g}" if name in AIMS else ""
        lines.append(f"{name:40}{max(values):10.2f}{min(values):10.2f}{aim}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(_go_through(Path(sys.argv[1])))) + "\n")
