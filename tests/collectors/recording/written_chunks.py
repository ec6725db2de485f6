"""Chunks as a recorder writes them, and as somebody else may."""

from __future__ import annotations

import zlib
from typing import Any, Final

import msgspec

from collectors.recording.codec import Arrival, Decoder, Encoder, pack
from collectors.samples import Sample

UNREADABLE: Final = "recording_sample_unreadable"


def body(*samples: Sample, at: float = 1.0) -> bytes:
    """Return the chunk of some samples."""
    encoder = Encoder()
    return pack([encoder.encode(Arrival(at, sample)) for sample in samples])


def raw_body(rows: Any) -> bytes:
    """Return a chunk of anything."""
    return zlib.compress(msgspec.msgpack.encode(rows))


def read(content: bytes) -> tuple[list[Sample], dict[str, int]]:
    """Return the samples of a chunk, and what could not be read by reason."""
    decoder = Decoder()
    samples = [arrival.sample for arrival in decoder.decode(content)]
    return samples, decoder.rejected.counts


def plain(sample: Sample) -> dict[str, Any]:
    """Return what is written of a sample, to be tampered with."""
    rows = msgspec.msgpack.decode(zlib.decompress(body(sample)))
    fields: dict[str, Any] = rows[0][2]
    return fields


def tag_of(sample: Sample) -> str:
    """Return what the type of a sample is called."""
    rows = msgspec.msgpack.decode(zlib.decompress(body(sample)))
    tag: str = rows[0][0]
    return tag
