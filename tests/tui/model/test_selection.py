"""A selection finds its function again, in another shape and after every refresh."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.samples import Frame, FrameKind, Stack, StackBatch, StackCount
from tui.model.calltree import CallTree, Path
from tui.model.selection import carry
from tui.model.shape import Shape, module_frame, shape_tree, thread_frame
from tui.model.stacks import CALLER_LOST_FRAME, StackTable

UPRIGHT, INVERTED = Shape(), Shape(inverted=True)
MODULES = Shape(by_module=True)


def frame(name: str) -> Frame:
    """`a` is in the server, `m.a` in module m, `k_a` in the kernel, `[m]` is a module."""
    if name == "~":
        return CALLER_LOST_FRAME
    if name.startswith("["):
        return module_frame(frame(f"{name[1:-1]}.x"))
    if name.startswith("k_"):
        return Frame(name, "[kernel.kallsyms]", FrameKind.KERNEL)
    module, dot, symbol = name.rpartition(".")
    return Frame(symbol, module if dot else "server", FrameKind.USER)


def path(text: str) -> Path:
    return tuple(map(frame, text.split()))


def tree_of(stacks: dict[str, int], shape: Shape) -> CallTree:
    """A tree in a shape from stacks like `a b`; what begins with `~` lost its callers."""
    ids: dict[Frame, int] = {}
    made, counts = {}, {}
    for number, (text, samples) in enumerate(stacks.items()):
        frames = [one for one in path(text) if one is not CALLER_LOST_FRAME]
        numbers = tuple(ids.setdefault(one, len(ids)) for one in frames)
        made[number] = Stack("app", "io-1", numbers, text.startswith("~"))
        counts[number] = StackCount(samples, samples * 10)
    table = StackTable()
    names = {number: one for one, number in ids.items()}
    table.add(StackBatch(start=0.0, end=0.0, counts=counts, stacks=made, frames=names))
    return shape_tree(table, counts, shape).tree


STACKS = {"a b c": 3, "a b c d": 9, "x c": 5, "a m.e m.f": 7, "a b k_r": 2, "~ c": 1}


@pytest.mark.parametrize(
    ("before", "old", "new", "after"),
    [
        ("a b c", UPRIGHT, INVERTED, "c b a"),
        ("c b a", INVERTED, UPRIGHT, "a b c"),
        ("~ c", UPRIGHT, INVERTED, "c ~"),
        ("c ~", INVERTED, UPRIGHT, "~ c"),
        # `b` is no leaf: it is where it is a caller, below its costliest callee.
        ("a b", UPRIGHT, INVERTED, "d c b a"),
        ("d c", INVERTED, UPRIGHT, "a b c d"),
        ("c", INVERTED, UPRIGHT, "a b c"),
        ("a m.e m.f", UPRIGHT, MODULES, "[server] [m]"),
        ("[server] [m]", MODULES, UPRIGHT, "a m.e"),
        ("a b k_r", UPRIGHT, Shape(hide_kernel=True), "a b"),
        ("a b c d", UPRIGHT, Shape(focus=frame("c")), "c d"),
        ("c d", Shape(focus=frame("c")), UPRIGHT, "a b c d"),
        ("a b c", UPRIGHT, Shape(hidden=frozenset({frame("b")})), "x c"),
        ("a b d", UPRIGHT, Shape(hidden=frozenset({frame("d")})), "a b"),
        ("", UPRIGHT, INVERTED, ""),
        ("gone", UPRIGHT, INVERTED, ""),
        ("a b gone", UPRIGHT, UPRIGHT, "a b"),
    ],
)
def test_the_function_stays_selected(before: str, old: Shape, new: Shape, after: str) -> None:
    """In the same stack where there is one, else where most of its callers are."""
    assert carry(path(before), old, new, tree_of(STACKS, new)) == path(after)


def test_threads_are_put_above_and_taken_away() -> None:
    """A path gets its thread and loses it again; a thread alone stays where there are threads."""
    thread = (thread_frame("app", "io-1"),)
    split, both = Shape(by_thread=True), Shape(by_thread=True, inverted=True)
    assert carry(path("a b c"), UPRIGHT, split, tree_of(STACKS, split)) == thread + path("a b c")
    assert carry(thread + path("a b c"), split, UPRIGHT, tree_of(STACKS, UPRIGHT)) == path("a b c")
    assert carry(thread + path("a b c"), split, both, tree_of(STACKS, both)) == (
        thread + path("c b a")
    )
    assert carry(thread, split, both, tree_of(STACKS, both)) == thread
    assert carry(thread, split, UPRIGHT, tree_of(STACKS, UPRIGHT)) == ()


def test_recursion_folds_the_selection_too() -> None:
    """A frame that is folded away is selected where it was folded to."""
    stacks = {"a b a b c": 1}
    folded = Shape(collapse_recursion=True)
    tree = tree_of(stacks, folded)
    assert carry(path("a b a b c"), UPRIGHT, folded, tree) == path("a b c")
    assert carry(path("a b a b"), UPRIGHT, folded, tree) == path("a b")


def test_a_function_may_be_called_like_the_root() -> None:
    """Frames called `all` are in many files of folded stacks."""
    everything = Frame("all", "", FrameKind.USER)
    stacks = {".all all b": 1}
    tree = tree_of(stacks, UPRIGHT)
    assert carry((everything, *path("x b")), INVERTED, UPRIGHT, tree) == (everything,)
    assert carry((*path("b all"), everything), INVERTED, UPRIGHT, tree) == path(".all all b")


folded_stacks = st.dictionaries(
    st.lists(st.sampled_from(["a", "b", "m.c", "m.d", "k_e"]), min_size=1, max_size=6).map(
        " ".join
    ),
    st.integers(1, 50),
    min_size=1,
    max_size=8,
)
shapes = st.builds(Shape, *[st.booleans()] * 6)


@given(folded_stacks, shapes, shapes, st.randoms(use_true_random=False))
def test_what_is_carried_exists(
    stacks: dict[str, int], old: Shape, new: Shape, choose: random.Random
) -> None:
    """Whatever was selected, the new tree has what is selected then."""
    before, after = tree_of(stacks, old), tree_of(stacks, new)
    carried = carry(some_path(before, choose), old, new, after)
    assert after.find(carried) is not None


@given(folded_stacks, st.randoms(use_true_random=False))
def test_inverting_twice_comes_back_from_a_leaf(
    stacks: dict[str, int], choose: random.Random
) -> None:
    """A whole stack stays the same stack."""
    upright, inverted = tree_of(stacks, UPRIGHT), tree_of(stacks, INVERTED)
    stack = path(choose.choice(list(stacks)))
    there = carry(stack, UPRIGHT, INVERTED, inverted)
    assert there == stack[::-1]
    assert carry(there, INVERTED, UPRIGHT, upright) == stack


def some_path(tree: CallTree, choose: random.Random) -> Path:
    """The path to any node."""
    line: list[Frame] = []
    paths: list[Path] = []
    for depth, node in tree.walk():
        del line[max(0, depth - 1) :]
        if depth:
            line.append(node.frame)
        paths.append(tuple(line))
    return choose.choice(paths)


def test_selection_survives_a_thousand_refreshes() -> None:
    """The selected frame or its nearest caller is selected, and the frame again once it is back."""
    choose = random.Random(4)
    pool = [" ".join(choose.choices("abcdef", k=choose.randint(1, 6))) for _ in range(40)]
    selected = path("a b c d")
    pool += ["a b c d", "a b c"]
    came_back = 0
    for _ in range(1_000):
        stacks = dict.fromkeys(choose.sample(pool, 6), 1)
        tree = tree_of(stacks, UPRIGHT)
        shown = tree.nearest(selected)
        assert tree.find(shown) is not None
        assert shown == selected[: len(shown)]
        assert tree.find(selected[: len(shown) + 1]) is None or shown == selected
        came_back += "a b c d" in stacks
        assert ("a b c d" in stacks) <= (shown == selected)
    assert came_back > 50
