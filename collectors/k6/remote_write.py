"""Decodes pushes of Prometheus remote write 1.0, one series at a time and without I/O.

A push is a snappy block around a protobuf `WriteRequest`. Series are cut out of it by hand, so
that a large push never exists as one tree of messages and the caller can pause between series.
Source: Prometheus remote write 1.0 specification; snappy format description (block format).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final

import cramjam
from google.protobuf.message import DecodeError

from collectors.k6.histogram import MAX_COUNT, BadSeries, from_message
from collectors.k6.messages import TimeSeries
from collectors.samples import Histogram
from collectors.text import sanitise

MAX_RAW_BYTES: Final = 128 << 20
"""Half a million series: ten times what can be read in a second."""
MAX_LABELS: Final = 64
MAX_LABEL_BLOCK_BYTES: Final = 64 << 10
MAX_VALUE_BLOCK_BYTES: Final = 512 << 10
"""The messages of a block of empty ones take twenty times its bytes."""
HEADER_BYTES: Final = 5
"""Of a snappy block, at most."""
MAX_SNAPPY_GAIN: Final = 22
"""A copy of 64 bytes takes 3: no honest block grows by more than 64/3."""
MAX_SHARED_BYTES: Final = 1024
"""Longer labels are not worth remembering."""

_TIMESERIES_TAG: Final = 0x0A  # field 1, length-delimited: the series of a push, labels of a series
_LEAST_TAG: Final = 1 << 3
_MOST_TAG: Final = (1 << 32) - 1
"""Fields have numbers from 1 to 2²⁹ - 1, and three bits of a tag say how they are written."""
_NAME_LABEL: Final = b"\x0a\x08__name__"


class BadPush(Exception):
    """A whole push can't be used; `reason` is stable and short."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def claimed_length(body: bytes, limit: int = MAX_RAW_BYTES, size: int | None = None) -> int:
    """Return how many bytes a snappy block says it holds, checked before anything is allocated.

    Args:
        body: The block, or its first `HEADER_BYTES`.
        limit: More is too much.
        size: Length of the whole block, where `body` is its begin.

    Raises:
        BadPush: the header is broken, or claims more than `limit` or than the body could hold.
    """
    length = shift = 0
    for position in range(min(HEADER_BYTES, len(body))):
        byte = body[position]
        length |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
        shift += 7
    else:
        raise BadPush("push_snappy_corrupt")
    if length > limit or length > MAX_SNAPPY_GAIN * (len(body) if size is None else size):
        raise BadPush("push_too_large")
    return length


def decompress(body: bytes, limit: int = MAX_RAW_BYTES) -> bytearray:
    """Return the protobuf bytes of a push; there is never a second copy of them.

    Raises:
        BadPush: it is no snappy block, or too large.
    """
    length = claimed_length(body, limit)
    try:
        raw = bytearray(length)
        written = cramjam.snappy.decompress_raw_into(body, raw)
    except Exception as error:  # cramjam raises its own type, not a part of its typed interface
        raise BadPush("push_snappy_corrupt") from error
    if written != length:
        raise BadPush("push_snappy_corrupt")
    return raw


def series_bounds(raw: bytes | bytearray) -> Iterator[tuple[int, int]]:
    """Yield where each series of a `WriteRequest` begins and ends, without a look into it.

    Raises:
        BadPush: the bytes are no `WriteRequest`; what was yielded before stays valid.
    """
    position = 0
    size = len(raw)
    while position < size:
        tag = raw[position]
        position += 1
        if tag >= 0x80:
            tag, position = _varint(raw, position - 1)
        if not _LEAST_TAG <= tag <= _MOST_TAG:
            raise BadPush("push_protobuf_corrupt")
        wire_type = tag & 7
        if wire_type == 2:
            length, position = _varint(raw, position)
            end = position + length
            if end > size:
                raise BadPush("push_protobuf_corrupt")
            if tag == _TIMESERIES_TAG:
                yield position, end
            position = end
        elif wire_type == 0:
            _, position = _varint(raw, position)
        elif wire_type in (1, 5):
            position += 8 if wire_type == 1 else 4
        else:
            raise BadPush("push_protobuf_corrupt")
    if position != size:
        raise BadPush("push_protobuf_corrupt")


def split_series(raw: bytes | bytearray) -> Iterator[tuple[bytes, bytes]]:
    """Yield every series of a `WriteRequest` as its label bytes and its value bytes.

    Equal label bytes mean the same series, so a known one needs no parsing of labels. A series that
    is too large is cut, so that the parsers refuse it.

    Raises:
        BadPush: the bytes are no `WriteRequest`; what was yielded before stays valid.
    """
    for start, end in series_bounds(raw):
        middle = _end_of_labels(raw, start, end)
        too_far = middle + MAX_VALUE_BLOCK_BYTES + 1
        yield bytes(raw[start:middle]), bytes(raw[middle : min(end, too_far)])


def _varint(raw: bytes | bytearray, position: int) -> tuple[int, int]:
    value = shift = 0
    try:
        while True:
            byte = raw[position]
            position += 1
            if byte < 0x80:
                return value | byte << shift, position
            value |= (byte & 0x7F) << shift
            shift += 7
            if shift > 63:
                raise BadPush("push_protobuf_corrupt")
    except IndexError:
        raise BadPush("push_protobuf_corrupt") from None


def _end_of_labels(raw: bytes | bytearray, position: int, end: int) -> int:
    """Return where the labels at the beginning of a series end, or are too many to go on."""
    too_far = position + MAX_LABEL_BLOCK_BYTES
    while position < end and raw[position] == _TIMESERIES_TAG and position <= too_far:
        if position + 1 < end and (length := raw[position + 1]) < 0x80:
            position += 2 + length
        else:
            length, start = _varint(raw, position + 1)
            position = start + length
    if position > end:
        raise BadPush("push_protobuf_corrupt")
    return position


def parse_labels(block: bytes) -> Mapping[str, str]:
    """Return the labels of a series, sanitised.

    Returns:
        Texts by name; not to be changed, other series may share them.

    Raises:
        BadSeries: there are none, too many, or too large ones.
    """
    if len(block) > MAX_LABEL_BLOCK_BYTES:
        raise BadSeries("series_labels_too_large")
    # k6 sorts labels, so the name of the metric comes first, and the nine series of one endpoint
    # share what follows.
    name_end = 2 + block[1] if block.startswith(_NAME_LABEL, 2) and block[1] < 0x80 else 0
    others = block[name_end:]
    labels: Mapping[str, str]
    labels = _read_shared(others) if len(others) <= MAX_SHARED_BYTES else _read_labels(others)
    if name_end:
        labels = {**_read_labels(block[:name_end]), **labels}
    if not 0 < len(labels) <= MAX_LABELS:
        raise BadSeries("series_label_count")
    return labels


def _read_labels(block: bytes) -> dict[str, str]:
    try:
        labels = TimeSeries.FromString(block).labels
    except DecodeError:
        raise BadSeries("series_corrupt") from None
    if len(labels) > MAX_LABELS:
        raise BadSeries("series_label_count")
    return {sanitise(label.name, 128): sanitise(label.value) for label in labels}


_read_shared = lru_cache(maxsize=8192)(_read_labels)


def parse_values(block: bytes) -> float | Histogram:
    """Return the newest value of a series: a number, or a histogram.

    Raises:
        BadSeries: there is none, or it is not finite or otherwise impossible.
    """
    if len(block) > MAX_VALUE_BLOCK_BYTES:
        raise BadSeries("series_values_too_large")
    try:
        series = TimeSeries.FromString(block)
    except DecodeError:
        raise BadSeries("series_corrupt") from None
    histograms = series.histograms
    if histograms:
        return from_message(histograms[-1])
    samples = series.samples
    if not samples:
        raise BadSeries("series_empty")
    value: float = samples[-1].value
    if not math.isfinite(value):
        raise BadSeries("value_not_finite")
    if abs(value) >= MAX_COUNT:
        raise BadSeries("value_too_large")
    return value
