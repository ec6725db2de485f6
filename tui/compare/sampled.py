"""Costs that were sampled, with the number of samples that they are worth.

Samples are Poisson only while the server does the same all the time. Where it does not, a cost
varies more from second to second than samples have it by chance, and so many samples tell as much
as fewer would: as many as leave the cost as it is and make its Poisson interval that wide. Source:
Kish, Survey Sampling (1965), 8.1, for what clustering makes of a number.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from collectors.samples import Frame
from tui.export.series.measured import Measured
from tui.model.change import Change, sampled_change
from tui.model.estimate import batches, excess
from tui.model.load import traffic_of
from tui.model.timeline import Timeline


class Sampled(NamedTuple):
    """A cost per request."""

    samples: int
    scale_s: float
    """What one sample adds to the cost; above 0."""


def compare_costs(before: Sampled, after: Sampled) -> Change:
    """Compare two costs, seconds per request."""
    return sampled_change(*before, *after)


def worth(
    cost: Sampled, timeline: Timeline, found: Measured, is_meant: Callable[[Frame], bool]
) -> Sampled:
    """Return the same cost as if of as many samples as it is worth; never of more than there are.

    Args:
        cost: As it was measured.
        timeline: Where it is from.
        found: What was measured in the range.
        is_meant: Whether the cost is that of a stack that ends in this frame.
    """
    leaves: dict[int, bool] = {}
    pairs = []
    for batch in batches(timeline.loads_in(found.range)):
        range_ = timeline.range_of(batch)
        seconds = math.ceil(range_.end) - math.ceil(range_.start)
        if seconds <= 0:
            continue
        samples = 0
        for stack, count in timeline.stacks_in(range_).items():
            if stack not in leaves:
                leaves[stack] = is_meant(timeline.stacks.node_frames[timeline.stacks.leaf(stack)])
            samples += count.samples * leaves[stack]
        # Stacks are kept by whole seconds, pushes end when they like.
        covered_s = math.fsum(sample.interval_s for sample in batch)
        requests = sum(traffic_of(sample, found.kind).requests for sample in batch)
        pairs.append((samples / seconds * covered_s, float(requests)))
    number = max(1, round(cost.samples / excess(pairs))) if cost.samples else 0
    return Sampled(number, cost.scale_s * cost.samples / number) if number else cost
