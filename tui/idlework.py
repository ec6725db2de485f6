"""What may wait until nothing else is to be done: old history is merged a millisecond at a time."""

from __future__ import annotations

import asyncio
from typing import Final

from tui.model.timeline import Timeline

GIVE_WAY_S: Final = 0.01
"""Between two parts of what is to be merged: the screen and the sources come first."""
IDLE_S: Final = 0.25


async def thin(timeline: Timeline) -> None:
    """Merge what a timeline has too much of, until cancelled."""
    while True:
        pause_s = GIVE_WAY_S if timeline.thin() else IDLE_S
        await asyncio.sleep(pause_s)
