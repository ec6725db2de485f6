"""A database that is no recording, however it is made to look, is refused in one line, at once."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Final

import msgspec
import pytest

from collectors.recording.about import Card, Ending, Header
from collectors.recording.codec import Arrival, Encoder, pack
from collectors.recording.reader import Recording
from collectors.recording.schema import APPLICATION_ID, CHUNK_SQL, META_SQL, VERSION
from collectors.source import SourceError
from tests.faults.made_up_recordings import HEADER, closed, note, samples_of

ENDLESS: Final = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i, 0.0, 0.0, x'' FROM n"
)


def database(
    path: Path, *statements: str, meta_sql: str = META_SQL, chunk_sql: str = CHUNK_SQL
) -> Path:
    """Make a database with the marks of a recording, and what some statements add."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version={VERSION}")
        for sql in (meta_sql, chunk_sql):
            if sql:
                connection.execute(sql)
        put_meta(connection, "header", msgspec.json.encode(HEADER))
        for statement in statements:
            connection.execute(statement)
    return path


def put_meta(connection: sqlite3.Connection, key: str, value: bytes) -> None:
    connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value.decode()))


def with_meta(path: Path, key: str, value: bytes) -> Path:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        put_meta(connection, key, value)
    return path


def refusal(path: Path) -> str:
    """Return why a file is refused; it must take no time and change nothing."""
    before = path.read_bytes()
    start = time.monotonic()
    with pytest.raises(SourceError) as refused:
        Recording(path)
    assert time.monotonic() - start < 3.0
    assert path.read_bytes() == before
    assert "\n" not in str(refused.value)
    return refused.value.message


def test_a_database_made_as_a_recording_is_one(tmp_path: Path) -> None:
    """Or the refusals below would have another reason."""
    assert samples_of(database(tmp_path / "x.flashpoint")) == []


ADDED: Final = {
    "view": "CREATE VIEW v AS SELECT * FROM chunk",
    "endless view": f"CREATE VIEW v AS {ENDLESS}",
    "trigger": "CREATE TRIGGER t AFTER INSERT ON chunk BEGIN DELETE FROM meta; END",
    "index": "CREATE INDEX i ON chunk (first_at)",
    "partial index": "CREATE INDEX i ON chunk (first_at) WHERE first_at > 1",
    "table": "CREATE TABLE other (a)",
    "counting table": "CREATE TABLE other (a INTEGER PRIMARY KEY AUTOINCREMENT)",
    "virtual table": "CREATE VIRTUAL TABLE f USING fts5(a)",
    "r-tree": "CREATE VIRTUAL TABLE r USING rtree(id, a, b)",
    "column": "ALTER TABLE chunk ADD COLUMN more TEXT",
    "computed column": "ALTER TABLE chunk ADD COLUMN more AS (abs(first_at))",
    "other name": "ALTER TABLE chunk RENAME COLUMN body TO blob",
    "statistics": "ANALYZE",
}


@pytest.mark.parametrize("statement", ADDED.values(), ids=ADDED.keys())
def test_anything_more_than_two_tables_is_refused(statement: str, tmp_path: Path) -> None:
    path = database(tmp_path / "x.flashpoint", "INSERT INTO chunk VALUES (1, 0, 0, x'00')")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(statement)
    assert "holds something else than a recording does" in refusal(path)


CHUNK_INSTEAD: Final = {
    "endless view": f"CREATE VIEW chunk (id, first_at, last_at, body) AS {ENDLESS}",
    "other types": CHUNK_SQL.replace("BLOB", "TEXT"),
    "no row ids": f"{CHUNK_SQL} WITHOUT ROWID",
    "strict": f"{CHUNK_SQL} STRICT",
    "computed": CHUNK_SQL.replace(
        "body BLOB NOT NULL", "body BLOB AS (zeroblob(200000000)) STORED"
    ),
    "checked": CHUNK_SQL.replace("NOT NULL)", "NOT NULL CHECK (length(body) > 0))"),
    "missing": "",
}


@pytest.mark.parametrize("chunk_sql", CHUNK_INSTEAD.values(), ids=CHUNK_INSTEAD.keys())
def test_other_tables_in_their_place_are_refused(chunk_sql: str, tmp_path: Path) -> None:
    path = database(tmp_path / "x.flashpoint", chunk_sql=chunk_sql)
    assert "holds something else than a recording does" in refusal(path)


def test_a_table_with_row_ids_is_refused(tmp_path: Path) -> None:
    path = database(tmp_path / "x.flashpoint", meta_sql=META_SQL.replace(" WITHOUT ROWID", ""))
    assert "holds something else than a recording does" in refusal(path)


def test_a_schema_that_was_written_by_hand_is_refused_or_read(tmp_path: Path) -> None:
    """Its words are those of a recording, but they lead elsewhere."""
    path = database(tmp_path / "x.flashpoint", f"CREATE VIEW v AS {ENDLESS}")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema=ON")
        connection.execute("DELETE FROM sqlite_master WHERE name = 'chunk'")
        connection.execute(
            "UPDATE sqlite_master SET name = 'chunk', tbl_name = 'chunk', type = 'table', sql = ?",
            (CHUNK_SQL,),
        )
    refusal(path)


def test_a_newer_recording_says_that_it_is_newer(tmp_path: Path) -> None:
    path = database(tmp_path / "x.flashpoint", f"PRAGMA user_version={VERSION + 1}")
    with pytest.raises(SourceError) as refused:
        Recording(path)
    assert f"newer flashpoint (format {VERSION + 1}" in refused.value.message
    assert refused.value.hint == "update flashpoint"


def test_a_database_of_another_program_is_no_recording(tmp_path: Path) -> None:
    path = database(tmp_path / "x.flashpoint", "PRAGMA application_id=1")
    assert "it is no recording" in refusal(path)


@pytest.mark.parametrize(
    "body", ["zeroblob(200000000)", "NULL", "'text'", "5", "x''", "zeroblob(30000000)"]
)
def test_a_chunk_that_is_none_is_passed_over(body: str, tmp_path: Path) -> None:
    """Those before and after it are read."""
    path = tmp_path / "x.flashpoint"
    chunk_sql = (
        CHUNK_SQL if body != "NULL" else CHUNK_SQL.replace("body BLOB NOT NULL", "body BLOB")
    )
    database(path, chunk_sql=chunk_sql)
    good = pack([Encoder().encode(Arrival(1.0, note(1)))])
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        insert = "INSERT INTO chunk VALUES (?, 0, 0, ?)"
        connection.execute(insert, (1, good))
        connection.execute(f"INSERT INTO chunk VALUES (2, 0, 0, {body})")
        connection.execute(insert, (3, good))
        connection.execute("PRAGMA writable_schema=ON")
        connection.execute("UPDATE sqlite_master SET sql = ? WHERE name = 'chunk'", (CHUNK_SQL,))
    start = time.monotonic()
    with closing(Recording(path)) as recording:
        found = [chunk.number for chunk in recording.chunks()]
        assert found == [1, 3]
        assert recording.rejected() == {"recording_chunk_damaged": 1}
    assert time.monotonic() - start < 2.0


def test_a_table_whose_order_leads_round_in_a_circle_ends(tmp_path: Path) -> None:
    """Looking for the chunk after 5, SQLite finds 3 there; after 3 it would find 5 again."""
    path = database(
        tmp_path / "x.flashpoint",
        *(f"INSERT INTO chunk VALUES ({number}, 0, 0, x'00')" for number in (1, 2, 3, 4, 5)),
    )
    content = path.read_bytes()
    # A cell of such a row: length of the record, its key, then the record.
    cells = {number: content.index(bytes((6, number, 5, 0))) for number in (3, 5)}
    swapped = bytearray(content)
    swapped[cells[3] + 1], swapped[cells[5] + 1] = 5, 3
    path.write_bytes(swapped)
    with closing(Recording(path)) as recording:
        list(recording.chunks())
        assert recording.damaged_chunks <= 5


def header_with(**changes: object) -> bytes:
    return msgspec.json.encode({**msgspec.to_builtins(HEADER), **changes})


HEADERS: Final = {
    "empty": b"",
    "no object": b"[]",
    "cut": header_with()[:-5],
    "deep": b"[" * 100_000,
    "not finite": header_with().replace(b"1700000000.0", b"NaN"),
    "too large": header_with(started_at=1e300),
    "far away": header_with(wall_offset_s=1e11),
    "other type": header_with(started_at="now"),
    "missing": b'{"started_at": 1}',
    "escape sequence": header_with(script="\x1b[2J"),
    "turned around": header_with(machine="\u202egnp"),
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS.keys())
def test_a_header_that_is_none_is_refused(header: bytes, tmp_path: Path) -> None:
    path = with_meta(database(tmp_path / "x.flashpoint"), "header", header)
    assert refusal(path).startswith("can't read x.flashpoint: it")


def test_a_header_that_is_not_there_is_refused(tmp_path: Path) -> None:
    path = database(tmp_path / "x.flashpoint", "DELETE FROM meta")
    assert "does not say what it is of" in refusal(path)


def test_a_header_with_more_in_it_is_read(tmp_path: Path) -> None:
    path = with_meta(database(tmp_path / "x.flashpoint"), "header", header_with(colour=["red", {}]))
    with closing(Recording(path)) as recording:
        assert recording.header == HEADER


@pytest.mark.parametrize(
    "change",
    [
        {"requests": -1},
        {"duration_s": 1e300},
        {"p95_ms": 1e300},
        {"verdict": "\x1b"},
        {"target": 1},
    ],
)
def test_a_card_or_an_end_that_is_none_is_left_out(
    change: dict[str, object], tmp_path: Path
) -> None:
    path = closed(tmp_path / "x.flashpoint", [note(1)], Card(script="s", requests=5))
    with closing(Recording(path)) as recording:
        assert recording.card == Card(script="s", requests=5)
        assert recording.ending is not None
    card = {**msgspec.to_builtins(Card(script="s")), **change}
    with_meta(path, "card", msgspec.json.encode(card))
    with_meta(path, "end", msgspec.json.encode(Ending(1e300, "closed")))
    with closing(Recording(path)) as recording:
        assert recording.card == Card()
        assert recording.ending is None
        assert recording.is_unclean
        assert len(list(recording.chunks())) == 2


def test_what_is_refused_is_let_go(tmp_path: Path) -> None:
    """No file stays open, whatever was wrong with it."""
    path = with_meta(database(tmp_path / "x.flashpoint"), "header", b"")
    opened = descriptors()
    for _ in range(20):
        refusal(path)
    assert descriptors() == opened


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_header_of_every_field_is_checked() -> None:
    """A field that came later must be looked at by the tests above."""
    assert set(Header.__dataclass_fields__) == {
        *("started_at", "wall_offset_s", "script", "flashpoint_version", "machine", "writer_pid"),
        *("writer_start_ticks", "profiler_event", "keeps_secrets"),
    }
