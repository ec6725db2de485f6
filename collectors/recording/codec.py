"""Samples as bytes and back: msgpack by the names of their fields, a tag for their type in front.

Names keep old recordings readable: a field that came later has a default, one that went is passed
over. Only the counts of stacks are packed tighter, since they are most of a recording.

What is read may be anybody's: types are checked, numbers are finite, and texts go through the
sanitiser once more.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from collectors.recording.plausible import are_numbers, is_moment, is_plausible
from collectors.recording.stackrow import StackRow
from collectors.recording.texts import TextCheck
from collectors.runstate import RunEnd, RunState
from collectors.samples import (
    Baseline,
    Drop,
    HostSample,
    LoadSample,
    LoadTarget,
    LogLine,
    Mark,
    Sample,
    SourceStatus,
)
from collectors.text import sanitise

MAX_BODY_BYTES: Final = 17 << 20
"""Of one chunk, unpacked; unpacking takes twice as much for a moment."""
MAX_SAMPLE_BYTES: Final = 16 << 20
MAX_SAMPLES: Final = 20_000
"""In one chunk: small ones take a hundred times the memory of their bytes."""
LEVEL: Final = 6
"""Of compression."""

_TAGS: Final[Mapping[str, type[Any]]] = {
    "load": LoadSample,
    "host": HostSample,
    "stacks": StackRow,
    "status": SourceStatus,
    "log": LogLine,
    "drop": Drop,
    "mark": Mark,
    "target": LoadTarget,
    "baseline": Baseline,
    "state": RunState,
    "end": RunEnd,
}
_TAG_OF: Final = {each: tag for tag, each in _TAGS.items()}

# How numbers begin that are too large or not finite: doubles and floats by their exponents (IEEE
# 754), integers by their highest byte, after msgpack's marks of their types. Other bytes may look
# the same: those are looked at closely.
_LARGE = re.compile(
    rb"\xcb[\x54-\x7f\xd4-\xff]|\xca[\x7f\xff][\x80-\xff]|\xcf[\x40-\xff]|\xd3[\x80-\xbf]"
)
_ARRAY_32: Final = 0xDD
"""msgpack's mark of an array that tells its length in four bytes."""


class CodecError(Exception):
    """A chunk, or a sample in it, is none."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A sample and when it came, seconds on the session's clock."""

    at: float
    sample: Sample


@dataclass(slots=True)
class Rejected:
    """What could not be read, by reason."""

    counts: dict[str, int] = field(default_factory=dict)

    def add(self, reason: str) -> None:
        """Count one more."""
        self.counts[reason] = self.counts.get(reason, 0) + 1


class Encoder:
    """Packs samples; not to be used by two threads at once."""

    def __init__(self) -> None:
        self._encoder = msgspec.msgpack.Encoder()

    def encode(self, arrival: Arrival) -> bytes:
        """Return one sample as bytes."""
        sample: Any = arrival.sample
        if type(sample) not in _TAG_OF:
            sample = StackRow.of(sample)
        return self._encoder.encode((_TAG_OF[type(sample)], arrival.at, sample))


def pack(samples: Sequence[bytes]) -> bytes:
    """Return samples that were encoded as the body of a chunk."""
    return zlib.compress(b"".join([_count(len(samples)), *samples]), LEVEL)


def _count(number: int) -> bytes:
    """Return the head of a msgpack array (array 32 of its specification)."""
    return b"\xdd" + number.to_bytes(4, "big")


class Decoder:
    """Reads the bodies of chunks.

    Attributes:
        rejected: What could not be read.
    """

    def __init__(self) -> None:
        self.rejected = Rejected()
        self._texts = TextCheck()
        self._rows = msgspec.msgpack.Decoder(list[tuple[str, float, msgspec.Raw]])
        self._samples = {tag: msgspec.msgpack.Decoder(each) for tag, each in _TAGS.items()}

    def decode(self, body: bytes) -> Iterator[Arrival]:
        """Yield the samples of a chunk; those that can't be read are counted.

        Raises:
            CodecError: the chunk itself can't be read.
        """
        try:
            unpacker = zlib.decompressobj()
            text = unpacker.decompress(body, MAX_BODY_BYTES)
            if unpacker.unconsumed_tail:
                raise CodecError("a chunk is too large")
            if text[:1] == bytes((_ARRAY_32,)) and int.from_bytes(text[1:5], "big") > MAX_SAMPLES:
                raise CodecError("a chunk holds too many samples")
            rows = self._rows.decode(text)
            del text
        except (zlib.error, msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            raise CodecError("a chunk is damaged") from None
        for tag, at, raw in rows:
            sample = self._sample(tag, raw) if is_moment(at) else None
            if sample is None:
                self.rejected.add("recording_sample_unreadable")
            else:
                yield Arrival(at, sample)

    def _sample(self, tag: str, raw: msgspec.Raw) -> Sample | None:
        decoder = self._samples.get(tag)
        if decoder is None:
            return None
        content = bytes(raw)
        if len(content) > MAX_SAMPLE_BYTES:
            return None
        try:
            sample: Any = decoder.decode(content)
            # Only what was asked for is looked at: what else there is may be made to be large.
            # The numbers of those that have many are looked at where they are known by name.
            is_small = not isinstance(sample, LoadSample | StackRow)
            is_odd = is_small and _LARGE.search(content) is not None
            if is_odd and not are_numbers(_leaves(msgspec.to_builtins(sample))):
                return None
            if not self._texts.is_safe(sample):
                safe = _made_safe(msgspec.to_builtins(sample))
                sample = msgspec.convert(safe, type(sample))
            found: Sample = sample.batch() if isinstance(sample, StackRow) else sample
            return found if is_plausible(found) else None
        except (msgspec.MsgspecError, RecursionError, ValueError, TypeError, OverflowError):
            return None


def _leaves(value: Any) -> Iterable[Any]:
    rest = [value]
    while rest:
        each = rest.pop()
        if isinstance(each, dict):
            rest.extend(each)
            rest.extend(each.values())
        elif isinstance(each, list | tuple):
            rest.extend(each)
        else:
            yield each


def _made_safe(value: Any) -> Any:
    if isinstance(value, str):
        return sanitise(value)
    if isinstance(value, dict):
        return {_made_safe(key): _made_safe(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_made_safe(each) for each in value]
    return value
