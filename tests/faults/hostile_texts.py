"""Texts that attack a terminal or Textual, and every place where a text of others comes in.

Each text goes through the function that takes it in for the program: the decoder of k6's stream, of
its log, of a server's log, of perf's frames, of /proc. Where there is none of its own, it goes
through the sanitiser as the collector does it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, Final

from collectors.k6.log import LogReader
from collectors.k6.messages import WriteRequest
from collectors.k6.stream import LoadAssembler
from collectors.perf.frames import parse_frame
from collectors.process_tree import parse_stat
from collectors.redact import Redactor
from collectors.samples import (
    CoreUsage,
    DiskUsage,
    Drop,
    Frame,
    FrameKind,
    HostSample,
    LogLine,
    Mark,
    MarkKind,
    NetworkUsage,
    Sample,
    SourceState,
    SourceStatus,
    Stack,
    StackBatch,
    StackCount,
)
from collectors.target_log import TargetLog
from collectors.text import sanitise

PAYLOADS: Final = {
    "osc 52": "\x1b]52;c;aGk=\x07",
    "osc 52, st": "\x1b]52;c;aGk=\x1b\\",
    "osc 0": "\x1b]0;title\x07",
    "osc 8": "\x1b]8;;http://h\x1b\\x\x1b]8;;\x1b\\",
    "csi 2J": "\x1b[2J\x1b[H",
    "csi sgr": "\x1b[31mred\x1b[0m",
    "alternate screen": "\x1b[?1049l",
    "answer back": "\x1b[6n\x1b[c\x05",
    "full reset": "\x1bc",
    "dcs": "\x1bP$q\x1b\\",
    "apc": "\x1b_Ga=T;AAAA\x1b\\",
    "pm": "\x1b^pm\x1b\\",
    "sos": "\x1bXsos\x1b\\",
    "c1 csi": "\x9b2J",
    "c1 osc": "\x9d52;c;aGk=\x9c",
    "c1 dcs": "\x90q\x9c",
    "c1 bytes": "\udc9b2J\udc9d0;x\udc9c",
    "nul": "a\x00b",
    "del": "a\x7fb",
    "bel": "a\x07b",
    "backspace": "abc\x08\x08\x08",
    "shift out": "a\x0eb\x0f",
    "bidi": "a\u202egnp.exe\u202c",
    "bidi isolates": "a\u2066b\u2069\u200f\u061c",
    "zero width": "a\u200bb\u200cc\ufeff\u2060",
    "tags": "a\U000e0001\U000e0061\U000e007f",
    "variation": "a\ufe0fb\U000e0100",
    "soft hyphen": "a\u00adb\u034f\u3164",
    "lone cr": "abc\rX",
    "lines": "a\nb\r\nc\x0b\x0cd\x85e",
    "line separators": "a\u2028b\u2029c",
    "surrogate": "a\ud83db",
    "closing": "[/",
    "closing tag": "[/foo]",
    "half a tag": "[b",
    "colour": "[red]red",
    "click": "[@click=app.quit]x[/]",
    "click, quoted": "[@click=\"app.command('app.quit')\"]x[/]",
    "link": "[link=http://h]x[/link]",
    "variable": "[$error]x $name [/]",
    "escaped": "\\[b]x\\[/b]",
    "long": "x" * 100_000,
    "long wide": "界" * 100_000,
    "emoji": "👩‍👩‍👧‍👦🏳️‍🌈👍🏽",
    "combining": "a" + "\u0301" * 400,
}
MARKUP: Final = frozenset(
    name for name, text in PAYLOADS.items() if text.isascii() and "[" in text and "\x1b" not in text
)
"""Payloads that are to be seen as they are written."""

_IGNORABLE: Final = (
    *("\u034f", "\u115f", "\u1160", "\u17b4", "\u17b5", "\u3164", "\uffa0"),
    *map(chr, range(0x180B, 0x1810)),
    *map(chr, range(0xFE00, 0xFE10)),
    *map(chr, range(0xE0000, 0xE1000)),
)


def hostile_in(text: str) -> set[str]:
    """Return the characters of a text that a terminal obeys or a reader can't see."""
    categories = ("Cc", "Cf", "Zl", "Zp", "Cs")
    return {
        each for each in set(text) if unicodedata.category(each) in categories or each in _IGNORABLE
    }


@dataclass(frozen=True, slots=True)
class Sink:
    """A place where a text of others comes in."""

    name: str
    mark: str
    """What the text begins with, so that it can be found."""
    is_shown: bool = True
    """Whether there is a pane that has it; else it is in recordings and exports only."""


def _sink(number: int, name: str, *, is_shown: bool = True) -> Sink:
    return Sink(name, f"Q{number:02}q", is_shown)


_SHOWN: Final = (
    *("script name", "endpoint name", "method", "status", "check", "custom metric", "k6 log"),
    *("target log", "target name", "symbol", "module", "thread", "disk", "network", "mark", "note"),
    *("baseline", "source status", "source hint", "file name", "path toast", "problem toast"),
    *("pattern error", "offer title", "offer help", "question", "suggestion", "pasted"),
    *("note of the run", "control reason", "k6 version", "profiler"),
)
_KEPT: Final = ("group", "scenario", "process", "drop reason")
SINKS: Final = {
    name: _sink(number, name, is_shown=name in _SHOWN)
    for number, name in enumerate((*_SHOWN, *_KEPT))
}


def marked(sink: str, payload: str) -> str:
    """Return a payload that can be told from those of other sinks."""
    return SINKS[sink].mark + payload


def raw(text: str) -> bytes:
    """Return the bytes that a program would write."""
    return text.encode("utf-8", "surrogateescape" if "\udc9b" in text else "surrogatepass")


def samples(payload: str, at: float) -> list[Sample]:
    """Return a second of everything, with a payload in every text."""
    return [
        _load(payload, at),
        *LogReader(Redactor()).feed(_k6_line(payload), at),
        *_target_lines(payload, at),
        _stacks(payload, at),
        _host(payload, at),
        SourceStatus(
            at,
            "perf",
            SourceState.FAILED,
            sanitise(marked("source status", payload), 200),
            sanitise(marked("source hint", payload), 200),
        ),
        Mark(at, MarkKind.SERVER, sanitise(marked("mark", payload), 200)),
        Drop(at, sanitise(marked("drop reason", payload), 200), 3),
    ]


def _load(payload: str, at: float) -> Sample:
    request = WriteRequest()
    endpoint = {
        "name": "endpoint name",
        "method": "method",
        "status": "status",
        "group": "group",
        "scenario": "scenario",
    }

    def add(metric: str, value: float, **labels: bytes) -> None:
        series = request.timeseries.add()
        for name, text in sorted({"__name__": metric.encode(), **labels}.items()):
            series.labels.add(name=name.encode(), value=text)
        series.samples.add(value=value, timestamp=1_700_000_000_000)

    texts = {label: raw(marked(sink, payload)) for label, sink in endpoint.items()}
    add("k6_http_reqs_total", 50.0, expected_response=b"true", **texts)
    add("k6_checks_rate", 0.5, check=raw(marked("check", payload)))
    add("k6_iterations_total", 50.0)
    metric = request.timeseries.add()
    metric.labels.add(name=b"__name__", value=b"k6_" + raw(marked("custom metric", payload)))
    metric.samples.add(value=4.0, timestamp=1_700_000_000_000)
    steps = LoadAssembler("k6-1", Redactor()).steps(request.SerializeToString(), at, 1.0)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            sample: Sample = end.value
            return sample


def _k6_line(payload: str) -> bytes:
    return b'level=error msg="' + raw(marked("k6 log", payload)).replace(b'"', b'\\"') + b'"\n'


def _target_lines(payload: str, at: float) -> list[LogLine]:
    lines: list[LogLine] = []
    log = TargetLog(lambda: at, lines.append)
    log.feed(raw(marked("target log", payload)) + b"\n")
    log.close()
    return lines


def _stacks(payload: str, at: float) -> StackBatch:
    symbol = raw(marked("symbol", payload)).replace(b"\n", b" ")
    module = raw(marked("module", payload)).replace(b"\n", b" ").replace(b"/", b":")
    frame = parse_frame(b"\t    7f00 " + symbol + b" (/usr/lib/" + module + b")")
    frame = frame or Frame(sanitise(symbol, 500), sanitise(module, 500), FrameKind.USER)
    stat = parse_stat(b"7 (" + raw(marked("process", payload)[:15]) + b") S 1 7 7" + b" 0" * 45)
    thread = sanitise(raw(marked("thread", payload)), 60)
    return StackBatch(
        start=at - 0.9,
        end=at - 0.1,
        counts={0: StackCount(30, 300_000_000)},
        stacks={0: Stack(stat.name, thread, (0, 1))},
        frames={0: Frame("main", "server", FrameKind.USER), 1: frame},
    )


def _host(payload: str, at: float) -> HostSample:
    disk, network = (sanitise(marked(each, payload), 64) for each in ("disk", "network"))
    return HostSample(
        at=at,
        interval_s=1.0,
        cores=(CoreUsage(0.5, 0.0, 0.0, 0.0),) * 2,
        load_1m=1.0,
        memory_total_bytes=1 << 30,
        memory_used_bytes=1 << 20,
        swap_used_bytes=0,
        disks=(DiskUsage(disk, 1.0, 1.0, 1.0, 1.0, 0.1),),
        networks=(NetworkUsage(network, 100.0, 100.0),),
        pressure=None,
        roles=(),
    )


def texts_in(value: object) -> Iterator[str]:
    """Return every text in a sample, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Path):
        yield str(value)
    elif is_dataclass(value):
        for each in fields(value):
            yield from texts_in(getattr(value, each.name))
    elif isinstance(value, dict):
        pairs: dict[Any, Any] = value
        for key, each in pairs.items():
            yield from texts_in(key)
            yield from texts_in(each)
    elif isinstance(value, list | tuple | set | frozenset):
        for each in value:
            yield from texts_in(each)
