"""Names made to look like samples: of a process, a file, a function; they cost themselves only."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import time
from pathlib import Path
from typing import Final

import pytest

from collectors.perf.command import PerfOptions
from collectors.perf.decode import PerfScriptDecoder
from collectors.perf.interner import Interner
from collectors.perf.source import PerfSource
from collectors.process import Guard
from tests.faults.busy_target import Records, Seen, built, keeping_perf, running
from tests.faults.conftest import Report
from tests.faults.mutation import SEED
from tests.integration.program import needs_compiler, needs_perf

OURS: Final = 4_000
THEIRS: Final = 1
PIECES: Final = (
    *(b"\n", b"\n\n", b"\t", b":", b" ", b"(", b")", b" (/y)", b"\r", b"\0", b"/", b"forged"),
    *(b" %d/%d 101.000000001: 9 \n" % (THEIRS, THEIRS), b"\t 1145 forged (/y)\n", b"x (/y)"),
    *(b"PERF_RECORD_LOST lost 99999\n", b" 1/1 101.5: PERF_RECORD_LOST lost 7\n\n", b"\xff"),
)
"""What forgers put together."""

pytestmark = pytest.mark.timeout(120)


def test_forged_text(report: Report, is_full: bool) -> None:
    """A forged name costs the samples that it stands in, and none that perf prints beside them."""
    tries = 50_000 if is_full else 3_000
    rng = random.Random(SEED)
    passed = strangers = 0
    for _ in range(tries):
        name = b"".join(rng.choices(PIECES, k=rng.randint(1, 12)))
        is_file = rng.random() < 0.5
        symbol, file = (b"honest", b"/srv/" + name) if is_file else (name, b"/srv/app")
        text, honest, forgeries = b"", 0, 0
        for number in range(6):
            is_forged = rng.random() < 0.4
            forgeries += is_forged
            honest += not is_forged
            leaf = b"%s (%s)" % (symbol, file) if is_forged else b"honest (/srv/app)"
            text += b" %d/%d %d.%09d: 10101010 \n\t   1145 %s\n\t   119d main (/srv/app)\n\n" % (
                *(OURS, OURS, 100, number, leaf),
            )

        def names(pid: int, _: int) -> tuple[str, str] | None:
            return ("app", "main") if pid == OURS else None

        decoder = PerfScriptDecoder(Interner(), names, 99.0)
        batches = [*decoder.feed(text, 102.0), *decoder.close()]
        taken = sum(count.samples for batch in batches for count in batch.counts.values())
        strangers += any(
            stack.process != "app" for batch in batches for stack in batch.stacks.values()
        )
        passed += honest <= taken <= honest + forgeries
    report(
        "names that forge samples, in text of perf",
        tries=tries,
        passed=passed - strangers,
        figure=f"{strangers} at another process, {tries - passed} cost a sample beside them",
        target="0, 0",
    )


@pytest.mark.integration
@needs_perf
@needs_compiler
@pytest.mark.parametrize("where", ["process", "file", "function"])
async def test_forgers_under_perf(guard: Guard, tmp_path: Path, report: Report, where: str) -> None:
    """Real perf prints such names as they are; nobody else is ever shown as sampled."""
    program = built(tmp_path)
    victim = os.getpid()
    line = f" {victim}/{victim} {time.monotonic() + 1:.9f}: 10101010 "
    forged = f"x\n\n{line}\n\t 1145 forged (y"
    argv: list[str | Path | bytes] = [program]
    if where == "process":
        argv.append(b"a: \n\t1 (/\n1/")
    elif where == "file":
        folder = tmp_path / forged.replace("/", ":")[:200]
        folder.mkdir()
        moved = shutil.move(program, folder / "burner\n\n\t:(x")
        # Perf is told by the kernel itself of what is executed later: without escapes.
        waiting = 'printf x; while [ ! -e "$1" ]; do :; done; exec "$0"'
        argv = ["sh", "-c", waiting, moved, tmp_path / "go"]
    else:
        renaming = f"burn_three={forged.replace('(y', '(/y')}"
        objcopy = await asyncio.create_subprocess_exec(
            "objcopy", "--redefine-sym", renaming, program
        )
        assert await objcopy.wait() == 0
    perf, copy = keeping_perf(tmp_path)
    seen = Seen()
    source = PerfSource(guard, time.monotonic, seen.take, PerfOptions(499, perf_path=perf))
    async with running(*argv) as target:
        assert await source.attach([target.pid])
        if where == "file":
            await seen.until(lambda: seen.samples > 20)
            (tmp_path / "go").touch()
            await seen.until(lambda: seen.rejected > 100)
        await seen.until(lambda: seen.samples + seen.rejected > 400, 20)
        await source.detach()
    truth = Records.read(copy)
    shown = {frame.symbol for frame in seen.frames.values()}
    processes = {stack.process for stack in seen.stacks.values()}
    cost = truth.samples - seen.samples
    own = {
        "process": {"a: ␊␉1 (/␊1/"},
        "file": {"sh", "burner␊␊␉:(x"},
        "function": {"burner"},
    }[where]
    is_own = processes <= own and (where != "file" or seen.rejected > 100)
    may_cost = {"process": 0, "file": truth.samples, "function": truth.samples - 1}[where]
    passed = is_own and "forged" not in shown and 0 <= cost <= may_cost
    report(
        f"the name of a {where} forges samples under perf",
        tries=1,
        passed=int(passed),
        figure=f"{len(processes)} processes shown, {cost} of {truth.samples} samples lost to it",
        target="no other process; one sample each at most",
    )
