from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from collectors.perf.frequent import WINDOW, Frequent
from collectors.perf.interner import OTHER_FUNCTIONS, OTHER_STACKS, Interner
from collectors.perf.room import MOST_SEEN, Room
from collectors.perf.sketch import MOST, CountSketch
from collectors.samples import Frame, FrameKind, Stack


def frame(symbol: str, module: str = "app") -> Frame:
    return Frame(symbol, module, FrameKind.USER)


def test_equal_things_have_one_id() -> None:
    """Frames and stacks are known again by value."""
    interner = Interner()
    first, second = interner.frame_id(frame("a")), interner.frame_id(frame("b"))
    assert first != second
    assert interner.frame_id(frame("a")) == first
    stack = interner.stack_id("app", "main", [first, second])
    assert interner.stack_id("app", "main", (first, second)) == stack
    assert interner.stack_id("app", "other", (first, second)) != stack
    assert interner.stack_id("app", "main", (second, first)) != stack


def test_new_things_are_handed_out_once() -> None:
    """What is new is returned by the next call, then never again."""
    interner = Interner()
    number = interner.frame_id(frame("a"))
    stack = interner.stack_id("app", "main", (number,))
    expected = {stack: Stack("app", "main", (number,))}, {number: frame("a")}
    assert interner.take_new() == expected
    interner.stack_id("app", "main", (number,))
    assert interner.take_new() == ({}, {})


def test_lost_callers_are_marked() -> None:
    """A stack whose root is inside libc says that its callers are lost."""
    interner = Interner()
    send = interner.frame_id(frame("__send", "libc.so.6"))
    stack = interner.stack_id("app", "main", (send,))
    assert interner.take_new()[0][stack].caller_lost


def test_frames_over_the_limit_are_one() -> None:
    """Beyond the limit every function is the same one; known ones keep their id."""
    interner = Interner(max_frames=2)
    known = [interner.frame_id(frame(symbol)) for symbol in "ab"]
    others = {interner.frame_id(frame(symbol)) for symbol in "cdef"}
    assert len(others) == 1
    assert interner.take_new()[1][others.pop()] == OTHER_FUNCTIONS
    assert [interner.frame_id(frame(symbol)) for symbol in "ab"] == known


def test_stacks_over_the_limit_are_one() -> None:
    """Beyond either limit every stack is the same one, whatever its thread."""
    for interner in (Interner(max_stacks=1), Interner(max_references=1)):
        number = interner.frame_id(frame("a"))
        known = interner.stack_id("app", "main", (number,))
        others = {interner.stack_id("app", thread, (number,) * 2) for thread in "xyz"}
        assert len(others) == 1
        stacks, frames = interner.take_new()
        assert [frames[id_] for id_ in stacks[others.pop()].frames] == [OTHER_STACKS]
        assert interner.stack_id("app", "main", (number,)) == known


class Told:
    """An interner of little room, and what it has told."""

    def __init__(self) -> None:
        self.interner = Interner(max_stacks=400, max_nodes=1_000)
        self.stacks: dict[int, Stack] = {}
        self.frames: dict[int, Frame] = {}
        self._numbers = iter(range(10_000_000))

    def ask(self, *symbols: str, thread: str = "main") -> list[str]:
        """Return the stack that a stack becomes."""
        ids = [self.interner.frame_id(frame(symbol)) for symbol in symbols]
        return self.shown(self.interner.stack_id("app", thread, ids))

    def shown(self, stack: int) -> list[str]:
        """Return the symbols of a stack by its id."""
        stacks, frames = self.interner.take_new()
        assert not self.stacks.keys() & stacks.keys()
        self.stacks |= stacks
        self.frames |= frames
        return [self.frames[number].symbol for number in self.stacks[stack].frames]

    def new(self) -> str:
        """Return a name that nothing had before."""
        return f"new_{next(self._numbers) % 60_000}"

    def fill(self) -> None:
        """Ask for stacks that never come again until one is cut."""
        while OTHER_STACKS.symbol not in self.ask("main", "work", *(self.new() for _ in "abc")):
            pass


@pytest.fixture
def told() -> Iterator[Told]:
    """Give an interner whose free room is taken, and check that it keeps its bounds."""
    found = Told()
    found.fill()
    yield found
    assert len(found.stacks) <= 401
    edges = {
        stack.frames[:depth]
        for stack in found.stacks.values()
        for depth in range(1, len(stack.frames) + 1)
    }
    assert len(edges) <= 1_001


def test_a_cut_stack_keeps_its_known_callers(told: Told) -> None:
    """What never came before ends below the callers that are known."""
    cut = told.ask("main", "work", told.new(), told.new())
    assert cut == ["main", "work", OTHER_STACKS.symbol]
    assert told.ask(told.new(), told.new()) == [OTHER_STACKS.symbol]


def test_a_frequent_leaf_is_kept(told: Told) -> None:
    """A leaf of many stacks stands below what was left out, a rare one does not."""
    shown = [told.ask("main", "work", told.new(), "memcpy") for _ in range(1_000)]
    assert shown[-1] == ["main", "work", OTHER_STACKS.symbol, "memcpy"]
    lost = sum(symbols[-1] != "memcpy" for symbols in shown)
    assert lost < 200


def test_what_becomes_hot_late_comes_in(told: Told) -> None:
    """A stack that comes again and again is cut at first, then whole; its first id stays true."""
    path = ("main", "late", "hot", "leaf")
    shown = [told.ask(*path) for _ in range(20)]
    assert shown[0] == ["main", OTHER_STACKS.symbol]
    assert shown[-1] == list(path)


def test_callers_of_many_stacks_come_in(told: Told) -> None:
    """A function below known callers is seen once many stacks go through it, none like another."""
    shown = [told.ask("main", "late", told.new(), told.new()) for _ in range(400)]
    assert shown[0] == ["main", OTHER_STACKS.symbol]
    assert shown[-1] == ["main", "late", OTHER_STACKS.symbol]


def test_only_cut_stacks_are_asked_for_again(told: Told) -> None:
    """An id says whether frames are missing."""
    ids = [told.interner.frame_id(frame(symbol)) for symbol in ("main", "x", "y", "z")]
    first = told.interner.stack_id("app", "main", ids)
    assert told.interner.is_cut(first)
    for _ in range(20):
        last = told.interner.stack_id("app", "main", ids)
    assert not told.interner.is_cut(last)
    assert told.interner.stack_id("app", "main", ids) == last


def test_room_lasts(told: Told) -> None:
    """However many stacks come, and however often, the last hot one is still told apart by leaf."""
    for number in range(30_000):
        told.ask("main", told.new(), told.new(), thread=f"thread {number % 1000}")
    kept = Counter(told.ask("main", told.new(), "end")[-1] for _ in range(2 * WINDOW))
    assert kept["end"] > WINDOW


def test_a_lost_caller_stays_lost(told: Told) -> None:
    """What is left of a stack says of its callers what the whole one did."""
    send = told.interner.frame_id(frame("__send", "libc.so.6"))
    others = [told.interner.frame_id(frame(told.new())) for _ in range(2)]
    stack = told.interner.stack_id("app", "main", (send, *others))
    assert told.shown(stack)[-1] == OTHER_STACKS.symbol
    assert told.stacks[stack].caller_lost


def test_a_sketch_counts_and_forgets() -> None:
    """A count is never too low, has an end, and is halved when enough else was counted."""
    sketch = CountSketch(slots=1 << 10, notes_a_halving=1_000)
    assert [sketch.note(hash((1, 2))) for _ in range(5)] == [1, 2, 3, 4, 5]
    for number in range(994):
        sketch.note(hash((number, number)))
    assert sketch.note(hash((1, 2))) <= 5
    assert max(sketch.note(hash((3, 4))) for _ in range(600)) <= MOST


def test_a_sketch_tells_rare_from_frequent() -> None:
    """Of very many keys that come once, hardly any counts as more than a few."""
    sketch = CountSketch()
    seen = Counter(sketch.note(hash((number, 7))) for number in range(100_000))
    assert sum(many for count, many in seen.items() if count >= 4) < 100


def test_frequent_things_are_those_of_now() -> None:
    """Who came often once and comes no more is frequent no more."""
    frequent = Frequent()
    for number in range(2 * WINDOW):
        frequent.note(-1 if number % 10 == 0 else number)
    assert frequent.things == {-1}
    for number in range(8 * WINDOW):
        frequent.note(-2 if number % 10 == 0 else number)
    assert frequent.things == {-2}


def test_the_less_room_the_more_often_a_stack_has_to_be_seen() -> None:
    """Once while room is free, then twice, and so on to the end."""
    room = Room(stacks=100, nodes=1_000, references=1_000)
    asked = []
    for _ in range(100):
        asked.append(room.least_seen(0.5))
        room.take(1, 1)
    assert asked == sorted(asked)
    assert asked[:50] == [1] * 50
    assert asked[51] == 2
    assert asked[-1] == MOST_SEEN
    assert not room.fits(0, 0)
