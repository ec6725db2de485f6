"""How fast text of perf script is folded, beside what others have written for it.

The text is real: the demo server under load, its samples repeated in random order up to 100 MB,
each at a time of its own. `inferno-collapse-perf` is installed once by cargo, where there is one;
`stackcollapse-perf.pl` is taken from the checkout that FLAMEGRAPH_DIR names. All have to fold to
the same weight.

Samples of a clock have one period. Those of other events, sampled at a frequency, have one of their
own each: the same text with such periods is folded, too.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import platformdirs

from collectors.guard_start import guard_running
from collectors.process import PIPE
from tests.integration.k6_versions import k6_1
from tui.convert import Wanted, convert
from tui.demo.build import demo_command, listening_port, script_path
from tui.export.formats import ExportFormat

BYTES: Final = 100_000_000
SECONDS: Final = 10
FREQUENCY_HZ: Final = 4999
OURS: Final = "flashpoint export"
OURS_ALONE: Final = "the same without Python's start"
OURS_ON_ONE: Final = "and on one core"
VARIED: Final = ", periods differ"
INFERNO: Final = "inferno-collapse-perf"
PERL: Final = "stackcollapse-perf.pl"
_TIME = re.compile(rb"\d+\.\d{6}:")
_PERIOD = re.compile(rb": +\d+ cpu-clock:")


def measure(rounds: int) -> dict[str, list[float]]:
    """Fold the same text with each program, alternating; return seconds."""
    found: dict[str, list[float]] = {}
    weights: dict[str, set[int]] = {"": set(), VARIED: set()}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        text = asyncio.run(_text(folder))
        programs = _programs(text, folder)
        varied = _programs(_varied(text), folder)
        programs |= {name + VARIED: varied[name] for name in (OURS, INFERNO) if name in varied}
        for _ in range(rounds):
            for program, fold in programs.items():
                begin = time.perf_counter()
                fold()
                found.setdefault(program, []).append(time.perf_counter() - begin)
                weights[VARIED * program.endswith(VARIED)].add(_weight(folder / "out"))
    if any(len(each) > 1 for each in weights.values()):
        sys.stderr.write(f"they do not agree: {weights}\n")
    return found


async def _text(folder: Path) -> Path:
    """Record the demo server, and repeat what was printed."""
    async with guard_running() as guard:
        server = await demo_command(guard, folder, lambda _: None)
        child = await guard.spawn("demo", [*server.argv, "0"], stdout=PIPE)
        assert child.stdout is not None
        port = listening_port((await child.stdout.readline()).decode())
        env = {**os.environ, "TARGET": f"http://127.0.0.1:{port}", "DURATION": f"{SECONDS + 4}s"}
        argv = [k6_1(), "run", "--quiet", "--no-usage-report", "--address", "", str(script_path())]
        null = asyncio.subprocess.DEVNULL
        k6 = await asyncio.create_subprocess_exec(*argv, env=env, stdout=null, stderr=null)
        # Given a program to wait for, perf does not follow threads that come later.
        await asyncio.sleep(2)
        data = str(folder / "perf.data")
        record = [
            "perf",
            "record",
            "-q",
            "-F",
            str(FREQUENCY_HZ),
            "-e",
            "cpu-clock",
            "-g",
            "-o",
            data,
        ]
        record += ["-p", str(child.pid), "--", "sleep", str(SECONDS)]
        perf = await asyncio.create_subprocess_exec(*record, stdout=null, stderr=null)
        await perf.wait()
        await k6.wait()
        await child.stop()
    return await asyncio.to_thread(_repeated, folder, data)


def _repeated(folder: Path, data: str) -> Path:
    printed = subprocess.run(
        ["perf", "script", "-i", data, "--no-inline"], capture_output=True, check=True
    ).stdout
    blocks = [block + b"\n\n" for block in printed.split(b"\n\n") if block.strip()]
    chance = random.Random(1)
    path = folder / "stacks.txt"
    with path.open("wb") as out:
        size = at_us = 0
        while size < BYTES:
            at_us += chance.randrange(2 * 1_000_000 // FREQUENCY_HZ)
            time = b"%d.%06d:" % divmod(at_us, 1_000_000)
            size += out.write(_TIME.sub(time, chance.choice(blocks), count=1))
    return path


def _varied(text: Path) -> Path:
    """Write the text once more, with another period for each sample."""
    chance = random.Random(2)
    path = text.with_name("varied.txt")

    def period(_: re.Match[bytes]) -> bytes:
        return b": %10d cpu-clock:" % chance.randrange(100_000, 900_000)

    path.write_bytes(_PERIOD.sub(period, text.read_bytes()))
    return path


def _programs(text: Path, folder: Path) -> dict[str, Callable[[], object]]:
    out = folder / "out"

    def into(*argv: str) -> Callable[[], object]:
        def run() -> None:
            with out.open("wb") as file:
                subprocess.run(argv, stdout=file, stderr=subprocess.DEVNULL, check=True)

        return run

    def alone() -> None:
        convert(text, Wanted(out, ExportFormat.FOLDED, force=True))

    def on_one_core() -> None:
        cores = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {min(cores)})
        alone()
        os.sched_setaffinity(0, cores)

    programs: dict[str, Callable[[], object]] = {
        OURS: into(*(sys.executable, "-m", "tui", "export", str(text), "--format", "folded")),
        OURS_ALONE: alone,
        OURS_ON_ONE: on_one_core,
    }
    inferno = _inferno()
    if inferno is not None:
        programs[INFERNO] = into(inferno, "--all", str(text))
        programs["inferno, one thread"] = into(inferno, "--all", "-n", "1", str(text))
    perl = Path(os.environ.get("FLAMEGRAPH_DIR", "/nonexistent"), PERL)
    if perl.exists():
        programs[PERL] = into("perl", str(perl), "--all", str(text))
    return programs


def _inferno() -> str | None:
    """Return the program, installed where it is missing and can be."""
    root = platformdirs.user_cache_path("flashpoint", appauthor=False) / "inferno"
    program = root / "bin" / INFERNO
    if not program.exists() and shutil.which("cargo"):
        subprocess.run(["cargo", "install", "inferno", "--root", str(root)], check=False)
    return str(program) if program.exists() else shutil.which(INFERNO)


def _weight(path: Path) -> int:
    """Return the sum of the last column."""
    with path.open("rb") as file:
        return sum(int(line.rpartition(b" ")[2]) for line in file)


def table(found: dict[str, list[float]]) -> str:
    """Return medians, and how many times as long as ours the others took."""
    ours = statistics.median(found[OURS])
    lines = [f"{'folding 100 MB of perf script text':38}{'median s':>10}{'ratio':>8}"]
    for program, seconds in found.items():
        median = statistics.median(seconds)
        lines.append(f"{program:38}{median:10.2f}{median / ours:8.2f}")
    lines += [
        f"{program:38}{'missing':>10}   ({remedy})"
        for program, remedy in ((INFERNO, "needs cargo"), (PERL, "needs FLAMEGRAPH_DIR"))
        if program not in found
    ]
    return "\n".join(lines)
