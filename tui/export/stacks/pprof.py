"""pprof's profiles: gzipped protobuf, for `go tool pprof` and what else reads them.

Format: profile.proto of github.com/google/pprof, written field by field.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Mapping
from typing import Final

from collectors.samples import Frame, StackCount
from tui.export.stacks.counted import counted_stacks, has_periods
from tui.model.stacks import StackTable

_VARINT: Final = 0
_LENGTH: Final = 2


def pprof_profile(
    table: StackTable, counts: Mapping[int, StackCount], event: str | None = None
) -> bytes:
    """Return the file: samples, and CPU nanoseconds where samples have periods.

    Args:
        table: Knows the stacks.
        counts: Stack id → count.
        event: What periods count where that is not nanoseconds.
    """
    strings: dict[str, int] = {"": 0}
    places: dict[Frame, int] = {}
    modules: dict[str, int] = {}
    by_period = has_periods(counts)
    out = bytearray()
    period = ("cpu", "nanoseconds") if event is None else (event, "count")
    for kind, unit in (("samples", "count"), *((period,) if by_period else ())):
        out += _message(1, _number(1, _text(strings, kind)) + _number(2, _text(strings, unit)))
    for stack in counted_stacks(table, counts):
        # A location is a function here: there are no addresses. The leaf comes first.
        found = [places.setdefault(frame, len(places) + 1) for frame in reversed(stack.frames)]
        values = [stack.count.samples, *((stack.count.period_ns,) if by_period else ())]
        label = _number(1, _text(strings, "thread")) + _number(2, _text(strings, stack.thread))
        out += _message(2, _packed(1, found) + _packed(2, values) + _message(3, label))
    for frame in places:
        if frame.module:
            modules.setdefault(frame.module, len(modules) + 1)
    for module, number in modules.items():
        functions = _number(7, 1)
        out += _message(3, _number(1, number) + _number(5, _text(strings, module)) + functions)
    for frame, number in places.items():
        line = _message(4, _number(1, number))
        module_number = _number(2, modules[frame.module]) if frame.module else b""
        out += _message(4, _number(1, number) + module_number + line)
    for frame, number in places.items():
        name = _text(strings, frame.symbol)
        out += _message(5, _number(1, number) + _number(2, name) + _number(3, name))
    for text in strings:
        out += _message(6, text.encode())
    return gzip.compress(bytes(out), mtime=0)


def _text(strings: dict[str, int], text: str) -> int:
    return strings.setdefault(text, len(strings))


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3 | _VARINT) + _varint(value)


def _message(field: int, body: bytes) -> bytes:
    return _varint(field << 3 | _LENGTH) + _varint(len(body)) + body


def _packed(field: int, values: Iterable[int]) -> bytes:
    return _message(field, b"".join(map(_varint, values)))
