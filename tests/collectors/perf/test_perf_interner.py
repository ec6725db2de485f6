from __future__ import annotations

from collectors.perf.interner import OTHER_FUNCTIONS, OTHER_STACKS, Interner
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
