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
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from collectors.recording.about import CLOSED, Card, Ending, Header
from collectors.recording.codec import Arrival, Encoder, pack
from collectors.recording.file import connect, copy_to_new, create, has_room, identity, remove
from collectors.recording.limits import MAX_BYTES
from collectors.recording.schema import CARD_KEY, END_KEY, HEADER_KEY
from collectors.recording.waiting import CHUNK_BYTES, Packed, Waiting
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
        self._waiting = Waiting(QUEUE_BYTES)
        self._card: Card | None = None
        self._closing = threading.Event()
        self._wake = threading.Event()
        self._tried = threading.Event()
        self._connection: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None
        self._log_identity: tuple[int, int] | None = None
        self._trouble = ""
        self._told: set[str] = set()
        """What was said of the trouble that there is."""
        self._is_full = False
        self._checked_at = -CHECK_S
        create(path)
        try:
            self._open()
        except sqlite3.Error as error:
            remove(path)
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
        now = self._clock()
        try:
            packed = Packed(now, self._encoder.encode(Arrival(now, sample)))
        except (ValueError, TypeError, OverflowError, RecursionError):
            # Like an integer of more than 64 bits: whoever made the sample goes on without us.
            self._waiting.drop("recording_sample_unpackable")
            return
        self._waiting.add(packed)

    def describe(self, card: Card) -> None:
        """Tell what a list of recordings shall say of this one."""
        self._card = card

    def flush(self, timeout_s: float = 5.0) -> bool:
        """Wait until everything is on the disk; tell whether it is."""
        deadline = time.monotonic() + timeout_s
        while self._waiting and time.monotonic() < deadline and self._thread.is_alive():
            self._tried.clear()
            self._wake.set()
            self._tried.wait(0.05)
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
            self._tried.set()
        self._checked_at = -CHECK_S
        self._write()
        self._tell_dropped()
        self._finish()

    def _write(self) -> bool:
        """Commit what waits; tell whether the disk took it."""
        try:
            if not 0 <= self._clock() - self._checked_at < CHECK_S:
                self._check()
            if self._connection is None:
                self._open()
            for _ in range(2 * QUEUE_BYTES // CHUNK_BYTES + 1):
                if not self._commit():
                    break
        except Exception as error:
            # Anything: without this thread nothing would be written any more, or said of it.
            self._failed(sanitise(str(error), 200))
            return False
        self._tell_dropped()
        self._told.clear()
        if self._trouble:
            self._trouble = ""
            self._tell(SourceState.LIVE, f"recording again to {sanitise(self.path.name)}")
        return True

    def _tell_dropped(self) -> None:
        for reason, count in self._waiting.take_dropped().items():
            self._emit(Drop(self._clock(), reason, count))

    def _commit(self) -> bool:
        """Write a chunk of what waits; tell whether there is more."""
        assert self._connection is not None
        batch, card = self._waiting.first(), self._card
        if not batch and card is None:
            return False
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
        self._waiting.written(len(batch))
        if self._card is card:
            self._card = None
        return bool(batch) and len(self._waiting) > 0

    def _put(self, key: str, value: Header | Card | Ending) -> None:
        assert self._connection is not None
        text = msgspec.json.encode(value).decode()
        self._connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, text))

    def _open(self) -> None:
        connection = self._open_file(self.path)
        self._connection = connection
        try:
            connection.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
            self._put(HEADER_KEY, self._header)
        except BaseException:
            self._connection = None
            connection.close()
            raise
        self._identify()

    def _identify(self) -> None:
        self._identity = identity(self.path)
        self._log_identity = identity(Path(f"{self.path}-wal"))

    def _check(self) -> None:
        """Look after the file: whether it is still there, how large it is, and what is left.

        Raises:
            OSError, sqlite3.Error, SourceError: it is gone and can't be made again, or the disk
                has no room for more. It is looked after again before anything is written.
        """
        connection = self._connection
        if connection is not None:
            if identity(self.path) != self._identity:
                self._make_again(connection)
            elif identity(Path(f"{self.path}-wal")) != self._log_identity:
                # What is in the log is nowhere else any more.
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                connection.close()
                self._connection = None
        if not has_room(self.path.parent):
            raise OSError("the disk is nearly full")
        if not self._is_full and os.stat(self.path).st_size >= self._max_bytes:
            self._is_full = True
            self._tell(
                SourceState.DEGRADED,
                f"the recording has ended: it is as large as it may be, {self._max_bytes >> 20} MB",
                "--record-limit allows more",
            )
        self._checked_at = self._clock()

    def _make_again(self, old: sqlite3.Connection) -> None:
        """Write everything so far to a new file: the old one was removed, but is still open."""
        self._connection = copy_to_new(old, self.path, self._open_file)
        self._identify()
        old.close()
        self._tell(SourceState.LIVE, f"{sanitise(self.path.name)} was removed; it is there again")

    def _failed(self, reason: str) -> None:
        connection = self._connection
        if connection is not None:
            with suppress(sqlite3.Error):
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
        self._trouble = reason
        # A disk that is full is nearly full too, and both may be noticed in turns.
        kind = "full" if "full" in reason else reason
        if kind not in self._told:
            self._told.add(kind)
            self._tell(
                SourceState.DEGRADED,
                f"can't write the recording: {reason}",
                "it goes on by itself when that is mended",
            )

    def _finish(self) -> None:
        connection = self._connection
        if connection is None:
            return
        reason = "full" if self._is_full else self._trouble or CLOSED
        with suppress(sqlite3.Error):
            self._put(END_KEY, Ending(self._clock(), reason))
            if identity(self.path) == self._identity:
                # One file that can be read, copied and sent without its log.
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                connection.execute("PRAGMA journal_mode=DELETE")
        with suppress(sqlite3.Error):
            connection.close()

    def _tell(self, state: SourceState, message: str, hint: str = "") -> None:
        self._emit(SourceStatus(self._clock(), SOURCE, state, message, hint))
