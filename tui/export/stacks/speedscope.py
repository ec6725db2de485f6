"""Speedscope's JSON: one sampled profile for each thread name.

Format: https://www.speedscope.app/file-format-schema.json
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from collectors.samples import Frame, StackCount
from tui.export.stacks.counted import counted_stacks, has_periods, weight_of
from tui.model.stacks import StackTable

SCHEMA: Final = "https://www.speedscope.app/file-format-schema.json"


def speedscope_json(
    table: StackTable, counts: Mapping[int, StackCount], name: str, exporter: str
) -> bytes:
    """Return the file.

    Args:
        table: Knows the stacks.
        counts: Stack id → count.
        name: What is shown as its title.
        exporter: Which program wrote it, with its version.
    """
    by_period = has_periods(counts)
    numbers: dict[Frame, int] = {}
    threads: dict[str, tuple[list[list[int]], list[int]]] = {}
    for stack in counted_stacks(table, counts):
        samples, weights = threads.setdefault(stack.thread, ([], []))
        samples.append([numbers.setdefault(frame, len(numbers)) for frame in stack.frames])
        weights.append(weight_of(stack.count, by_period=by_period))
    profiles: list[dict[str, Any]] = [
        {
            "type": "sampled",
            "name": thread or "all threads",
            "unit": "nanoseconds" if by_period else "none",
            "startValue": 0,
            "endValue": sum(weights),
            "samples": samples,
            "weights": weights,
        }
        for thread, (samples, weights) in sorted(threads.items())
    ]
    frames = [_frame(frame) for frame in numbers]
    return msgspec.json.encode(
        {
            "$schema": SCHEMA,
            "name": name,
            "exporter": exporter,
            "shared": {"frames": frames},
            "profiles": profiles,
        }
    )


def _frame(frame: Frame) -> dict[str, str]:
    return {"name": frame.symbol, **({"file": frame.module} if frame.module else {})}
