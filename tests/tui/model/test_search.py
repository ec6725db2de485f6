"""Frames are found by their names, counted once, and walked in the order they are drawn."""

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.samples import Frame, FrameKind, Stack, StackBatch, StackCount
from tui.model.calltree import CallTree, Path, build_tree
from tui.model.search import MAX_PATTERN_LENGTH, compile_pattern, matches, next_match, search
from tui.model.stacks import StackTable
from tui.views.names import readable_name


def path(text: str) -> Path:
    return tuple(Frame(name, "server", FrameKind.USER) for name in text.split(";"))


def tree_of(stacks: dict[str, int]) -> CallTree:
    """A tree from folded stacks like `main;work`; a sample stands for 10 ns."""
    ids: dict[Frame, int] = {}
    made, counts = {}, {}
    for number, (text, samples) in enumerate(stacks.items()):
        frames = tuple(ids.setdefault(frame, len(ids)) for frame in path(text))
        made[number] = Stack("p", "t", frames)
        counts[number] = StackCount(samples, samples * 10)
    table = StackTable()
    names = {number: frame for frame, number in ids.items()}
    table.add(StackBatch(start=0.0, end=0.0, counts=counts, stacks=made, frames=names))
    return build_tree(table, counts)


TREE = tree_of(
    {"main;parse": 2, "main;parse;parse_key": 3, "main;work;Parse": 5, "idle;park": 7, "parse": 11}
)


def test_matches_below_matches_are_not_counted_again() -> None:
    """The total is that of the outermost matches; all of them are in the list."""
    found = search(TREE, "parse")
    assert found.paths == tuple(
        map(path, ("main;parse", "main;parse;parse_key", "main;work;Parse", "parse"))
    )
    assert (found.count, found.total_samples, found.total_period_ns) == (4, 21, 210)
    assert found.nodes == {id(TREE.find(match)) for match in found.paths}


def test_case_counts_where_there_are_capitals() -> None:
    """Small letters find both, an escape with a capital is none."""
    assert search(TREE, "Parse").paths == (path("main;work;Parse"),)
    assert search(TREE, r"^\Sarse$").count == 3
    assert search(TREE, "^PARSE$").count == 0


def test_names_match_in_full_and_as_they_are_shown() -> None:
    """Either form of a name may match; the root is no frame."""
    tree = tree_of({"<alloc::vec::Vec<u8> as core::ops::Drop>::drop::h0123456789abcdef": 1})
    for pattern in ("as core::ops", "^alloc::vec::Vec", "h0123456789abcdef$", "drop$"):
        assert search(tree, pattern, readable_name).count == 1
    assert search(tree, "drop$").count == 0
    assert search(tree, "^all$").count == 0


def test_brackets_of_names_can_be_searched_for() -> None:
    """What is no repeat in an expression is none here."""
    tree = tree_of({"main::{{closure}}": 1, "[unknown]": 1})
    assert search(tree, "{{closure}}").paths == (path("main::{{closure}}"),)
    assert search(tree, r"\[unknown]").count == 1
    assert search(tree, "[[k]").count == 1


def test_nothing_found_is_nothing() -> None:
    """No matches, no share, nowhere to go."""
    found = search(TREE, "absent")
    assert (found.count, found.total_samples, found.paths) == (0, 0, ())
    assert next_match(found, path("main")) is None


def test_next_goes_round() -> None:
    """Steps go from match to match in drawing order, from anywhere, over both ends."""
    found = search(TREE, "parse")
    assert next_match(found, ()) == found.paths[0]
    for here, there in itertools.pairwise(found.paths):
        assert next_match(found, here) == there
        assert next_match(found, there, -1) == here
    assert next_match(found, found.paths[-1]) == found.paths[0]
    assert next_match(found, found.paths[0], -1) == found.paths[-1]
    assert next_match(found, path("main;vanished")) == path("main;work;Parse")
    assert next_match(found, path("main;vanished"), -1) == path("main;parse;parse_key")


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("[", "The pattern can't be read: unterminated character set."),
        ("*a", "The pattern can't be read: nothing to repeat."),
        ("(*a)", "The pattern can't be read: nothing to repeat."),
        ("a{99999999999999}", "The pattern can't be read: it is too large."),
        ("\\", "The pattern can't be read: bad escape (end of pattern)."),
        ("(a+)+$", "A group with a repeat or a choice can't be repeated."),
        ("(?:a|aa)*$", "A group with a repeat or a choice can't be repeated."),
        ("((a|b)c){9}", "A group with a repeat or a choice can't be repeated."),
        ("a*a*a*b", "The pattern would take too long: use less of * + ? { and |."),
        ("a?" * 30 + "b", "The pattern would take too long: use less of * + ? { and |."),
        ("(a|aa)" * 30, "The pattern would take too long: use less of * + ? { and |."),
        ("(?=a)b", "Of groups with (? only (?: can be used."),
        ("a" * 201, f"The pattern is longer than {MAX_PATTERN_LENGTH} characters."),
    ],
)
def test_what_cannot_be_searched_for_is_refused(pattern: str, why: str) -> None:
    """In one short sentence."""
    with pytest.raises(ValueError, match=f"^{re.escape(why)}$"):
        search(TREE, pattern)


@pytest.mark.parametrize(
    "pattern",
    ["tokio::.*poll.*closure", "(get|post|put|delete).*handler", "(ab)+c", "colou?r", r"\w+::\w+$"],
)
def test_usual_expressions_are_fine(pattern: str) -> None:
    """Two repeats, choices, repeats of plain groups."""
    assert search(TREE, pattern).count == 0


def test_a_deadline_ends_a_long_search() -> None:
    """A search that is slow over many names ends with a sentence."""
    ticks = itertools.count(0.0, 0.2)
    with pytest.raises(ValueError, match=r"^The pattern takes too long\.$"):
        search(TREE, "x", clock=lambda: next(ticks))


@given(st.text(st.sampled_from("ab*+?{2,}()|[]^$.\\:"), max_size=12))
def test_any_pattern_is_answered(pattern: str) -> None:
    """It is compiled and answers at once, or is refused; nothing else is raised."""
    try:
        expression = compile_pattern(pattern)
    except ValueError:
        return
    matches(expression, "ab" * 60, str)


@given(
    st.dictionaries(
        st.lists(st.sampled_from("abcd"), min_size=1, max_size=6).map(";".join),
        st.integers(1, 50),
        max_size=10,
    ),
    st.sampled_from(["a", "b|c", "."]),
)
def test_total_is_that_of_the_stacks_that_match(stacks: dict[str, int], pattern: str) -> None:
    """A stack counts once if any of its frames match."""
    found = search(tree_of(stacks), pattern)
    expected = sum(n for text, n in stacks.items() if re.search(pattern, text.replace(";", "")))
    assert found.total_samples == expected
    assert found.count == len(set(found.paths)) == len(found.nodes)
