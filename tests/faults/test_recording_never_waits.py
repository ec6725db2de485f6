"""Whoever hands samples to a recorder never waits for a disk, however slow it is."""

from __future__ import annotations

import gc
import statistics
import threading
import time
from pathlib import Path

import pytest

from collectors.recording.recorder import Recorder
from tests.faults.made_up_recordings import note, samples_of
from tests.faults.troubled_disk import Disk, Told, quick, recording_to

__all__ = ["quick"]

pytestmark = pytest.mark.usefixtures("quick")


def taken_s(recorder: Recorder, count: int) -> list[float]:
    """Return how long each of some calls to `add` takes."""
    sample = note(1)
    taken = []
    gc.collect()
    for _ in range(count):
        start = time.perf_counter()
        recorder.add(sample)
        taken.append(time.perf_counter() - start)
    return taken


def test_whoever_adds_does_not_wait_for_a_disk_that_hangs(tmp_path: Path) -> None:
    """A call during a hang takes what it takes without one, hundredfold at the very most."""
    disk, told = Disk(), Told()
    with recording_to(tmp_path / "x.flashpoint", told, disk) as recorder:
        normal = taken_s(recorder, 5_000)
        assert recorder.flush()
        disk.gate.clear()
        recorder.add(note(0))
        assert disk.waiting.wait(5)
        hanging = taken_s(recorder, 5_000)
        disk.gate.set()
        assert recorder.flush()
    assert statistics.median(hanging) < 5 * statistics.median(normal)
    assert max(hanging) < max(100 * statistics.median(normal), 2 * max(normal), 0.05)
    assert told.samples == []


def test_whoever_adds_does_not_wait_for_what_has_piled_up(tmp_path: Path) -> None:
    """Each try to write looks at what waits, while more comes."""
    disk, told = Disk(), Told()
    with recording_to(tmp_path / "x.flashpoint", told, disk) as recorder:
        normal = taken_s(recorder, 5_000)
        disk.is_broken = True
        taken_s(recorder, 200_000)
        piled_up = taken_s(recorder, 5_000)
        tries = disk.executed
        while disk.executed < tries + 5:
            piled_up += taken_s(recorder, 100)
        disk.is_broken = False
        assert recorder.flush(20)
    assert statistics.median(piled_up) < 5 * statistics.median(normal)
    assert max(piled_up) < max(100 * statistics.median(normal), 2 * max(normal), 0.05)


def test_closing_gives_up_on_a_disk_that_hangs(tmp_path: Path) -> None:
    path = tmp_path / "x.flashpoint"
    disk = Disk()
    with recording_to(path, Told(), disk) as recorder:
        recorder.add(note(0))
        assert recorder.flush()
        disk.gate.clear()
        recorder.add(note(1))
        assert disk.waiting.wait(5)
        closer = threading.Thread(target=recorder.close, args=(0.05,))
        closer.start()
        closer.join(5)
        assert not closer.is_alive()
        recorder.add(note(2))
        disk.gate.set()
    assert samples_of(path) == [note(0), note(1)]
