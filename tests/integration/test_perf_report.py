"""Our table of functions and perf's own report say the same of the same samples."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from collectors.perf.command import (
    PerfOptions,
    find_perf,
    perf_environment,
    record_argv,
    script_argv,
)
from collectors.perf.decode import PerfScriptDecoder
from collectors.perf.interner import Interner
from collectors.samples import Frame, StackBatch
from collectors.stackfile.reader import read_profile
from tests.integration.conftest import Server
from tests.integration.controlled import passed
from tests.integration.k6_versions import k6_1
from tests.integration.program import needs_perf
from tui.demo.build import script_path
from tui.model.calltree import build_tree, top_table
from tui.model.timeline import Timeline, TimeRange

pytestmark = [pytest.mark.integration, pytest.mark.timeout(60), needs_perf]

SYMBOLS = 50
WHOLE = TimeRange(-1.0, 1e12)
_ROW = re.compile(
    r"^\s*([\d.]+)%\s*\|\s*(\d+)\s*\|\s*\[(.)\] ([^|]*?)\s*\|\s*(\S+)\s*$", re.MULTILINE
)


@dataclass(frozen=True)
class Table:
    """What each function has, by symbol and file."""

    own: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Samples."""
    total_percent: dict[tuple[str, str], float] = field(default_factory=dict)


async def record(server: Server, folder: Path) -> str:
    """Record the demo server under load, as flashpoint does but into a file."""
    env = {**os.environ, "TARGET": server.url, "DURATION": "5s"}
    null = asyncio.subprocess.DEVNULL
    data = str(folder / "perf.data")
    words = [*record_argv(find_perf(), PerfOptions(frequency_hz=499), [server.pid])]
    perf = await asyncio.create_subprocess_exec(
        *words, f"--output={data}", env=perf_environment(os.environ), stdout=null, stderr=null
    )
    # Threads that begin while perf attaches are missed; those that begin later are not.
    await passed(time.monotonic() + 1.5)
    argv = [k6_1(), "run", "--quiet", "--no-usage-report", "--address", "", str(script_path())]
    k6 = await asyncio.create_subprocess_exec(*argv, env=env, stdout=null, stderr=null)
    await k6.wait()
    perf.send_signal(signal.SIGINT)
    await perf.wait()
    return data


def run(*argv: str) -> str:
    """Return what a program prints."""
    env = perf_environment(os.environ)
    done = subprocess.run(argv, env=env, capture_output=True, check=True)
    return done.stdout.decode(errors="replace")


def reported(data: str) -> Table:
    """Read perf's own reports: own samples from one, totals from the other."""
    base = [find_perf(), "report", "-i", data, "--stdio", "-g", "none", "-t", "|"]
    base += ["--percent-limit", "0", "--no-inline"]
    table = Table()
    for row in _ROW.finditer(run(*base, "--no-children", "-F", "overhead,sample,sym,dso")):
        table.own[row[4], row[5]] += int(row[2])
    fields = "overhead_children,sample,sym,dso"
    for row in _ROW.finditer(run(*base, "--children", "-F", fields)):
        table.total_percent[row[4], row[5]] = float(row[1])
    return table


def tabled(batches: list[StackBatch]) -> Table:
    """Add up our own table; stacks whose callers were lost have rows of their own."""
    timeline = Timeline(0.0)
    for batch in batches:
        timeline.append(batch)
    tree = build_tree(timeline.stacks, timeline.stacks_in(WHOLE))
    table = Table()
    totals: Counter[tuple[str, str]] = Counter()
    for row in top_table(tree):
        table.own[row.symbol, row.module] += row.self_samples
        totals[row.symbol, row.module] += row.total_period_ns
    for key, total in totals.items():
        table.total_percent[key] = 100 * total / tree.period_ns
    return table


def agree(ours: Table, perf: Table) -> None:
    """Compare the functions with most own samples, and those with most samples in all."""
    by_total: Mapping[tuple[str, str], float] = perf.total_percent
    top = [key for key, _ in perf.own.most_common(SYMBOLS)]
    assert sum(perf.own.values()) > 500
    assert len(top) >= 30
    assert {key: ours.own[key] for key in top} == {key: perf.own[key] for key in top}
    most = sorted(by_total, key=lambda key: -by_total[key])[:SYMBOLS]
    wrong = {
        key: (ours.total_percent.get(key), by_total[key])
        for key in {*most, *top}
        if abs(ours.total_percent.get(key, -1.0) - by_total[key]) > 0.01
    }
    assert not wrong


async def test_the_table_is_that_of_perf_report(demo_server: Server, tmp_path: Path) -> None:
    """The top fifty: own samples exactly, totals to the printed hundredth of a per cent."""
    data = await record(demo_server, tmp_path)
    expected = await asyncio.to_thread(reported, data)

    # As it is read while a run goes on.
    text = await asyncio.to_thread(run, *script_argv(find_perf(), data))
    decoder = PerfScriptDecoder(Interner(), lambda _pid, _tid: ("server", "worker"))
    live = [*decoder.feed(text.encode()), *decoder.close()]
    agree(tabled(live), expected)

    # As a file that somebody else printed.
    path = tmp_path / "stacks.txt"
    path.write_text(await asyncio.to_thread(run, find_perf(), "script", "-i", data, "--no-inline"))
    agree(tabled(list(read_profile(path).batches)), expected)


SELECTIONS = (
    "comm,tid,time,period,event,ip,sym,symoff,dso",
    "comm,tid,period,event,ip,sym,dso",
    "pid,tid,time,period,ip,sym,dso",
    "comm,period,ip,sym,dso",
    "period,ip,sym,dso",
    "comm,tid,time,event,ip,sym,dso",
    "tid,ip,sym,dso",
    "ip,sym,dso",
)


async def test_any_fields_give_the_same_stacks(demo_server: Server, tmp_path: Path) -> None:
    """With other records between them too; periods where they are printed, else none."""
    data = await record(demo_server, tmp_path)
    script = [find_perf(), "script", "-i", data, "--no-inline"]
    path = tmp_path / "stacks.txt"

    async def samples(*arguments: str) -> tuple[Counter[tuple[Frame, ...]], int]:
        path.write_text(await asyncio.to_thread(run, *script, *arguments))
        profile = read_profile(path)
        assert (profile.rejected, profile.notes) == ({}, ())
        frames = {n: frame for batch in profile.batches for n, frame in batch.frames.items()}
        stacks = {n: stack for batch in profile.batches for n, stack in batch.stacks.items()}
        found: Counter[tuple[Frame, ...]] = Counter()
        period_ns = 0
        for batch in profile.batches:
            for number, count in batch.counts.items():
                found[tuple(frames[n] for n in stacks[number].frames)] += count.samples
                period_ns += count.period_ns
        return found, period_ns

    stacks, period_ns = await samples()
    assert stacks.total() > 500
    for fields in SELECTIONS:
        expected = stacks, period_ns if "period" in fields else 0
        assert await samples("-F", fields) == expected, fields
    for records in ("--show-mmap-events", "--show-task-events", "--show-lost-events", "--ns"):
        assert await samples(records) == (stacks, period_ns), records
