"""Samples that wait for the disk, bounded in bytes; what does not fit is counted."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final

from collectors.recording.codec import MAX_SAMPLE_BYTES, MAX_SAMPLES

CHUNK_BYTES: Final = 4 << 20
"""Of samples that are written as one chunk; more than that only if it is a single one."""


@dataclass(frozen=True, slots=True)
class Packed:
    """A sample that is not on the disk yet."""

    at: float
    content: bytes


class Waiting:
    """A queue that one thread fills and another one empties; neither waits long for the other.

    Args:
        max_bytes: Of all that is in it.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._queue: deque[Packed] = deque()
        self._bytes = 0
        self._dropped: Counter[str] = Counter()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Samples that wait."""
        return len(self._queue)

    def add(self, packed: Packed) -> None:
        """Have a sample wait, or drop it where there is no room."""
        length = len(packed.content)
        with self._lock:
            if length > MAX_SAMPLE_BYTES:
                self._dropped["recording_sample_too_large"] += 1
            elif self._bytes + length > self._max_bytes:
                self._dropped["recording_queue_full"] += 1
            else:
                self._queue.append(packed)
                self._bytes += length

    def drop(self, reason: str) -> None:
        """Count a sample that could not even be packed."""
        with self._lock:
            self._dropped[reason] += 1

    def first(self) -> list[Packed]:
        """Return the oldest ones, as many as one chunk takes; they go on waiting."""
        with self._lock:
            oldest = list(islice(self._queue, MAX_SAMPLES))
        total = 0
        for count, packed in enumerate(oldest):
            total += len(packed.content)
            if count and total > CHUNK_BYTES:
                return oldest[:count]
        return oldest

    def written(self, count: int) -> None:
        """Let the oldest ones go."""
        with self._lock:
            for _ in range(count):
                self._bytes -= len(self._queue.popleft().content)

    def take_dropped(self) -> Mapping[str, int]:
        """Return what was dropped since this was asked last, by reason."""
        with self._lock:
            dropped, self._dropped = self._dropped, Counter()
        return dropped
