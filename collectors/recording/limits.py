"""How much is kept, unless told otherwise, and how much can be.

Apart, so that a command line can tell it at once.
"""

from __future__ import annotations

from typing import Final

KEPT: Final = 50
"""Recordings that have no name of their own and no note."""
MAX_BYTES: Final = 4 << 30
"""Of one recording."""
MAX_COUNT: Final = 1 << 62
"""Of anything that is counted: what is read and is more was never counted."""
