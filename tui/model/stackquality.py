"""How far the stacks of a range can be trusted, and what is most wrong with them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from weakref import WeakKeyDictionary

from collectors.samples import Frame, FrameKind, StackCount
from tui.model.stacks import CALLER_LOST_FRAME, ROOT_NODE, StackTable

ENOUGH_SAMPLES: Final = 100
SHALLOW_DEPTH: Final = 2
MANY_BROKEN_RATIO: Final = 0.5
MANY_UNKNOWN_RATIO: Final = 0.2
MANY_LOST_RATIO: Final = 0.02

_STARTS = re.compile(
    r"_?start|start_thread|(__)?clone[23]?(_internal)?|(__)?libc_start_\w+|_dl_start\w*"
    r"|runtime\.(goexit|mstart|mcall|rt0_go|systemstack|morestack)(\.abi0)?|_?main|thread_start"
    r"|py::.*|<module>.*|(Thread\.)?_bootstrap\b.*|JavaCalls::call_helper|.*Builtins_JSEntry.*|\(root\)"
)
_LIBC = re.compile(r"(libc|libpthread|ld)[.-](.*\.)?so(\.\d+)*( \(deleted\))?")


_SEEN: Final[WeakKeyDictionary[StackTable, dict[int, tuple[int, bool, bool, bool]]]] = (
    WeakKeyDictionary()
)
"""What `_look` found: where a table's stacks end never changes, so each is looked at once."""


class QualityVerdict(StrEnum):
    """What is most wrong with the stacks of a range."""

    GOOD = "good"
    TOO_FEW = "too few"
    """Under 100 samples: shares jump from one refresh to the next."""
    LOSSY = "lossy"
    """The profiler could not keep up."""
    NO_FRAME_POINTERS = "no frame pointers"
    """Stacks end after a frame or two, or in the middle of the program."""
    NO_SYMBOLS = "no symbols"
    """Many leaves have no name."""


@dataclass(frozen=True, slots=True)
class StackQuality:
    """The figures behind the verdict; ratios are shares of the samples."""

    samples: int
    lost: int
    """Samples that the profiler says it lost, of the whole run."""
    unknown_ratio: float
    """The leaf has no symbol."""
    caller_lost_ratio: float
    """The chain of callers was lost in libc."""
    broken_root_ratio: float
    """The outermost frame is none that starts a thread or a process."""
    median_depth: int
    """User frames of a stack."""

    @property
    def verdict(self) -> QualityVerdict:
        """What is most wrong."""
        if self.samples < ENOUGH_SAMPLES:
            return QualityVerdict.TOO_FEW
        if self.lost > MANY_LOST_RATIO * self.samples:
            return QualityVerdict.LOSSY
        # Stacks that libc cut short tell nothing of how the program was built.
        rooted_ratio = 1 - self.caller_lost_ratio
        broken_ratio = self.broken_root_ratio - self.caller_lost_ratio
        is_shallow = self.median_depth <= SHALLOW_DEPTH
        if is_shallow and broken_ratio > MANY_BROKEN_RATIO * rooted_ratio:
            return QualityVerdict.NO_FRAME_POINTERS
        if self.unknown_ratio > MANY_UNKNOWN_RATIO:
            return QualityVerdict.NO_SYMBOLS
        return QualityVerdict.GOOD


def stack_quality(
    table: StackTable, counts: Mapping[int, StackCount], lost: int = 0
) -> StackQuality:
    """Look at the stacks of a range.

    Args:
        table: Knows the stacks.
        counts: Stack id → count.
        lost: Samples that the profiler says it lost.
    """
    samples = unknown = caller_lost = broken = 0
    depths: dict[int, int] = {}
    seen = _SEEN.setdefault(table, {})
    for stack_id, count in counts.items():
        leaf = table.leaf(stack_id)
        looked = seen.get(leaf)
        if looked is None:
            looked = seen[leaf] = _look(table, leaf)
        depth, is_unknown, is_lost, is_broken = looked
        samples += count.samples
        unknown += count.samples * is_unknown
        caller_lost += count.samples * is_lost
        broken += count.samples * is_broken
        depths[depth] = depths.get(depth, 0) + count.samples
    whole = samples or 1
    return StackQuality(
        samples=samples,
        lost=lost,
        unknown_ratio=unknown / whole,
        caller_lost_ratio=caller_lost / whole,
        broken_root_ratio=broken / whole,
        median_depth=_median(depths, samples),
    )


def _look(table: StackTable, leaf: int) -> tuple[int, bool, bool, bool]:
    """Return user frames, and whether the leaf is unknown, callers are lost, the root is broken."""
    depth = 0
    outermost: Frame | None = None
    is_unknown = table.node_frames[leaf].kind is FrameKind.UNKNOWN
    is_lost = False
    node = leaf
    while node != ROOT_NODE:
        frame = table.node_frames[node]
        if frame is CALLER_LOST_FRAME:
            is_lost = True
        elif frame.kind is not FrameKind.KERNEL:
            depth += 1
            outermost = frame
        node = table.parents[node]
    # A kernel thread, or an interrupt of something without user code, has no root to break.
    is_broken = outermost is not None and (is_lost or not _is_start(outermost))
    return depth, is_unknown, is_lost, is_broken


def _is_start(frame: Frame) -> bool:
    # A stripped libc has no name for its thread start; where it lost callers is told apart.
    if frame.kind is FrameKind.UNKNOWN:
        return _LIBC.fullmatch(frame.module) is not None
    return _STARTS.fullmatch(frame.symbol.partition("@")[0]) is not None


def _median(depths: Mapping[int, int], samples: int) -> int:
    passed = 0
    for depth in sorted(depths):
        passed += depths[depth]
        if 2 * passed >= samples:
            return depth
    return 0
