"""Turns the text of `perf script` into stack batches, without I/O.

The text is a row of blocks with a blank line after each: a header (`pid/tid time: period:`), then
the stack's lines, the leaf first; lost-sample records stand as a line of their own before a header.
Nothing in it is trusted: a symbol or file name may hold line ends and forge blocks, so a block is
taken only when every line of it is one that perf prints, its time is believable, and `names` knows
its process. What is not taken is counted by reason.

A known stack costs a few look-ups: the leaf line and the rest of the block are remembered apart,
because the leaf's address varies much more than its callers'.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf
from typing import Final, NamedTuple, TypeAlias

from collectors.perf.frames import parse_frame
from collectors.perf.interner import Interner
from collectors.perf.losses import LossTally
from collectors.perf.second import Second, Seen
from collectors.samples import Frame, FrameKind, StackBatch, StackMeasure

MAX_BLOCK_BYTES: Final = 1 << 20
MAX_DEPTH: Final = 256
CACHE_BYTES: Final = 32 << 20
"""Raw text remembered by one decoder, keys of the caches together."""

STACK_CUT: Final = Frame("(stack cut)", "", FrameKind.USER)
"""Stands for the middle of a stack deeper than `MAX_DEPTH`."""

Names: TypeAlias = Callable[[int, int], tuple[str, str] | None]
"""Process id and thread id → names of process and thread; None for a process that is not ours."""

_HEADER = re.compile(rb" *(\d{1,10})/(\d{1,10}) +(\d{1,10})\.(\d{6,9}): +(\d{1,19}) *")
_LOST = re.compile(
    rb" *\d{1,10}/\d{1,10} +(\d{1,10}\.\d{6,9}): +PERF_RECORD_LOST(_SAMPLES)? +lost (\d{1,15}) *"
)


class SampleHeader(NamedTuple):
    """The first line of a block."""

    pid: int
    tid: int
    at: float
    """Seconds on the clock that perf recorded with."""
    period: int
    """Nanoseconds for `cpu-clock`, else occurrences of the event."""


def parse_header(line: bytes) -> SampleHeader | None:
    """Read a header printed with `-F pid,tid,time,period`; None where it is none."""
    match = _HEADER.fullmatch(line)
    if match is None:
        return None
    pid, tid, seconds, fraction, period = match.groups()
    return SampleHeader(int(pid), int(tid), float(seconds + b"." + fraction), int(period))


@dataclass(slots=True)
class _Callers:
    """The part of a block below its leaf line."""

    frames: tuple[int, ...]
    """The outermost first."""
    deeper: frozenset[int]
    """What `(stack cut)` stands for and is not in `frames`."""
    seen: dict[tuple[tuple[str, str], int], Seen] = field(default_factory=dict)
    """By names and leaf frame."""


class PerfScriptDecoder:
    """perf script's text in, batches out.

    Args:
        interner: Gives the ids; shared by all decoders of a session.
        names: Asked for every sample; it should remember.
        started_at: When the recording began, on perf's clock. Older samples are rejected.
        cache_bytes: Raw text to remember before starting anew.
    """

    measure = StackMeasure.ON_CPU
    """What its batches sum up."""

    def __init__(
        self,
        interner: Interner,
        names: Names,
        started_at: float = 0.0,
        cache_bytes: int = CACHE_BYTES,
    ) -> None:
        self._interner = interner
        self._names = names
        self._started_at = started_at
        self._newest_at = started_at
        self._until = inf
        self._cache_bytes = cache_bytes
        self._cached_bytes = 0
        self._rest = b""
        self._skipping = False
        self._lines: dict[bytes, int] = {}
        self._callers: dict[bytes, _Callers] = {}
        self._seconds: dict[int, Second] = {}
        self._losses = LossTally()
        self.printed = 0
        """Samples that perf printed: those taken and those rejected."""

    def feed(self, chunk: bytes, until: float = inf) -> list[StackBatch]:
        """Take text and return the seconds that are over by the samples seen.

        Args:
            chunk: Text from anywhere to anywhere.
            until: Newest believable sample time; later ones are rejected.
        """
        self._until = until
        blocks = (self._rest + chunk).split(b"\n\n")
        rest = blocks.pop()
        for block in blocks:
            if self._skipping:
                self._skipping = False
            elif len(block) > MAX_BLOCK_BYTES:
                self._reject("block_too_long")
            else:
                self._take(block, until)
        if len(rest) > MAX_BLOCK_BYTES:
            if not self._skipping:
                self._reject("block_too_long")
            self._skipping = True
        # A block's end may come in two chunks.
        self._rest = rest[-1:] if self._skipping else rest
        newest = int(self._newest_at)
        return self._batches(sorted(second for second in self._seconds if second < newest))

    def flush(self) -> list[StackBatch]:
        """Return all that was taken and not returned yet, the unfinished second too."""
        return self._batches(sorted(self._seconds))

    def close(self) -> list[StackBatch]:
        """Take the end of the text and return the rest; a cut last block is not lost."""
        rest, self._rest = self._rest.strip(b"\n"), b""
        if rest and not self._skipping:
            self._take(rest, self._until)
        self._skipping = False
        return self.flush()

    def note_lost_total(self, samples: int) -> None:
        """Take the number of samples lost in the whole recording, as perf tells at its end."""
        new = self._losses.by_total(samples)
        if new:
            self._second(self._newest_at).lost += new

    def _take(self, block: bytes, until: float) -> None:
        """Take one block: records without a stack, then a header and its stack."""
        line, _, body = block.lstrip(b"\n").partition(b"\n")
        while b"PERF_RECORD_" in line:
            self._take_record(line, until)
            line, _, body = body.partition(b"\n")
        if not line:
            return
        header = parse_header(line)
        if header is None:
            return self._reject("header_unreadable")
        if not self._started_at <= header.at <= until:
            return self._reject("time_out_of_range")
        return self._take_sample(header, body)

    def _take_sample(self, header: SampleHeader, body: bytes) -> None:
        names = self._names(header.pid, header.tid)
        if names is None:
            return self._reject("foreign_process")
        seen = self._seen(body, names)
        if seen is None:
            return self._reject("frame_unreadable")
        self._count(header, seen)
        return None

    def _take_record(self, line: bytes, until: float) -> None:
        match = _LOST.fullmatch(line)
        if match is None:
            return self._reject("header_unreadable")
        at = float(match[1])
        if not self._started_at <= at <= until:
            return self._reject("time_out_of_range")
        tell = self._losses.by_total if match[2] else self._losses.by_record
        self._second(at).lost += tell(int(match[3]))
        return None

    def _count(self, header: SampleHeader, seen: Seen) -> None:
        self.printed += 1
        self._second(header.at).add(seen, 1, header.period)

    def _second(self, at: float) -> Second:
        number = int(at)
        second = self._seconds.get(number)
        if second is None:
            second = self._seconds[number] = Second(at)
        if at < second.start:
            second.start = at
        elif at > second.end:
            second.end = at
        if at > self._newest_at:
            self._newest_at = at
        return second

    def _reject(self, reason: str) -> None:
        self.printed += 1
        self._second(self._newest_at).rejected[reason] += 1

    def _seen(self, body: bytes, names: tuple[str, str]) -> Seen | None:
        """Return the stack whose raw lines are given; None where a line is unreadable."""
        if not body:
            return Seen(self._interner.stack_id(*names, ()), frozenset())
        leaf_line, _, rest = body.partition(b"\n")
        leaf = self._lines.get(leaf_line)
        if leaf is None:
            leaf = self._frame_of(leaf_line)
            if leaf is None:
                return None
        callers = self._callers.get(rest)
        if callers is None:
            callers = self._callers_of(rest)
            if callers is None:
                return None
        key = (names, leaf)
        seen = callers.seen.get(key)
        if seen is None:
            frames = (*callers.frames, leaf)
            stack = self._interner.stack_id(*names, frames)
            seen = Seen(stack, self._interner.left_out(stack, frames, callers.deeper))
            if not self._interner.is_cut(stack):
                callers.seen[key] = seen
                self._remember(260 + 64 * len(seen.left_out))
        return seen

    def _callers_of(self, rest: bytes) -> _Callers | None:
        frames = []
        for line in rest.split(b"\n") if rest else []:
            frame = self._lines.get(line)
            if frame is None:
                frame = self._frame_of(line)
                if frame is None:
                    return None
            frames.append(frame)
        frames.reverse()
        deeper: frozenset[int] = frozenset()
        if len(frames) >= MAX_DEPTH:
            middle = slice(MAX_DEPTH // 2 - 1, 1 - MAX_DEPTH // 2)
            between = frames[middle]
            frames[middle] = [self._interner.frame_id(STACK_CUT)]
            deeper = frozenset(between).difference(frames)
        callers = _Callers(tuple(frames), deeper)
        self._remember(len(rest) + 8 * len(frames) + 600 + 64 * len(deeper))
        self._callers[rest] = callers
        return callers

    def _frame_of(self, line: bytes) -> int | None:
        frame = parse_frame(line)
        if frame is None:
            return None
        number = self._interner.frame_id(frame)
        self._remember(len(line) + 200)
        self._lines[line] = number
        return number

    def _remember(self, added_bytes: int) -> None:
        """Make room for an entry of a cache; a full one is emptied, ids live on in the interner."""
        self._cached_bytes += added_bytes
        if self._cached_bytes > self._cache_bytes:
            self._lines.clear()
            self._callers.clear()
            self._cached_bytes = added_bytes

    def _batches(self, numbers: list[int]) -> list[StackBatch]:
        seconds = [self._seconds.pop(number) for number in numbers]
        return [second.batch(self._interner, self.measure) for second in seconds]
