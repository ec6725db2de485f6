from __future__ import annotations

import itertools
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.lines import LineSplitter
from collectors.text import sanitise, sanitise_lines

anything = st.text(st.characters(), max_size=200) | st.binary(max_size=200)
BIDI = "\u202a\u202e\u2066\u2069\u200e\u200f\u061c"


@given(anything, st.integers(1, 300))
def test_nothing_hostile_comes_out(text: str | bytes, limit: int) -> None:
    """No control, bidirectional, zero-width or tag characters, no surrogates; bounded; stable."""
    safe = sanitise(text, limit)
    assert len(safe) <= limit
    for char in safe:
        assert unicodedata.category(char) not in ("Cc", "Cs"), hex(ord(char))
        assert char not in BIDI + "\u200b\u2060\ufeff\u2028\u2029"
        assert not 0xE0000 <= ord(char) <= 0xE0FFF
    assert sanitise(safe, limit) == safe


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("plain [/] text", "plain [/] text"),
        ("\x1b]52;c;x\x07", "␛]52;c;x␇"),
        ("a\u202eb", "a\\u202eb"),
        (b"\xff", "\\xff"),
        ("\x9b2J\x7f", "\\u009b2J␡"),
        ("grüße 日本", "grüße 日本"),
    ],
)
def test_what_was_there_is_shown(text: str | bytes, safe: str) -> None:
    """Visible glyphs in the place of what can't be shown; the rest as it was."""
    assert sanitise(text) == safe


def test_lines_stay_lines() -> None:
    """Line ends are kept, tabs are spaces, the rest is made safe."""
    assert sanitise_lines("a\tb\n\x1b[31mc") == "a   b\n␛[31mc"


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=6))
def test_chunks_do_not_matter(data: bytes, cuts: list[int]) -> None:
    """Any way of cutting the input gives the same lines."""
    whole, cut = LineSplitter(40), LineSplitter(40)
    expected = [*whole.feed(data), *whole.close()]
    edges = [0, *sorted(cuts), len(data)]
    lines = []
    for start, end in itertools.pairwise(edges):
        lines += cut.feed(data[start:end])
    assert [*lines, *cut.close()] == expected
    assert whole.cut == cut.cut
    assert all(len(line) <= 40 for line in lines)


def test_a_line_without_end_is_cut_and_the_next_one_is_whole() -> None:
    """Ten megabytes cost no memory; the neighbour survives."""
    splitter = LineSplitter(100)
    lines = []
    for _ in range(100):
        lines += splitter.feed(b"x" * 100_000)
    lines += splitter.feed(b"\nnext\n")
    assert [len(line) for line in lines] == [100, 4]
    assert splitter.cut == 1
