"""CPU time per request: puts stacks and requests of a window on the same number of seconds.

Stacks are kept by whole seconds of the clock, requests by k6's pushes; neither ends exactly where
the window does. Each is therefore taken as a rate over the time that it really covers; in old
history that is whole steps, of both.
"""

from __future__ import annotations

import math

from collectors.samples import StackMeasure
from tui.model.load import LoadRange
from tui.model.timeline import Timeline, TimeRange

STACK_DELAY_S = 0.5
"""A stack is seen at the latest this long after it was taken, while the target is busy."""


def stack_seconds(
    timeline: Timeline, window: TimeRange, measure: StackMeasure = StackMeasure.ON_CPU
) -> float:
    """Return how much time the stacks of a window cover."""
    window = timeline.counted(window)
    seen = timeline.stacked(measure) or TimeRange(window.end, window.end)
    start = max(float(math.ceil(window.start)), seen.start)
    end = min(window.end, max(seen.end, window.end - STACK_DELAY_S))
    return max(0.0, end - start)


def matched_requests(
    timeline: Timeline,
    window: TimeRange,
    load: LoadRange,
    measure: StackMeasure = StackMeasure.ON_CPU,
) -> int | None:
    """Return how many requests were completed in the time that the window's stacks cover.

    None where there is no load to speak of.
    """
    if load.rps is None:
        return None
    return round(load.rps * stack_seconds(timeline, window, measure)) or None
