"""A script whose every request has a name of its own neither fills the memory nor loses a count."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from collectors.k6.stream import MAX_ENDPOINTS, MAX_NAMED
from tests.faults.conftest import Report
from tests.faults.watched_child import Watched, watched

MAX_MIB: Final = 300
A_PUSH: Final = 5_000
"""Unique requests in one push: 45 000 series."""

pytestmark = pytest.mark.timeout(1200)


async def bombed(folder: Path, bomb: str, many: int) -> Watched:
    """Let a process watch so many requests, each unique in a way."""
    script = folder / "script.js"
    script.write_text("// not run\n")
    arguments = (str(script), bomb, str(many), str(A_PUSH), "1", "0")
    return await watched("load_watcher", *arguments, within_s=60 + many / 500)


async def test_a_million_urls(tmp_path: Path, report: Report, is_full: bool) -> None:
    """Totals stay exact, ten thousand endpoints have names, and the rest is one that is told of."""
    many = 1_000_000 if is_full else 40_000
    found = await bombed(tmp_path, "url", many)
    told = found.told
    passed = (
        told["requests"]["http"] == told["observed"] == many
        and told["endpoints"] <= MAX_ENDPOINTS
        and told["other"] == many - told["endpoints"]
        and any("`name` tag" in hint for hint in told["hints"])
        and told["drops"]["endpoints_over_limit"] == told["other"]
        and found.peak_mib <= MAX_MIB
    )
    report(
        f"{many} unique URLs in pushes of {A_PUSH * 9} series",
        tries=1,
        passed=int(passed),
        figure=f"{told['requests']['http']} requests, {found.peak_mib:.0f} MiB",
        target=f"exact, {MAX_ENDPOINTS} endpoints and one more, ≤ {MAX_MIB} MiB, a hint",
    )


@pytest.mark.parametrize("bomb", ["group", "tag"])
async def test_unique_labels(tmp_path: Path, report: Report, is_full: bool, bomb: str) -> None:
    """Groups tell endpoints apart, other tags do not; either way no request is lost."""
    many = 1_000_000 if is_full else 15_000
    found = await bombed(tmp_path, bomb, many)
    told = found.told
    passed = (
        told["requests"]["http"] == told["observed"] == many
        and told["endpoints"] <= MAX_ENDPOINTS
        and "stream_series_over_limit" not in told["drops"]
        and found.peak_mib <= MAX_MIB
    )
    report(
        f"{many} unique {bomb}s",
        tries=1,
        passed=int(passed),
        figure=f"{told['requests']['http']} requests, {found.peak_mib:.0f} MiB",
        target=f"exact, ≤ {MAX_MIB} MiB",
    )


@pytest.mark.parametrize(
    ("bomb", "reason"), [("check", "checks_over_limit"), ("metric", "metrics_over_limit")]
)
async def test_unique_names(
    tmp_path: Path, report: Report, is_full: bool, bomb: str, reason: str
) -> None:
    """A thousand checks or metrics are kept, every other one is counted."""
    many = 1_000_000 if is_full else 15_000
    found = await bombed(tmp_path, bomb, many)
    told = found.told
    passed = (
        told["requests"]["iteration"] == many
        and told["drops"] == {reason: many - MAX_NAMED}
        and found.peak_mib <= MAX_MIB
    )
    report(
        f"{many} unique {bomb}s",
        tries=1,
        passed=int(passed),
        figure=f"{told['drops'].get(reason, 0)} counted as left out, {found.peak_mib:.0f} MiB",
        target=f"all but {MAX_NAMED} counted, ≤ {MAX_MIB} MiB",
    )
