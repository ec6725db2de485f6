"""Folded stacks: a line a stack, for flamegraph.pl, inferno, speedscope and others.

The number is nanoseconds where samples have periods, as stackcollapse programs sum them up, else
samples. Frames of the kernel end in `_[k]`, those made at run time in `_[j]`, inlined in `_[i]`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from collectors.samples import Frame, FrameKind, StackCount
from collectors.stackfile.folded import INLINED_MODULE
from tui.export.stacks.counted import counted_stacks, has_periods, weight_of
from tui.model.stacks import StackTable

_SUFFIXES: Final = {FrameKind.KERNEL: "_[k]", FrameKind.JIT: "_[j]"}


def folded_lines(table: StackTable, counts: Mapping[int, StackCount]) -> Iterator[str]:
    """Yield the lines, sorted, equal stacks of several threads as one."""
    by_period = has_periods(counts)
    sums: dict[str, int] = {}
    for stack in counted_stacks(table, counts):
        text = ";".join(map(folded_name, stack.frames))
        sums[text] = sums.get(text, 0) + weight_of(stack.count, by_period=by_period)
    for text in sorted(sums):
        yield f"{text} {sums[text]}\n"


def folded_name(frame: Frame) -> str:
    """Return a frame's name without what would end it: `;` becomes `:`."""
    return annotated_name(frame).replace(";", ":")


def annotated_name(frame: Frame) -> str:
    """Return a frame's name with what it is at its end."""
    if frame.module == INLINED_MODULE:
        return f"{frame.symbol}_[i]"
    return frame.symbol + _SUFFIXES.get(frame.kind, "")
