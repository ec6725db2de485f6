"""Recordings for tests of what may happen to them: small, and their samples have serial numbers."""

from __future__ import annotations

import random
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from collectors.recording.about import Card, Header
from collectors.recording.reader import Recording
from collectors.recording.recorder import Recorder
from collectors.samples import (
    Drop,
    Frame,
    FrameKind,
    HostSample,
    LoadSample,
    LogLine,
    Mark,
    MarkKind,
    Sample,
    Stack,
    StackBatch,
    StackCount,
)
from tests.builders import endpoint, histogram, host, load

HEADER: Final = Header(
    started_at=0.0,
    wall_offset_s=1_700_000_000.0,
    script="script.js",
    flashpoint_version="0.0.0",
    machine="Linux, 2 cores",
    writer_pid=1,
    writer_start_ticks=1,
)


def note(serial: int, text: str = "") -> Mark:
    """Return a sample with a serial number."""
    return Mark(float(serial), MarkKind.NOTE, f"{serial}|{text}")


def noise(serial: int) -> Mark:
    """Return a sample with a serial number that takes 2 KB however it is packed."""
    return note(serial, f"{random.Random(serial).getrandbits(16_000):x}")


def stacks(serial: int, at: float, samples: int, rng: random.Random) -> StackBatch:
    """Return a batch of some samples in stacks that are all new, with a serial number."""
    counts = {serial * 100 + place: StackCount(samples // 20, 50_000) for place in range(20)}
    frames = {
        serial * 100 + place: Frame(f"f{rng.getrandbits(64):x}", "server", FrameKind.USER)
        for place in range(5)
    }
    new = {
        each: Stack("server", "worker", tuple(rng.choices(list(frames), k=rng.randint(5, 30))))
        for each in counts
    }
    return StackBatch(at, at, counts, new, frames, lost=serial)


def second(serial: int, at: float) -> tuple[LoadSample, HostSample]:
    """Return a push of k6 and a look at the machine, with two serial numbers in a row."""
    latency = histogram([0.01, 0.02, 0.4])
    sample = load(at, 3, latency=latency, endpoints=(endpoint("/a", 3, latency=latency),))
    return replace(sample, iterations=serial), replace(host(at), swap_used_bytes=serial + 1)


def serial_of(sample: Sample) -> int:
    """Return the serial number of a sample that was made here."""
    match sample:
        case StackBatch():
            return sample.lost
        case LoadSample():
            return sample.iterations
        case HostSample():
            return sample.swap_used_bytes
        case Mark():
            return int(sample.text.partition("|")[0])
        case _:
            raise AssertionError(f"not made here: {sample}")


def some_samples(seconds: int = 6) -> list[Sample]:
    """Return what a short run brings."""
    rng = random.Random(1)
    found: list[Sample] = []
    for at in range(1, seconds + 1):
        serial = len(found)
        found += second(serial, float(at))
        found.append(stacks(serial + 2, float(at), 40, rng))
        found.append(LogLine(float(at), "k6", "info", f"line {at}"))
    return found


def record(path: Path, samples: Sequence[Sample], *, card: Card | None = None) -> Recorder:
    """Return an open recorder that has all samples on the disk, a chunk each."""
    now = [0.0]
    recorder = Recorder(path, HEADER, lambda: now[0], lambda _: None)
    for sample in samples:
        now[0] += 0.25
        recorder.add(sample)
        assert recorder.flush()
    if card is not None:
        recorder.describe(card)
        recorder.add(Drop(now[0], "made_up", 1))
        assert recorder.flush()
    return recorder


def closed(path: Path, samples: Sequence[Sample] | None = None, card: Card | None = None) -> Path:
    """Make a recording that was closed; return its path."""
    record(path, some_samples() if samples is None else samples, card=card).close()
    return path


def cut_off(path: Path, samples: Sequence[Sample] | None = None) -> Path:
    """Make a recording whose writer never closed it, with its log beside it; return its path."""
    folder = path.parent / f"{path.name}-writer"
    folder.mkdir()
    live = folder / "live.flashpoint"
    recorder = record(live, some_samples() if samples is None else samples)
    for end in ("", "-wal", "-shm"):
        shutil.copyfile(f"{live}{end}", f"{path}{end}")
    recorder.close()
    shutil.rmtree(folder)
    return path


def samples_of(path: Path) -> list[Sample]:
    """Return all samples of a recording, of which nothing is damaged."""
    recording = Recording(path)
    try:
        found = [arrival.sample for chunk in recording.chunks() for arrival in chunk.arrivals]
        assert recording.rejected() == {}
        return found
    finally:
        recording.close()
