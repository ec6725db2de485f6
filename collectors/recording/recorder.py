"""Writes what arrives to a file, from a thread of its own, whatever becomes of the disk.

Samples are packed where they arrive and wait, bounded in bytes, until the thread has them
committed: four times a second. When that fails they go on waiting, and it tries again; what does
not fit is counted as dropped. The session never waits for a disk.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from collectors.recording.about import Card, Ending, Header
from collectors.recording.codec import Arrival, Encoder, pack
from collectors.recording.file import connect, create, has_room, identity
from collectors.recording.limits import MAX_BYTES
from collectors.recording.schema import CARD_KEY, END_KEY, HEADER_KEY
from collectors.samples import Drop, Sample, SourceState, SourceStatus
from collectors.source import Clock, Emit, SourceError
from collectors.text import sanitise

COMMIT_S: Final = 0.25
RETRY_S: Final = 1.0
CHECK_S: Final = 2.0
"""How often room and file are looked after."""
QUEUE_BYTES: Final = 64 << 20
"""Of samples that wait for the disk."""
CHECKPOINT_PAGES: Final = 1000

SOURCE: Final = "recording"


@dataclass(slots=True)
class _Waiting:
    """A sample that is not on the disk yet."""

    at: float
    content: bytes


class Recorder:
    """Appends samples to a recording.

    Args:
        path: A file that is not there yet.
        header: What the recording is of.
        clock: The session's.
        emit: Takes a status when recording fails and when it works again, and what was dropped;
            called on another thread.
        max_bytes: At which size the recording stops.
        open_file: How the database is opened, for tests of what may fail.

    Raises:
        SourceError: the file can't be made.
    """

    def __init__(
        self,
        path: Path,
        header: Header,
        clock: Clock,
        emit: Emit,
        *,
        max_bytes: int = MAX_BYTES,
        open_file: Callable[[Path], sqlite3.Connection] = connect,
    ) -> None:
        self.path = path
        self._header = header
        self._clock = clock
        self._emit = emit
        self._max_bytes = max_bytes
        self._open_file = open_file
        self._encoder = Encoder()
        self._waiting: deque[_Waiting] = deque()
        self._waiting_bytes = 0
        self._card: Card | None = None
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._wake = threading.Event()
        self._connection: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None
        self._dropped = 0
        """Samples that could not be kept, since it was told last."""
        self._trouble = ""
        self._is_full = False
        self._checked_at = -CHECK_S
        create(path)
        try:
            self._open()
        except sqlite3.Error as error:
            with suppress(OSError):
                os.unlink(path)
            raise SourceError(
                f"can't record to {sanitise(str(path))}: {sanitise(str(error))}",
                "choose another place with --record, or add --no-record",
            ) from None
        self._thread = threading.Thread(target=self._work, name="recorder", daemon=True)
        self._thread.start()

    @property
    def trouble(self) -> str:
        """Why nothing is written at the moment; empty while all is well."""
        return self._trouble

    def add(self, sample: Sample) -> None:
        """Keep a sample; it is on the disk within half a second, if the disk can."""
        if self._closing.is_set() or self._is_full:
            return
        content = self._encoder.encode(Arrival(self._clock(), sample))
        with self._lock:
            if self._waiting_bytes + len(content) > QUEUE_BYTES:
                self._dropped += 1
                return
            self._waiting.append(_Waiting(self._clock(), content))
            self._waiting_bytes += len(content)

    def describe(self, card: Card) -> None:
        """Tell what a list of recordings shall say of this one."""
        self._card = card

    def flush(self, timeout_s: float = 5.0) -> bool:
        """Wait until everything is on the disk; tell whether it is."""
        deadline = time.monotonic() + timeout_s
        while self._waiting and time.monotonic() < deadline and self._thread.is_alive():
            self._wake.set()
            time.sleep(0.01)
        return not self._waiting

    def close(self, timeout_s: float = 10.0) -> None:
        """Write what is left and close the file; gives up when the disk takes too long."""
        self._closing.set()
        self._wake.set()
        self._thread.join(timeout_s)

    def _work(self) -> None:
        pause_s = COMMIT_S
        while not self._closing.is_set():
            self._wake.wait(pause_s)
            self._wake.clear()
            pause_s = COMMIT_S if self._write() else RETRY_S
        self._write()
        self._finish()

    def _write(self) -> bool:
        """Commit what waits; tell whether the disk took it."""
        try:
            if self._clock() - self._checked_at >= CHECK_S:
                self._check()
            if self._is_full:
                return True
            if self._connection is None:
                self._open()
            self._commit()
        except (sqlite3.Error, OSError, SourceError) as error:
            self._failed(sanitise(str(error), 200))
            return False
        self._tell_dropped()
        if self._trouble:
            self._trouble = ""
            self._tell(SourceState.LIVE, f"recording again to {sanitise(self.path.name)}")
        return True

    def _tell_dropped(self) -> None:
        with self._lock:
            dropped, self._dropped = self._dropped, 0
        if dropped:
            self._emit(Drop(self._clock(), "recording_queue_full", dropped))

    def _commit(self) -> None:
        assert self._connection is not None
        with self._lock:
            count = len(self._waiting)
            batch = [self._waiting[place] for place in range(count)]
            card = self._card
        if not batch and card is None:
            return
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        if batch:
            connection.execute(
                "INSERT INTO chunk (first_at, last_at, body) VALUES (?, ?, ?)",
                (batch[0].at, batch[-1].at, pack([each.content for each in batch])),
            )
        if card is not None:
            self._put(CARD_KEY, card)
        connection.execute("COMMIT")
        with self._lock:
            for _ in range(count):
                self._waiting_bytes -= len(self._waiting.popleft().content)
            if self._card is card:
                self._card = None

    def _put(self, key: str, value: Header | Card | Ending) -> None:
        assert self._connection is not None
        text = msgspec.json.encode(value).decode()
        self._connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, text))

    def _open(self) -> None:
        connection = self._open_file(self.path)
        connection.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
        self._connection = connection
        self._identity = identity(self.path)
        self._put(HEADER_KEY, self._header)

    def _check(self) -> None:
        """Look after the file: whether it is still there, how large it is, and what is left.

        Raises:
            OSError, sqlite3.Error, SourceError: it is gone and can't be made again.
        """
        self._checked_at = self._clock()
        if self._connection is not None and identity(self.path) != self._identity:
            self._make_again()
        if not has_room(self.path.parent):
            raise OSError("the disk is nearly full")
        if os.stat(self.path).st_size >= self._max_bytes:
            self._is_full = True
            self._tell(
                SourceState.DEGRADED,
                f"the recording has ended: it is as large as it may be, {self._max_bytes >> 20} MB",
                "--record-limit allows more",
            )

    def _make_again(self) -> None:
        """Write everything so far to a new file: the old one was removed, but is still open."""
        old = self._connection
        assert old is not None
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        create(self.path)
        fresh = self._open_file(self.path)
        old.backup(fresh)
        old.close()
        fresh.execute("PRAGMA journal_mode=WAL")
        fresh.execute("PRAGMA synchronous=NORMAL")
        self._connection, self._identity = fresh, identity(self.path)
        self._tell(SourceState.LIVE, f"{sanitise(self.path.name)} was removed; it is there again")

    def _failed(self, reason: str) -> None:
        connection = self._connection
        if connection is not None:
            with suppress(sqlite3.Error):
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
        if self._trouble != reason:
            self._trouble = reason
            self._tell(
                SourceState.DEGRADED,
                f"can't write the recording: {reason}",
                "it goes on by itself when that is mended",
            )

    def _finish(self) -> None:
        connection = self._connection
        if connection is None:
            return
        with suppress(sqlite3.Error):
            self._put(END_KEY, Ending(self._clock(), "full" if self._is_full else "closed"))
            # One file that can be read, copied and sent without its log.
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.execute("PRAGMA journal_mode=DELETE")
        connection.close()

    def _tell(self, state: SourceState, message: str, hint: str = "") -> None:
        self._emit(SourceStatus(self._clock(), SOURCE, state, message, hint))
