"""Where a replay is: a position that moves with the clock, at a speed, between two ends."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

SPEEDS: Final = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)


@dataclass(frozen=True, slots=True)
class Player:
    """Each operation returns another player; `now` is seconds on any steady clock."""

    start: float
    """On the recording's clock, as all positions."""
    end: float
    """Of what is known so far."""
    position: float
    as_of: float
    """When it was there, on the steady clock."""
    speed: float = 1.0
    is_playing: bool = True

    def at(self, now: float) -> float:
        """Return the position at a moment."""
        if not self.is_playing:
            return self.position
        return min(self.end, self.position + (now - self.as_of) * self.speed)

    def moved(self, position: float, now: float) -> Player:
        """Return the player at another position, no further than its ends."""
        return replace(self, position=max(self.start, min(position, self.end)), as_of=now)

    def toggled(self, now: float) -> Player:
        """Return the player that plays or pauses; at its end it plays from the start again."""
        position = self.at(now)
        if not self.is_playing and position >= self.end:
            position = self.start
        return replace(self, position=position, as_of=now, is_playing=not self.is_playing)

    def faster(self, steps: int, now: float) -> Player:
        """Return the player some speeds up, or down."""
        place = SPEEDS.index(self.speed) + steps
        speed = SPEEDS[max(0, min(place, len(SPEEDS) - 1))]
        return replace(self, position=self.at(now), as_of=now, speed=speed)

    def lasting(self, end: float, now: float) -> Player:
        """Return the player of a recording that was found to be longer."""
        return replace(self, position=self.at(now), as_of=now, end=max(end, self.end))
