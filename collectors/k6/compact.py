"""Remembers the newest values of millions of series in 24 bytes each, by a hash of their labels.

For what is beyond the limits of `stream`: a script whose URLs have ids in them makes two series of
each that have to be known again, and most of those hold one request. A number is kept as it is, a
histogram whose values are all in one bucket as sum, bucket and count. Others are wide: their bytes
are kept as they came, up to a limit.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from typing import Final

from collectors.k6.remote_write import parse_values
from collectors.samples import Histogram

MAX_WIDE_BYTES: Final = 24 << 20
WIDE_ENTRY_BYTES: Final = 200
"""What an entry takes beside its bytes."""
SHARDS: Final = 1024
"""So that each is short: an insertion moves half of it."""

_KEY_MASK: Final = (1 << 64) - 1
_NUMBER, _VALUES, _ZEROS, _WIDE = range(4)
_COUNT_BITS: Final = 32
_INDEX_BITS: Final = 24
_INDEX_ZERO: Final = 1 << 21
_SCHEMA_ZERO: Final = 4


class _Shard:
    """Entries whose keys end alike, in order of their keys."""

    __slots__ = ("keys", "numbers", "shapes")

    def __init__(self) -> None:
        self.keys = array("Q")
        self.numbers = array("d")
        """The number, or the sum of a histogram."""
        self.shapes = array("Q")
        """What it is; of a histogram also schema, bucket and count."""


class CompactSeries:
    """Keys in, values out.

    Args:
        max_series: How many are kept.
        max_wide_bytes: Memory for those that do not fit into 24 bytes.
    """

    def __init__(self, max_series: int, max_wide_bytes: int = MAX_WIDE_BYTES) -> None:
        self._max_series = max_series
        self._wide_bytes_left = max_wide_bytes
        self._shards = [_Shard() for _ in range(SHARDS)]
        self._wide: dict[int, bytes] = {}
        self._count = 0

    def __len__(self) -> int:
        """Series kept."""
        return self._count

    def get(self, key: int) -> float | Histogram | None:
        """Return the value of a series; None for one that is not kept."""
        key &= _KEY_MASK
        shard = self._shards[key % SHARDS]
        place, is_known = _find(shard, key)
        if not is_known:
            return None
        number, shape = shard.numbers[place], shard.shapes[place]
        kind = shape & 3
        if kind == _NUMBER:
            return number
        if kind == _WIDE:
            return parse_values(self._wide[key])
        shape >>= 2
        count = shape & (1 << _COUNT_BITS) - 1
        shape >>= _COUNT_BITS
        index = (shape & (1 << _INDEX_BITS) - 1) - _INDEX_ZERO
        schema = (shape >> _INDEX_BITS) - _SCHEMA_ZERO
        if kind == _ZEROS:
            return Histogram(schema, {}, count, count, number)
        return Histogram(schema, {index: count} if count else {}, 0, count, number)

    def has_room(self, key: int, value: float | Histogram, raw: bytes) -> bool:
        """Tell whether `keep` with these has room."""
        key &= _KEY_MASK
        if self._count >= self._max_series and not _find(self._shards[key % SHARDS], key)[1]:
            return False
        return _packed(value)[1] != _WIDE or self._added(key, raw) <= self._wide_bytes_left

    def keep(self, key: int, value: float | Histogram, raw: bytes) -> None:
        """Keep the newest value of a series.

        Args:
            key: Hash of its labels.
            value: The value.
            raw: Bytes that `parse_values` reads it from.
        """
        key &= _KEY_MASK
        shard = self._shards[key % SHARDS]
        place, is_known = _find(shard, key)
        number, shape = _packed(value)
        if shape == _WIDE:
            self._wide_bytes_left -= self._added(key, raw)
            self._wide[key] = raw
        elif is_known and shard.shapes[place] == _WIDE:
            self._wide_bytes_left += len(self._wide.pop(key)) + WIDE_ENTRY_BYTES
        if is_known:
            shard.numbers[place], shard.shapes[place] = number, shape
        else:
            shard.keys.insert(place, key)
            shard.numbers.insert(place, number)
            shard.shapes.insert(place, shape)
            self._count += 1

    def _added(self, key: int, raw: bytes) -> int:
        before = self._wide.get(key)
        return len(raw) - len(before) if before is not None else len(raw) + WIDE_ENTRY_BYTES


def _find(shard: _Shard, key: int) -> tuple[int, bool]:
    """Return the place of a key in a shard, and whether it is there."""
    place = bisect_left(shard.keys, key)
    return place, place < len(shard.keys) and shard.keys[place] == key


def _packed(value: float | Histogram) -> tuple[float, int]:
    """Return a value as a number and a shape."""
    if not isinstance(value, Histogram):
        return value, _NUMBER
    count, is_zeros = value.count, value.count == value.zero_count
    is_narrow = is_zeros or (len(value.buckets) == 1 and not value.zero_count)
    if not is_narrow or count >> _COUNT_BITS:
        return 0.0, _WIDE
    index = next(iter(value.buckets), 0) + _INDEX_ZERO
    shape = (value.schema + _SCHEMA_ZERO) << _INDEX_BITS | index
    return value.sum, (shape << _COUNT_BITS | count) << 2 | (_ZEROS if is_zeros else _VALUES)
