"""Fifty thousand changed series each second: nothing is lost, and the screen's loop goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from tests.faults.conftest import Report
from tests.faults.watched_child import watched

REQUESTS: Final = 5_556
"""Each of nine series."""
MAX_STALL_S: Final = 0.5

pytestmark = [pytest.mark.alone, pytest.mark.timeout(300)]


async def test_nothing_of_a_flood_is_lost(tmp_path: Path, report: Report, is_full: bool) -> None:
    """The loop's stalls are a figure everywhere, and bounded where the machine is for itself."""
    pushes = 60 if is_full else 6
    script = tmp_path / "script.js"
    script.write_text("// not run\n")
    arguments = (str(script), "flood", str(REQUESTS), str(REQUESTS), str(pushes), "1")
    found = await watched("load_watcher", *arguments, within_s=60 + 3 * pushes)
    told, late = found.told, found.told["late"]
    sent = REQUESTS * pushes
    is_exact = told["requests"] == {"http": sent, "iteration": sent} and told["observed"] == sent
    passed = is_exact and not told["drops"] and (late[-1] <= MAX_STALL_S or not is_full)
    p99_ms, worst_ms = late[int(0.99 * len(late))] * 1e3, late[-1] * 1e3
    report(
        f"{REQUESTS * 9} changed series a push, {pushes} pushes, one a second",
        tries=1,
        passed=int(passed),
        figure=f"{sent - told['requests']['http']} lost, loop late by {p99_ms:.0f} ms (p99), "
        f"{worst_ms:.0f} ms (worst), {found.peak_mib:.0f} MiB",
        target=f"0 lost, ≤ {MAX_STALL_S * 1e3:.0f} ms",
    )
