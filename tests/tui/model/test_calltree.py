"""Call trees conserve what they were built from."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.samples import Frame, FrameKind, Stack, StackBatch, StackCount
from tui.model.calltree import CallNode, CallTree, Path, build_tree, top_table
from tui.model.stacks import CALLER_LOST_FRAME, MISSING_FRAME, StackTable

KINDS = list(FrameKind)
FRAMES = {i: Frame(f"f{i}", "server", KINDS[i % 4]) for i in range(8)}
NAMED = {frame.symbol: frame for frame in FRAMES.values()}

stacks = st.lists(
    st.tuples(st.lists(st.integers(0, 7), max_size=6), st.booleans()), min_size=1, max_size=12
)
counts = st.dictionaries(
    st.integers(0, 11),
    st.builds(StackCount, st.integers(1, 50), st.integers(0, 10**10)),
    max_size=12,
)


def table_of(shapes: list[tuple[list[int], bool]]) -> StackTable:
    table = StackTable()
    made = {i: Stack("p", "t", tuple(ids), lost) for i, (ids, lost) in enumerate(shapes)}
    table.add(StackBatch(start=0.0, end=0.0, counts={}, stacks=made, frames=FRAMES))
    return table


def totals(tree: CallTree) -> dict[Path, tuple[int, int]]:
    found: dict[Path, tuple[int, int]] = {}
    pending: list[tuple[Path, CallNode]] = [((), tree.root)] if tree.samples else []
    while pending:
        path, node = pending.pop()
        found[path] = (node.total_samples, node.total_period_ns)
        pending.extend(((*path, child.frame), child) for child in node.children)
    return found


@given(stacks, counts)
def test_every_node_conserves(
    shapes: list[tuple[list[int], bool]], n: dict[int, StackCount]
) -> None:
    """Own share and children's totals add up at every node, and to all that was counted."""
    tree = build_tree(table_of(shapes), n)
    tree.check()
    assert tree.samples == sum(count.samples for count in n.values())
    assert tree.period_ns == sum(count.period_ns for count in n.values())
    assert tree.nodes == sum(1 for _ in tree.walk()) - 1


@given(stacks, counts, counts)
def test_tree_of_sums_is_sum_of_trees(
    shapes: list[tuple[list[int], bool]], one: dict[int, StackCount], two: dict[int, StackCount]
) -> None:
    """Counting two ranges together gives what adding up their trees gives."""
    table = table_of(shapes)
    nothing = StackCount(0, 0)
    both = {}
    for i in one.keys() | two.keys():
        a, b = one.get(i, nothing), two.get(i, nothing)
        both[i] = StackCount(a.samples + b.samples, a.period_ns + b.period_ns)
    expected: dict[Path, tuple[int, int]] = {}
    for part in (totals(build_tree(table, one)), totals(build_tree(table, two))):
        for path, (samples, period_ns) in part.items():
            before = expected.get(path, (0, 0))
            expected[path] = (before[0] + samples, before[1] + period_ns)
    assert totals(build_tree(table, both)) == expected


@given(stacks, counts)
def test_function_totals_count_a_stack_once(
    shapes: list[tuple[list[int], bool]], n: dict[int, StackCount]
) -> None:
    """A function's total is the sum over the stacks that contain it, however often."""
    table = table_of(shapes)
    rows = top_table(build_tree(table, n))
    expected: Counter[tuple[str, bool]] = Counter()
    for i, count in n.items():
        frames = set(table.frames_of(i))
        lost = CALLER_LOST_FRAME in frames
        for frame in frames - {CALLER_LOST_FRAME}:
            expected[frame.symbol, lost] += count.samples
    assert {(row.symbol, row.caller_lost): row.total_samples for row in rows} == expected
    assert sum(row.self_samples for row in rows) == sum(c.samples for c in n.values())
    assert all(row.self_samples <= row.total_samples for row in rows)


def test_recursion_and_order_of_rows() -> None:
    """The greatest own time comes first; a function that calls itself is not counted twice."""
    tree = build_tree(table_of([([0, 1, 0, 1], False), ([0], False)]), {
        0: StackCount(3, 300), 1: StackCount(5, 500),
    })  # fmt: skip
    rows = top_table(tree)
    assert [(r.symbol, r.self_samples, r.total_samples) for r in rows] == [
        ("f0", 5, 8),
        ("f1", 3, 3),
    ]


def test_children_stand_by_name() -> None:
    """Order does not follow the counts; what lost its callers comes last."""
    shapes = [([2], False), ([0], True), ([1], False), ([0], False)]
    tree = build_tree(table_of(shapes), {i: StackCount(9 - i, 1) for i in range(4)})
    names = [child.frame.symbol for child in tree.root.children]
    assert names == ["f0", "f1", "f2", CALLER_LOST_FRAME.symbol]


def test_quality_ratios() -> None:
    """Leaves without symbol and lost callers are shares of all samples."""
    shapes = [([0, 3], False), ([0], False), ([1, 0], True)]
    tree = build_tree(
        table_of(shapes), {0: StackCount(1, 1), 1: StackCount(2, 1), 2: StackCount(5, 1)}
    )
    assert tree.unknown_ratio == pytest.approx(1 / 8)
    assert tree.caller_lost_ratio == pytest.approx(5 / 8)
    row = next(row for row in top_table(tree) if row.symbol == "f0" and not row.caller_lost)
    assert row.total_samples == 3


def test_empty_tree() -> None:
    """Nothing counted is a root with nothing, and no division by zero."""
    tree = build_tree(StackTable(), {})
    tree.check()
    assert (tree.samples, tree.nodes, tree.unknown_ratio, tree.caller_lost_ratio) == (0, 0, 0, 0)
    assert top_table(tree) == []


def test_unknown_stack_is_not_lost() -> None:
    """Counts of an unknown stack id stay in the tree under a node that says so."""
    tree = build_tree(StackTable(), {5: StackCount(2, 20)})
    tree.check()
    assert tree.find((MISSING_FRAME,)) is not None
    assert tree.samples == 2


def test_find_and_nearest() -> None:
    """A path is found by its frames; a vanished one falls back to its nearest caller."""
    tree = build_tree(table_of([([0, 1, 2], False)]), {0: StackCount(1, 1)})
    path = (NAMED["f0"], NAMED["f1"], NAMED["f2"])
    node = tree.find(path)
    assert node is not None
    assert node.frame == NAMED["f2"]
    assert tree.find((NAMED["f1"],)) is None
    assert tree.find((NAMED["f1"], NAMED["f0"])) is None
    assert tree.nearest(path) == path
    assert tree.nearest((NAMED["f0"], NAMED["f7"], NAMED["f1"])) == (NAMED["f0"],)


def test_check_tells_what_is_wrong() -> None:
    """A tree that does not add up is refused by name."""
    tree = build_tree(table_of([([0, 1], False)]), {0: StackCount(1, 1)})
    tree.root.children[0].total_samples += 1
    with pytest.raises(ValueError, match="totals of all do not add up"):
        tree.check()


def test_deep_stacks_do_not_recurse() -> None:
    """A stack much deeper than Python's own stack is built, walked and summed."""
    tree = build_tree(table_of([([0, 1] * 5_000, False)]), {0: StackCount(1, 1)})
    tree.check()
    assert len(top_table(tree)) == 2
