"""What is committed in a database and its log is what SQLite itself recovers from a copy."""

from __future__ import annotations

import random
import sqlite3
import tracemalloc
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from collectors.recording.image import committed

SEEDS: Final = range(8)
HEADER_BYTES: Final = 32
FRAME_HEADER_BYTES: Final = 24

Rows = list[tuple[int, bytes]]


@dataclass(frozen=True, slots=True)
class Copy:
    """Both files as they were at a moment."""

    database: bytes
    log: bytes


def ours(copy: Copy) -> Rows | str:
    """Return the rows of our image, or that SQLite can't read them."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        image = committed(copy.database, copy.log)
        try:
            connection.deserialize(image)
            return connection.execute("SELECT id, body FROM t ORDER BY id").fetchall()
        except sqlite3.Error as error:
            return type(error).__name__


def of_sqlite(copy: Copy, folder: Path) -> Rows | str:
    """Return the rows that SQLite finds in both files when it recovers them itself."""
    path = folder / "copy.db"
    path.write_bytes(copy.database)
    Path(f"{path}-wal").write_bytes(copy.log)
    Path(f"{path}-shm").unlink(missing_ok=True)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        try:
            return connection.execute("SELECT id, body FROM t ORDER BY id").fetchall()
        except sqlite3.Error as error:
            return type(error).__name__


def copies(seed: int, folder: Path) -> Iterator[Copy]:
    """Yield copies of a database to which random transactions are applied."""
    rng = random.Random(seed)
    path = folder / f"{seed}.db"
    page_bytes = rng.choice([512, 1024, 4096, 65536])
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA page_size={page_bytes}")
        connection.execute(f"PRAGMA auto_vacuum={rng.choice(['NONE', 'FULL'])}")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=OFF")  # nobody pulls the plug
        # A small cache spills pages of a transaction into the log before it is committed.
        connection.execute("PRAGMA cache_size=2")
        connection.execute(f"PRAGMA wal_autocheckpoint={rng.choice([0, 20, 1000])}")
        connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, body BLOB)")
        for _ in range(25):
            connection.execute("BEGIN")
            for _ in range(rng.randint(1, 8)):
                change(connection, rng)
                if rng.random() < 0.2:
                    yield copy_of(path)
            connection.execute(rng.choice(["COMMIT", "COMMIT", "COMMIT", "ROLLBACK"]))
            if rng.random() < 0.1:
                mode = rng.choice(["PASSIVE", "FULL", "RESTART", "TRUNCATE"])
                connection.execute(f"PRAGMA wal_checkpoint({mode})")
            if rng.random() < 0.05:
                connection.execute("VACUUM")
            if rng.random() < 0.5:
                yield copy_of(path)
        yield copy_of(path)


def change(connection: sqlite3.Connection, rng: random.Random) -> None:
    roll = rng.random()
    if roll < 0.7:
        content = rng.randbytes(rng.choice([10, 300, 5_000]))
        connection.execute("INSERT INTO t (body) VALUES (?)", (content,))
    elif roll < 0.9:
        connection.execute("UPDATE t SET body = ? WHERE id % 5 = ?", (b"new", rng.randrange(5)))
    else:
        connection.execute("DELETE FROM t WHERE id % 3 = ?", (rng.randrange(3),))


def copy_of(path: Path) -> Copy:
    log = Path(f"{path}-wal")
    return Copy(path.read_bytes(), log.read_bytes() if log.exists() else b"")


def page_bytes_of(copy: Copy) -> int:
    return int.from_bytes(copy.log[8:12], "big")


@pytest.mark.parametrize("seed", SEEDS)
def test_copies_taken_at_any_moment_have_what_sqlite_recovers(seed: int, tmp_path: Path) -> None:
    checked = 0
    for copy in copies(seed, tmp_path):
        expected = of_sqlite(copy, tmp_path)
        assert ours(copy) == expected
        checked += isinstance(expected, list) and len(expected) > 0
    assert checked > 5


@pytest.mark.parametrize("seed", range(4))
def test_a_log_cut_anywhere_has_what_sqlite_recovers(seed: int, tmp_path: Path) -> None:
    """Cut at the edges of frames, and some bytes to their left and right."""
    for copy in some_with_a_log(seed, tmp_path):
        frame_bytes = FRAME_HEADER_BYTES + page_bytes_of(copy)
        edges = [0, HEADER_BYTES, *range(HEADER_BYTES, len(copy.log) + 1, frame_bytes)]
        rng = random.Random(seed)
        for edge in rng.sample(edges, min(len(edges), 25)):
            for place in (edge - 7, edge - 1, edge, edge + 1, edge + FRAME_HEADER_BYTES):
                cut = Copy(copy.database, copy.log[: max(0, place)])
                assert ours(cut) == of_sqlite(cut, tmp_path)


@pytest.mark.parametrize("seed", range(4))
def test_a_log_with_other_bits_has_what_sqlite_recovers(seed: int, tmp_path: Path) -> None:
    """A frame that does not fit its checksum ends what is taken from the log."""
    rng = random.Random(seed)
    for copy in some_with_a_log(seed, tmp_path):
        for _ in range(40):
            log = bytearray(copy.log)
            # What the header says of itself is another matter: SQLite then refuses to open it.
            place = rng.randrange(HEADER_BYTES, len(log))
            log[place] ^= 1 << rng.randrange(8)
            damaged = Copy(copy.database, bytes(log))
            assert ours(damaged) == of_sqlite(damaged, tmp_path)


def some_with_a_log(seed: int, folder: Path) -> list[Copy]:
    with_log = [copy for copy in copies(seed, folder) if len(copy.log) > HEADER_BYTES]
    assert with_log
    return random.Random(seed).sample(with_log, min(3, len(with_log)))


def test_no_bytes_make_it_fall_over(tmp_path: Path) -> None:
    rng = random.Random(7)
    (copy, *_) = some_with_a_log(1, tmp_path)
    for number in range(600):
        log, database = bytearray(copy.log), bytearray(copy.database)
        for _ in range(rng.randint(1, 5)):
            log[rng.randrange(HEADER_BYTES if number % 2 else len(log))] = rng.randrange(256)
            database[rng.randrange(200)] = rng.randrange(256)
        ours(Copy(bytes(database), bytes(log)))
        ours(Copy(bytes(database[: rng.randrange(len(database))]), rng.randbytes(100)))
    for log_bytes in range(40):
        assert committed(b"", copy.log[:log_bytes]) == b""


def checksum(content: bytes, first: int, second: int) -> tuple[int, int]:
    words = [int.from_bytes(content[at : at + 4], "big") for at in range(0, len(content), 4)]
    for one, other in zip(words[::2], words[1::2], strict=True):
        first = (first + one + second) & 0xFFFFFFFF
        second = (second + other + first) & 0xFFFFFFFF
    return first, second


def log_of(frames: list[tuple[int, int]], page_bytes: int = 512) -> bytes:
    """Return a log in big-endian order, by the format: (page, size of the database after it)."""
    head = b"".join(
        number.to_bytes(4, "big") for number in (0x377F0683, 3007000, page_bytes, 0, 1, 2)
    )
    sums = checksum(head, 0, 0)
    log = head + b"".join(each.to_bytes(4, "big") for each in sums)
    for number, after in frames:
        start = number.to_bytes(4, "big") + after.to_bytes(4, "big")
        page = bytes([number & 0xFF]) * page_bytes
        sums = checksum(start + page, *sums)
        log += start + head[16:24] + b"".join(each.to_bytes(4, "big") for each in sums) + page
    return log


def test_a_log_in_the_other_byte_order_is_read(tmp_path: Path) -> None:
    database = bytes(512 * 4)
    pages = committed(database, log_of([(2, 0), (3, 4)]))
    assert pages[512:1536] == b"\2" * 512 + b"\3" * 512
    assert committed(database, log_of([(2, 0), (3, 0)])) == database
    assert len(committed(database, log_of([(2, 2)]))) == 1024


HUGE = {
    "at once": [((1 << 31) + step, 0) for step in range(50)] + [(5, (1 << 32) - 1)],
    "step by step": [(step * 20_000, 0) for step in range(1, 200)] + [(5, 200 * 20_000)],
}


@pytest.mark.parametrize("frames", HUGE.values(), ids=HUGE.keys())
def test_a_log_that_claims_a_huge_database_takes_no_memory(frames: list[tuple[int, int]]) -> None:
    log = log_of(frames)
    tracemalloc.start()
    try:
        committed(bytes(512 * 4), log)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_the_copies_differ(tmp_path: Path) -> None:
    """Or the comparisons above would compare one thing only."""
    assert len(set(copies(0, tmp_path))) > 10
    assert len({str(ours(copy)) for copy in copies(1, tmp_path)}) > 10
