"""Counts how often keys were seen lately, in memory of a fixed size."""

from __future__ import annotations

from typing import Final

SLOTS: Final = 1 << 18
"""Of either row, a byte each."""
NOTES_A_HALVING: Final = 1 << 17
"""As many as half of the slots: a key that was seen once then seldom counts as two."""
MOST: Final = 255

_HALVES: Final = bytes(count >> 1 for count in range(MOST + 1))


class CountSketch:
    """Two rows of small counters; a key counts as the lesser of the two that it falls on.

    A count may be too high where keys fall together, never too low but for the halving. Source:
    Cormode and Muthukrishnan, count-min sketch (2005), with conservative update; halving as in
    Einziger, Friedman and Manes, TinyLFU (2017).

    Args:
        slots: Of each row; a power of two.
        notes_a_halving: After so many keys all counts are halved: what is past is forgotten.
    """

    def __init__(self, slots: int = SLOTS, notes_a_halving: int = NOTES_A_HALVING) -> None:
        self._mask = slots - 1
        self._shift = slots.bit_length() - 1
        self._one, self._other = bytearray(slots), bytearray(slots)
        self._notes_a_halving = self._notes_left = notes_a_halving

    def note(self, key: int) -> int:
        """Count a key, a well mixed number of some 60 bits; return how often it was seen."""
        self._notes_left -= 1
        if not self._notes_left:
            self._notes_left = self._notes_a_halving
            self._one = self._one.translate(_HALVES)
            self._other = self._other.translate(_HALVES)
        place, other_place = key & self._mask, key >> self._shift & self._mask
        seen, other_seen = self._one[place], self._other[other_place]
        count = min(seen, other_seen, MOST - 1) + 1
        if seen < count:
            self._one[place] = count
        if other_seen < count:
            self._other[other_place] = count
        return count
