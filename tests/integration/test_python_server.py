"""A Python server, whose functions perf can't see."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.integration.program import flashpoint, read_summary

pytestmark = [pytest.mark.integration, pytest.mark.timeout(90)]


async def test_without_rustc_the_demo_is_a_python_server_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """py-spy finds the function that burns, and the profiler is named."""
    path = tmp_path / "s.json"
    finished = await flashpoint(
        *("demo", "--headless", "--duration", "6s", "--summary", str(path)),
        env={"PATH": "/usr/bin:/bin", "XDG_CACHE_HOME": str(tmp_path)},
    )
    assert finished.returncode == 0, finished.stderr
    if "no rustc" not in finished.stderr:
        pytest.skip("rustc is in /usr/bin")
    assert re.search(r"perf live: py-spy", finished.stderr)
    profile = read_summary(path)["profile"]
    assert profile["profiler"] == "py-spy"
    assert profile["samples"] > 50
    assert "mine_block" in [row["symbol"] for row in profile["top"][:3]]
