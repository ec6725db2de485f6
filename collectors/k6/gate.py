"""What k6's VUs are told when they ask whether they may go on; no I/O.

Standard library only: it runs in the gate process (see `collectors.k6.gate_server`).

Keys that a VU asks for
  slot.SCENARIO.VU     its rank among all VUs, from 1, and how many there are; given once
  tick.TURN.NUMBER     the line from the begin of this tick (of 200 ms of the wall clock)
  run.VU.N             it wants to run the script: 1 if it may, 0 if the target has changed
  park.VU.N            it waits from now on: 1
Answers are binary numbers written with blank (0) and tab (1), one a line: k6 keeps no secret that
is blank for its logs. A tick's numbers: mode (0 VUs, 1 rate), level at its begin and at the end of
the line (thousandths), length of the line (ms), iterations started by its begin (thousandths, rate
only), how long a waiting VU is to wait (ms).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from collectors.course import Course, CourseUnit

TICK_MS: Final = 200
SHORTEST_LINE_MS: Final = 2 * TICK_MS
LONGEST_LINE_MS: Final = 3_000
PATIENCE_MS: Final = (1_200, 1_600)
"""How long a VU far from its turn acts on an answer, its age included: the more VUs, the longer."""
PATIENCE_MS_A_VU: Final = 2
SILENCE_S: Final = 60.0
"""Without a word from the monitor for so long, the load ends."""


def blanks(numbers: Sequence[int]) -> bytes:
    """Write numbers that are not negative as blanks and tabs, one a line."""
    table = str.maketrans("01", " \t")
    return "\n".join(f"{number:b}".translate(table) for number in numbers).encode()


@dataclass
class GateState:
    """What the gate knows and answers, without any I/O.

    Attributes:
        slots: For each scenario the ranks of its VUs, best first.
        course: The target.
    """

    slots: Sequence[Sequence[int]]
    course: Course
    clock: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    known: dict[str, int] = field(default_factory=dict)
    """VU → rank."""
    running: set[str] = field(default_factory=set)
    first_at: float | None = None
    """When the first VU asked."""
    heard_at: float = 0.0
    silent: bool = False
    """Whether the load was taken away because the monitor was silent, and it has not said more."""
    number: int = 0
    """Of the course, as the monitor counts them."""
    asked: int = 0
    _starts: float = 0.0
    """Iterations that should have been started by `_starts_at`."""
    _starts_at: float = 0.0
    _given: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Begin to count."""
        self.heard_at = self._starts_at = self.clock()

    def steer(self, course: Course, number: int = 0) -> None:
        """Follow another course from now on; reports name its number."""
        now = self.clock()
        self.number = number
        self._starts, self._starts_at = self.starts(now), now
        self.course = course
        self.silent = False

    def hear(self) -> None:
        """Note that the monitor lives; the load comes back when it says so."""
        self.heard_at = self.clock()

    def watch_silence(self) -> None:
        """End the load when the monitor said nothing for too long."""
        now = self.clock()
        if not self.silent and now - self.heard_at > SILENCE_S:
            self.steer(Course.constant(self.course.unit, 0.0, now), self.number)
            self.silent = True

    def starts(self, at: float) -> float:
        """Return how many iterations should have been started, where the course is a rate."""
        if self.course.unit is not CourseUnit.ITERATIONS:
            return self._starts
        return max(0.0, self._starts + self.course.total(self._starts_at, at))

    def answer(self, key: str) -> bytes | None:
        """Return the answer to a key, None if there is no such key."""
        self.asked += 1
        match key.split("."):
            case ["tick", _, number] if _is_number(number, 15):
                return self._line(int(number))
            case ["slot", scenario, vu] if _is_number(scenario, 5):
                return self._slot(int(scenario), vu)
            case ["run", vu, _] if vu in self.known:
                return self._let_in(vu)
            case ["park", vu, _] if vu in self.known:
                self.running.discard(vu)
                return blanks([1])
            case _:
                return None

    def _slot(self, scenario: int, vu: str) -> bytes | None:
        if scenario >= len(self.slots):
            return None
        if vu not in self.known:
            place = self._given.get(scenario, 0)
            if place >= len(self.slots[scenario]):
                return None
            self._given[scenario] = place + 1
            self.known[vu] = self.slots[scenario][place]
        if self.first_at is None:
            # Nobody could start anything before.
            self._starts = 0.0
            self.first_at = self._starts_at = self.clock()
        return blanks([self.known[vu], self.ceiling])

    def _let_in(self, vu: str) -> bytes:
        # It acts on a line that may be old by now: nobody starts after a stop.
        level = self.course.level(self.clock())
        needed = 0.0 if self.course.unit is CourseUnit.ITERATIONS else self.known[vu] - 1.0
        if level <= needed:
            return blanks([0])
        self.running.add(vu)
        return blanks([1])

    @property
    def ceiling(self) -> int:
        """How many VUs there are."""
        return sum(len(ranks) for ranks in self.slots)

    def _line(self, tick: int) -> bytes:
        begin = self.clock() - (self.wall() - tick * TICK_MS / 1_000)
        ahead_s = LONGEST_LINE_MS / 1_000
        corner = next((time for time, _ in self.course.points if time > begin), begin + ahead_s)
        length_ms = int(min(max((corner - begin) * 1_000, SHORTEST_LINE_MS), LONGEST_LINE_MS))
        end = begin + length_ms / 1_000
        if corner - begin >= SHORTEST_LINE_MS / 1_000:
            end = min(end, corner)
        # A line that ends at a step ends below it, else it would be a ramp up to it.
        levels = (self.course.level(begin), self.course.level_before(end))
        shortest, longest = PATIENCE_MS
        patience_ms = min(max(PATIENCE_MS_A_VU * self.ceiling, shortest), longest)
        mode = 1 if self.course.unit is CourseUnit.ITERATIONS else 0
        starts = self.starts(begin)
        return blanks(
            [
                mode,
                *(round(max(0.0, level) * 1_000) for level in levels),
                length_ms,
                round(starts * 1_000),
                patience_ms,
            ]
        )

    def report(self) -> dict[str, Any]:
        """Return what the monitor is told."""
        return {
            "op": "state",
            "course": self.number,
            "known": len(self.known),
            "running": len(self.running),
            "first_at": self.first_at,
            "silent": self.silent,
        }


def _is_number(text: str, digits: int) -> bool:
    # Other scripts have digits too, some of which `int` refuses.
    return text.isascii() and text.isdecimal() and len(text) <= digits
