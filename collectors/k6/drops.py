"""Counts what could not be used, and passes it on at most once a second for each reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

from collectors.samples import Drop
from collectors.source import Emit

FLUSH_INTERVAL_S: Final = 1.0


class DropCounter:
    """Adds up drops by reason, so that a flood of them is not a flood of samples."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._pending: Counter[str] = Counter()
        self._flushed_at: float | None = None

    def add(self, reason: str, at: float, count: int = 1) -> None:
        """Count something that was dropped."""
        self.add_all({reason: count}, at)

    def add_all(self, counts: Mapping[str, int], at: float) -> None:
        """Count several reasons at once."""
        self._pending.update(counts)
        if self._flushed_at is None or at - self._flushed_at >= FLUSH_INTERVAL_S:
            self.flush(at)

    def flush(self, at: float) -> None:
        """Pass on what is pending."""
        pending, self._pending = self._pending, Counter()
        for reason, count in pending.items():
            if count:
                self._flushed_at = at
                self._emit(Drop(at, reason, count))
