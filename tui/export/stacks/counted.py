"""The stacks of a range as writers need them: frames in full, and one weight."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from collectors.samples import Frame, StackCount
from tui.model.stacks import StackTable


@dataclass(frozen=True, slots=True)
class CountedStack:
    """One stack and how much of it there was."""

    frames: tuple[Frame, ...]
    """The outermost caller first, with the nodes that stand for gaps."""
    thread: str
    count: StackCount


def counted_stacks(table: StackTable, counts: Mapping[int, StackCount]) -> Iterator[CountedStack]:
    """Yield the stacks of a range, those seen first first."""
    for stack_id in sorted(counts):
        stack = table.stack(stack_id)
        yield CountedStack(
            table.frames_of(stack_id), stack.thread if stack else "", counts[stack_id]
        )


def has_periods(counts: Mapping[int, StackCount]) -> bool:
    """Tell whether stacks weigh the time that they stand for, and not their number."""
    return any(count.period_ns for count in counts.values())


def weight_of(count: StackCount, *, by_period: bool) -> int:
    """Return what a stack weighs: nanoseconds, or samples."""
    return count.period_ns if by_period else count.samples
