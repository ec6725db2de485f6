"""Decodes folded stacks: a line a stack, frames joined by `;`, then a blank and a number.

Format: FlameGraph's stackcollapse programs. Frames may end in `_[k]` (kernel), `_[j]` (made at run
time) or `_[i]` (inlined), as `stackcollapse-perf.pl --all` writes them. The number is samples, or
whatever the writer chose to count; it may have decimals.
"""

from __future__ import annotations

import math
import re
from typing import Final

from collectors.lines import LineSplitter
from collectors.perf.frames import UNKNOWN_SYMBOL, short_symbol
from collectors.samples import Frame, FrameKind
from collectors.stackfile.tally import MAX_WEIGHT, Tally

MAX_LINE_BYTES: Final = 1 << 20
INLINED_MODULE: Final = "[inlined]"
"""Stands for the file of a frame that a compiler inlined."""

_LINE = re.compile(rb"(.*\S)\s+(\d+(?:\.\d+)?(?:[eE]\+?\d{1,2})?)\s*")
_KINDS: Final = {"_[k]": FrameKind.KERNEL, "_[j]": FrameKind.JIT}
_INLINED: Final = "_[i]"


class FoldedDecoder:
    """Text in, counts in a tally out."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._lines = LineSplitter(MAX_LINE_BYTES)
        self._frames: dict[bytes, int] = {}

    def feed(self, chunk: bytes) -> None:
        """Take text from anywhere to anywhere."""
        self._take(self._lines.feed(chunk))

    def close(self) -> None:
        """Take the end of the text."""
        self._take(self._lines.close())

    def _take(self, lines: list[bytes]) -> None:
        for line in lines:
            match = _LINE.fullmatch(line)
            if match is None and (not line.strip() or line.startswith(b"#")):
                continue
            count = _count(match[2]) if match is not None else None
            if match is None or count is None or len(line) >= MAX_LINE_BYTES:
                self._tally.rejected["line_unreadable"] += 1
            elif count:
                frames = [self._frame(name) for name in match[1].split(b";") if name.strip()]
                self._tally.add(self._tally.stack(frames), count, 0)

    def _frame(self, name: bytes) -> int:
        frame = self._frames.get(name)
        if frame is None:
            frame = self._frames[name] = self._tally.frame(folded_frame(name))
        return frame


def folded_frame(name: bytes, module: str = "") -> Frame:
    """Return the frame of a name, of which an annotation tells the kind."""
    text = short_symbol(name.strip())
    kind = _KINDS.get(text[-4:])
    if kind is not None:
        return Frame(text[:-4], module, kind)
    if text.endswith(_INLINED):
        return Frame(text[:-4], INLINED_MODULE, FrameKind.USER)
    return Frame(text, module, FrameKind.UNKNOWN if text == UNKNOWN_SYMBOL else FrameKind.USER)


def _count(text: bytes) -> int | None:
    value = float(text) if len(text) <= 32 else math.inf
    if not math.isfinite(value) or value >= MAX_WEIGHT:
        return None
    return int(text) if text.isdigit() else round(value)
