"""How much is kept, unless told otherwise; apart, so that a command line can tell it at once."""

from __future__ import annotations

from typing import Final

KEPT: Final = 50
"""Recordings that have no name of their own and no note."""
MAX_BYTES: Final = 4 << 30
"""Of one recording."""
