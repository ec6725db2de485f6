"""The file of a recording: an SQLite database of two tables.

`chunk` holds what arrived, in order, some hundred milliseconds a row; `meta` what is known of the
recording as a whole. Chunks are only ever appended.
"""

from __future__ import annotations

from typing import Final

APPLICATION_ID: Final = 0x464C5054
"""`FLPT`; in the header of the file, so that it can be told from other databases."""
VERSION: Final = 1
"""Of the schema; a newer one is not read."""
SUFFIX: Final = ".flashpoint"

META_SQL: Final = "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID"
CHUNK_SQL: Final = (
    "CREATE TABLE chunk (id INTEGER PRIMARY KEY, first_at REAL NOT NULL, "
    "last_at REAL NOT NULL, body BLOB NOT NULL)"
)

HEADER_KEY: Final = "header"
CARD_KEY: Final = "card"
END_KEY: Final = "end"
"""Keys of `meta`: JSON of `Header`, `Card` and `Ending`."""
