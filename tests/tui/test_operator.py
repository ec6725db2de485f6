"""The operator's hand on the load, with a control that only notes what it is told."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.course import Course, CourseUnit
from collectors.k6.binary import K6Binary
from collectors.k6.control import ControlState
from collectors.k6.interactive import BrokenScript, Interactive, NotControllable, Script
from collectors.k6.scenarios import Scenario
from collectors.k6.wrapper import Transport
from collectors.process import Guard
from collectors.samples import LoadTarget, MarkKind, SourceState
from collectors.source import SourceError
from tests.builders import load
from tui.model.phase import LoadAim
from tui.model.ramp import MOST, parse_ramp
from tui.model.rate import parse_rate
from tui.model.timeline import Timeline
from tui.operator import Operator, find_operator
from tui.options import RunOptions

VUS, REQUESTS, ITERATIONS = CourseUnit.VUS, CourseUnit.REQUESTS, CourseUnit.ITERATIONS
PATH = Path("x.js")


class FakeControl:
    """Keeps the courses it is to follow; the test says when the first VU asks."""

    def __init__(self) -> None:
        self.state = ControlState()
        self.courses: list[Course] = []

    @property
    def pids(self) -> Collection[int]:
        return ()

    def steer(self, course: Course) -> None:
        self.courses.append(course)

    async def drain(self, deadline_s: float) -> bool:
        return True

    async def close(self) -> None:
        pass


class Bench:
    """An operator with everything around it."""

    def __init__(self, script: Script, **asked: Any) -> None:
        self.now = 100.0
        self.timeline = Timeline(self.now)
        self.control = FakeControl()
        self.operator = Operator(RunOptions(PATH, **asked), script, self.timeline, lambda: self.now)
        self.told: Interactive | None = None

    def start(self) -> Interactive:
        """Start a run whose VUs have not asked yet."""
        self.control = FakeControl()
        self.told = self.operator.new_run()
        self.operator.take(self.control)
        return self.told

    def begin(self, at: float | None = None) -> Bench:
        """Start a run and let its first VU ask."""
        self.start()
        self.control.state = replace(self.control.state, first_at=self.now if at is None else at)
        self.operator.poll()
        return self

    def run(self, seconds: int, iterations: int, requests: int) -> None:
        """Let time pass in which k6 does so much each second."""
        for _ in range(seconds):
            self.now += 1.0
            self.timeline.append(replace(load(self.now, requests), iterations=iterations))
            self.operator.poll()

    @property
    def aim(self) -> LoadAim:
        return self.operator.aim()

    @property
    def level(self) -> float:
        """What the gate is to follow now."""
        return self.control.courses[-1].level(self.now)


def script(
    *scenarios: Scenario, transport: Transport = Transport.REDIS, vus: int = 1, most: int = 1
) -> Script:
    default = Scenario("default", "default", "constant-vus", vus, most)
    return Script(PATH, scenarios or (default,), transport)


def by_rate(rate: float, name: str = "r") -> Scenario:
    return Scenario(name, "default", "constant-arrival-rate", 5, 10, start_rate=rate)


def bench(**asked: Any) -> Bench:
    return Bench(script(), **asked)


# What the load begins with


@pytest.mark.parametrize(
    ("asked", "unit", "level", "ceiling"),
    [
        ({}, VUS, 7, 50),
        ({"vus": 20}, VUS, 20, 50),
        ({"vus": 0}, VUS, 0, 50),
        ({"vus": 300}, VUS, 300, 300),
        ({"vus": 3, "max_vus": 4}, VUS, 3, 4),
        ({"max_vus": 4}, VUS, 4, 4),
        ({"ramp": parse_ramp("80/10s,60/10s")}, VUS, 0, 80),
        ({"ramp": parse_ramp("80/10s"), "max_vus": 90}, VUS, 0, 90),
        ({"ramp": parse_ramp("30,80/10s")}, VUS, 30, 80),
        ({"ramp": parse_ramp("30")}, VUS, 30, 50),
        ({"ramp": parse_ramp("30,+5")}, VUS, 35, 50),
        ({"ramp": parse_ramp("10,x2")}, VUS, 20, 50),
        ({"rate": parse_ramp("500")}, REQUESTS, 500, None),
        ({"rate": parse_ramp("100,+50")}, REQUESTS, 150, None),
        ({"rate": parse_ramp("-5")}, REQUESTS, 0, None),
        ({"rate": parse_ramp("500/10s")}, REQUESTS, 0, None),
        ({"rate": parse_ramp("20"), "rate_unit": ITERATIONS}, ITERATIONS, 20, None),
    ],
)
def test_the_load_begins_with_what_was_asked_for(
    asked: Mapping[str, Any], unit: CourseUnit, level: float, ceiling: int | None
) -> None:
    """By an option, or by the script itself."""
    made = Bench(script(vus=7, most=7), **asked)
    aim = made.aim
    assert (aim.unit, aim.level, aim.ceiling) == (unit, level, ceiling)
    told = made.start()
    assert told.course.unit is (VUS if unit is VUS else ITERATIONS)
    assert told.course.level(made.now) == level
    assert told.ceiling == made.operator.ceiling


def test_a_script_of_rates_begins_with_its_rate() -> None:
    """All scenarios together; a number of VUs wins, and REST has no other choice."""
    rates = script(by_rate(30, "a"), by_rate(12.5, "b"))
    assert (Bench(rates).aim.unit, Bench(rates).aim.level) == (ITERATIONS, 42.5)
    assert Bench(rates, max_vus=5).aim.unit is ITERATIONS
    assert (Bench(rates, vus=3).aim.unit, Bench(rates, vus=3).aim.level) == (VUS, 3)
    assert Bench(rates, ramp=parse_ramp("9")).aim.level == 9
    mixed = script(by_rate(30), Scenario("v", "default", "constant-vus", 2, 2))
    assert (Bench(mixed).aim.unit, Bench(mixed).aim.level) == (VUS, 7)
    rest = Bench(script(by_rate(30), transport=Transport.REST))
    assert (rest.aim.unit, rest.aim.level) == (VUS, 5)


def test_the_ceiling_leaves_room_for_more() -> None:
    """Fifty, twice what the script uses, or what was asked for; each scenario has a VU."""
    assert Bench(script(most=3)).operator.ceiling == 50
    assert Bench(script(most=60)).operator.ceiling == 120
    assert Bench(script(most=60), max_vus=10).operator.ceiling == 10
    assert Bench(script(most=60), ramp=parse_ramp("200.5/1s,1/1s")).operator.ceiling == 201
    many = script(*(Scenario(f"s{n}", "default", "constant-vus", 1, 1) for n in range(3)))
    assert Bench(many, vus=1, max_vus=3).operator.ceiling == 3


@pytest.mark.parametrize(
    ("asked", "message", "hint"),
    [
        ({"vus": 9, "max_vus": 8}, "9 VUs are asked for, but --max-vus is 8", "--max-vus 9 or"),
        (
            {"ramp": parse_ramp("5/1s,8.5/1s,1"), "max_vus": 8},
            "9 VUs are asked for, but --max-vus is 8",
            "--max-vus 9 or",
        ),
        (
            {"max_vus": 1},
            "the script has 2 scenarios, each needs a VU at least",
            "--max-vus 2 or",
        ),
    ],
)
def test_a_ceiling_that_is_too_low_is_refused(
    asked: Mapping[str, Any], message: str, hint: str
) -> None:
    """With the least one that would do."""
    two = script(*(Scenario(name, "default", "constant-vus", 4, 4) for name in "ab"))
    with pytest.raises(SourceError) as caught:
        Bench(two, **asked)
    assert caught.value.message == message
    assert hint in caught.value.hint


def test_rest_knows_no_rate() -> None:
    """Neither at the start nor later."""
    rest = script(transport=Transport.REST)
    with pytest.raises(SourceError, match=r"REST, which knows no rate\. use --vus"):
        Bench(rest, rate=parse_ramp("5"))
    made = Bench(rest).begin()
    before = made.timeline.revision
    assert made.operator.rate(REQUESTS, parse_ramp("5")) == "k6's REST control knows no rate"
    assert made.timeline.revision == before
    assert made.aim.unit is VUS


# Begin and end


def test_a_schedule_begins_with_the_first_vu() -> None:
    """And not when k6 was started; its end is told."""
    made = bench(ramp=parse_ramp("40/10s,40/10s"))
    assert made.operator.begun_at is None
    made.start()
    made.now = 130.0
    assert not made.operator.poll()
    assert (made.timeline.targets, made.control.courses) == ([], [])
    assert (made.aim.level, made.aim.ramp_to) == (0, None)
    made.control.state = ControlState(known=50, first_at=129.9)
    assert not made.operator.poll()
    assert made.operator.begun_at == 129.9
    [target] = made.timeline.targets
    assert target.at == 129.9
    assert [level for _, level in target.course.points] == [0, 40, 40]
    assert [at for at, _ in target.course.points] == pytest.approx([129.9, 139.9, 149.9])
    assert made.control.courses == [target.course]
    made.now = 134.9
    assert made.aim.level == pytest.approx(20)
    assert made.aim.ramp_to == 40
    assert made.aim.ramp_left_s == pytest.approx(5)
    made.now = 149.8
    assert not made.operator.poll()
    made.now = 150.0
    assert made.operator.poll()
    assert len(made.timeline.targets) == 1
    assert made.timeline.marks == []


def test_a_changed_schedule_does_not_end_the_run() -> None:
    """Who takes the load into the own hands keeps it."""
    made = bench(ramp=parse_ramp("40/10s")).begin()
    made.now += 5
    assert made.operator.hold() == ""
    made.now += 100
    assert not made.operator.poll()
    assert made.aim.level == 20


def test_what_is_changed_before_the_begin_is_begun_with() -> None:
    """It is marked when it is asked for; the target is noted once there is a load."""
    made = bench(vus=5)
    made.start()
    made.operator.step(2)
    made.now += 3
    made.operator.pause_or_resume()
    assert [mark.kind for mark in made.timeline.marks] == [MarkKind.LOAD, MarkKind.PAUSE]
    assert made.timeline.targets == []
    assert (made.aim.level, made.aim.wanted, made.aim.is_paused) == (0, 7, True)
    made.control.state = ControlState(first_at=made.now)
    made.operator.poll()
    [target] = made.timeline.targets
    assert (target.is_paused, target.course.level(made.now)) == (True, 0)
    made.operator.pause_or_resume()
    assert made.aim.level == made.level == 7


def test_the_end_is_a_target_of_nothing_once() -> None:
    """Nothing before the first run, nothing twice, and then no target any more."""
    made = bench(rate=parse_ramp("50"))
    made.operator.end()
    assert made.timeline.targets == []
    made.begin()
    made.run(2, iterations=10, requests=20)
    steered = len(made.control.courses)
    made.operator.end()
    made.operator.end()
    first, last = made.timeline.targets
    assert (first.course.level(made.now), last.course.level(made.now)) == (50, 0)
    assert (last.at, last.course.unit) == (made.now, REQUESTS)
    # The load is being drained: a ratio that changes meanwhile must not bring it back.
    made.run(5, iterations=10, requests=90)
    assert not made.operator.poll()
    assert len(made.control.courses) == steered
    assert len(made.timeline.targets) == 2


def test_a_load_that_is_stopped_before_it_begins_does_not_begin() -> None:
    """Its first VU may ask all the same."""
    made = bench(vus=5)
    made.start()
    made.operator.end()
    made.control.state = ControlState(first_at=made.now)
    made.operator.poll()
    assert made.control.courses == []
    assert [target.course.level(made.now) for target in made.timeline.targets] == [0]


def test_a_new_run_is_as_the_first_one_was() -> None:
    """With another control; that of before is left alone."""
    made = bench(vus=5).begin()
    old = made.control
    made.operator.step(10)
    made.operator.pause_or_resume()
    made.operator.end()
    steered = len(old.courses)
    made.now += 60
    told = made.start()
    assert told.course.level(made.now) == 5
    assert made.operator.begun_at is None
    assert not made.aim.is_paused
    made.control.state = ControlState(first_at=made.now)
    made.operator.poll()
    assert (made.level, len(old.courses)) == (5, steered)


# Commands


@pytest.mark.parametrize(
    ("command", "kind", "text", "level"),
    [
        (lambda operator: operator.step(1), MarkKind.LOAD, "to 6 VUs", 6),
        (lambda operator: operator.step(-1), MarkKind.LOAD, "to 4 VUs", 4),
        (lambda operator: operator.step(-4), MarkKind.LOAD, "to 1 VU", 1),
        (lambda operator: operator.step(-10), MarkKind.LOAD, "to 0 VUs", 0),
        (lambda operator: operator.ramp(parse_ramp("9")), MarkKind.LOAD, "to 9 VUs", 9),
        (lambda operator: operator.ramp(parse_ramp("+9/4s")), MarkKind.LOAD, "to +9 in 4s VUs", 5),
        (lambda operator: operator.hold(), MarkKind.LOAD, "hold", 5),
        (lambda operator: operator.pause_or_resume(), MarkKind.PAUSE, "pause", 0),
        (
            lambda operator: operator.rate(REQUESTS, parse_ramp("90")),
            MarkKind.LOAD,
            "to 90 requests/s",
            90,
        ),
        (
            lambda operator: operator.rate(*parse_rate("20i")),
            MarkKind.LOAD,
            "to 20 iterations/s",
            20,
        ),
    ],
)
def test_every_command_is_noted_once(
    command: Callable[[Operator], str], kind: MarkKind, text: str, level: float
) -> None:
    """One mark, one target, and the gate is told."""
    made = bench(vus=5).begin()
    made.now += 10
    assert command(made.operator) == ""
    [mark] = made.timeline.marks
    assert (mark.at, mark.kind, mark.text) == (made.now, kind, text)
    [_, target] = made.timeline.targets
    assert (target.at, target.course.level(made.now)) == (made.now, level)
    assert target.is_paused is (kind is MarkKind.PAUSE)
    assert len(made.control.courses) == 2
    assert made.level == level == made.aim.level


def test_a_resumed_ramp_goes_on() -> None:
    """From where it was paused."""
    made = bench(vus=0).begin()
    made.operator.ramp(parse_ramp("40/10s"))
    made.now += 5
    made.operator.pause_or_resume()
    aim = made.aim
    assert (aim.level, aim.wanted, aim.is_paused, aim.ramp_to) == (0, 20, True, None)
    made.now += 30
    made.operator.pause_or_resume()
    aim = made.aim
    assert (aim.level, aim.ramp_to) == (20, 40)
    assert aim.ramp_left_s == pytest.approx(5)
    assert [mark.kind for mark in made.timeline.marks[1:]] == [MarkKind.PAUSE, MarkKind.RESUME]


def test_the_ceiling_is_told() -> None:
    """A step beyond it is none; a ramp beyond it ends there."""
    told = "20 VUs are all there are; restart with --max-vus for more"
    made = bench(vus=15, max_vus=20).begin()
    assert made.operator.step(10) == ""
    assert made.aim.level == 20
    before = made.timeline.revision
    assert made.operator.step(1) == told
    assert made.timeline.revision == before
    assert made.operator.step(-1) == ""
    assert made.operator.ramp(parse_ramp("20")) == ""
    assert made.operator.ramp(parse_ramp("10,25/4s,5/4s")) == told
    made.now += 4
    assert made.aim.level == 20
    assert made.operator.ramp(parse_ramp("x2")) == told


def test_a_rate_is_no_number_of_vus() -> None:
    """Who comes from 500 requests a second to 10 VUs is not above the ceiling."""
    made = bench(vus=5, max_vus=20).begin()
    made.operator.rate(REQUESTS, parse_ramp("500"))
    assert made.operator.step(100) == ""
    assert made.aim.level == 1500
    assert made.operator.ramp(parse_ramp("10")) == ""
    made.operator.rate(REQUESTS, parse_ramp("3"))
    assert made.operator.ramp(parse_ramp("x3")).startswith("20 VUs are all")


def test_from_a_rate_one_comes_back_to_the_vus_of_before() -> None:
    """A ramp of VUs begins where they were."""
    made = bench(vus=12).begin()
    made.operator.rate(REQUESTS, parse_ramp("500"))
    made.operator.rate(ITERATIONS, parse_ramp("90"))
    made.now += 10
    made.operator.ramp(parse_ramp("+8/4s"))
    assert (made.aim.unit, made.aim.level, made.aim.ramp_to) == (VUS, 12, 20)
    assert made.aim.ceiling == 50


def test_a_rate_begins_where_the_load_is() -> None:
    """A ramp from VUs to a rate is from what was achieved of late."""
    made = bench(vus=12).begin()
    made.run(10, iterations=20, requests=60)
    made.operator.rate(REQUESTS, parse_ramp("+40/10s"))
    assert (made.aim.level, made.aim.ramp_to) == (60, 100)
    made.operator.ramp(parse_ramp("12"))
    made.operator.rate(*parse_rate("x2/10s i"))
    assert (made.aim.level, made.aim.ramp_to) == (20, 40)


def test_without_any_figures_a_rate_begins_at_zero() -> None:
    """And a request is an iteration."""
    made = bench().begin()
    made.operator.rate(REQUESTS, parse_ramp("+40"))
    assert made.aim.level == made.level == 40


# Requests per iteration


def test_requests_become_iterations() -> None:
    """By what was observed, which may change."""
    made = bench(vus=5).begin()
    made.run(5, iterations=10, requests=30)
    made.operator.rate(REQUESTS, parse_ramp("90"))
    assert made.aim.level == 90
    assert made.control.courses[-1].unit is ITERATIONS
    assert made.level == pytest.approx(30)
    steered, noted = len(made.control.courses), made.timeline.targets[:]
    made.run(3, iterations=30, requests=90)
    assert len(made.control.courses) == steered, "nothing has changed"
    made.run(7, iterations=30, requests=180)
    assert made.level == pytest.approx(15)
    assert made.timeline.targets == noted, "what is wanted stays"
    assert made.aim.level == 90
    made.run(10, iterations=0, requests=0)
    assert made.level == pytest.approx(15), "nothing is told where nothing is done"


def test_a_whole_ramp_of_requests_is_one_of_iterations() -> None:
    """Every corner of it."""
    made = bench(vus=5).begin()
    made.run(5, iterations=10, requests=40)
    made.operator.rate(REQUESTS, parse_ramp("80,160/10s,0/10s"))
    levels = [level for _, level in made.control.courses[-1].points]
    assert levels == pytest.approx([20, 40, 0])


def test_iterations_need_no_ratio() -> None:
    """However many requests each of them makes."""
    made = bench(vus=5).begin()
    made.operator.rate(ITERATIONS, parse_ramp("30"))
    made.run(6, iterations=10, requests=30)
    assert made.level == 30
    assert len(made.control.courses) == 2


def test_a_new_run_knows_the_ratio() -> None:
    """The same script makes the same requests."""
    made = bench(rate=parse_ramp("90")).begin()
    made.run(5, iterations=10, requests=30)
    made.operator.end()
    assert made.start().course.level(made.now) == pytest.approx(30)


# Whatever is pressed

RAMPS = ["0", "7", "200 in 8s", "+50/4s", "-20/16s", "x2", "x0.5/2s,x3/2s", "9999999,0/1s"]


def press(made: Bench, chance: random.Random) -> None:
    """Do something of what the keys can do, and what time does."""
    operator = made.operator
    match chance.randrange(12):
        case 0 | 1 | 2:
            operator.step(chance.choice([1, -1, 10, -10]))
        case 3 | 4:
            operator.ramp(parse_ramp(chance.choice(RAMPS)))
        case 5 | 6:
            operator.rate(chance.choice([REQUESTS, ITERATIONS]), parse_ramp(chance.choice(RAMPS)))
        case 7:
            operator.hold()
        case 8 | 9:
            operator.pause_or_resume()
        case 10:
            made.run(chance.randrange(3), chance.randrange(50), chance.randrange(200))
        case _:
            operator.end()
            made.now += chance.uniform(0, 3)
            made.start()


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 1 << 32),
    st.sampled_from([Transport.REDIS, Transport.REST]),
    st.sampled_from([{}, {"vus": 3}, {"ramp": parse_ramp("30/5s,2/5s")}, {"vus": 0, "max_vus": 1}]),
)
def test_whatever_is_pressed_the_load_is_in_bounds(
    seed: int, transport: Transport, asked: Mapping[str, Any]
) -> None:
    """What is wanted, what is noted and what the gate is told are one."""
    chance = random.Random(seed)
    made = Bench(script(transport=transport), **asked)
    made.start()
    for _ in range(200):
        made.now += chance.choice([0.0, 0.2, chance.uniform(0, 20)])
        if chance.random() < 0.3:
            made.control.state = replace(made.control.state, first_at=made.now)
        made.operator.poll()
        marks, targets = len(made.timeline.marks), len(made.timeline.targets)
        is_begun = made.operator.begun_at is not None
        press(made, chance)
        made.operator.poll()
        aim = made.aim
        most = MOST if aim.ceiling is None else aim.ceiling
        assert 0 <= aim.level <= most
        assert 0 <= aim.wanted <= most
        assert aim.level == (0 if aim.is_paused else aim.wanted)
        assert aim.ceiling == (made.operator.ceiling if aim.unit is VUS else None)
        assert transport is not Transport.REST or aim.unit is VUS
        assert len(made.timeline.marks) <= marks + 1
        if is_begun and made.operator.begun_at is not None:
            assert len(made.timeline.targets) - targets == len(made.timeline.marks) - marks
            agrees(made.timeline.targets[-1], aim, made)


def agrees(target: LoadTarget, aim: LoadAim, made: Bench) -> None:
    assert target.course.unit is aim.unit
    assert target.is_paused is aim.is_paused
    assert target.course.level(made.now) == pytest.approx(aim.level)
    if made.control.courses and aim.unit is not REQUESTS:
        assert made.control.courses[-1].unit is aim.unit
        assert made.level == pytest.approx(aim.level)


# Finding out


async def found(
    monkeypatch: pytest.MonkeyPatch, outcome: Script | Exception, timeline: Timeline, **asked: Any
) -> tuple[Operator | None, str]:
    """Look for an operator of a script of which this is found out."""

    async def examine(
        guard: Guard,
        binary: K6Binary,
        path: Path,
        arguments: Sequence[str],
        env: Mapping[str, str],
    ) -> Script:
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr("tui.operator.examine", examine)
    binary = K6Binary("k6", "1.1.0", (1, 1, 0))
    options = RunOptions(PATH, **asked)
    nobody: Any = None  # the guard is not asked for anything
    return await find_operator(nobody, binary, options, {}, timeline, lambda: 100.0)


async def test_as_written_there_is_no_operator(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where that was asked for, and without a screen where nothing was."""
    unused = AssertionError("it was examined")
    timeline = Timeline(100.0)
    for asked in ({"as_written": True}, {"headless": True}):
        operator, reason = await found(monkeypatch, unused, timeline, **asked)
        assert operator is None
        assert "(--as-written)" in reason
    assert timeline.revision == 0


async def test_warnings_of_a_script_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one status; without any there is none."""
    timeline = Timeline(100.0)
    operator, reason = await found(monkeypatch, script(), timeline, headless=True, vus=3)
    assert operator is not None
    assert (operator.aim().level, reason, timeline.revision) == (3, "", 0)
    warned = replace(script(), warnings=("one", "two"))
    operator, _ = await found(monkeypatch, warned, timeline)
    assert operator is not None
    status = timeline.statuses["control"]
    assert (status.state, status.message) == (SourceState.DEGRADED, "one; two")


@pytest.mark.parametrize("error", [NotControllable("an archive", "a"), BrokenScript("bad", "b")])
async def test_what_can_not_be_moved_runs_as_written(
    error: SourceError, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unless a load was asked for; what is broken k6 tells itself."""
    timeline = Timeline(100.0)
    assert await found(monkeypatch, error, timeline) == (None, error.message)
    told = [each.message for each in timeline.statuses.values()]
    assert told == ([] if isinstance(error, BrokenScript) else [error.message])
    with pytest.raises(SourceError) as caught:
        await found(monkeypatch, error, timeline, vus=3)
    assert caught.value is error


async def test_any_other_reason_ends_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is for the operator to decide."""
    with pytest.raises(SourceError, match="own --vus"):
        await found(monkeypatch, SourceError("k6's own --vus"), Timeline(100.0))
