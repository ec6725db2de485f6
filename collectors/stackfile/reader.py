"""Opens a file of stacks, whatever program wrote it: told apart by what is in it."""

from __future__ import annotations

import gzip
import os
import re
import stat
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from collectors.samples import StackBatch
from collectors.source import SourceError
from collectors.stackfile.folded import FoldedDecoder
from collectors.stackfile.halves import CHUNK_BYTES, read_second_half
from collectors.stackfile.perf_header import is_no_sample, is_telling
from collectors.stackfile.perf_text import PerfTextDecoder
from collectors.stackfile.tally import Tally
from collectors.text import sanitise

HEAD_BYTES: Final = 1 << 16
HEAD_LINES: Final = 500
MAX_BYTES: Final = 4 << 30
MAX_JSON_BYTES: Final = 256 << 20
PERF_TEXT: Final = "perf script"
CLOCKS: Final = frozenset(("", "cpu-clock", "task-clock"))
MAX_RATIO: Final = 300
"""How many times larger than the file its contents may be; text of stacks is far below it."""

_GZIP: Final = b"\x1f\x8b"
_PERF_DATA: Final = b"PERFILE2"
_MODIFIERS = re.compile(r"[:/].*")
_FOLDED = re.compile(rb"[^\t\n][^\n]* \d+(\.\d+)?\s*")


@dataclass(frozen=True, slots=True)
class ImportedProfile:
    """The stacks of a file."""

    batches: tuple[StackBatch, ...]
    format: str
    """`folded`, `perf script` or `speedscope`."""
    event: str
    """What was counted, as far as the file tells."""
    is_weighted: bool
    """Whether samples have periods: nanoseconds of a clock, else occurrences of the event."""
    notes: tuple[str, ...]
    """What the reader of the file should know, a line each."""
    rejected: Mapping[str, int]
    """What could not be read, by reason."""
    has_times: bool = False
    """Whether every stack is in the batch of the second in which it was taken."""

    @property
    def counted_event(self) -> str | None:
        """What periods count where they are no nanoseconds; flashpoint's own text names none."""
        is_clock = self.format != PERF_TEXT or _MODIFIERS.sub("", self.event) in CLOCKS
        return None if is_clock else self.event


def read_profile(path: Path) -> ImportedProfile:
    """Read a file of stacks.

    Raises:
        SourceError: it can't be read, or has no stacks of a known format.
    """
    with _open(path) as file:
        chunks = _chunks(file, path)
        head = next(chunks, b"")
        while len(head) < HEAD_BYTES and (more := next(chunks, b"")):
            head += more
        if head.startswith(_PERF_DATA):
            raise SourceError(
                f"{_name(path)} is what perf record writes, not perf script",
                f"run: perf script -i {_name(path)} --no-inline > stacks.txt",
            )
        if _is_json(head):
            return _speedscope(path, head, chunks)
        if b"\0" in head:
            raise _unknown(path)
        if _is_folded(head):
            return _folded(path, head, chunks)
        if _is_perf_text(head):
            return _perf_text(path, file, head, chunks)
    raise _unknown(path)


def _unknown(path: Path) -> SourceError:
    return SourceError(
        f"{_name(path)} has no stacks that are known",
        "folded stacks, text of perf script and speedscope JSON can be read",
    )


def _name(path: Path) -> str:
    return sanitise(str(path), 200)


def _open(path: Path) -> IO[bytes]:
    try:
        # A pipe without a writer would block for ever.
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise SourceError(
            f"can't read {_name(path)}: {error.strerror}", "name a file of stacks"
        ) from None
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise SourceError(f"{_name(path)} is not a file", "name a file of stacks")
    return os.fdopen(fd, "rb")


def _chunks(file: IO[bytes], path: Path) -> Iterator[bytes]:
    """Yield the contents, unpacked; what is packed too well to be text ends it."""
    packed = file.read(2) == _GZIP
    file.seek(0)
    size = os.fstat(file.fileno()).st_size
    limit = min(MAX_BYTES, size * MAX_RATIO) if packed else MAX_BYTES
    source = gzip.GzipFile(fileobj=file) if packed else file
    total = 0
    try:
        while chunk := source.read(CHUNK_BYTES):
            total += len(chunk)
            if total > limit:
                raise SourceError(f"{_name(path)} is too large when unpacked", "unpack it first")
            yield chunk
    except (OSError, EOFError, zlib.error) as error:
        raise SourceError(
            f"{_name(path)} can't be read to its end: {sanitise(str(error), 100)}",
            "write it anew",
        ) from None


def _is_json(head: bytes) -> bool:
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")


def _is_folded(head: bytes) -> bool:
    lines = [line for line in head.split(b"\n")[:50] if line.strip() and line[:1] != b"#"]
    if len(head) >= HEAD_BYTES and len(lines) > 1:
        lines.pop()
    found = [bool(_FOLDED.fullmatch(line)) for line in lines]
    return bool(found) and sum(found) > len(found) / 2 and not any(b"\t" in x for x in lines[:3])


def _is_perf_text(head: bytes) -> bool:
    """Tell whether a third of the lines are perf's; places in sources may stand between them."""
    lines = [line for line in head.split(b"\n")[:HEAD_LINES] if line.strip()]
    telling = sum(map(is_telling, lines))
    return telling > 0 and 3 * telling >= sum(not is_no_sample(line) for line in lines)


def _folded(path: Path, head: bytes, chunks: Iterator[bytes]) -> ImportedProfile:
    tally = Tally()
    decoder = FoldedDecoder(tally)
    decoder.feed(head)
    for chunk in chunks:
        decoder.feed(chunk)
    decoder.close()
    return _made(path, tally, "folded", "samples", is_weighted=False)


def _perf_text(
    path: Path, file: IO[bytes], head: bytes, chunks: Iterator[bytes]
) -> ImportedProfile:
    tally = Tally()
    decoder = PerfTextDecoder(tally)
    decoder.feed(head)
    is_packed = os.pread(file.fileno(), len(_GZIP), 0) == _GZIP
    half = None if is_packed else read_second_half(file.fileno(), decoder.first_event, MAX_BYTES)
    place = len(head)
    try:
        for chunk in chunks:
            end = place + len(chunk)
            if half is not None and end >= half.start:
                decoder.feed(chunk[: half.start - place])
                chunk = chunk[half.start - place :]
                counted, half = half.counted(), None
                if counted is not None:
                    decoder.merge(counted)
                    break
            decoder.feed(chunk)
            place = end
        else:
            decoder.close()
    finally:
        if half is not None:
            half.give_up()
    return _made(
        path,
        tally,
        PERF_TEXT,
        next(iter(decoder.events), ""),
        is_weighted=bool(decoder.weighted),
        notes=_notes(decoder, tally),
        has_times=not decoder.timeless,
    )


def _notes(decoder: PerfTextDecoder, tally: Tally) -> list[str]:
    """Tell what of perf's text is not what it looks like."""
    event, *others = decoder.events or [""]
    notes = []
    if others:
        left_out = ", ".join(f"{name} ({decoder.events[name]} samples)" for name in others)
        notes.append(f"only {event} is read, the first event; left out: {left_out}")
    if event and decoder.nameless:
        notes.append(f"{decoder.nameless} samples name no event, and are taken for {event}")
    if lost := tally.lost.total():
        notes.append(f"perf says that it lost {lost} samples")
    if decoder.is_cut:
        notes.append("the text ends in the middle: its last sample may be cut")
    return notes


def _speedscope(path: Path, head: bytes, chunks: Iterator[bytes]) -> ImportedProfile:
    parts, size = [head], len(head)
    for chunk in chunks:
        parts.append(chunk)
        size += len(chunk)
        if size > MAX_JSON_BYTES:
            raise SourceError(
                f"{_name(path)} is larger than {MAX_JSON_BYTES >> 20} MiB", "cut it first"
            )
    # With msgspec it takes five milliseconds to load, which texts are read without.
    from collectors.stackfile.speedscope import decode_speedscope

    tally = Tally()
    found = decode_speedscope(b"".join(parts), tally)
    return _made(
        path,
        tally,
        "speedscope",
        found.unit,
        is_weighted="seconds" in found.unit,
        notes=list(found.notes),
        has_times=found.has_times,
    )


def _made(
    path: Path,
    tally: Tally,
    name: str,
    event: str,
    *,
    is_weighted: bool,
    notes: list[str] | None = None,
    has_times: bool = False,
) -> ImportedProfile:
    batches = tally.batches()
    if not batches or not batches[0].frames:
        raise SourceError(
            f"{_name(path)} has no stacks",
            "is it empty or cut, or was perf script not asked for ip and sym?",
        )
    notes = list(notes or [])
    for reason, count in tally.rejected.items():
        notes.append(f"left out: {count} × {reason.replace('_', ' ')}")
    return ImportedProfile(
        batches, name, event, is_weighted, tuple(notes), dict(tally.rejected), has_times
    )
