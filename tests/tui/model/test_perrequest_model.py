from __future__ import annotations

import pytest

from collectors.samples import RequestKind
from tests.builders import batch, load
from tui.model.load import summarise
from tui.model.perrequest import matched_requests, stack_seconds
from tui.model.timeline import Timeline, TimeRange


def recorded(*moments: float) -> Timeline:
    """Return a timeline with stacks at these moments."""
    timeline = Timeline(100.0)
    for at in moments:
        timeline.append(batch(at, 50))
    return timeline


@pytest.mark.parametrize(
    ("moments", "window", "seconds"),
    [
        # Stacks count from the first whole second on.
        ((101.0, 102.0, 103.5), TimeRange(100.5, 103.6), 2.5),
        # An idle server gives no stacks; half a second without one is silence.
        ((101.0, 102.0), TimeRange(100.5, 110.0), 8.5),
        # The profiler was attached later than the window begins.
        ((105.25, 106.0), TimeRange(100.5, 106.0), 0.75),
        ((), TimeRange(100.5, 103.6), 0.0),
        ((101.0,), TimeRange(103.2, 103.6), 0.0),
    ],
)
def test_stacks_cover_the_seconds_in_which_they_were_taken(
    moments: tuple[float, ...], window: TimeRange, seconds: float
) -> None:
    """From the first second that counts to the newest stack, or nearly the window's end."""
    assert stack_seconds(recorded(*moments), window) == pytest.approx(seconds)


def test_requests_are_matched_to_the_seconds_of_the_stacks() -> None:
    """Stacks of two and a half seconds at 100 requests a second are those of 250 requests."""
    timeline = recorded(101.0, 102.0, 103.0, 103.5)
    for second in (101, 102, 103):
        timeline.append(load(float(second), 100))
    window = TimeRange(100.5, 103.6)
    summed = summarise(timeline.loads_in(window), RequestKind.HTTP)
    assert matched_requests(timeline, window, summed) == 250


def test_without_requests_there_is_no_cost_of_one() -> None:
    """None, so that nobody divides by it."""
    timeline, window = recorded(101.0, 103.0), TimeRange(100.5, 103.6)
    assert matched_requests(timeline, window, summarise([], RequestKind.HTTP)) is None
    idle = summarise([load(103.0, 0)], RequestKind.HTTP)
    assert matched_requests(timeline, window, idle) is None
