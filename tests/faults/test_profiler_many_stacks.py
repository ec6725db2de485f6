"""A target of which no two stacks are alike neither fills the memory nor loses a sample."""

from __future__ import annotations

from typing import Final

import pytest

from collectors.perf.interner import MAX_NODES
from tests.faults.conftest import Report
from tests.faults.watched_child import watched

MAX_MIB: Final = 300
PERIOD_NS: Final = 10_101_010

pytestmark = pytest.mark.timeout(1200)


@pytest.mark.parametrize(
    ("depth", "full", "short"),
    [(4, 2_000_000, 20_000), (127, 2_000_000, 15_000), (1024, 100_000, 1_500)],
)
async def test_samples_stay_exact(
    report: Report, is_full: bool, depth: int, full: int, short: int
) -> None:
    """What has no room of its own stands under a node that says so; the sum is exact."""
    stacks = full if is_full else short
    found = await watched(
        "stack_watcher", str(stacks), str(depth), within_s=30 + stacks * depth / 3e5
    )
    told = found.told
    passed = (
        told["samples"] == told["printed"] == stacks
        and told["period_ns"] == stacks * PERIOD_NS
        and not told["drops"]
        and told["nodes"] <= MAX_NODES + 1
        and found.peak_mib <= MAX_MIB
    )
    report(
        f"{stacks} distinct stacks of depth {depth}",
        tries=1,
        passed=int(passed),
        figure=f"{told['samples']} samples, {told['pruned']} of them in (other stacks), "
        f"{told['nodes']} nodes, {found.peak_mib:.0f} MiB",
        target=f"exact, ≤ {MAX_NODES} nodes, ≤ {MAX_MIB} MiB",
    )
