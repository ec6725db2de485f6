"""What is said of the quality of stacks, and the line that mends it."""

from __future__ import annotations

from typing import Final

from tui.model.stackquality import QualityVerdict, StackQuality
from tui.views.format import percent

REMEDIES: Final = {
    QualityVerdict.GOOD: "",
    QualityVerdict.TOO_FEW: "",
    QualityVerdict.LOSSY: "sample less often: --perf-frequency 49",
    QualityVerdict.NO_FRAME_POINTERS: (
        "build with frame pointers: RUSTFLAGS='-C force-frame-pointers=yes', "
        "-fno-omit-frame-pointer for C and C++; or use --call-graph dwarf"
    ),
    QualityVerdict.NO_SYMBOLS: (
        "build with symbols: debug = 1, strip = false in Rust's release profile; -g for C and C++"
    ),
}


def quality_text(quality: StackQuality) -> str:
    """The meter in a few words, for the line above a flamegraph; only what is worth knowing."""
    parts = []
    if quality.verdict is QualityVerdict.TOO_FEW:
        parts.append("too few samples")
    if quality.unknown_ratio:
        parts.append(f"unknown {percent(quality.unknown_ratio)}")
    if quality.caller_lost_ratio:
        parts.append(f"caller lost {percent(quality.caller_lost_ratio)}")
    broken = quality.broken_root_ratio - quality.caller_lost_ratio
    if broken > 0.01:
        parts.append(f"broken roots {percent(broken)}")
    if quality.samples:
        parts.append(f"depth {quality.median_depth}")
    return " · ".join(parts)


def remedy_text(quality: StackQuality) -> str:
    """What to do about stacks that can't be trusted; empty where they can."""
    return REMEDIES[quality.verdict] if quality.samples else ""
