"""Splits a byte stream into lines of bounded length, without I/O.

asyncio's own `readline` gives up on a long line and leaves its writer blocked; this one cuts the
line, counts it, and goes on.
"""

from __future__ import annotations


class LineSplitter:
    """Bytes in, whole lines out.

    Args:
        max_bytes: Longest line kept; what is longer is cut there and counted in `cut`.
    """

    def __init__(self, max_bytes: int = 65_536) -> None:
        self._max_bytes = max_bytes
        self._rest = b""
        self._skipping = False
        self.cut = 0
        """Lines that were too long."""

    def feed(self, chunk: bytes) -> list[bytes]:
        """Take a chunk and return the lines it completes, without their line ends."""
        lines = (self._rest + chunk).split(b"\n")
        self._rest = lines.pop()
        out = []
        for line in lines:
            if self._skipping:
                self._skipping = False
                continue
            if len(line) > self._max_bytes:
                out.append(line[: self._max_bytes])
                self.cut += 1
            else:
                out.append(line.removesuffix(b"\r"))
        if self._skipping:
            self._rest = b""
        elif len(self._rest) > self._max_bytes:
            out.append(self._rest[: self._max_bytes])
            self.cut += 1
            self._rest = b""
            self._skipping = True
        return out

    def close(self) -> list[bytes]:
        """Return the last line if it had no line end."""
        rest, self._rest = self._rest, b""
        return [rest] if rest and not self._skipping else []
