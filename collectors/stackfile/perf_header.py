"""Reads the lines of `perf script` that are no frames: headers of samples, and what is none.

perf prints the fields that were asked for in a fixed order: process, ids, CPU, time, period, event.
Without call graphs the only frame follows on the same line, its address in a column of its own,
sixteen wide. Ids are at most seven wide and a period ten or more, so that a number is known for
what it is where time or event are missing. Format: perf's tools/perf/builtin-script.c.

Lines may be long and hostile: no pattern here takes more than a few looks at each byte.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from collectors.stackfile.tally import MAX_WEIGHT
from collectors.text import sanitise

LATEST_SECOND: Final = 1 << 40
PERIOD_WIDTH: Final = 10
ADDRESS_WIDTH: Final = 16

_COLUMN = "|".join(f" {{{16 - digits}}}[0-9a-f]{{{digits}}}" for digits in range(1, 17))
_ADDRESS = re.compile(
    # Its last digit first: one look at each of many blanks. Other addresses, and where data came
    # from, may stand before that of the code.
    rf"(?<= )(?=[\s\S]{{15}}[0-9a-f](?: |$))(?:{_COLUMN})"
    rf"(?= (?!(?:{_COLUMN})(?: |$)| *[|]OP )|$)".encode()
)
_TRIMMED = re.compile(rb"\s*(?:\d{1,19}\s+)?([0-9a-f]{1,16})\s+(?![0-9a-f]{1,16}\s)\S")
"""A period or not, and an address whose column was lost on the way: only behind a time or event."""
_FRAME = re.compile(rb"\t *(?=[a-f]*[0-9])[0-9a-f]{4,16}(?: |$)")
"""An address that is no word, as `cafe` is one."""
TIME = re.compile(rb"(?<!\S)(\d{1,12})\.\d+:(?=\s|$)")
EVENT = re.compile(rb"(?:^|\s)(?=[^\s:]*[A-Za-z])(\S*[^\s:]):+(?=\s|$)")
_IDS = re.compile(rb"(?:^|\s)-?\d+(?:/\s*-?\d+)?(?:\s+\[\d+\])?$")
_NO_SAMPLE = re.compile(
    # Comments, source text, registers, instructions, branches.
    rb"#|\|\d+\s|\s*(?:ABI:\d|insn:\s|ilen:\s|0x[0-9a-f]+[(/])"
)
_RECORD = re.compile(rb"(?:^|\s)PERF_RECORD_[A-Z0-9_]+[\s:(]")
_LOST = re.compile(rb"(?:^|\s)PERF_RECORD_LOST(?:_SAMPLES)?\s+lost (\d{1,15})\s*$")


@dataclass(frozen=True, slots=True)
class Header:
    """What is said of a sample in front of its stack."""

    period: int | None
    event: str
    """Its name; empty where none is printed."""
    owner: str
    """Name of the process, sanitised."""
    frame: bytes
    """The only frame, where it stands on the same line."""
    is_marked: bool
    """Whether a time or an event is on the line; nothing else is a sure sign of a header."""
    has_time: bool


def parse_header(line: bytes) -> Header:
    """Read the first line of a sample, whatever fields it has."""
    time = TIME.search(line)
    start = time.end() if time else 0
    address = _ADDRESS.search(line, start)
    event = EVENT.search(line, start, address.start() if address else len(line))
    trimmed = None
    if address is None and (time or event):
        trimmed = _TRIMMED.match(line, event.end() if event else start)
    end = address.start() if address else trimmed.start(1) if trimmed else len(line)
    before = line[start : event.start() if event else end]
    digits = _period_digits(before, is_sure=bool(time and (event or trimmed)))
    period = int(digits) if digits else None
    if time:
        before = line[: time.start()]
    elif digits:
        before = before.rstrip()[: -len(digits)]
    return Header(
        period=period if period is not None and period < MAX_WEIGHT else None,
        event=sanitise(event[1], 80) if event else "",
        owner=_owner(before),
        frame=line[end:].strip(),
        is_marked=bool(time or event),
        has_time=bool(time),
    )


def is_no_sample(line: bytes) -> bool:
    """Tell comments, records of other kinds and what is printed beside a stack from headers."""
    return _NO_SAMPLE.match(line) is not None or _RECORD.search(line) is not None


def lost_samples(line: bytes) -> dict[int, int]:
    """Return how many samples a line says were lost, by its second, 0 where none is printed.

    Empty unless it is a record that `--show-lost-events` prints.
    """
    lost = _LOST.search(line) if b"PERF_RECORD_LOST" in line else None
    if lost is None:
        return {}
    time = TIME.search(line, 0, lost.start())
    return {min(int(time[1]), LATEST_SECOND) if time else 0: int(lost[1])}


def is_telling(line: bytes) -> bool:
    """Tell whether a line can hardly be anything but perf's: a time, an address, another record."""
    sign = _RECORD if b"PERF_RECORD_" in line else _FRAME if line.startswith(b"\t") else TIME
    if sign.search(line):
        return True
    address = _ADDRESS.search(line)
    return address is not None and _FRAME.match(b"\t" + address[0]) is not None


def _period_digits(before: bytes, *, is_sure: bool) -> bytes:
    """Return the number in front of an event or a frame; empty if it is no period."""
    text = before.rstrip()
    number = text[text.rfind(b" ") + 1 :]
    if not number.isdigit() or len(number) > 19:
        return b""
    # The blank between two columns may belong to either.
    blanks = len(text) - len(text[: -len(number)].rstrip()) - len(number)
    width = max(len(number), PERIOD_WIDTH)
    return number if is_sure or 0 <= blanks + len(number) - width <= 1 else b""


def _owner(text: bytes) -> str:
    text = text.strip()
    ids = _IDS.search(text)
    return sanitise(text[: ids.start()].strip() if ids else text, 60)
