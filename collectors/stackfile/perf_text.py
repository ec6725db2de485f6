"""Decodes the text of `perf script`, whatever fields were asked for.

A sample is a header line and its stack, a line a frame that begins with a tab, the leaf first; a
blank line ends it. Without call graphs the only frame stands on the header line itself. A sample
weighs the period that its header prints, and 1 where none is printed, as FlameGraph's and inferno's
programs have it. Of several events the first one is taken; where headers name none, they can't be
told apart, and are counted together.

Most stacks of a long file were there before. What stood below a leaf line and its caller is
remembered and compared in place, so that known text is neither searched for its end nor copied.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final, TypeAlias

from collectors.stackfile.perf_frame import text_frame, without_details
from collectors.stackfile.perf_header import Header, is_no_sample, lost_samples
from collectors.stackfile.perf_kinds import HeaderKind, HeaderKinds, Reading
from collectors.stackfile.tally import Packed, Tally

MAX_BLOCK_BYTES: Final = 1 << 20
CACHED_BYTES: Final = 64 << 20
KEY_BYTES: Final = 128
MOST_LIKELY: Final = 64
"""Stacks of one leaf line and caller that are compared; others are read again."""


@dataclass(frozen=True, slots=True, eq=False)
class _Callers:
    """What stands below a leaf line."""

    text: bytes
    """To the blank line, and with it."""
    frames: tuple[int, ...]
    """The outermost first."""


_Likely: TypeAlias = list[tuple[_Callers, int, dict[str, int]]]
"""What may follow a leaf line and its caller, and the stack's ids by names of processes."""

Counted: TypeAlias = tuple[Packed, dict[str, int], int, int, int, bool]
"""What a decoder counted, and its attributes, as plain values."""


class PerfTextDecoder:
    """Text in, counts in a tally out.

    Args:
        tally: Where to.
        first_event: The event that counts, where it is known; else the first one with a name.

    Attributes:
        events: How many samples there were of each event; the first is the one that counts.
        first_event: Its name; empty where no header has named one yet.
        weighted: Samples whose header had a period.
        nameless: Samples that count, and whose header names no event.
        timeless: Samples that count, and whose header tells no time.
        is_cut: Whether the text ended where perf ends no sample; known when it is closed.
    """

    def __init__(self, tally: Tally, first_event: str = "") -> None:
        self.events: Counter[str] = Counter({first_event: 0} if first_event else {})
        self.first_event = first_event
        self.weighted = self.nameless = self.timeless = 0
        self.is_cut = False
        self._tally = tally
        self._rest, self._skipping = b"", False
        self._kinds = HeaderKinds(self._remember)
        self._uncounted: list[HeaderKind] = []
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
            # Behind a stack perf prints a blank line.
            has_stack = rest.startswith(b"\t") or b"\n\t" in rest
            self.is_cut = bool(rest.strip()) and (has_stack or not rest.endswith(b"\n"))
        self._count()

    def counted(self) -> Counted | None:
        """Return what was counted, as plain values; None where the tally can't tell.

        Nothing can be counted after it.
        """
        packed = self._tally.packed()
        if packed is None:
            return None
        return packed, dict(self.events), self.weighted, self.nameless, self.timeless, self.is_cut

    def merge(self, counted: Counted) -> None:
        """Count what another decoder counted of all that follows, and be closed."""
        self.close()
        packed, events, weighted, nameless, timeless, self.is_cut = counted
        self._tally.merge(packed)
        self.events.update(events)
        self.weighted += weighted
        self.nameless += nameless
        self.timeless += timeless

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
        find, likely, known = data.find, self._likely, self._kinds.known
        second_of = self._tally.second
        weights, at = second_of(0), 0
        while True:
            header_end = find(b"\n", place)
            start = header_end + 1
            if not start:
                return place
            below = likely.get(data[start : start + KEY_BYTES])
            if below is None:
                caller_end = find(b"\n", find(b"\n", start) + 1)
                below = likely.get(data[start:caller_end])
                if below is None:
                    return place
            for each in below:
                if data.startswith(each[0].text, start + each[1]):
                    break
            else:
                return place
            if below[0] is not each:
                # A few of them are most of the samples: those are soon found first.
                below.remove(each)
                below.insert(0, each)
            callers, leaf_bytes, stacks = each
            reading = known(data, place, header_end)
            if reading is None:
                reading = self._kinds.read(data[place:header_end])
            kind, second, weight = reading
            stack = stacks.get(kind.header.owner)
            if stack is None or not kind.is_sample or not self._is_counted(kind.header):
                return place
            if second != at:
                weights, at = second_of(second), second
            weights[stack] = weights.get(stack, 0) + weight
            if not kind.samples:
                self._uncounted.append(kind)
            kind.samples += 1
            place = start + leaf_bytes + len(callers.text)

    def _take(self, block: bytes) -> None:
        """Take a block line by line: comments and samples without call graphs may be in it."""
        header: bytes | None = None
        reading: Reading | None = None
        body: list[bytes] = []
        lines = block.split(b"\n")
        for number, line in enumerate(lines, 1):
            if line.startswith(b"\t"):
                body.append(line)
            elif not line.strip() or is_no_sample(line):
                self._tally.lost.update(lost_samples(line))
            elif header is None and not body:
                header = line
            else:
                is_followed = not body and number < len(lines) and lines[number].startswith(b"\t")
                found = self._kinds.read(line)
                if is_followed or _begins_sample(found[0].header, after_stack=bool(body)):
                    self._sample(reading or self._kinds.read(header or b""), body)
                    header, reading, body = line, found, []
        if header is not None or body:
            self._sample(reading or self._kinds.read(header or b""), body)

    def _sample(self, reading: Reading, body: list[bytes]) -> None:
        kind, second, each = reading
        header = kind.header
        if not body and not header.is_marked and not header.frame:
            self._tally.rejected["line_unreadable"] += 1
            return
        if header.event and not self.first_event:
            self.first_event = header.event
            self.events[header.event] = 0  # so that it is the first here, too
        if not self._is_counted(header):
            self.events[header.event] += 1
            return
        stack = self._stack(body, header.owner) if body else self._stack_of_one(header)
        if stack is None:
            self._tally.rejected["frame_unreadable"] += 1
            return
        weights = self._tally.second(second)
        weights[stack] = weights.get(stack, 0) + each
        if not kind.samples:
            self._uncounted.append(kind)
        kind.samples += 1

    def _is_counted(self, header: Header) -> bool:
        return header.event in ("", self.first_event)

    def _count(self) -> None:
        """Sum up the samples that were taken since the last time."""
        for kind in self._uncounted:
            header, samples = kind.header, kind.samples
            self.weighted += samples if header.period is not None else 0
            self.timeless += samples if not header.has_time else 0
            if header.event:
                self.events[header.event] += samples
            else:
                self.nameless += samples
            kind.samples = 0
        self._uncounted.clear()

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
        start = (lines[0] + callers.text[:KEY_BYTES])[:KEY_BYTES]
        leaf_bytes = len(lines[0])
        if not leaf_bytes < len(start) == KEY_BYTES:
            start = b"\n".join(lines[:2]) if len(lines) > 1 else lines[0] + b"\n"
        likely = self._likely.setdefault(start, [])
        stacks = next((ids for known, _, ids in likely if known is callers), None)
        if stacks is None:
            self._remember(len(start) + 300)
            likely.insert(0, (callers, leaf_bytes, {owner: stack}))
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
            for cache in (self._kinds, self._lines, self._callers, self._likely):
                cache.clear()
            self._cached_bytes = added_bytes


def _begins_sample(header: Header, *, after_stack: bool) -> bool:
    """Tell a header from what perf prints beside a stack: places in sources, sizes of pages."""
    # Below a stack, what looks like an address alone may be a physical one.
    return header.is_marked if after_stack else header.is_marked or bool(header.frame)
