"""A target that does nothing but compute, and perf whose records are kept beside what is read."""

from __future__ import annotations

import asyncio
import shutil
import struct
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from collectors.samples import Frame, Sample, SourceState, SourceStatus, Stack, StackBatch
from tests.waiting import eventually

PROGRAM: Final = """
#include <stdint.h>
#include <sys/prctl.h>
#include <unistd.h>
static volatile uint64_t sink;
#define CHAIN x = x * 6364136223846793005u + i; __asm__("" : "+r"(x));
#define BURN(n) uint64_t x = sink; for (uint64_t i = 0; i < (n); i++) { CHAIN } sink = x;
__attribute__((noinline)) void burn_three(void) { BURN(3000) }
__attribute__((noinline)) void burn_one(void) { BURN(1000) }
int main(int argc, char **argv) {
    if (argc > 1) prctl(PR_SET_NAME, argv[1], 0, 0, 0);
    if (write(1, "x", 1) != 1) return 1;
    for (;;) { burn_three(); burn_one(); }
}
"""
_SAMPLE: Final = 9
_LOST: Final = 2
_LOST_SAMPLES: Final = 13


def built(folder: Path) -> Path:
    """Compile the target."""
    (folder / "burner.c").write_text(PROGRAM)
    argv = ["gcc", "-O1", "-fno-omit-frame-pointer", "-w", "burner.c", "-o", "burner"]
    subprocess.run(argv, cwd=folder, check=True)
    return folder / "burner"


@asynccontextmanager
async def running(*argv: str | Path | bytes) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a target that says when it is ready."""
    child = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.PIPE)
    assert child.stdout is not None
    try:
        assert await child.stdout.readexactly(1) == b"x"
        yield child
    finally:
        if child.returncode is None:
            child.kill()
        await child.wait()


def keeping_perf(folder: Path) -> tuple[str, Path]:
    """Return a perf that copies what it records, and where to."""
    copy, perf = folder / "records", folder / "perf"
    real = shutil.which("perf")
    perf.write_text(
        f'#!/bin/sh\nif [ "$1" != script ]; then exec {real} "$@"; fi\ntee {copy} | {real} "$@"\n'
    )
    perf.chmod(0o755)
    return str(perf), copy


@dataclass(frozen=True, slots=True)
class Records:
    """What is in the records of perf, by their types (perf_event_open(2))."""

    samples: int
    lost_told: int
    """Of records of the ring, written when it has room again."""
    lost: int
    """Of each event's own counter, read at the end of the recording."""

    @classmethod
    def read(cls, path: Path) -> Records:
        """Read what perf record wrote to a pipe (perf.data-file-format)."""
        data = path.read_bytes()
        assert data.startswith(b"PERFILE2")
        place, samples, told, lost = 16, 0, 0, 0
        while place + 8 <= len(data):
            kind, _, size = struct.unpack_from("<IHH", data, place)
            if kind == _SAMPLE:
                samples += 1
            elif kind == _LOST:
                told += struct.unpack_from("<Q", data, place + 16)[0]
            elif kind == _LOST_SAMPLES:
                lost += struct.unpack_from("<Q", data, place + 8)[0]
            place += size
        return cls(samples, told, lost)


@dataclass
class Seen:
    """What a profiler emitted."""

    statuses: list[SourceStatus] = field(default_factory=list)
    stacks: dict[int, Stack] = field(default_factory=dict)
    frames: dict[int, Frame] = field(default_factory=dict)
    samples: int = 0
    lost: int = 0
    rejected: int = 0

    def take(self, sample: Sample) -> None:
        """Take what is emitted."""
        if isinstance(sample, SourceStatus):
            self.statuses.append(sample)
        elif isinstance(sample, StackBatch):
            self.samples += sum(count.samples for count in sample.counts.values())
            self.lost += sample.lost
            self.rejected += sum(sample.rejected.values())
            self.stacks.update(sample.stacks)
            self.frames.update(sample.frames)

    @property
    def state(self) -> SourceState:
        """The newest one."""
        return self.statuses[-1].state

    async def until(self, condition: Callable[[], object], within_s: float = 10.0) -> None:
        """Wait for something to be emitted."""
        await eventually(condition, within_s)


def children_of(pid: int) -> list[int]:
    """Return the children of a process with one thread."""
    text = Path("/proc", str(pid), "task", str(pid), "children").read_text()
    return [int(child) for child in text.split()]
