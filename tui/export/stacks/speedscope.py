"""Speedscope's JSON: one sampled profile for each thread name.

Names tell kinds like those of folded stacks: `sys_read_[k]` is a function of the kernel.

Format: https://www.speedscope.app/file-format-schema.json
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from collectors.samples import Frame, StackCount
from tui.export.stacks.counted import counted_stacks, has_periods, weight_of
from tui.export.stacks.folded import annotated_name
from tui.model.stacks import StackTable

SCHEMA: Final = "https://www.speedscope.app/file-format-schema.json"


def speedscope_json(
    table: StackTable,
    counts: Mapping[int, StackCount],
    name: str,
    exporter: str,
    event: str | None = None,
) -> bytes:
    """Return the file.

    Args:
        table: Knows the stacks.
        counts: Stack id → count.
        name: What is shown as its title.
        exporter: Which program wrote it, with its version.
        event: What periods count where that is not nanoseconds.
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
            "unit": "nanoseconds" if by_period and event is None else "none",
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
    name = annotated_name(frame)
    return {"name": name, **({"file": frame.module} if frame.module else {})}
