"""What the status lines and lists of recordings say, told by a timeline alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.course import CourseUnit
from collectors.k6.control import ControlState
from collectors.k6.interactive import Script
from collectors.k6.scenarios import Scenario
from collectors.k6.wrapper import Transport
from collectors.runstate import RunState
from collectors.samples import Mark, MarkKind
from tests.builders import host, load
from tests.tapes import BEGIN, a_run, state, timeline_of
from tests.tui.test_operator import FakeControl
from tui.model.facts import aim_at, card_of, facts_at, facts_of
from tui.model.latency import quantile
from tui.model.load import kind_of, summarise
from tui.model.phase import Phase
from tui.model.ramp import parse_ramp
from tui.model.rate import parse_rate
from tui.model.timeline import Timeline
from tui.operator import Operator
from tui.options import RunOptions

SCRIPT = Script(Path("x.js"), (Scenario("default", "default", "constant-vus", 5, 50),),
                Transport.REDIS)  # fmt: skip
changes = st.sampled_from(["step 1", "step -10", "ramp 40/20s", "rate 90/7s", "hold", "pause"])


def change(operator: Operator, what: str) -> None:
    """Have an operator do something."""
    name, _, rest = what.partition(" ")
    match name:
        case "step":
            operator.step(int(rest))
        case "ramp":
            operator.ramp(parse_ramp(rest))
        case "rate":
            unit, steps = parse_rate(rest)
            operator.rate(unit, steps)
        case "hold":
            operator.hold()
        case _:
            operator.pause_or_resume()


@given(st.lists(st.tuples(changes, st.floats(0.01, 30)), max_size=12))
def test_what_was_wanted_of_the_load_is_what_the_operator_said(
    steps: list[tuple[str, float]],
) -> None:
    """At every moment of any run, from the targets on its timeline alone.

    But for what is wanted after a pause in which it was changed: that is told by resuming only.
    """
    now = BEGIN
    timeline = Timeline(BEGIN)
    operator = Operator(RunOptions(SCRIPT.path, max_vus=50), SCRIPT, timeline, lambda: now)
    control = FakeControl()
    operator.new_run()
    operator.take(control)
    control.state = replace(ControlState(), first_at=now)
    operator.poll()
    is_changed_in_pause = False
    for what, passed in steps:
        change(operator, what)
        is_changed_in_pause = operator.aim().is_paused and (is_changed_in_pause or what != "pause")
        for share in (0.0, 0.5, 1.0):
            at, told = now, operator.aim()
            found = aim_at(timeline.targets, operator.ceiling, at)
            assert found is not None
            if not is_changed_in_pause:
                # Worked out from other moments: alike but for the last digits.
                assert found.wanted == pytest.approx(told.wanted, rel=1e-9, abs=1e-9)
            assert found == replace(told, wanted=found.wanted)
            now += passed * share / 2


def test_without_targets_k6_kept_its_own_schedule() -> None:
    """There is nothing that was wanted."""
    assert aim_at([], 50.0, BEGIN) is None


@pytest.mark.parametrize("phase", list(Phase))
def test_facts_of_a_recorded_state_are_those_of_the_live_one(phase: Phase) -> None:
    """Elapsed and countdown go on with the clock; only a load has an aim."""
    timeline = timeline_of(a_run(20))
    newest = replace(state(BEGIN + 21, phase.value), forced_at=BEGIN + 60, duration_s=90.0)
    timeline.append(newest)
    now = BEGIN + 30
    aim = aim_at(timeline.targets, newest.ceiling, now)
    found = facts_at(timeline, now)
    assert found == facts_of(newest, timeline, now, aim)
    assert (found.phase, found.elapsed_s, found.duration_s) == (phase, 30.0, 90.0)
    assert found.countdown_s == (30.0 if phase is Phase.STOPPING else None)
    assert (found.aim is not None) == phase.loading
    assert (found.vus, found.vus_max, found.script) == (2, 4, "shop.js")


def test_a_load_that_has_ended_lasted_as_long_as_it_did() -> None:
    """However long ago that is."""
    timeline = Timeline(BEGIN)
    timeline.append(replace(state(BEGIN + 9, "stopped"), ended_at=BEGIN + 8.0))
    assert facts_at(timeline, BEGIN + 99).elapsed_s == 8.0


def test_a_run_without_states_is_closed() -> None:
    """As that of another program is: VUs are those that it tells."""
    timeline = Timeline(BEGIN)
    assert facts_at(timeline, BEGIN).phase is Phase.CLOSED
    timeline.append(load(BEGIN + 1))
    found = facts_at(timeline, BEGIN + 1)
    assert (found.phase, found.vus, found.vus_max, found.script) == (Phase.CLOSED, 2, 4, "")


def test_a_card_is_of_the_whole_load() -> None:
    """Requests and p95 as of a range over all; the fastest push; whether there is a note."""
    timeline = timeline_of(a_run(30))
    card = card_of(timeline, "shop.js", "server (pid 7)", BEGIN + 40)
    whole = summarise(timeline.loads, kind_of(timeline.loads))
    p95_s = quantile(whole.latency, 0.95)
    assert p95_s is not None
    assert (card.script, card.target, card.is_marked) == ("shop.js", "server (pid 7)", False)
    assert card.requests == whole.requests == sum(each.iterations for each in timeline.loads)
    assert card.p95_ms == p95_s * 1e3
    assert card.peak_rps == max(each.iterations for each in timeline.loads)
    assert card.duration_s == timeline.loads[-1].at - (timeline.loads[0].at - 1.0)
    timeline.append(Mark(BEGIN, MarkKind.NOTE, "look"))
    assert card_of(timeline, "", "", BEGIN + 40).is_marked


def test_a_card_of_nothing() -> None:
    """Before the load begins, and where it never does."""
    timeline = Timeline(BEGIN)
    timeline.append(host(BEGIN + 1))
    card = card_of(timeline, "x.js", "", BEGIN + 2)
    assert (card.duration_s, card.requests, card.peak_rps, card.p95_ms) == (0.0, 0, None, None)


def test_a_state_without_a_load_has_no_time() -> None:
    """Neither elapsed nor an aim."""
    timeline = Timeline(BEGIN)
    timeline.append(RunState(BEGIN, "starting", "x.js", "", "", "", CourseUnit.VUS.value))
    found = facts_at(timeline, BEGIN + 5)
    assert (found.elapsed_s, found.aim, found.countdown_s) == (None, None, None)
