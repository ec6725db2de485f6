"""Opens recordings to read them, whoever wrote them and whatever ended them.

Nothing is written, made or run by it. A file that was closed is read where it is. One that was cut
off is read into memory as it was committed last, unless it is very large. That one, and one that
another process is writing to, SQLite reads with the help of its log and its index beside the file.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from collectors.recording.about import Card, Ending, Header
from collectors.recording.codec import MAX_BODY_BYTES, Arrival, CodecError, Decoder
from collectors.recording.held import is_written_to
from collectors.recording.image import committed
from collectors.recording.plausible import is_card, is_moment
from collectors.recording.schema import (
    CARD_KEY,
    CHUNK_SQL,
    END_KEY,
    HEADER_KEY,
    META_SQL,
    VERSION,
)
from collectors.recording.sniff import is_recording
from collectors.recording.texts import TextCheck
from collectors.source import SourceError
from collectors.text import sanitise

IN_MEMORY_BYTES: Final = 512 << 20
MAX_LOG_BYTES: Final = 256 << 20
STEPS: Final = 100_000
"""Of SQLite's virtual machine between two looks at the clock."""
PATIENCE_S: Final = 2.0
"""For one statement: ours take milliseconds, unless the file is made to take long."""

_MISSING: Final = 64
"""Chunks that may be lost to damage before the rest is given up."""

Meta = TypeVar("Meta", Header, Card, Ending)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some hundred milliseconds of samples."""

    number: int
    arrivals: tuple[Arrival, ...]


class Recording:
    """An open recording.

    Args:
        path: Its file.

    Raises:
        SourceError: it can't be read, or is none.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = sanitise(path.name, 120)
        # Where a link leads to is where SQLite has its log.
        self._file = _real(path)
        self._was_live = is_written_to(self._file)
        self.damaged_chunks = 0
        self._decoder = Decoder()
        self._deadline = 0.0
        self._texts = TextCheck()
        self._connection = self._open()
        try:
            self.header = self._header()
            self.card = self._card()
            self.ending = self._ending()
        except (sqlite3.Error, OverflowError, UnicodeDecodeError) as error:
            self.close()
            raise self._refused(str(error)) from None
        except BaseException:
            self.close()
            raise

    @property
    def is_live(self) -> bool:
        """Whether another process is writing to it."""
        self._was_live = self._was_live and is_written_to(self._file)
        return self._was_live

    @property
    def is_unclean(self) -> bool:
        """Whether its writer ended without closing it."""
        if self.ending is None and not self.is_live:
            self.ending = self._ending()
            return self.ending is None
        return False

    def rejected(self) -> dict[str, int]:
        """Return what of the chunks read so far could not be read, by reason."""
        counts = dict(self._decoder.rejected.counts)
        if self.damaged_chunks:
            counts["recording_chunk_damaged"] = self.damaged_chunks
        return counts

    def chunks(self, after: int = 0) -> Iterator[Chunk]:
        """Yield chunks in order, from the one after a number; damaged ones are counted.

        Raises:
            SourceError: the file went away.
        """
        number = after
        while True:
            try:
                row = self._execute(
                    "SELECT id, body FROM chunk WHERE id > ? ORDER BY id LIMIT 1", number
                )
            except sqlite3.Error:
                number = self._salvage(number)
                if number < 0:
                    return
                continue
            if row is None:
                return
            found, body = row
            if not isinstance(found, int) or found <= number:
                # The order of a damaged table may lead round in a circle.
                self.damaged_chunks += 1
                return
            number = found
            if not isinstance(body, bytes):
                self.damaged_chunks += 1
                continue
            try:
                arrivals = tuple(self._decoder.decode(body))
            except CodecError:
                self.damaged_chunks += 1
                continue
            yield Chunk(number, arrivals)

    def _salvage(self, number: int) -> int:
        """Return the number before the next chunk that can be read; -1 where none is near."""
        for following in range(number + 1, number + 1 + _MISSING):
            self.damaged_chunks += 1
            with contextlib.suppress(sqlite3.Error):
                if self._execute("SELECT id FROM chunk WHERE id = ?", following + 1) is not None:
                    return following
        return -1

    def close(self) -> None:
        """Let the file go."""
        self._connection.close()

    def _open(self) -> sqlite3.Connection:
        try:
            status = self._file.stat()
            if not stat.S_ISREG(status.st_mode):
                raise SourceError(f"{self.name} is no file", "name a recording")
            if not is_recording(self._file):
                raise self._refused("it is no recording")
            connection = self._connect(status.st_size)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise SourceError(
                f"can't read {sanitise(str(self.path))}: {sanitise(reason)}",
                "`flashpoint ls` shows the recordings there are",
            ) from None
        except sqlite3.Error as error:
            raise self._refused(str(error)) from None
        try:
            self._protect(connection)
        except sqlite3.Error as error:
            connection.close()
            raise self._refused(str(error)) from None
        return connection

    def _connect(self, size_bytes: int) -> sqlite3.Connection:
        uri = f"{self._file.as_uri()}?mode=ro"
        if self.is_live:
            return sqlite3.connect(uri, uri=True, isolation_level=None)
        log = self._log()
        if not log:
            return sqlite3.connect(f"{uri}&immutable=1", uri=True, isolation_level=None)
        if size_bytes > IN_MEMORY_BYTES:
            return sqlite3.connect(uri, uri=True, isolation_level=None)
        connection = sqlite3.connect(":memory:", isolation_level=None)
        try:
            connection.deserialize(committed(self._file.read_bytes(), log))
        except BaseException:
            connection.close()
            raise
        return connection

    def _protect(self, connection: sqlite3.Connection) -> None:
        """Have SQLite do nothing but read, and not for long."""
        connection.set_progress_handler(self._is_late, STEPS)
        for limit, most in (
            (sqlite3.SQLITE_LIMIT_LENGTH, MAX_BODY_BYTES + (1 << 20)),
            (sqlite3.SQLITE_LIMIT_SQL_LENGTH, 10_000),
            (sqlite3.SQLITE_LIMIT_COLUMN, 16),
            (sqlite3.SQLITE_LIMIT_ATTACHED, 0),
        ):
            connection.setlimit(limit, most)
        connection.execute("PRAGMA trusted_schema=OFF")
        connection.execute("PRAGMA cell_size_check=ON")
        connection.execute("PRAGMA mmap_size=0")
        connection.execute("PRAGMA query_only=ON")

    def _log(self) -> bytes:
        try:
            with Path(f"{self._file}-wal").open("rb") as file:
                return file.read(MAX_LOG_BYTES)
        except OSError:
            return b""

    def _check_schema(self) -> None:
        """Make sure that there are our two tables and nothing else that SQLite would act on.

        Raises:
            SourceError: there is.
        """
        version = (self._execute("PRAGMA user_version") or (0,))[0]
        if not isinstance(version, int) or version > VERSION:
            raise self._refused(
                f"it was made by a newer flashpoint (format {version}, this one reads {VERSION})",
                "update flashpoint",
            )
        self._deadline = time.monotonic() + PATIENCE_S
        found = self._connection.execute(
            "SELECT type, name, sql FROM sqlite_master LIMIT 10"
        ).fetchall()
        expected = {("table", "chunk", CHUNK_SQL), ("table", "meta", META_SQL)}
        if set(found) != expected:
            raise self._refused("it holds something else than a recording does")

    def _execute(self, sql: str, *values: int | str) -> tuple[object, ...] | None:
        self._deadline = time.monotonic() + PATIENCE_S
        row: tuple[object, ...] | None = self._connection.execute(sql, values).fetchone()
        return row

    def _is_late(self) -> bool:
        return time.monotonic() > self._deadline

    def _header(self) -> Header:
        self._check_schema()
        header = self._meta(HEADER_KEY, Header)
        if header is None or not is_moment(header.started_at, header.wall_offset_s):
            raise self._refused("it does not say what it is of, or when that was")
        return header

    def _card(self) -> Card:
        card = self._quietly(CARD_KEY, Card)
        return card if card is not None and is_card(card) else Card()

    def _ending(self) -> Ending | None:
        ending = self._quietly(END_KEY, Ending)
        return ending if ending is not None and is_moment(ending.at) else None

    def _quietly(self, key: str, kind: type[Meta]) -> Meta | None:
        try:
            return self._meta(key, kind)
        except (sqlite3.Error, SourceError):
            return None

    def _meta(self, key: str, kind: type[Meta]) -> Meta | None:
        row = self._execute("SELECT value FROM meta WHERE key = ?", key)
        if row is None or not isinstance(row[0], str):
            return None
        try:
            found = msgspec.json.decode(row[0], type=kind)
        except (msgspec.DecodeError, RecursionError):
            raise self._refused(f"its {key} is damaged") from None
        if not self._texts.is_safe(found):
            raise self._refused(f"its {key} holds characters that no recording has")
        return found

    def _refused(self, reason: str, hint: str = "") -> SourceError:
        return SourceError(
            f"can't read {self.name}: {sanitise(reason, 200)}",
            hint or "`flashpoint ls` shows the recordings there are",
        )


def _real(path: Path) -> Path:
    try:
        return Path(os.path.realpath(path))
    except (OSError, ValueError):  # no file has such a name: opening it will tell
        return path.absolute()
