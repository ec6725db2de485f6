"""The pages of an SQLite database as they were committed last, from its file and its log.

SQLite itself would make a shared-memory file beside a database whose writer was killed, and write
to both. Reading the log ourselves leaves everything as it is: the result is opened in memory.
Source: SQLite documentation, database file format, section 4 (the write-ahead log).
"""

from __future__ import annotations

import sys
from array import array
from typing import Final

_WAL_HEADER_BYTES: Final = 32
_FRAME_HEADER_BYTES: Final = 24
_MAGICS: Final = {0x377F0682: "little", 0x377F0683: "big"}
"""Which byte order the checksums of a log are in."""
_WORD: Final = 0xFFFFFFFF
_JOURNAL_BYTES: Final = slice(18, 20)
"""Of the header: the file format's write and read version, 2 with a log, 1 without."""


def committed(database: bytes, log: bytes) -> bytes:
    """Return a database with all that is committed in its log.

    Args:
        database: The whole file.
        log: The whole of its `-wal` file; empty without one.

    Returns:
        A database that needs no log. What is cut or damaged in the log is left out, as SQLite does
        when it recovers; so is all of a log that makes the database larger than it has pages for.
    """
    pages = bytearray(database)
    size = _size(log)
    if size is not None:
        done: dict[int, bytes] = {}
        waiting: dict[int, bytes] = {}
        count = 0
        for number, after, page in _frames(log, size):
            waiting[number] = page
            if after:
                done.update(waiting)
                waiting.clear()
                count = after
        # Whatever the file does not hold is in the log, but for one page where locks lie.
        if count * size > len(pages) + (len(done) + 2) * size:
            count = 0
        for number, page in done.items():
            start = (number - 1) * size
            if number > count:
                continue
            if len(pages) < start:
                pages.extend(bytes(start - len(pages)))
            pages[start : start + size] = page
        if count:
            del pages[count * size :]
    if pages[_JOURNAL_BYTES] == b"\x02\x02":
        pages[_JOURNAL_BYTES] = b"\x01\x01"
    return bytes(pages)


def _size(log: bytes) -> int | None:
    """Return how long a page is; None where it is no log."""
    if len(log) < _WAL_HEADER_BYTES or int.from_bytes(log[:4], "big") not in _MAGICS:
        return None
    size = int.from_bytes(log[8:12], "big")
    return size if 512 <= size <= 65536 and size & (size - 1) == 0 else None


def _frames(log: bytes, size: int) -> list[tuple[int, int, bytes]]:
    """Return number, size of the database after a commit (else 0) and content of valid frames."""
    order = _MAGICS[int.from_bytes(log[:4], "big")]
    sums = _checksum(log[:24], (0, 0), order)
    if sums != _pair(log[24:32]):
        return []
    salts = log[16:24]
    found = []
    for start in range(_WAL_HEADER_BYTES, len(log), _FRAME_HEADER_BYTES + size):
        head = log[start : start + _FRAME_HEADER_BYTES]
        page = log[start + _FRAME_HEADER_BYTES : start + _FRAME_HEADER_BYTES + size]
        if len(page) < size or head[8:16] != salts:
            break
        sums = _checksum(page, _checksum(head[:8], sums, order), order)
        if sums != _pair(head[16:24]):
            break
        number, after = _pair(head[:8])
        if number:
            found.append((number, after, page))
    return found


def _pair(content: bytes) -> tuple[int, int]:
    return int.from_bytes(content[:4], "big"), int.from_bytes(content[4:8], "big")


def _checksum(content: bytes, sums: tuple[int, int], order: str) -> tuple[int, int]:
    words = array("I", content)
    if order != sys.byteorder:
        words.byteswap()
    first, second = sums
    numbers = iter(words)
    for one, other in zip(numbers, numbers, strict=True):
        first = (first + one + second) & _WORD
        second = (second + other + first) & _WORD
    return first, second
