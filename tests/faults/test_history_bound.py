"""A run that goes on and on with thousands of endpoints does not fill the memory."""

from __future__ import annotations

from typing import Final

import pytest

from tests.faults.conftest import Report
from tests.faults.watched_child import watched
from tui.model.thinning import HISTORY_BYTES

ENDPOINTS: Final = 5_500
MAX_MIB: Final = 300

pytestmark = pytest.mark.timeout(900)


async def test_an_hour_of_many_endpoints(report: Report, is_full: bool) -> None:
    """Old history is in steps, and each request is in one of them."""
    pushes = 3_600 if is_full else 300
    budget_mib = HISTORY_BYTES / (1 << 20)
    found = await watched("history_keeper", str(ENDPOINTS), str(pushes), within_s=60 + pushes / 5)
    told, late = found.told, found.told["late"]
    passed = (
        told["requests"] == told["observed"] == ENDPOINTS * pushes
        and told["endpoints"] == ENDPOINTS
        and told["of_endpoints"] == [pushes]
        and told["held_mib"] <= budget_mib
        and found.peak_mib <= MAX_MIB
    )
    p99_ms = late[-max(1, pushes // 100)] * 1e3
    report(
        f"{pushes} s in which {ENDPOINTS} endpoints change each second",
        tries=1,
        passed=int(passed),
        figure=f"{told['held_mib']:.0f} MiB of history, {found.peak_mib:.0f} MiB in all, the "
        f"loop held for {p99_ms:.0f} ms a second (p99), {late[-1] * 1e3:.0f} ms (worst)",
        target=f"exact, ≤ {budget_mib:.0f} MiB, ≤ {MAX_MIB} MiB",
    )
