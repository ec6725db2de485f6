from __future__ import annotations

from tui.model.runclock import RunClock


def test_nothing_is_known_before_the_load_begins() -> None:
    """No time passes, and none is over."""
    clock = RunClock(duration_s=0.1)
    assert clock.elapsed_s(100.0) is None
    assert not clock.is_over(100.0)
    assert clock.countdown_s(100.0) is None


def test_a_duration_counts_from_the_begin() -> None:
    """And ends with it, to the moment."""
    clock = RunClock(duration_s=5.0, started_at=10.0)
    assert [clock.is_over(at) for at in (10.0, 14.9, 15.0, 16.0)] == [False, False, True, True]
    assert not RunClock(started_at=10.0).is_over(1e9)


def test_an_ended_load_lasts_no_longer() -> None:
    """However long one looks at it."""
    clock = RunClock(started_at=10.0, ended_at=12.5)
    assert clock.elapsed_s(99.0) == 2.5


def test_a_stop_is_forced_when_its_grace_is_over() -> None:
    """The countdown tells when."""
    clock = RunClock(started_at=10.0, forced_at=20.0)
    assert clock.countdown_s(17.5) == 2.5
    assert [clock.must_be_forced(at) for at in (19.9, 20.0)] == [False, True]
