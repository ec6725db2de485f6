"""Knows which of many things come often at the moment."""

from __future__ import annotations

from collections import Counter
from typing import Final

WINDOW: Final = 4096
"""Things after which what was seen counts half."""
LEAST_RATIO: Final = 0.0025
"""Of all that is noted: who comes as often is frequent."""
_FIRST: Final = 128
_LEAST_SEEN: Final = 4
"""Who was seen less often may have come by chance."""


class Frequent:
    """Counts things, forgets what is past, and tells now and then which are frequent."""

    def __init__(self) -> None:
        self.things: frozenset[int] = frozenset()
        """The frequent ones, as of the last time that they were looked for."""
        self._seen: Counter[int] = Counter()
        self._noted = 0
        self._next = _FIRST

    def note(self, thing: int) -> None:
        """Count a thing."""
        self._seen[thing] += 1
        self._noted += 1
        if self._noted < self._next:
            return
        least = max(LEAST_RATIO * self._noted, _LEAST_SEEN)
        self.things = frozenset(each for each, seen in self._seen.items() if seen >= least)
        if self._noted >= WINDOW:
            self._noted //= 2
            self._seen = Counter({each: n >> 1 for each, n in self._seen.items() if n > 1})
        self._next = min(2 * self._noted, WINDOW)
