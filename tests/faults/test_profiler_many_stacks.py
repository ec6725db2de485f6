"""A target of which no two stacks are alike neither fills the memory nor loses a sample.

And the functions that are most of it stay so, by self and by total, whatever the stacks are: what a
stack lacks for which there is no room is counted by function.
"""

from __future__ import annotations

from typing import Final

import pytest

from collectors.perf.interner import MAX_NODES
from tests.faults.conftest import Report
from tests.faults.watched_child import watched

MAX_MIB: Final = 300
MAX_OFF: Final = 1.0
"""Percentage points of all samples, of each of the 100 functions that are most of it."""
PERIOD_NS: Final = 10_101_010

pytestmark = pytest.mark.timeout(1200)


@pytest.mark.parametrize(
    ("kind", "depth", "full", "short", "bounded"),
    [
        ("alike", 4, 2_000_000, 20_000, ("self", "total")),
        ("alike", 127, 2_000_000, 15_000, ("self", "total")),
        ("alike", 1024, 100_000, 1_500, ("self", "total")),
        ("descent", 127, 2_000_000, 15_000, ("self", "total")),
        ("descent", 1024, 100_000, 1_500, ("self", "total")),
        ("leaves", 4, 2_000_000, 70_000, ("self", "total")),
        ("leaves", 127, 2_000_000, 15_000, ("self", "total")),
        ("leaves", 1024, 100_000, 1_500, ("self", "total")),
        ("late", 4, 2_000_000, 70_000, ("self", "total", "late", "again")),
        ("late", 127, 2_000_000, 15_000, ("self", "total", "late", "again")),
    ],
)
async def test_samples_stay_exact(
    report: Report,
    is_full: bool,
    kind: str,
    depth: int,
    full: int,
    short: int,
    bounded: tuple[str, ...],
) -> None:
    """What has no room of its own stands under a node that says so; the sum is exact."""
    stacks = full if is_full else short
    known_s = 0 if kind == "alike" else stacks / 1e4  # the others take time to be made up
    found = await watched(
        "stack_watcher", kind, str(stacks), str(depth), within_s=30 + stacks * depth / 3e5 + known_s
    )
    told = found.told
    errors = told["errors"]
    passed = (
        told["samples"] == told["printed"] == stacks
        and told["period_ns"] == stacks * PERIOD_NS
        and not told["drops"]
        and told["nodes"] <= MAX_NODES + 1
        and found.peak_mib <= MAX_MIB
        and all(errors[name] <= MAX_OFF for name in bounded)
    )
    report(
        f"{stacks} distinct stacks ({kind}) of depth {depth}",
        tries=1,
        passed=int(passed),
        figure=f"{told['samples']} samples, {told['pruned']} of them in (other stacks), "
        f"{told['nodes']} nodes, {found.peak_mib:.0f} MiB, "
        f"self off by {errors['self']:.2f} %, total by {errors['total']:.2f} %",
        target=f"exact, ≤ {MAX_NODES} nodes, ≤ {MAX_MIB} MiB, "
        f"{' and '.join(bounded)} off by ≤ {MAX_OFF:.0f} %",
    )
