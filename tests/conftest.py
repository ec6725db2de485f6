"""What every test may use."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from collectors.process import Guard, guard_running


@pytest.fixture
async def guard() -> AsyncIterator[Guard]:
    """A running guard; what it started is gone after the test."""
    async with guard_running() as running:
        yield running
