"""Decodes the text of `perf script`, whatever fields were asked for.

A sample is a header line and its stack, a line a frame that begins with a tab, the leaf first; a
blank line ends it. Without call graphs the only frame stands on the header line itself. A sample
weighs the period that its header prints, and 1 where none is printed, as FlameGraph's and inferno's
programs have it. Of several events the first one is taken.

Most stacks of a long file were there before. What stood below a leaf line and its caller is
remembered and compared in place, so that known text is neither searched for its end nor copied.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from collectors.stackfile.perf_frame import text_frame, without_details
from collectors.stackfile.perf_header import Header, is_no_sample, parse_header, split_time
from collectors.stackfile.tally import Tally

MAX_BLOCK_BYTES: Final = 1 << 20
CACHED_BYTES: Final = 64 << 20
MOST_LIKELY: Final = 64
"""Stacks of one leaf line and caller that are compared; others are read again."""


@dataclass(frozen=True, slots=True)
class _Callers:
    """What stands below a leaf line."""

    text: bytes
    """To the blank line, and with it."""
    frames: tuple[int, ...]
    """The outermost first."""


@dataclass(frozen=True, slots=True)
class _Samples:
    """Those of one thread and second, which have the same header but for the fraction of time."""

    header: Header
    stacks: dict[int, int] = field(default_factory=dict)
    """Stack id → samples that are not in the tally yet."""


_Likely: TypeAlias = list[tuple[_Callers, dict[str, int]]]
"""What may follow a leaf line and its caller, and the stack's ids by names of processes."""


class PerfTextDecoder:
    """Text in, counts in a tally out.

    Attributes:
        events: How many samples there were of each event; the first is the one that counts.
        weighted: Samples whose header had a period.
    """

    def __init__(self, tally: Tally) -> None:
        self.events: Counter[str] = Counter()
        self.weighted = 0
        self._tally = tally
        self._first_event = ""
        self._rest = b""
        self._skipping = False
        self._samples: dict[tuple[bytes, bytes | None], _Samples] = {}
        self._uncounted: list[_Samples] = []
        self._lines: dict[bytes, int | None] = {}
        self._callers: dict[bytes, _Callers] = {}
        self._likely: dict[bytes, _Likely] = {}
        self._cached_bytes = 0

    def feed(self, chunk: bytes) -> None:
        """Take text from anywhere to anywhere."""
        data = self._rest + chunk
        place = 0
        if self._skipping:
            place = data.find(b"\n\n") + 2
            if place < 2:
                self._rest = data[-1:]
                return
            self._skipping = False
        place = self._take_known(data, place)
        while (end := data.find(b"\n\n", place)) >= 0:
            self._take(data[place:end])
            place = self._take_known(data, end + 2)
        self._rest = data[place:]
        if len(self._rest) > MAX_BLOCK_BYTES:
            self._cut()
        self._count()

    def close(self) -> None:
        """Take the end of the text."""
        rest, self._rest = self._rest, b""
        if not self._skipping:
            self._take(rest)
        self._count()

    def _cut(self) -> None:
        """Take the lines so far: samples without call graphs have no blank lines between them."""
        whole, _, rest = self._rest.rpartition(b"\n")
        if whole:
            self._take(whole)
        else:
            self._tally.rejected["block_too_long"] += 1
            self._skipping, rest = True, rest[-1:]
        self._rest = rest

    def _take_known(self, data: bytes, place: int) -> int:
        """Take the samples from a place on, up to one whose stack is new or not there to its end.

        Returns:
            The place where that one begins.
        """
        likely = self._likely
        while True:
            header_end = data.find(b"\n", place)
            leaf_end = data.find(b"\n", header_end + 1)
            caller_end = data.find(b"\n", leaf_end + 1)
            if not place <= header_end < leaf_end < caller_end:
                return place
            for callers, ids in likely.get(data[header_end + 1 : caller_end], ()):
                if data.startswith(callers.text, leaf_end):
                    stacks = ids
                    break
            else:
                return place
            samples = self._samples.get(split_time(data, place, header_end))
            if samples is None:
                line = data[place:header_end]
                if is_no_sample(line):
                    return place
                samples = self._samples_of(line)
            stack = stacks.get(samples.header.owner)
            if stack is None or not self._is_counted(samples.header):
                return place
            self._add(samples, stack)
            place = leaf_end + len(callers.text)

    def _take(self, block: bytes) -> None:
        """Take a block line by line: comments and samples without call graphs may be in it."""
        header: bytes | None = None
        body: list[bytes] = []
        lines = block.split(b"\n")
        for number, line in enumerate(lines, 1):
            if line.startswith(b"\t"):
                body.append(line)
            elif not line.strip() or is_no_sample(line):
                continue
            elif header is None and not body:
                header = line
            else:
                is_followed = not body and number < len(lines) and lines[number].startswith(b"\t")
                if is_followed or self._begins_sample(line, after_stack=bool(body)):
                    self._sample(header or b"", body)
                    header, body = line, []
        if header is not None or body:
            self._sample(header or b"", body)

    def _begins_sample(self, line: bytes, *, after_stack: bool) -> bool:
        """Tell a header from what perf prints beside a stack: places in sources, sizes of pages."""
        header = self._samples_of(line).header
        # Below a stack, what looks like an address alone may be a physical one.
        return header.is_marked if after_stack else header.is_marked or bool(header.frame)

    def _sample(self, line: bytes, body: list[bytes]) -> None:
        samples = self._samples_of(line)
        header = samples.header
        if not body and not header.is_marked and not header.frame:
            self._tally.rejected["line_unreadable"] += 1
            return
        if header.event and not self._first_event:
            self._first_event = header.event
            self.events[header.event] = 0  # so that it is the first here, too
        if not self._is_counted(header):
            self.events[header.event] += 1
            return
        stack = self._stack(body, header.owner) if body else self._stack_of_one(header)
        if stack is None:
            self._tally.rejected["frame_unreadable"] += 1
        else:
            self._add(samples, stack)

    def _is_counted(self, header: Header) -> bool:
        return header.event in ("", self._first_event)

    def _add(self, samples: _Samples, stack: int) -> None:
        if not samples.stacks:
            self._uncounted.append(samples)
        samples.stacks[stack] = samples.stacks.get(stack, 0) + 1

    def _count(self) -> None:
        """Put the samples that were taken into the tally."""
        for samples in self._uncounted:
            header = samples.header
            for stack, count in samples.stacks.items():
                self._tally.add(stack, count, count * (header.period or 0), header.second)
            count = sum(samples.stacks.values())
            self.weighted += count if header.period is not None else 0
            if header.event:
                self.events[header.event] += count
            samples.stacks.clear()
        self._uncounted.clear()

    def _samples_of(self, line: bytes) -> _Samples:
        key = split_time(line, 0, len(line))
        samples = self._samples.get(key)
        if samples is None:
            self._remember(len(line) + 500)
            samples = self._samples[key] = _Samples(parse_header(line))
        return samples

    def _stack_of_one(self, header: Header) -> int | None:
        """Return the id of the stack on a header's own line; None where the frame is unreadable."""
        frames = [self._frame(without_details(header.frame))] if header.frame else []
        known = [frame for frame in frames if frame is not None]
        return self._tally.stack(known, header.owner, header.owner) if known == frames else None

    def _stack(self, lines: list[bytes], owner: str) -> int | None:
        """Return the id of a stack, the leaf's line first; None where a frame is unreadable."""
        leaf = self._frame(lines[0])
        callers = self._callers_of(lines[1:])
        if leaf is None or callers is None:
            return None
        stack = self._tally.stack((*callers.frames, leaf), owner, owner)
        start = b"\n".join(lines[:2]) if len(lines) > 1 else lines[0] + b"\n"
        likely = self._likely.setdefault(start, [])
        stacks = next((ids for known, ids in likely if known is callers), None)
        if stacks is None:
            self._remember(len(start) + 300)
            likely.insert(0, (callers, {owner: stack}))
            del likely[MOST_LIKELY:]
        else:
            stacks[owner] = stack
        return stack

    def _callers_of(self, lines: list[bytes]) -> _Callers | None:
        text = b"\n".join([b"", *lines, b"", b""])
        callers = self._callers.get(text)
        if callers is None:
            frames = [self._frame(line) for line in reversed(lines)]
            known = tuple(frame for frame in frames if frame is not None)
            if len(known) < len(frames):
                return None
            self._remember(len(text) + 8 * len(known) + 300)
            callers = self._callers[text] = _Callers(text, known)
        return callers

    def _frame(self, line: bytes) -> int | None:
        """Return the id of a line's frame; None where it is unreadable."""
        if line not in self._lines:
            frame = text_frame(line)
            self._remember(len(line) + 200)
            self._lines[line] = self._tally.frame(frame) if frame is not None else None
        return self._lines[line]

    def _remember(self, added_bytes: int) -> None:
        """Make room for an entry of a cache; full ones are emptied, ids live on in the tally."""
        self._cached_bytes += added_bytes
        if self._cached_bytes > CACHED_BYTES:
            for cache in (self._samples, self._lines, self._callers, self._likely):
                cache.clear()
            self._cached_bytes = added_bytes
