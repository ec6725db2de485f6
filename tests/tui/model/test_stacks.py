"""What the stack table remembers."""

from collectors.samples import Frame, FrameKind, Stack, StackBatch
from tui.model.stacks import CALLER_LOST_FRAME, MISSING_FRAME, NO_STACK_FRAME, StackTable

MAIN = Frame("main", "server", FrameKind.USER)
WORK = Frame("work", "server", FrameKind.USER)


def batch(
    stacks: dict[int, tuple[int, ...]], frames: dict[int, Frame], *, lost: bool = False
) -> StackBatch:
    made = {i: Stack("server", "worker", ids, lost) for i, ids in stacks.items()}
    return StackBatch(start=0.0, end=0.5, counts={}, stacks=made, frames=frames)


def test_stacks_resolve_over_batches() -> None:
    """A stack may use frames that an earlier batch announced."""
    table = StackTable()
    table.add(batch({1: (1,)}, {1: MAIN}))
    table.add(batch({2: (1, 2)}, {2: WORK}))
    assert table.frames_of(1) == (MAIN,)
    assert table.frames_of(2) == (MAIN, WORK)
    assert table.frame(2) is WORK
    stack = table.stack(2)
    assert stack is not None
    assert stack.frames == (1, 2)
    assert (len(table), table.unknown_ids) == (2, 0)


def test_known_ids_keep_their_meaning() -> None:
    """An id that comes again does not change what was counted under it."""
    table = StackTable()
    table.add(batch({1: (1,)}, {1: MAIN}))
    table.add(batch({1: (2,)}, {1: WORK, 2: WORK}))
    assert table.frames_of(1) == (MAIN,)
    assert table.frame(1) is MAIN


def test_equal_frames_under_two_ids_are_one() -> None:
    """Stacks of equal frames end at one leaf, whatever the ids are."""
    table = StackTable()
    again = Frame("main", "server", FrameKind.USER)
    table.add(batch({1: (1,), 2: (9,)}, {1: MAIN, 9: again}))
    assert table.leaf(1) == table.leaf(2)


def test_unknown_ids_are_counted() -> None:
    """An id that nobody announced stands for a frame that says so."""
    table = StackTable()
    table.add(batch({1: (7,)}, {}))
    assert table.frames_of(1) == (MISSING_FRAME,)
    assert table.frames_of(99) == (MISSING_FRAME,)
    assert table.stack(99) is None
    assert table.unknown_ids == 3


def test_empty_stack_and_lost_callers_have_a_node() -> None:
    """Stacks without frames or without callers hang under a frame that tells why."""
    table = StackTable()
    table.add(batch({1: ()}, {}))
    table.add(batch({2: (1,)}, {1: WORK}, lost=True))
    assert table.frames_of(1) == (NO_STACK_FRAME,)
    assert table.frames_of(2) == (CALLER_LOST_FRAME, WORK)


def test_parents_come_before_children() -> None:
    """Numbers in the prefix tree grow from caller to callee, at any depth."""
    table = StackTable()
    table.add(batch({1: (1, 2) * 5_000}, {1: MAIN, 2: WORK}))
    assert all(parent < number for number, parent in enumerate(table.parents) if number)
    assert len(table.frames_of(1)) == 10_000
