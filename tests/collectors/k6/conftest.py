"""Builds pushes the way k6 does, with the program's own message classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import cramjam
import pytest

from collectors.k6.messages import WriteRequest
from collectors.samples import Histogram

Series: TypeAlias = tuple[str, Mapping[str, str], float | Histogram]


def add_histogram(series: Any, histogram: Histogram) -> None:
    message = series.histograms.add(
        count_int=histogram.count,
        sum=histogram.sum,
        schema=histogram.schema,
        zero_threshold=2.0**-128,
        zero_count_int=histogram.zero_count,
        timestamp=1_700_000_000_000,
    )
    previous_index = previous_count = 0
    for index in sorted(histogram.buckets):
        count = histogram.buckets[index]
        if message.positive_spans and index == previous_index:
            message.positive_spans[-1].length += 1
        else:
            message.positive_spans.add(offset=index - previous_index, length=1)
        message.positive_deltas.append(count - previous_count)
        previous_index, previous_count = index + 1, count


def encode_raw(many: Sequence[Series]) -> bytes:
    request = WriteRequest()
    for metric, labels, value in many:
        series = request.timeseries.add()
        for name, text in sorted({"__name__": metric, **labels}.items()):
            series.labels.add(name=name.encode(), value=text.encode())
        if isinstance(value, Histogram):
            add_histogram(series, value)
        else:
            series.samples.add(value=value, timestamp=1_700_000_000_000)
    raw: bytes = request.SerializeToString()
    return raw


@pytest.fixture
def raw_push() -> Callable[[Sequence[Series]], bytes]:
    """Encode series as the protobuf bytes of a push."""
    return encode_raw


@pytest.fixture
def push() -> Callable[[Sequence[Series]], bytes]:
    """Encode series as the body of a push."""

    def encode(many: Sequence[Series]) -> bytes:
        return bytes(cramjam.snappy.compress_raw(encode_raw(many)))

    return encode
