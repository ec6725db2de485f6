from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from collectors.course import Course, CourseUnit
from collectors.k6.gate import (
    LONGEST_LINE_MS,
    PATIENCE_MS,
    SHORTEST_LINE_MS,
    SILENCE_S,
    TICK_MS,
    GateState,
    blanks,
)

VUS, RATE = CourseUnit.VUS, CourseUnit.ITERATIONS

# A tick of the wall clock and the moment of the monotonic clock at which it begins.
TICK = 8_500_000_000
WALL_S = TICK * TICK_MS / 1_000
BOOT_S = 1_000.0


class Clocks:
    """Both clocks, moved by the test; the wall clock begins at `TICK`."""

    def __init__(self) -> None:
        self.past_s = 0.0

    def monotonic(self) -> float:
        return BOOT_S + self.past_s

    def wall(self) -> float:
        return WALL_S + self.past_s


def gate_with(
    *points: tuple[float, float], unit: CourseUnit = VUS, vus: int = 4
) -> tuple[GateState, Clocks]:
    """A gate of one scenario; the times of the points count from `TICK`."""
    clocks = Clocks()
    slots = [list(range(1, vus + 1))]
    return GateState(slots, course(*points, unit=unit), clocks.monotonic, clocks.wall), clocks


def course(*points: tuple[float, float], unit: CourseUnit = VUS) -> Course:
    return Course(unit, tuple((BOOT_S + at, level) for at, level in points))


def numbers(answer: bytes | None) -> list[int]:
    """Read an answer as the script does."""
    assert answer is not None
    digits = answer.decode().replace(" ", "0").replace("\t", "1")
    return [int(line, 2) for line in digits.split("\n")]


@dataclass(frozen=True, slots=True)
class Line:
    mode: int
    begin: float
    end: float
    length_ms: int
    starts: float
    patience_ms: int


def line(gate: GateState, ticks_on: int = 0) -> Line:
    mode, begin, end, length_ms, starts, patience_ms = numbers(
        gate.answer(f"tick.0.{TICK + ticks_on}")
    )
    return Line(mode, begin / 1e3, end / 1e3, length_ms, starts / 1e3, patience_ms)


@given(st.lists(st.integers(0, 2**80), min_size=1, max_size=8))
@example([0])
@example([0, 0, 2**53])
def test_numbers_survive_as_blanks(given_numbers: list[int]) -> None:
    """Only blanks, tabs and line ends are written, and none of the numbers is empty."""
    written = blanks(given_numbers)
    assert set(written) <= set(b" \t\n")
    assert b"\n\n" not in b"\n" + written + b"\n"
    assert numbers(written) == given_numbers


def test_each_vu_gets_the_best_slot_left_of_its_scenario() -> None:
    """Its rank among all VUs, and how many there are."""
    gate = GateState([[1, 3, 4], [2, 5]], course((0.0, 1.0)))
    assert numbers(gate.answer("slot.0.7")) == [1, 5]
    assert numbers(gate.answer("slot.1.2")) == [2, 5]
    assert numbers(gate.answer("slot.0.3")) == [3, 5]
    assert numbers(gate.answer("slot.1.1")) == [5, 5]
    assert numbers(gate.answer("slot.0.4")) == [4, 5]
    assert gate.known == {"7": 1, "2": 2, "3": 3, "1": 5, "4": 4}


def test_a_slot_is_given_once() -> None:
    """A VU that asks again is told the same; it uses up no other one."""
    gate, _ = gate_with((0.0, 1.0), vus=2)
    assert numbers(gate.answer("slot.0.1")) == [1, 2]
    assert numbers(gate.answer("slot.0.1")) == [1, 2]
    assert numbers(gate.answer("slot.0.2")) == [2, 2]


def test_slots_that_are_used_up_or_unknown_are_refused() -> None:
    """Nobody becomes known by asking for one."""
    gate = GateState([[1], []], course((0.0, 1.0)))
    assert gate.answer("slot.0.1") is not None
    assert [gate.answer(key) for key in ("slot.0.2", "slot.1.3", "slot.2.4")] == [None] * 3
    assert list(gate.known) == ["1"]


@given(st.lists(st.integers(0, 5), min_size=1, max_size=6), st.randoms())
def test_every_rank_is_given_to_one_vu(sizes: list[int], random: object) -> None:
    """Whatever the order in which the VUs ask."""
    ranks = list(range(1, sum(sizes) + 1))
    random.shuffle(ranks)  # type: ignore[attr-defined]
    slots = [sorted(ranks.pop() for _ in range(size)) for size in sizes]
    gate = GateState(slots, course((0.0, 1.0)))
    askers = [scenario for scenario, size in enumerate(sizes) for _ in range(size)]
    random.shuffle(askers)  # type: ignore[attr-defined]
    for vu, scenario in enumerate(askers):
        assert gate.answer(f"slot.{scenario}.{vu}") is not None
    assert sorted(gate.known.values()) == list(range(1, sum(sizes) + 1))
    assert all(gate.answer(f"slot.{s}.more") is None for s in range(len(sizes)))


def test_the_first_vu_that_asks_sets_the_time() -> None:
    """Later ones do not, nor does a refused one."""
    gate, clocks = gate_with((0.0, 1.0))
    gate.answer("slot.9.1")
    assert gate.report()["first_at"] is None
    clocks.past_s = 2.0
    gate.answer("slot.0.1")
    clocks.past_s = 3.0
    gate.answer("slot.0.2")
    assert gate.report()["first_at"] == BOOT_S + 2.0


def test_who_runs_is_counted() -> None:
    """Once each, however often it says so."""
    gate, _ = gate_with((0.0, 4.0))
    for vu in (1, 2, 3):
        gate.answer(f"slot.0.{vu}")
    assert [numbers(gate.answer(f"run.{vu}.{n}")) for n, vu in enumerate((1, 2, 2))] == [[1]] * 3
    assert (gate.report()["known"], gate.report()["running"]) == (3, 2)
    assert [numbers(gate.answer(f"park.{vu}.9")) for vu in (2, 3)] == [[1]] * 2
    assert gate.running == {"1"}


def test_a_vu_without_a_slot_neither_runs_nor_parks() -> None:
    """Its key does not exist."""
    gate, _ = gate_with((0.0, 4.0))
    assert [gate.answer(key) for key in ("run.1.1", "park.1.1")] == [None, None]
    assert not gate.running


def test_nobody_starts_on_a_line_that_is_out_of_date() -> None:
    """The target of now decides, not the one that the VU was told."""
    gate, clocks = gate_with((0.0, 2.0), (10.0, 2.0), (10.0, 0.0))
    for vu in (1, 2, 3):
        gate.answer(f"slot.0.{vu}")
    assert [numbers(gate.answer(f"run.{vu}.1")) for vu in (1, 2, 3)] == [[1], [1], [0]]
    clocks.past_s = 10.0
    gate.answer("park.1.2")
    assert numbers(gate.answer("run.1.3")) == [0]
    assert gate.running == {"2"}
    gate.steer(course((10.0, 0.5), unit=RATE))
    assert numbers(gate.answer("run.3.2")) == [1]
    gate.steer(course((10.0, 0.0), unit=RATE))
    assert numbers(gate.answer("run.1.4")) == [0]


def test_the_line_of_a_constant_target_is_flat_and_long() -> None:
    """In mode 0, with no iterations due."""
    gate, _ = gate_with((0.0, 250.0))
    assert line(gate) == Line(0, 250.0, 250.0, LONGEST_LINE_MS, 0.0, PATIENCE_MS[0])


def test_the_line_follows_a_ramp_up_to_its_corner() -> None:
    """It ends there when that is neither too near nor too far."""
    gate, _ = gate_with((0.0, 0.0), (2.0, 100.0), (60.0, 100.0))
    assert line(gate) == Line(0, 0.0, 100.0, 2_000, 0.0, PATIENCE_MS[0])
    assert (line(gate, 5).begin, line(gate, 5).end, line(gate, 5).length_ms) == (50.0, 100.0, 1_000)
    assert (line(gate, 10).begin, line(gate, 10).end) == (100.0, 100.0)
    assert line(gate, 10).length_ms == LONGEST_LINE_MS


def test_a_long_ramp_is_told_in_pieces() -> None:
    """None longer than the longest line; the next one goes on where it ended."""
    gate, _ = gate_with((0.0, 0.0), (60.0, 600.0))
    first, second = line(gate), line(gate, LONGEST_LINE_MS // TICK_MS)
    assert (first.begin, first.end, first.length_ms) == (0.0, 30.0, LONGEST_LINE_MS)
    assert (second.begin, second.end) == (30.0, 60.0)


def test_a_line_is_never_shorter_than_two_ticks() -> None:
    """It passes over a corner that is nearer: VUs ask once a tick at most."""
    gate, _ = gate_with((0.0, 0.0), (1.0, 100.0), (10.0, 100.0))
    near = line(gate, 4)  # 200 ms before the corner
    assert (near.begin, near.end, near.length_ms) == (80.0, 100.0, SHORTEST_LINE_MS)


@pytest.mark.parametrize("step_s", [0.4, 0.6, 1.0, 2.5, 2.8, 3.0])
def test_a_line_that_ends_at_a_step_is_no_ramp_to_it(step_s: float) -> None:
    """The target stays until the step, and is the new one from the step on."""
    gate, _ = gate_with((0.0, 10.0), (step_s, 10.0), (step_s, 90.0))
    before = line(gate)
    assert (before.begin, before.end) == (10.0, 10.0)
    assert before.length_ms in (round(step_s * 1_000), round(step_s * 1_000) - 1)
    after = line(gate, math.floor(step_s * 1_000 / TICK_MS) + 1)
    assert (after.begin, after.end) == (90.0, 90.0)


def test_before_the_course_begins_its_first_level_holds() -> None:
    """And the line ends where the course begins."""
    gate, _ = gate_with((1.0, 5.0), (2.0, 10.0))
    early = line(gate)
    assert (early.begin, early.end, early.length_ms) == (5.0, 5.0, 1_000)


def test_the_tick_may_be_past_or_to_come() -> None:
    """A line belongs to its tick, whenever somebody asks for it."""
    gate, clocks = gate_with((-1.0, 0.0), (99.0, 1_000.0))
    told = [line(gate, n) for n in (0, 3)]
    assert [each.begin for each in told] == [10.0, 16.0]
    clocks.past_s = 1.7
    assert [line(gate, n) for n in (0, 3)] == told


def test_a_wall_clock_that_is_set_moves_the_ticks() -> None:
    """The course goes by the monotonic clock: the level of now is told for the tick of now."""
    gate, clocks = gate_with((0.0, 0.0), (100.0, 1_000.0))
    clocks.past_s = 50.0
    gate.wall = lambda: WALL_S
    assert line(gate).begin == pytest.approx(500.0, abs=0.01)


@given(
    st.lists(st.tuples(st.integers(0, 96), st.integers(0, 5_000)), min_size=1, max_size=7),
    st.integers(-20, 80),
)
def test_every_line_keeps_its_promises(points: list[tuple[int, int]], tick: int) -> None:
    """Its length is in bounds, and where no corner lies within it is the course itself."""
    steps = [(at / 8, float(level)) for at, level in sorted(points, key=lambda each: each[0])]
    gate, _ = gate_with(*steps)
    told, begin = line(gate, tick), tick * TICK_MS / 1_000
    assert SHORTEST_LINE_MS <= told.length_ms <= LONGEST_LINE_MS
    if not [at for at, _ in steps if abs(at - begin) < 1e-6]:  # else it may be a step
        assert told.begin == pytest.approx(gate.course.level(BOOT_S + begin), abs=0.02)
    end = begin + told.length_ms / 1e3
    assert not [at for at, _ in steps if begin + 0.4 + 1e-6 < at < end - 1e-3 - 1e-6]
    if not [at for at, _ in steps if begin - 1e-6 < at < end + 2e-3]:
        middle = gate.course.level(BOOT_S + (begin + end) / 2)
        assert (told.begin + told.end) / 2 == pytest.approx(middle, abs=0.02)


def test_levels_are_told_in_thousandths_and_never_below_zero() -> None:
    """Rates may be small."""
    gate, _ = gate_with((0.0, 0.0625), unit=RATE)
    assert numbers(gate.answer(f"tick.0.{TICK}"))[:3] == [1, 62, 62]
    gate.steer(course((0.0, -5.0)))
    assert numbers(gate.answer(f"tick.0.{TICK}"))[:3] == [0, 0, 0]


@pytest.mark.parametrize(
    ("vus", "patience_ms"), [(1, 1_200), (600, 1_200), (700, 1_400), (800, 1_600), (5_000, 1_600)]
)
def test_the_more_vus_wait_the_longer_each_does(vus: int, patience_ms: int) -> None:
    """Within bounds."""
    gate, _ = gate_with((0.0, 1.0), vus=vus)
    assert line(gate).patience_ms == patience_ms


def test_starts_are_the_area_under_the_rate() -> None:
    """From when the gate began, at the begin of each tick."""
    gate, _ = gate_with((0.0, 0.0), (10.0, 100.0), unit=RATE)
    assert line(gate).mode == 1
    assert [line(gate, ticks).starts for ticks in (0, 5, 25, 50, 100)] == [
        *(0.0, 5.0, 125.0, 500.0, 1_500.0)
    ]


def test_starts_go_on_when_the_course_changes() -> None:
    """Nothing is lost or counted twice, even between ticks."""
    gate, clocks = gate_with((0.0, 10.0), unit=RATE)
    clocks.past_s = 2.25
    gate.steer(course((2.25, 10.0), (4.25, 50.0), unit=RATE))
    assert gate.starts(clocks.monotonic()) == pytest.approx(22.5)
    assert line(gate, 20).starts == pytest.approx(22.5 + 1.75 * (10 + 45) / 2)
    clocks.past_s = 5.0
    gate.steer(course((0.0, 0.0), unit=RATE))
    assert line(gate, 500).starts == pytest.approx(22.5 + 60 + 0.75 * 50)


def test_nothing_is_due_before_the_first_vu_is_there() -> None:
    """However long k6 takes to start, and whatever the course was until then."""
    gate, clocks = gate_with((0.0, 10.0), unit=RATE)
    clocks.past_s = 4.0
    gate.steer(course((0.0, 20.0), unit=RATE))
    clocks.past_s = 6.0
    gate.answer("slot.0.1")
    assert line(gate, 30).starts == 0.0
    clocks.past_s = 7.0
    gate.answer("slot.0.2")
    assert line(gate, 35).starts == pytest.approx(20.0)


def test_starts_stand_still_while_vus_are_counted() -> None:
    """And go on from there with the next rate."""
    gate, clocks = gate_with((0.0, 10.0), unit=RATE)
    clocks.past_s = 1.0
    gate.steer(course((0.0, 500.0)))
    clocks.past_s = 9.0
    assert line(gate, 45).starts == pytest.approx(10.0)
    gate.steer(course((0.0, 20.0), unit=RATE))
    assert line(gate, 50).starts == pytest.approx(30.0)


def test_a_tick_from_before_the_last_change_counts_back() -> None:
    """Down to none, not below."""
    gate, clocks = gate_with((0.0, 10.0), unit=RATE)
    clocks.past_s = 1.1
    gate.steer(course((0.0, 20.0), unit=RATE))
    assert line(gate, 5).starts == pytest.approx(11.0 - 0.1 * 20)
    assert line(gate, -500).starts == 0.0


@given(
    st.lists(
        st.tuples(
            st.integers(0, 3_000), st.integers(0, 100), st.integers(0, 100), st.integers(0, 9)
        ),
        max_size=8,
    )
)
def test_starts_are_exact_across_any_changes(
    changes: list[tuple[int, int, int, int]],
) -> None:
    """Against the sum of the areas of the courses while each of them held."""
    gate, clocks = gate_with((0.0, 5.0), unit=RATE)
    expected = 0.0
    for pause_ms, low, high, ramp_s in changes:
        start = clocks.monotonic()
        clocks.past_s += pause_ms / 1e3
        now = clocks.monotonic()
        expected += gate.course.total(start, now)
        gate.steer(
            course((clocks.past_s, low), (clocks.past_s + ramp_s, high), unit=RATE), gate.number + 1
        )
        assert gate.starts(now) == pytest.approx(expected, abs=1e-6)
    assert gate.report()["course"] == len(changes)


def test_a_silent_monitor_ends_the_load() -> None:
    """After a minute without a word, not before."""
    gate, clocks = gate_with((0.0, 50.0))
    clocks.past_s = SILENCE_S
    gate.watch_silence()
    assert not gate.silent
    assert line(gate, 300).begin == 50.0
    clocks.past_s = SILENCE_S + 0.1
    gate.watch_silence()
    assert gate.report()["silent"]
    assert (line(gate, 301).begin, line(gate, 301).end) == (0.0, 0.0)


def test_a_word_does_not_bring_the_load_back() -> None:
    """The monitor hears of it until it sets a course; another silence ends the load again."""
    gate, clocks = gate_with((0.0, 50.0), unit=RATE)
    clocks.past_s = SILENCE_S + 1.0
    gate.watch_silence()
    gate.hear()
    gate.watch_silence()
    assert gate.report()["silent"]
    assert line(gate, 310).begin == 0.0
    assert gate.course.unit is RATE
    gate.steer(course((0.0, 7.0), unit=RATE))
    assert not gate.report()["silent"]
    clocks.past_s += SILENCE_S
    gate.watch_silence()
    assert line(gate, 700).begin == 7.0
    clocks.past_s += 0.1
    gate.watch_silence()
    assert line(gate, 700).begin == 0.0


def test_a_word_now_and_then_keeps_the_load() -> None:
    """However long it lasts."""
    gate, clocks = gate_with((0.0, 50.0))
    for _ in range(10):
        clocks.past_s += SILENCE_S - 1.0
        gate.watch_silence()
        gate.hear()
    assert line(gate, 4_000).begin == 50.0


def test_silence_keeps_the_number_of_the_course_and_its_starts() -> None:
    """It is no course of the monitor's."""
    gate, clocks = gate_with((0.0, 1.0))
    gate.steer(course((0.0, 2.0), unit=RATE), 12)
    clocks.past_s = 100.0
    gate.watch_silence()
    clocks.past_s = 200.0
    gate.watch_silence()
    assert gate.report()["course"] == 12
    assert line(gate, 1_000).starts == pytest.approx(200.0)


ODD_KEYS = [
    *("", ".", "..", "...", "tick", "tick.", "tick..", "tick.0", "tick.0.", "tick.0.-1"),
    *("tick.0.+1", "tick.0.1_0", "tick.0. 1", "tick.0.1\n", "tick.0.1.5", "tick.0.1e3"),
    *("tick.0.0x10", "tick.0.²", "tick.0.٣", "tick.0.１", "tick.0.Ⅷ", "tick.0." + "9" * 16),
    *("tick.0." + "9" * 5_000, "TICK.0.1", "slot.0", "slot..1", "slot.-1.1", "slot.٠.1"),
    *("slot.²0.1", "slot.99999.1", "slot." + "9" * 5_000 + ".1", "slot.0_0.1", "slot.0.1.2"),
    *("run.1", "run.9.1", "run..1", "park.9.1", "park.1", "run.1.1.1", "../slot.0.1", "\x00"),
]


@pytest.mark.parametrize("key", ODD_KEYS)
def test_a_key_that_does_not_exist_has_no_answer(key: str) -> None:
    """Digits of other scripts are none, and nothing is noted."""
    gate, _ = gate_with((0.0, 50.0))
    gate.answer("slot.0.1")
    before = gate.report()
    assert gate.answer(key) is None
    assert gate.report() == before


words = st.one_of(
    st.text(max_size=6),
    st.sampled_from(["slot", "tick", "run", "park", "0", "1", "٣", "²", "9" * 15, "-1"]),
    st.integers(-(10**20), 10**20).map(str),
)


@given(st.one_of(st.text(), st.lists(words, max_size=5).map(".".join)))
def test_no_key_is_too_odd(key: str) -> None:
    """Every one of them has an answer of numbers, or none."""
    gate, _ = gate_with((0.0, 5.0), (9.0, 70.0), unit=RATE, vus=2)
    gate.answer("slot.0.1")
    answer = gate.answer(key)
    assert answer is None or all(number >= 0 for number in numbers(answer))
    assert len(gate.known) <= 2
    assert gate.asked == 2


@pytest.mark.parametrize("number", ["0", "1", "9" * 15])
@pytest.mark.parametrize("unit", [VUS, RATE])
def test_a_tick_far_from_now_has_a_line_too(number: str, unit: CourseUnit) -> None:
    """Of numbers that are not negative."""
    gate, _ = gate_with((0.0, 5.0), (9.0, 70.0), unit=unit)
    told: Sequence[int] = numbers(gate.answer(f"tick.7.{number}"))
    assert told[3] == LONGEST_LINE_MS
    assert min(told) >= 0
