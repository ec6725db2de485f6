"""Says how much there is room for, and how often a thing has to be seen to get some of it."""

from __future__ import annotations

from typing import Final

_STEPS: Final = 7
MOST_SEEN: Final = 1 << _STEPS
"""What is asked for at the very end."""


class Room:
    """What may still be given out, each once and for ever.

    Args:
        stacks: So many.
        nodes: Of the tree that they make.
        references: Frames of all of them together.
    """

    def __init__(self, stacks: int, nodes: int, references: int) -> None:
        self._most = stacks, nodes, references
        self._left = self._most

    def fits(self, nodes: int, references: int) -> bool:
        """Tell whether there is room for one more stack."""
        stacks_left, nodes_left, references_left = self._left
        return stacks_left > 0 and nodes <= nodes_left and references <= references_left

    def take(self, nodes: int, references: int) -> None:
        """Give room to a stack."""
        stacks_left, nodes_left, references_left = self._left
        self._left = stacks_left - 1, nodes_left - nodes, references_left - references

    def least_seen(self, free_ratio: float) -> int:
        """Return how often a stack has to be seen to be given room.

        Once until so much is given out; then twice and doubling, `MOST_SEEN` times at the end.
        """
        left_ratio = min(
            (left / most for left, most in zip(self._left, self._most, strict=True) if most),
            default=0.0,
        )
        taken = 1.0 - left_ratio
        if taken < free_ratio:
            return 1
        return 2 << min(int(_STEPS * (taken - free_ratio) / (1.0 - free_ratio)), _STEPS - 1)
