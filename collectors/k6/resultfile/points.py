"""One point of a result file, as the decoders hand it on, and why one can't be used."""

from __future__ import annotations

from typing import Final, TypeAlias

Point: TypeAlias = tuple[str, int, float, str]
"""Metric, second of Unix time in which it was taken, value, and its tags as the file spells them.

A plain tuple: a file holds millions. Equal spellings of tags mean equal tags, so they are read
once for all the points that share them.
"""

MAX_VALUE: Final = 2.0**63
"""Larger values are none that k6 measured, and would make sums overflow."""

CUT_OFF: Final = "last_line_cut_off"


class BadPoint(Exception):
    """A line, or the point in it, can't be used; `reason` is stable and short."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
