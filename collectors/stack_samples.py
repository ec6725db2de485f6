"""What was on the stacks of the server, a second at a time.

Times called `at`, `start` and `end` are seconds on the session's monotonic clock
(`CLOCK_MONOTONIC`). Every text in here has already passed `collectors.text.sanitise`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple


class FrameKind(StrEnum):
    """Where the code of a frame lives."""

    USER = "user"
    KERNEL = "kernel"
    JIT = "jit"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Frame:
    """One function in a stack."""

    symbol: str
    module: str
    kind: FrameKind


@dataclass(frozen=True, slots=True)
class Stack:
    """A call stack of one kind of thread."""

    process: str
    thread: str
    frames: tuple[int, ...]
    """Frame ids, the outermost caller first; empty where perf gave no stack."""
    caller_lost: bool = False
    """The unwinder lost the callers inside libc: hangs under a node that says so."""


class StackMeasure(StrEnum):
    """What is summed up in stacks."""

    ON_CPU = "on-cpu"
    """Where the target computes: samples, and the CPU time that they stand for."""
    OFF_CPU = "off-cpu"
    """Where it waits: how often, and the wall time of it."""


class StackCount(NamedTuple):
    """How often one stack was seen, and how much time that stands for."""

    samples: int
    period_ns: int


@dataclass(frozen=True, slots=True)
class StackBatch:
    """The stacks sampled within one second of the session's clock."""

    start: float
    """Time of the first sample."""
    end: float
    """Time of the last sample; `floor(start) == floor(end)`."""
    counts: Mapping[int, StackCount]
    """Stack id → count. Ids are unique for the whole session."""
    stacks: Mapping[int, Stack] = field(default_factory=dict)
    """Stacks first seen in this batch."""
    frames: Mapping[int, Frame] = field(default_factory=dict)
    """Frames first seen in this batch."""
    lost: int = 0
    """Samples the profiler says it lost."""
    rejected: Mapping[str, int] = field(default_factory=dict)
    """Records that could not be read, by reason."""
    measure: StackMeasure = StackMeasure.ON_CPU
    cut: Mapping[int, StackCount] = field(default_factory=dict)
    """Frame id → samples that had the frame and whose stack in `counts` lacks it, since there was
    no room for all of that; each sample counts once. Without stacks whose callers were lost."""
