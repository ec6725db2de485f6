"""What is looked at, moved by commands."""

from __future__ import annotations

import pytest

from collectors.course import Course, CourseUnit
from collectors.samples import Baseline, Frame, FrameKind, LoadTarget, Mark, MarkKind
from tests.builders import load
from tui.commands import COMMANDS, LOOKING
from tui.looking import NO_BASELINE, NO_FRAME, SWITCHES, Looking
from tui.model.lens import Picture, TableOrder, baseline_name, chosen_baseline
from tui.model.ranges import RangeKind
from tui.model.shape import Shape
from tui.model.timeline import Timeline, TimeRange

NOW = 160.6
WORK = Frame("work", "server", FrameKind.USER)


@pytest.fixture
def timeline() -> Timeline:
    """A minute of load at 20 VUs from 102 on, 50 from 130 on."""
    timeline = Timeline(100.0)
    timeline.append(Mark(101.0, MarkKind.START, "start"))
    for at, vus in ((102.0, 20.0), (130.0, 50.0)):
        timeline.append(LoadTarget(at, Course.constant(CourseUnit.VUS, vus, at)))
    for second in range(103, 161):
        timeline.append(load(float(second)))
    return timeline


@pytest.fixture
def looking(timeline: Timeline) -> Looking:
    """An eye on it."""
    return Looking(timeline, lambda: NOW, timeline.append)


@pytest.mark.parametrize(("name", "switch"), SWITCHES.items())
def test_a_switch_of_the_shape_turns_and_turns_back(
    looking: Looking, name: str, switch: str
) -> None:
    """One at a time; the others stay."""
    looking.command(f"view.{name}")
    assert getattr(looking.lens.shape, switch)
    assert sum(getattr(looking.lens.shape, each) for each in SWITCHES.values()) == 1
    looking.command(f"view.{name}")
    assert looking.lens.shape == Shape()


def test_the_table_comes_and_goes_and_is_sorted(looking: Looking) -> None:
    """By self, total, name, and self again."""
    looking.command("view.table")
    assert str(looking.lens.picture) == "table"
    orders = []
    for _ in TableOrder:
        looking.command("view.order")
        orders.append(looking.lens.order)
    assert orders == [TableOrder.TOTAL, TableOrder.NAME, TableOrder.SELF]
    looking.command("view.table")
    assert looking.lens.picture is Picture.GRAPH


def test_a_sandwich_is_of_the_selected_function(looking: Looking) -> None:
    """Without one it says so; a second time it ends, whatever is selected."""
    assert looking.command("view.sandwich") == NO_FRAME
    assert looking.command("view.sandwich", WORK) == ""
    assert (looking.lens.picture, looking.lens.function) == (Picture.SANDWICH, WORK)
    looking.command("view.sandwich")
    assert looking.lens.picture is Picture.GRAPH


def test_frames_are_hidden_and_focused(looking: Looking) -> None:
    """Any number hidden, one in focus; `all frames` ends all of it but which way stacks stand."""
    other = Frame("other", "server", FrameKind.USER)
    assert looking.command("view.hide") == looking.command("view.focus") == NO_FRAME
    for frame in (WORK, other):
        looking.command("view.hide", frame)
    looking.command("view.focus", WORK)
    looking.command("view.invert")
    assert looking.lens.shape == Shape(inverted=True, hidden=frozenset({WORK, other}), focus=WORK)
    looking.command("view.focus")
    assert looking.lens.shape.focus is None
    looking.command("view.plain")
    assert looking.lens.shape == Shape(inverted=True)


def test_a_baseline_is_the_range_under_the_name_of_its_load(
    looking: Looking, timeline: Timeline
) -> None:
    """In whole seconds, marked on the timeline; diff compares with it, or no more."""
    assert looking.command("view.diff") == NO_BASELINE
    assert looking.command("view.baseline") == "baseline: 50 VUs, 10 s"
    assert timeline.baselines["50 VUs"] == Baseline(NOW, "50 VUs", 150.0, 160.0)
    assert timeline.marks[-1] == Mark(NOW, MarkKind.BASELINE, "baseline 50 VUs")
    assert looking.baseline() is None
    assert looking.command("view.diff") == ""
    assert looking.baseline() == timeline.baselines["50 VUs"]
    looking.command("view.diff")
    assert looking.baseline() is None


def test_a_baseline_can_be_named(looking: Looking, timeline: Timeline) -> None:
    """A new name keeps the range, a known one compares with what it was."""
    looking.pick(110.0, 120.0)
    assert looking.compare_with("calm") == "baseline: calm, 10 s"
    assert timeline.baselines["calm"] == Baseline(NOW, "calm", 110.0, 120.0)
    looking.pick(140.0, 150.0)
    assert looking.compare_with("calm") == ""
    assert looking.baseline() == timeline.baselines["calm"]


def test_a_name_that_is_used_again_is_the_newer_range(timeline: Timeline) -> None:
    """And the newest baseline, which a comparison takes by itself."""
    for at, name in ((1.0, "a"), (2.0, "b"), (3.0, "a")):
        timeline.append(Baseline(at, name, at, at + 1))
    assert list(timeline.baselines) == ["b", "a"]
    assert timeline.baselines["a"].start == 3.0
    assert chosen_baseline(timeline.baselines, "").name == "a"  # type: ignore[union-attr]
    assert chosen_baseline(timeline.baselines, "b").name == "b"  # type: ignore[union-attr]
    assert chosen_baseline({}, "b") is None


@pytest.mark.parametrize(
    ("unit", "level", "name"),
    [
        (CourseUnit.VUS, 50.0, "50 VUs"),
        (CourseUnit.REQUESTS, 500.0, "500 requests/s"),
        (CourseUnit.ITERATIONS, 2.5, "2.5 iterations/s"),
    ],
)
def test_a_baseline_is_named_after_what_was_wanted(
    unit: CourseUnit, level: float, name: str
) -> None:
    """In the unit of the target."""
    timeline = Timeline(100.0)
    timeline.append(LoadTarget(100.0, Course.constant(unit, level, 100.0)))
    assert baseline_name(timeline, TimeRange(101.0, 111.0)) == name


def test_as_written_a_baseline_is_named_by_the_clock_of_the_run() -> None:
    """From the begin of the load."""
    timeline = Timeline(100.0)
    timeline.append(load(103.0))
    assert baseline_name(timeline, TimeRange(112.0, 122.0)) == "10 to 20 s"


def test_a_click_moves_the_range_and_a_drag_is_one(looking: Looking) -> None:
    """A click keeps its length."""
    looking.pick(120.0, 120.0)
    assert looking.range() == TimeRange(110.0, 120.0)
    looking.pick(130.0, 125.0)
    assert looking.range() == TimeRange(125.0, 130.0)


def test_one_step_back_at_a_time(looking: Looking) -> None:
    """From the sandwich, from the search, from the picked range; then there is none."""
    looking.pick(110.0, 120.0)
    looking.lens = looking.lens.hiding(WORK)
    looking.lens = type(looking.lens)(pattern="x", shape=looking.lens.shape)
    looking.command("view.sandwich", WORK)
    steps = []
    while looking.step_back():
        steps.append((looking.lens.picture, looking.lens.pattern, looking.choice.kind))
    assert steps == [
        (Picture.GRAPH, "x", RangeKind.PICKED),
        (Picture.GRAPH, "", RangeKind.PICKED),
        (Picture.GRAPH, "", RangeKind.LAST),
    ]
    assert looking.lens.shape.hidden == {WORK}


def test_every_command_that_only_looks_is_known() -> None:
    """Each of them changes something, or says why not."""
    timeline = Timeline(100.0)
    timeline.append(load(103.0))
    for command_id in LOOKING:
        looking = Looking(timeline, lambda: NOW, lambda sample: None)
        looking.pick(120.0, 130.0)
        before = looking.choice, looking.lens
        said = looking.command(command_id, WORK)
        if command_id != "view.plain":
            assert said or (looking.choice, looking.lens) != before, command_id
    assert set(LOOKING) < {each.id for each in COMMANDS}
