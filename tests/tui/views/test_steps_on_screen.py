"""What the screen and the exports show of old history, which is in steps."""

from __future__ import annotations

from itertools import pairwise

import pytest

from collectors.samples import LoadSample, RequestKind, SourceState, SourceStatus
from tests.builders import facts
from tests.long_runs import long_run
from tests.tapes import BEGIN
from tui.export.series.seconds import seconds
from tui.model.lens import Lens
from tui.model.ranges import RangeChoice, RangeKind
from tui.model.series import rates
from tui.model.timeline import Timeline, TimeRange
from tui.views.flamepane import Subject, build_flame_pane
from tui.views.monitor import build_monitor
from tui.views.window import window_of

SECONDS = 700
NOW = BEGIN + SECONDS + 0.5


def recorded(budget_bytes: int | None) -> Timeline:
    """Return a run of some minutes."""
    timeline = Timeline(BEGIN, budget_bytes)
    for sample in long_run(SECONDS):
        timeline.append(sample)
    timeline.append(SourceStatus(BEGIN, "k6", SourceState.LIVE, ""))
    return timeline


FULL, THIN = recorded(None), recorded(1_000_000)


@pytest.mark.parametrize(
    ("choice", "text"),
    [
        (RangeChoice(RangeKind.LAST, 10.0), "last 10 s"),
        (RangeChoice(RangeKind.LAST, 30.0), "last 30 s · steps of 10 s before 11:19"),
        (RangeChoice(RangeKind.START), "since the start, 11:40 · steps of 600 s before 11:19"),
    ],
)
def test_the_range_tells_of_its_steps(choice: RangeChoice, text: str) -> None:
    """Where it reaches into them: how long they are, and until when, on the clock of the run."""
    window = window_of(choice, THIN, NOW)
    view = build_flame_pane(THIN, window, Lens(), Subject("cpu-clock", "none"))
    assert window.text == text
    assert view.graph.header.startswith(f"{text} · ")
    assert "steps" not in window_of(choice, FULL, NOW).text


def test_a_range_within_a_step_is_all_of_it() -> None:
    """What was picked, or stands still, becomes whole steps; moving it goes by seconds still."""
    choice = RangeChoice().pick(BEGIN + 130.0, BEGIN + 133.0, NOW)
    range_ = choice.range(THIN, NOW)
    assert range_ == THIN.widened(TimeRange(BEGIN + 130.0, BEGIN + 133.0))
    assert range_.duration_s >= 60.0
    moved = choice.moved(-1, THIN, NOW).moved(-1, THIN, NOW)
    assert moved.picked == TimeRange(BEGIN + 128.0, BEGIN + 131.0)
    view = build_monitor(THIN, facts(), window_of(choice, THIN, NOW))
    assert "before 11:19" not in view.status.headline.segments[-1][0]
    texts = [text for text, _ in view.status.headline.segments]
    assert any("❄" in text and "steps of" in text for text in texts), texts
    assert any(row for row in view.load.endpoints.rows)
    held = RangeChoice(held_at=BEGIN + 200.0).range(THIN, NOW)
    assert THIN.loads_in(held)
    assert held.end >= BEGIN + 200.0


def test_trends_have_a_level_over_each_step() -> None:
    """No gap, and the same number of requests as in detail."""
    choice = RangeChoice().pick(BEGIN + 300.0, BEGIN + 400.0, NOW)
    window = window_of(choice, THIN, NOW)
    view = build_monitor(THIN, facts(), window)
    for trend in (*view.load.trends[:2], *view.host.trends[:2]):
        values = trend.series[0].values
        assert all(value is not None for value in values[-50:-40]), trend.title
    steps = [each for each in THIN.loads if each.interval_s > 5]

    def per_s(sample: LoadSample) -> float:
        return sample.iterations / sample.interval_s

    for before, after in pairwise(steps):
        if before.instance == after.instance:
            assert after.at - after.interval_s == pytest.approx(before.at)
    buckets = window.buckets
    area = sum(value or 0.0 for value in rates(THIN.loads, buckets, per_s))
    detailed = sum(value or 0.0 for value in rates(FULL.loads, buckets, per_s))
    assert area == pytest.approx(detailed, rel=0.05)


def test_exported_seconds_have_a_step_where_it_ends() -> None:
    """All of it in one row, nothing in those before; the sums are those of the detail."""
    range_ = THIN.counted(TimeRange(BEGIN + 0.2, BEGIN + SECONDS + 1))
    rows, detailed = (list(seconds(each, range_)) for each in (THIN, FULL))
    assert len(rows) == len(detailed)
    for name in ("requests", "failed", "iterations"):
        sums = [sum(getattr(s.load, name) for s in each if s.load) for each in (rows, detailed)]
        assert sums[0] == sums[1]
    for name in ("samples", "samples_lost"):
        sums = [sum(getattr(s, name) or 0 for s in each) for each in (rows, detailed)]
        assert sums[0] == sums[1]
    empty = [row for row in rows if row.load is None and row.samples is None]
    assert len(empty) > SECONDS / 2
    for row in rows:
        if row.load is not None and row.load.covered_s > 5:
            assert row.samples
            assert row.hosts


def test_what_one_request_is_stays_known() -> None:
    """A kind that was seen hours ago only is seen in its step."""
    assert {t.kind for t in THIN.loads[0].traffic} == {RequestKind.HTTP, RequestKind.ITERATION}
