"""A recorder on a disk that fails when it is told to, and a note of all that it said."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

from collectors.recording import recorder as recorder_module
from collectors.recording.file import connect
from collectors.recording.recorder import Recorder
from collectors.samples import Drop, Sample, SourceState, SourceStatus
from tests.faults.made_up_recordings import HEADER

QUICK: Final = {"COMMIT_S": 0.002, "RETRY_S": 0.004, "CHECK_S": 0.01}
"""Instead of what a recorder waits, so that a test needs not."""


class Disk:
    """What a database does when it is asked to execute something.

    Attributes:
        executed: How often that was.
        failing: Which of these calls fail, counted from 1; with what, `message` says.
        is_broken: Whether all fail.
        gate: Calls wait until it is set.
    """

    def __init__(self) -> None:
        self.executed = 0
        self.failing: frozenset[int] = frozenset()
        self.is_broken = False
        self.message = "disk I/O error"
        self.gate = threading.Event()
        self.gate.set()
        self.waiting = threading.Event()

    def execute(self) -> None:
        """Wait, fail, or do nothing."""
        self.executed += 1
        if not self.gate.is_set():
            self.waiting.set()
            assert self.gate.wait(60)
        if self.is_broken or self.executed in self.failing:
            raise sqlite3.OperationalError(self.message)

    def open_file(self, path: Path) -> sqlite3.Connection:
        """Open the file of a recording on this disk."""
        disk = self

        class Connection(sqlite3.Connection):
            def execute(self, *arguments: Any) -> sqlite3.Cursor:
                disk.execute()
                return super().execute(*arguments)

        return connect(path, Connection)


@dataclass(slots=True)
class Told:
    """What a recorder said."""

    samples: list[Sample] = field(default_factory=list)

    @property
    def statuses(self) -> list[SourceStatus]:
        """How it was, in order."""
        return [each for each in self.samples if isinstance(each, SourceStatus)]

    @property
    def states(self) -> list[SourceState]:
        """How it was, in a word each."""
        return [each.state for each in self.statuses]

    @property
    def dropped(self) -> dict[str, int]:
        """What it dropped, by reason."""
        drops = [each for each in self.samples if isinstance(each, Drop)]
        reasons = {each.reason for each in drops}
        return {
            reason: sum(each.count for each in drops if each.reason == reason) for reason in reasons
        }


@contextmanager
def recording_to(
    path: Path, told: Told, disk: Disk | None = None, **settings: Any
) -> Iterator[Recorder]:
    """Record until the end of the block."""
    recorder = Recorder(
        path,
        HEADER,
        time.monotonic,
        told.samples.append,
        open_file=(disk or Disk()).open_file,
        **settings,
    )
    try:
        yield recorder
    finally:
        if disk is not None:
            disk.gate.set()
        recorder.close()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have recorders wait for milliseconds only."""
    for name, seconds in QUICK.items():
        monkeypatch.setattr(recorder_module, name, seconds)
