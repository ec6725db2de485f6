"""Student's t against the printed tables."""

from __future__ import annotations

import pytest

from tui.model.student import two_sided_t


@pytest.mark.parametrize(
    ("freedom", "t"),
    # Pearson and Hartley, Biometrika Tables for Statisticians, table 12.
    [(1, 12.706), (2, 4.303), (3, 3.182), (4, 2.776), (9, 2.262), (10, 2.228), (120, 1.980)],
)
def test_it_is_that_of_the_tables(freedom: int, t: float) -> None:
    """To the digits that are printed."""
    assert two_sided_t(freedom) == pytest.approx(t, abs=0.0006)


def test_other_confidences() -> None:
    """From the same table."""
    assert two_sided_t(5, 0.99) == pytest.approx(4.032, abs=0.0006)
    assert two_sided_t(6, 0.9) == pytest.approx(1.943, abs=0.0006)


def test_one_value_says_nothing_of_deviations() -> None:
    """So there is no t."""
    with pytest.raises(ValueError, match="two values"):
        two_sided_t(0)
