"""What the headline says of a load that the operator moves."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.course import CourseUnit
from collectors.samples import SourceState, SourceStatus
from tests.builders import facts, texts
from tui.model.phase import LoadAim, Phase, RunFacts
from tui.model.timeline import Timeline
from tui.views.format import cell_width
from tui.views.status import build_status, draw_line

VUS, REQUESTS, ITERATIONS = CourseUnit.VUS, CourseUnit.REQUESTS, CourseUnit.ITERATIONS


def aim(
    unit: CourseUnit,
    wanted: float,
    ramp: tuple[float, float] | None = None,
    *,
    paused: bool = False,
    ceiling: float | None = 50.0,
) -> LoadAim:
    """Return a wish; a ramp is where it leads and how long it takes yet."""
    to, left_s = ramp if ramp is not None else (None, None)
    level = 0.0 if paused else wanted
    return LoadAim(unit, level, paused, wanted, to, left_s, ceiling if unit is VUS else None)


def steered(wish: LoadAim, phase: Phase = Phase.RUNNING, vus: int = 12) -> RunFacts:
    """Return a run that follows a wish."""
    return replace(facts(phase), vus=vus, vus_max=50, control="secret gate", aim=wish)


def headline(run: RunFacts, width: int = 200) -> str:
    """Return the headline as it is drawn."""
    line = build_status(Timeline(0.0), run, None).headline
    (row,) = texts(draw_line(line, width, 1))
    return row


@pytest.mark.parametrize(
    ("wish", "vus", "said"),
    [
        (aim(VUS, 20.0), 12, "12 of 20 VUs"),
        (aim(VUS, 20.0), 20, "20 of 20 VUs"),
        (aim(VUS, 20.4, (200.0, 17.3), ceiling=200.0), 12, "12 → 200 VUs in 18 s"),
        (aim(VUS, 20.4, (1.0, 125.0)), 21, "21 → 1 VUs in 2:05"),
        (aim(VUS, 20.0, (20.0, 9.0)), 12, "12 of 20 VUs"),
        (aim(VUS, 50.0), 50, "50 VUs, the ceiling (--max-vus)"),
        (aim(VUS, 50.0), 48, "48 of 50 VUs, the ceiling (--max-vus)"),
        (aim(VUS, 50.0, (10.0, 5.0)), 50, "50 → 10 VUs in 5 s"),
        (aim(VUS, 20.0, paused=True), 3, "3 VUs, 20 on resume"),
        (aim(REQUESTS, 500.0), 12, "500 requests/s wanted"),
        (aim(REQUESTS, 512.7, (1500.0, 17.3)), 12, "513 → 1500 requests/s in 18 s"),
        (aim(REQUESTS, 500.0, paused=True), 0, "500 requests/s on resume"),
        (aim(ITERATIONS, 2.5), 12, "2.50 iterations/s wanted"),
        (aim(REQUESTS, 0.0), 0, "0 requests/s wanted"),
    ],
)
def test_what_is_wanted_stands_in_the_headline(wish: LoadAim, vus: int, said: str) -> None:
    """In VUs beside what runs; whole on 80 columns, and the way of control at the end."""
    row = headline(steered(wish, vus=vus))
    assert f" · 1:23 · {said} · x.js · → server (pid 1) · k6 1.1.0 secret gate " in row
    assert f" · {said} · x.js · " in headline(steered(wish, vus=vus), 80)


def test_a_pause_is_seen_at_once() -> None:
    """As a phase of its own, but not while k6 starts or stops."""
    wish = aim(VUS, 20.0, paused=True)
    line = build_status(Timeline(0.0), steered(wish), None).headline
    assert line.segments[0] == ("❚❚ paused", "status-warn")
    assert headline(steered(wish, Phase.STARTING)).startswith(" ◌ starting · ")
    assert " ◍ stopping · 1:23 · 12 VUs · x.js" in headline(steered(wish, Phase.STOPPING))
    assert " ■ stopped · 1:23 · x.js" in headline(steered(wish, Phase.STOPPED))


REASON = "x.js is an archive of k6: its load can't be changed"


def test_why_nobody_moves_the_load_is_said_once() -> None:
    """Shortened in the headline; the health line has one word for it."""
    run = replace(facts(), no_control_reason=REASON)
    timeline = Timeline(0.0)
    timeline.append(SourceStatus(1.0, "k6", SourceState.LIVE, ""))
    timeline.append(SourceStatus(1.0, "target", SourceState.LIVE, ""))
    timeline.append(SourceStatus(1.0, "control", SourceState.DEGRADED, REASON))
    view = build_status(timeline, run, None)
    assert ("x.js is an archive of k6: its load can'…", "status-warn") in view.headline.segments
    health = "".join(text for text, _ in view.health.segments)
    assert health == "k6 ✓ · control off · target ✓ · lost 0 · dropped 0"
    assert "2/4 VUs · x.js · x.js is an archive of k6: its load" in headline(run, 80)


def test_a_lost_control_is_told_in_the_health_line() -> None:
    """Right after k6."""
    timeline = Timeline(0.0)
    timeline.append(SourceStatus(1.0, "control", SourceState.FAILED, "gone"))
    health = build_status(timeline, steered(aim(VUS, 2.0)), None).health
    assert health.segments[0] == ("control: gone", "status-bad")


@given(
    st.sampled_from(list(CourseUnit)),
    st.floats(0, 1e7),
    st.none() | st.tuples(st.floats(0, 1e7), st.floats(0, 1e5)),
    st.booleans(),
    st.integers(1, 200),
)
def test_the_headline_is_as_wide_as_asked(
    unit: CourseUnit, wanted: float, ramp: tuple[float, float] | None, paused: bool, width: int
) -> None:
    """Whatever is wanted."""
    wish = aim(unit, wanted, None if paused else ramp, paused=paused)
    assert cell_width(headline(steered(wish), width)) == width
