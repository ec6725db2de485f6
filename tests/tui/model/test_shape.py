"""Shapes of a call tree lose nothing: what is not in the tree is said."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.samples import Frame, FrameKind, Stack, StackBatch, StackCount
from tui.model.calltree import CallTree, Path, build_tree, top_table
from tui.model.idle import is_idle
from tui.model.shape import (
    KERNEL_ONLY_FRAME,
    Shape,
    module_frame,
    shape_tree,
    thread_frame,
)
from tui.model.stacks import CALLER_LOST_FRAME, StackTable

KERNEL = FrameKind.KERNEL


def frame(name: str) -> Frame:
    """`a` is in the server, `m.a` in module m, `k_a` in the kernel, `[unknown]` has no symbol."""
    if name.startswith("k_"):
        return Frame(name, "[kernel.kallsyms]", KERNEL)
    module, dot, symbol = name.partition(".")
    kind = FrameKind.UNKNOWN if name.endswith("[unknown]") else FrameKind.USER
    return Frame(symbol, module, kind) if dot else Frame(name, "server", kind)


def path(text: str) -> Path:
    return tuple(map(frame, text.split()))


def table_of(stacks: Iterable[tuple[str, str, bool]]) -> StackTable:
    """A table of stacks: the frames' names, the thread, whether the callers were lost."""
    ids: dict[Frame, int] = {}
    made = {}
    for number, (text, thread, lost) in enumerate(stacks):
        frames = tuple(ids.setdefault(one, len(ids)) for one in path(text))
        made[number] = Stack("app", thread, frames, lost)
    table = StackTable()
    names = {number: one for one, number in ids.items()}
    table.add(StackBatch(start=0.0, end=0.0, counts={}, stacks=made, frames=names))
    return table


def shaped(stacks: dict[str, int], shape: Shape) -> dict[str, int]:
    """The own samples of each path in a shape; `~ a b` lost its callers, `t/a b` is of thread t."""
    rows = []
    for text in stacks:
        thread, slash, rest = text.rpartition("/")
        rows.append((rest.removeprefix("~ "), thread if slash else "main", rest.startswith("~ ")))
    counts = {i: StackCount(n, n * 10) for i, n in enumerate(stacks.values())}
    made = shape_tree(table_of(rows), counts, shape)
    made.tree.check()
    assert made.tree.samples + made.left_out_samples == sum(stacks.values())
    return own_samples(made.tree)


def own_samples(tree: CallTree) -> dict[str, int]:
    found, line = {}, [""]
    for depth, node in tree.walk():
        del line[depth:]
        name = {CALLER_LOST_FRAME: "~", KERNEL_ONLY_FRAME: "KERNEL"}.get(node.frame)
        line.append(name or node.frame.symbol)
        if node.self_samples:
            found[" ".join(line[1:])] = node.self_samples
    return found


def test_inverted_has_leaves_at_the_root() -> None:
    """Callers hang below; a stack without callers says so as the outermost one."""
    stacks = {"a b c": 3, "a d c": 4, "a b": 5, "~ b c": 6}
    assert shaped(stacks, Shape(inverted=True)) == {"c b a": 3, "c d a": 4, "b a": 5, "c b ~": 6}


def test_inverted_totals_are_own_times() -> None:
    """What stands at the root of an inverted tree is each function's own time."""
    rows = [("a b c", "", False), ("a c", "", True), ("c c", "", False), ("", "", False)]
    table, counts = table_of(rows), {i: StackCount(2**i, i) for i in range(4)}
    tree = shape_tree(table, counts, Shape(inverted=True)).tree
    own = {row.frame: 0 for row in top_table(build_tree(table, counts))}
    for row in top_table(build_tree(table, counts)):
        own[row.frame] += row.self_samples
    roots = {node.frame: node.total_samples for node in tree.root.children}
    assert roots == {function: samples for function, samples in own.items() if samples}


@pytest.mark.parametrize(
    ("stack", "folded"),
    [
        ("a a a", "a"),
        ("a b a b", "a b"),
        ("a b a b a", "a b a"),
        ("a b c b c b c d", "a b c d"),
        ("a b a c a", "a b a c a"),
        ("a b b a b", "a b"),
        ("x a b c a b c a b c", "x a b c"),
        ("a b c a b d", "a b c a b d"),
    ],
)
def test_recursion_is_folded_where_it_repeats(stack: str, folded: str) -> None:
    """Alone or in turns; what only comes again later is another call."""
    assert shaped({stack: 1}, Shape(collapse_recursion=True)) == {folded: 1}


def test_modules_fold_neighbours() -> None:
    """A module is there once for each time it is entered; frames without a module stay apart."""
    stacks = {"m.a m.b n.c m.d": 1, "m.x n.y": 2, ".one .one": 3, "m.a m.[unknown] m.b": 4}
    assert shaped(stacks, Shape(by_module=True)) == {"m n m": 1, "m n": 2, "one one": 3, "m": 4}


def test_modules_have_a_kind() -> None:
    """The kernel stays the kernel; only code of no file is unknown."""
    kernel = frame("k_read")
    assert module_frame(kernel) == Frame("[kernel.kallsyms]", "[kernel.kallsyms]", KERNEL)
    assert module_frame(frame("libc.[unknown]")).kind is FrameKind.USER
    nowhere = Frame("[unknown]", "[unknown]", FrameKind.UNKNOWN)
    assert module_frame(nowhere) == nowhere
    assert module_frame(module_frame(kernel)) == module_frame(kernel)
    assert module_frame(thread_frame("app", "io")) == thread_frame("app", "io")


def test_threads_stand_below_the_root() -> None:
    """By name without numbers; also above what lost its callers, also in an inverted tree."""
    stacks = {"io-1/a b": 1, "io-2/a b": 2, "io-3/~ b": 4, "web/a b": 8}
    assert shaped(stacks, Shape(by_thread=True)) == {"io a b": 3, "io ~ b": 4, "web a b": 8}
    assert shaped(stacks, Shape(by_thread=True, inverted=True)) == {
        "io b a": 3,
        "io b ~": 4,
        "web b a": 8,
    }


def test_lost_callers_are_summed_apart_below_threads() -> None:
    """No function's total has stacks whose callers are not known."""
    table = table_of([("a b", "io-1", False), ("b", "io-2", True)])
    counts = {0: StackCount(1, 10), 1: StackCount(2, 20)}
    made = shape_tree(table, counts, Shape(by_thread=True))
    assert made.tree.caller_lost_samples == 2
    rows = {(row.frame, row.caller_lost): row.total_samples for row in top_table(made.tree)}
    assert rows[frame("b"), False] == 1
    assert rows[frame("b"), True] == 2
    assert rows[thread_frame("app", "io"), False] == 3


@pytest.mark.parametrize(
    ("thread", "name"),
    [
        ("tokio-runtime-w", "tokio-runtime-w"),
        ("worker-3", "worker"),
        ("GC Thread#12", "GC Thread"),
        ("conn7", "conn"),
        ("42", "42"),
        ("", "(unnamed thread)"),
    ],
)
def test_thread_names_lose_their_numbers(thread: str, name: str) -> None:
    """But not all they have."""
    assert thread_frame("app", thread) == Frame(name, "thread of app", FrameKind.USER)


def test_kernel_time_goes_to_its_caller() -> None:
    """Where nobody called, there is a node that says so."""
    stacks = {"a k_x k_y": 1, "a k_x": 2, "a": 4, "k_x b": 8, "k_x": 16, "~ k_x": 32}
    assert shaped(stacks, Shape(hide_kernel=True)) == {
        "a": 7,
        "b": 8,
        "KERNEL": 16,
        "~ KERNEL": 32,
    }


def test_idle_stacks_are_left_out() -> None:
    """With all of their frames."""
    stacks = {"a epoll_wait": 1, "a": 2, "b epoll_wait k_x": 4, "b pthread_mutex_lock": 8}
    assert shaped(stacks, Shape(hide_idle=True)) == {"a": 2, "b pthread_mutex_lock": 8}


def test_hidden_stacks_are_left_out() -> None:
    """A function hides all stacks through it; so do a module and a thread."""
    stacks = {"io-1/a b c": 1, "web/a d": 2, "web/a m.x": 4, "~ d": 8}
    assert shaped(stacks, Shape(hidden=frozenset(path("b d")))) == {"a x": 4}
    assert shaped(stacks, Shape(hidden=frozenset({module_frame(frame("m.y"))}))) == {
        "a b c": 1,
        "a d": 2,
        "~ d": 8,
    }
    io = thread_frame("app", "io")
    assert shaped(stacks, Shape(hidden=frozenset({io}))) == {"a d": 2, "a x": 4, "~ d": 8}
    assert "~ d" not in shaped(stacks, Shape(hidden=frozenset({CALLER_LOST_FRAME})))


def test_focus_cuts_callers_off() -> None:
    """Stacks begin where the function stands outermost; other stacks are left out."""
    stacks = {"a b c": 1, "d b b c": 2, "a c": 4, "~ b": 8, "io/x b": 16}
    focus = Shape(focus=frame("b"))
    assert shaped(stacks, focus) == {"b c": 1, "b b c": 2, "~ b": 8, "b": 16}
    inverted = Shape(focus=frame("b"), inverted=True)
    assert shaped(stacks, inverted) == {"c b": 1, "c b b": 2, "b ~": 8, "b": 16}
    io = Shape(focus=thread_frame("app", "io"))
    assert shaped(stacks, io) == {"x b": 16}
    assert shaped(stacks, Shape(focus=frame("absent"))) == {}


def test_focus_on_the_kernel_shows_it() -> None:
    """A kernel function in focus stays where others are hidden."""
    stacks = {"a k_x k_y k_x": 1, "a k_y": 2}
    assert shaped(stacks, Shape(focus=frame("k_x"), hide_kernel=True)) == {"k_x k_x": 1}


def test_hidden_wins_over_focus() -> None:
    """A stack through a hidden frame is left out, wherever that frame is."""
    shape = Shape(focus=frame("b"), hidden=frozenset({frame("a")}))
    assert shaped({"a b": 1, "c b": 2}, shape) == {"b": 2}


NAMES = ["a", "b", "m.c", "m.d", "k_e", "k_f", "epoll_wait", "[unknown]"]
stacks_drawn = st.lists(
    st.tuples(
        st.lists(st.sampled_from(NAMES), max_size=8).map(" ".join),
        st.sampled_from(["io-1", "io-2", "web"]),
        st.booleans(),
    ),
    min_size=1,
    max_size=10,
)
counts_drawn = st.dictionaries(
    st.integers(0, 10),
    st.builds(StackCount, st.integers(1, 50), st.integers(0, 10**10)),
    max_size=11,
)
some_frame = st.sampled_from(
    [*map(frame, NAMES), CALLER_LOST_FRAME, thread_frame("app", "io"), module_frame(frame("m.c"))]
)
shapes_drawn = st.builds(
    Shape,
    *[st.booleans()] * 6,
    st.frozensets(some_frame, max_size=2),
    st.none() | some_frame,
)


@given(stacks_drawn, counts_drawn, shapes_drawn)
def test_every_shape_conserves(
    stacks: list[tuple[str, str, bool]], counts: dict[int, StackCount], shape: Shape
) -> None:
    """The tree and what was left out are all that was counted, in samples and in time."""
    made = shape_tree(table_of(stacks), counts, shape)
    made.tree.check()
    assert made.tree.samples + made.left_out_samples == sum(c.samples for c in counts.values())
    assert made.tree.period_ns + made.left_out_period_ns == sum(
        c.period_ns for c in counts.values()
    )
    assert made.tree.nodes == sum(1 for _ in made.tree.walk()) - 1
    siblings = [[c.frame for c in node.children] for _, node in made.tree.walk()]
    assert all(len(set(frames)) == len(frames) for frames in siblings)


@given(stacks_drawn, counts_drawn)
def test_default_shape_is_the_tree(
    stacks: list[tuple[str, str, bool]], counts: dict[int, StackCount]
) -> None:
    """Nothing asked for changes nothing; neither does hiding what is not there."""
    table = table_of(stacks)
    plain = build_tree(table, counts)
    for shape in (Shape(), Shape(hidden=frozenset({frame("absent")}))):
        made = shape_tree(table, counts, shape)
        assert own_samples(made.tree) == own_samples(plain)
        assert made.left_out_samples == 0
        assert made.tree.unknown_samples == plain.unknown_samples
        assert made.tree.caller_lost_samples == plain.caller_lost_samples


@given(stacks_drawn, counts_drawn)
def test_folded_recursion_loses_no_function(
    stacks: list[tuple[str, str, bool]], counts: dict[int, StackCount]
) -> None:
    """Own and total times of all functions stay; nothing repeats at once any more."""
    table = table_of(stacks)
    tree = shape_tree(table, counts, Shape(collapse_recursion=True)).tree
    assert top_table(tree) == top_table(build_tree(table, counts))
    for text in own_samples(tree):
        names = text.split()
        for size in range(1, len(names) // 2 + 1):
            for start in range(len(names) - 2 * size + 1):
                middle = start + size
                assert names[start:middle] != names[middle : middle + size]


@given(stacks_drawn, counts_drawn)
def test_idle_is_what_the_names_say(
    stacks: list[tuple[str, str, bool]], counts: dict[int, StackCount]
) -> None:
    """What is left out as idle are the stacks that `is_idle` tells."""
    table = table_of(stacks)
    left_out = shape_tree(table, counts, Shape(hide_idle=True)).left_out_samples
    assert left_out == sum(c.samples for i, c in counts.items() if is_idle(table.frames_of(i)))


@given(stacks_drawn, counts_drawn, some_frame)
def test_hiding_and_focus_part_the_stacks(
    stacks: list[tuple[str, str, bool]], counts: dict[int, StackCount], one: Frame
) -> None:
    """What hiding a frame leaves out is what focusing it shows."""
    table = table_of(stacks)
    hidden = shape_tree(table, counts, Shape(hidden=frozenset({one})))
    focused = shape_tree(table, counts, Shape(focus=one))
    assert hidden.left_out_samples == focused.tree.samples
    assert focused.left_out_samples == hidden.tree.samples


def test_deep_stacks_do_not_recurse() -> None:
    """Stacks much deeper than Python's own are shaped."""
    deep = " ".join(["a b m.c k_e"] * 2_000)
    for shape in (Shape(inverted=True), Shape(by_module=True), Shape(hide_kernel=True)):
        shape_tree(table_of([(deep, "t", False)]), {0: StackCount(1, 1)}, shape).tree.check()
