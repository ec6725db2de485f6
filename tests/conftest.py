"""What every test may use."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from collectors.guard_start import guard_running
from collectors.process import Guard


@pytest.fixture
async def guard() -> AsyncIterator[Guard]:
    """A running guard; what it started is gone after the test."""
    async with guard_running() as running:
        yield running


@pytest.fixture(autouse=True)
def _state_folder(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keep recordings of tests out of the user's own folder."""
    monkeypatch.setenv("FLASHPOINT_STATE_DIR", str(tmp_path_factory.getbasetemp() / "state"))
