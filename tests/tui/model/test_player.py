"""The position of a replay: where it is at any moment of a clock that tests move."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tui.model.player import SPEEDS, Player

PLAYER = Player(start=100.0, end=200.0, position=100.0, as_of=5.0)
times = st.floats(0, 1e6)


def test_it_moves_with_the_clock_up_to_its_end() -> None:
    """A second a second; at the end it waits."""
    assert [PLAYER.at(now) for now in (5.0, 6.5, 105.0, 999.0)] == [100.0, 101.5, 200.0, 200.0]


def test_a_speed_changes_what_comes_and_not_where_it_is() -> None:
    """Also the second change; neither end of the speeds is passed."""
    fast = PLAYER.faster(2, 15.0)
    assert (fast.speed, fast.at(15.0), fast.at(17.0)) == (4.0, 110.0, 118.0)
    slow = fast.faster(-4, 17.0)
    assert (slow.speed, slow.at(17.0), slow.at(21.0)) == (0.25, 118.0, 119.0)
    assert PLAYER.faster(99, 5.0).speed == SPEEDS[-1]
    assert PLAYER.faster(-99, 5.0).speed == SPEEDS[0]


def test_standing_still_it_stays_where_it_was() -> None:
    """And goes on from there, however long that took."""
    still = PLAYER.toggled(15.0)
    assert not still.is_playing
    assert still.at(999.0) == 110.0
    assert still.toggled(1_000.0).at(1_003.0) == 113.0
    assert still.faster(1, 20.0).at(999.0) == 110.0


def test_at_its_end_it_begins_again() -> None:
    """Standing still there, the next one plays from the start."""
    again = PLAYER.moved(200.0, 10.0).toggled(10.0).toggled(11.0)
    assert again.is_playing
    assert again.at(12.0) == 101.0


@given(times, times)
def test_it_never_leaves_its_ends(position: float, now: float) -> None:
    """Wherever it is sent."""
    assert 100.0 <= PLAYER.moved(position, now).at(now) <= 200.0


@given(st.floats(0, 300), st.floats(0, 50), st.sampled_from(SPEEDS))
def test_a_recording_found_to_be_longer_moves_nothing(
    end: float, passed: float, speed: float
) -> None:
    """It is where it was at that moment; its end never comes nearer."""
    now = 5.0 + passed
    before = Player(100.0, 200.0, 100.0, 5.0, speed)
    after = before.lasting(end, now)
    assert after.at(now) == before.at(now)
    assert after.end == max(200.0, end)


def test_at_an_end_that_was_not_the_last_it_goes_on_from_there() -> None:
    """Time in which nothing was known is not made up for by a jump."""
    waited = PLAYER.at(205.0)
    longer = PLAYER.lasting(300.0, 205.0)
    assert (waited, longer.at(205.0), longer.at(207.0)) == (200.0, 200.0, 202.0)
