"""Opens a result file and reads it in chunks, unpacked where it is gzip: the only I/O here."""

from __future__ import annotations

import os
import stat
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Final

from collectors.source import SourceError
from collectors.text import sanitise

CHUNK_BYTES: Final = 1 << 17
MAX_UNPACKED_BYTES: Final = 4 << 30
MAX_RATIO: Final = 1000
"""How many times larger than the packed bytes the unpacked ones may be, past `FREE_BYTES`."""
FREE_BYTES: Final = 32 << 20

_GZIP: Final = b"\x1f\x8b"
_GZIP_WINDOW: Final = 16 + zlib.MAX_WBITS


class ResultBytes:
    """A file that is open; use it as a context manager.

    Raises:
        SourceError: it can't be read.
    """

    def __init__(self, path: Path) -> None:
        self.name = sanitise(str(path), 200)
        """The path, fit to be shown."""
        self.fault = ""
        """Why unpacking ended before the end of the file; empty if it did not."""
        try:
            # A pipe without a writer would block for ever.
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else str(error)
            raise SourceError(f"can't read {self.name}: {why}", "name a result file") from None
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            raise SourceError(f"{self.name} is not a file", "name a result file")
        self._file = os.fdopen(fd, "rb")

    def __enter__(self) -> ResultBytes:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def chunks(self) -> Iterator[bytes]:
        """Yield the contents; a gzip file that was cut off ends with what it still holds.

        Raises:
            SourceError: it can't be read to its end, or is too large when unpacked.
        """
        try:
            head = self._file.read(len(_GZIP))
            self._file.seek(0)
            if head == _GZIP:
                yield from self._unpacked()
                return
            while chunk := self._file.read(CHUNK_BYTES):
                yield chunk
        except OSError as error:
            raise SourceError(
                f"{self.name} can't be read to its end: {error.strerror}", "copy it anew"
            ) from None

    def _unpacked(self) -> Iterator[bytes]:
        member = zlib.decompressobj(_GZIP_WINDOW)
        taken = given = 0
        while packed := self._file.read(CHUNK_BYTES):
            taken += len(packed)
            while True:
                if member.eof:
                    if not packed.strip(b"\0"):
                        break
                    member = zlib.decompressobj(_GZIP_WINDOW)
                try:
                    chunk = member.decompress(packed, CHUNK_BYTES)
                except zlib.error:
                    self.fault = "the packed data is damaged"
                    return
                packed = member.unused_data if member.eof else member.unconsumed_tail
                given += len(chunk)
                self._check_size(given, taken - len(packed))
                if chunk:
                    yield chunk
                if not packed and (member.eof or len(chunk) < CHUNK_BYTES):
                    break
        if not member.eof:
            self.fault = "the packed data is cut off"

    def _check_size(self, given: int, taken: int) -> None:
        if given > MAX_UNPACKED_BYTES or (given > FREE_BYTES and given > MAX_RATIO * taken):
            raise SourceError(f"{self.name} is too large when unpacked", "unpack it first")
