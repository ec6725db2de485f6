"""Decodes the text of `perf script`, whatever fields were asked for.

A sample is a header line and its stack, a line a frame that begins with a tab, the leaf first; a
blank line ends it. Without call graphs the only frame stands on the header line itself. A sample
weighs the period that its header prints in front of the event's name, and 1 where none is printed,
as FlameGraph's and inferno's programs have it. Of several events the first one is taken.

The text of a stack is remembered, so that most stacks of a long file are looked up and not read.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

from collectors.perf.frames import frame_kind, module_name, short_symbol
from collectors.samples import Frame, FrameKind
from collectors.stackfile.tally import MAX_WEIGHT, Tally
from collectors.text import sanitise

MAX_BLOCK_BYTES: Final = 1 << 20
CACHED_BYTES: Final = 64 << 20
LATEST_SECOND: Final = 1 << 40

_TIME = re.compile(rb"(?:^|\s)(\d{1,12})\.\d+:(?=\s)")
_EVENT = re.compile(rb"(?:^|\s)([^\s:]*[A-Za-z][^\s]*?):+(?=\s|$)")
_OWNER = re.compile(rb"\s*(.*?)\s*(-?\d+(?:/\s*-?\d+)?)(?:\s+\[\d+\])?\s*")
_OFFSET = re.compile(rb"\+0x[0-9a-f]+$")
_FRAME = re.compile(rb"\s*(?:([0-9a-f]{1,16})\s+)?(\S.*?)\s*", re.DOTALL)
_ADDRESS = re.compile(rb"\s*[0-9a-f]{4,16}\s+\S")
_NUMBER = re.compile(rb"\d{1,19}")


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
        self._rest = b""
        self._skipping = False
        self._lines: dict[bytes, Frame | None] = {}
        self._callers: dict[bytes, tuple[Frame, ...]] = {}
        self._stacks: dict[tuple[str, Frame | None, bytes], int] = {}
        self._cached_bytes = 0

    def feed(self, chunk: bytes) -> None:
        """Take text from anywhere to anywhere."""
        blocks = (self._rest + chunk).split(b"\n\n")
        rest = blocks.pop()
        for block in blocks:
            if self._skipping:
                self._skipping = False
            else:
                self._take(block)
        if len(rest) > MAX_BLOCK_BYTES:
            # Samples without call graphs have no blank lines between them.
            whole, _, rest = rest.rpartition(b"\n")
            if whole and not self._skipping:
                self._take(whole)
            elif not whole:
                self._tally.rejected["block_too_long"] += not self._skipping
                self._skipping = True
        self._rest = rest[-1:] if self._skipping else rest

    def close(self) -> None:
        """Take the end of the text."""
        rest, self._rest = self._rest, b""
        if not self._skipping:
            self._take(rest)

    def _take(self, block: bytes) -> None:
        block = block.strip(b"\n")
        if block.startswith(b"\t"):
            self._sample(b"", block)
            return
        header, newline, body = block.partition(b"\n")
        is_plain = body.startswith(b"\t") and body.count(b"\n") == body.count(b"\n\t")
        if (is_plain or not newline) and not header.startswith(b"#"):
            if header.strip():
                self._sample(header, body)
            return
        self._take_lines(block.split(b"\n"))

    def _take_lines(self, lines: list[bytes]) -> None:
        """Take a block with comments, places in sources, or more samples than one."""
        header: bytes | None = None
        body: list[bytes] = []
        for line in lines:
            if line.startswith(b"\t"):
                body.append(line)
            elif _is_source_line(line) and (body or header is not None):
                continue  # where in a source the frame above is
            elif not line.startswith(b"#") and line.strip():
                if header is not None:
                    self._sample(header, b"\n".join(body))
                header, body = line, []
        if header is not None or body:
            self._sample(header or b"", b"\n".join(body))

    def _sample(self, header: bytes, body: bytes) -> None:
        second, period, event, owner, tail = _header(header)
        if event:
            self.events[event] += 1
            if event != next(iter(self.events)):
                return
        if not body:
            # The only frame stands on the header itself; without any it is an empty stack.
            body = tail
        stack = self._stack(body, owner)
        if stack is None:
            self._tally.rejected["frame_unreadable"] += 1
            return
        self.weighted += period is not None
        self._tally.add(stack, 1, period or 0, second)

    def _stack(self, body: bytes, owner: str) -> int | None:
        """Return the id of a stack; None where a frame is unreadable."""
        leaf_line, _, rest = body.partition(b"\n")
        leaf = self._frame(leaf_line) if leaf_line else None
        if leaf_line and leaf is None:
            return None
        key = (owner, leaf, rest)
        stack = self._stacks.get(key)
        if stack is None:
            callers = self._callers_of(rest)
            if callers is None:
                return None
            frames = (*callers, leaf) if leaf is not None else ()
            stack = self._tally.stack(frames, owner, owner)
            self._remember(200)
            self._stacks[key] = stack
        return stack

    def _callers_of(self, rest: bytes) -> tuple[Frame, ...] | None:
        callers = self._callers.get(rest)
        if callers is None:
            found = [self._frame(line) for line in reversed(rest.split(b"\n"))] if rest else []
            callers = tuple(frame for frame in found if frame is not None)
            if len(callers) != len(found):
                return None
            self._remember(len(rest) + 8 * len(callers) + 200)
            self._callers[rest] = callers
        return callers

    def _frame(self, line: bytes) -> Frame | None:
        if line not in self._lines:
            self._remember(len(line) + 200)
            self._lines[line] = text_frame(line)
        return self._lines[line]

    def _remember(self, added_bytes: int) -> None:
        self._cached_bytes += added_bytes
        if self._cached_bytes > CACHED_BYTES:
            for cache in (self._lines, self._callers, self._stacks):
                cache.clear()
            self._cached_bytes = added_bytes


def text_frame(line: bytes) -> Frame | None:
    """Return the frame of a line: an address or not, a symbol, a file in brackets or not."""
    match = _FRAME.fullmatch(line)
    if match is None:
        return None
    address = int(match[1], 16) if match[1] else 0
    symbol, bracket, path = match[2].rpartition(b" (")
    if not bracket or not path.endswith(b")"):
        symbol, path = match[2], b""
    name = short_symbol(_OFFSET.sub(b"", symbol))
    file = sanitise(path[:-1])
    if name == "[unknown]":
        return Frame(name, module_name(file) if file else "", FrameKind.UNKNOWN)
    if not file:
        return Frame(name, "", FrameKind.KERNEL if address >> 63 else FrameKind.USER)
    return Frame(name, module_name(file), frame_kind(file, address))


def _is_source_line(line: bytes) -> bool:
    """Tell a line like `  file.c:12`, as the field srcline has it, from the header of a sample."""
    if not line.startswith(b"  ") or _ADDRESS.match(line):
        return False
    return _TIME.search(line) is None and _EVENT.search(line) is None


def _header(line: bytes) -> tuple[int, int | None, str, str, bytes]:
    """Return second, period, event, name of the process, and what follows the event."""
    time = _TIME.search(line)
    after = line[time.end() :] if time else line
    event = _EVENT.search(after)
    if event is None:
        owner = line[: time.start()] if time else b""
        period, tail = _unnamed(after) if time else (None, after.strip())
        return _second(time), period, "", _owner(owner), tail
    before = after[: event.start()]
    numbers = before.split()
    period = None
    if numbers and _NUMBER.fullmatch(numbers[-1]):
        # Without a time the number before it has to be that of the process.
        is_period = time is not None or (len(numbers) > 1 and _is_owner(numbers[-2]))
        weight = int(numbers[-1])
        if is_period and weight < MAX_WEIGHT:
            period = weight
            before = before[: before.rindex(numbers[-1])]
    owner = line[: time.start()] if time else before
    name = sanitise(event[1], 80)
    return _second(time), period, name, _owner(owner), after[event.end() :].strip()


def _unnamed(after: bytes) -> tuple[int | None, bytes]:
    """Return the period and the frame that follow a time where no event is named."""
    words = after.split(None, 2)
    is_alone = len(words) == 1
    if words and _NUMBER.fullmatch(words[0]) and (is_alone or _ADDRESS.match(b" ".join(words[1:]))):
        period = int(words[0])
        return period if period < MAX_WEIGHT else None, b" ".join(words[1:])
    return None, after.strip()


def _second(time: re.Match[bytes] | None) -> int:
    return min(int(time[1]), LATEST_SECOND) if time else 0


def _is_owner(token: bytes) -> bool:
    return token.replace(b"/", b"").isdigit() or token.endswith(b"]")


def _owner(text: bytes) -> str:
    match = _OWNER.fullmatch(text)
    return sanitise(match[1] if match else text.strip(), 60)
