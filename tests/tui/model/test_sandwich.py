"""A sandwich is exactly its function's total, above and below."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.samples import Frame, FrameKind, Stack, StackBatch, StackCount
from tui.model.calltree import CallTree, build_tree, top_table
from tui.model.sandwich import sandwich
from tui.model.shape import Shape, module_frame
from tui.model.stacks import CALLER_LOST_FRAME, StackTable

FRAMES = {i: Frame(name, "server", FrameKind.USER) for i, name in enumerate("abcdef")}
UNKNOWN = 6
FRAMES[UNKNOWN] = Frame("[unknown]", "lib.so", FrameKind.UNKNOWN)
NUMBERS = {frame.symbol: number for number, frame in FRAMES.items()}
A, B = FRAMES[0], FRAMES[1]


def table_of(stacks: list[tuple[list[int], bool]]) -> StackTable:
    table = StackTable()
    made = {i: Stack("p", "t", tuple(ids), lost) for i, (ids, lost) in enumerate(stacks)}
    table.add(StackBatch(start=0.0, end=0.0, counts={}, stacks=made, frames=FRAMES))
    return table


def folded(stacks: dict[str, int]) -> tuple[StackTable, dict[int, StackCount]]:
    """Stacks like `a b`; what begins with `~` lost its callers. A sample stands for 10 ns."""
    rows = [([NUMBERS[n] for n in text.split() if n != "~"], text[0] == "~") for text in stacks]
    return table_of(rows), {i: StackCount(n, n * 10) for i, n in enumerate(stacks.values())}


def own_samples(tree: CallTree) -> dict[str, int]:
    found, line = {}, [""]
    for depth, node in tree.walk():
        del line[depth:]
        line.append("~" if node.frame is CALLER_LOST_FRAME else node.frame.symbol)
        if node.self_samples:
            found[" ".join(line)] = node.self_samples
    return found


def test_callers_are_above_and_callees_below() -> None:
    """Both trees begin with the function; stacks without it are in neither."""
    made = sandwich(*folded({"a b c": 1, "d b c": 2, "a b": 4, "b d": 8, "a c": 16}), B)
    assert own_samples(made.callers) == {"b a": 5, "b d": 2, "b": 8}
    assert own_samples(made.callees) == {"b c": 3, "b": 4, "b d": 8}
    assert (made.samples, made.period_ns) == (15, 150)
    assert made.callers.root.frame == made.callees.root.frame == B


def test_recursion_is_cut_at_the_outermost_call() -> None:
    """The function is among its callees where it calls itself, never among its callers."""
    made = sandwich(*folded({"a b c b d": 3}), B)
    assert own_samples(made.callers) == {"b a": 3}
    assert own_samples(made.callees) == {"b c b d": 3}


def test_lost_callers_are_said() -> None:
    """They are the outermost caller, and count as lost in both trees."""
    made = sandwich(*folded({"~ a b c": 1, "~ b": 2, "b [unknown]": 4}), B)
    assert own_samples(made.callers) == {"b a ~": 1, "b ~": 2, "b": 4}
    assert made.callers.caller_lost_samples == made.callees.caller_lost_samples == 3
    assert made.callers.unknown_samples == made.callees.unknown_samples == 4


def test_a_module_can_be_between() -> None:
    """The frame of a module stands for the outermost of its functions."""
    module = module_frame(FRAMES[UNKNOWN])
    made = sandwich(*folded({"a [unknown] b": 1, "a": 2}), module)
    assert own_samples(made.callers) == {"lib.so a": 1}
    assert own_samples(made.callees) == {"lib.so b": 1}


def test_absent_function_has_nothing() -> None:
    """Its frame alone."""
    made = sandwich(*folded({"a": 1}), B)
    assert (made.samples, made.callers.nodes, made.callees.nodes) == (0, 0, 0)
    assert made.callees.root.frame == B


@pytest.mark.parametrize("function", [A, B, FRAMES[UNKNOWN]])
@given(
    stacks=st.lists(
        st.tuples(st.lists(st.integers(0, UNKNOWN), max_size=8), st.booleans()),
        min_size=1,
        max_size=12,
    ),
    counts=st.dictionaries(
        st.integers(0, 12),
        st.builds(StackCount, st.integers(1, 50), st.integers(0, 10**10)),
        max_size=13,
    ),
)
def test_both_trees_are_the_functions_total(
    function: Frame, stacks: list[tuple[list[int], bool]], counts: dict[int, StackCount]
) -> None:
    """They conserve, and sum up to the function's rows in the table of functions."""
    table = table_of(stacks)
    made = sandwich(table, counts, function)
    rows = [row for row in top_table(build_tree(table, counts)) if row.frame == function]
    expected = sum(r.total_samples for r in rows), sum(r.total_period_ns for r in rows)
    assert (made.samples, made.period_ns) == expected
    lost = sum(row.total_samples for row in rows if row.caller_lost)
    for tree in (made.callers, made.callees):
        tree.check()
        assert (tree.samples, tree.period_ns) == expected
        assert tree.caller_lost_samples == lost
    assert all(node.frame != function for depth, node in made.callers.walk() if depth)


def test_a_shape_comes_before_the_cut() -> None:
    """What it leaves out or folds is neither above nor below; the side that is up means nothing."""
    stacks = folded({"a b c": 1, "d b b c": 2, "e b c": 4})
    hidden = sandwich(*stacks, B, Shape(hidden=frozenset({FRAMES[NUMBERS["e"]]})))
    assert own_samples(hidden.callers) == {"b a": 1, "b d": 2}
    once = sandwich(*stacks, B, Shape(collapse_recursion=True, inverted=True, focus=A))
    assert own_samples(once.callees) == {"b c": 7}


def test_by_module_it_is_about_the_functions_module() -> None:
    """Which is what stands in the stacks then."""
    made = sandwich(*folded({"a b": 3}), B, Shape(by_module=True))
    assert made.callers.root.frame == module_frame(B)
    assert made.samples == 3
