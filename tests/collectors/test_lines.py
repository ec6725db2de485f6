from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.lines import LineSplitter

LIMIT = 8
few_bytes = st.lists(
    st.sampled_from([b"a", b"b", b"\r", b"\n", b"\r\n", b"long long"]), max_size=40
)


@given(few_bytes.map(b"".join) | st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=8))
def test_chunks_do_not_matter(data: bytes, cuts: list[int]) -> None:
    """Any way of cutting the input gives the same lines, none over the limit."""
    whole, cut = LineSplitter(LIMIT), LineSplitter(LIMIT)
    expected = [*whole.feed(data), *whole.close()]
    lines = []
    for start, end in itertools.pairwise([0, *sorted(cuts), len(data)]):
        lines += cut.feed(data[start:end])
    assert [*lines, *cut.close()] == expected
    assert whole.cut == cut.cut
    assert all(len(line) <= LIMIT for line in expected)


@given(st.lists(st.binary(max_size=LIMIT).filter(lambda line: not set(line) & set(b"\r\n"))))
def test_what_was_written_in_lines_is_read_in_lines(lines: list[bytes]) -> None:
    """Lines within the limit come back as they were, empty ones too."""
    splitter = LineSplitter(LIMIT)
    assert splitter.feed(b"".join(line + b"\n" for line in lines)) == lines
    assert (splitter.close(), splitter.cut) == ([], 0)


@pytest.mark.parametrize(
    ("chunks", "lines", "cut"),
    [
        ([b"12345678\n"], [b"12345678"], 0),
        ([b"123456789\nnext\n"], [b"12345678", b"next"], 1),
        ([b"12345", b"6789", b"more", b"\nnext\n"], [b"12345678", b"next"], 1),
        ([b"a\r", b"\nb\r\n"], [b"a", b"b"], 0),
        ([b"1234567\rx\n"], [b"1234567\r"], 1),
        ([b"1234567\rx", b"\n"], [b"1234567\r"], 1),
        ([b"\n\n"], [b"", b""], 0),
        ([b"no end"], [b"no end"], 0),
        ([b"123456789", b"no end"], [b"12345678"], 1),
        ([], [], 0),
    ],
)
def test_lines_and_their_ends(chunks: list[bytes], lines: list[bytes], cut: int) -> None:
    """A long line is cut once, the next one is whole, the last one needs no end."""
    splitter = LineSplitter(LIMIT)
    seen = [line for chunk in chunks for line in splitter.feed(chunk)]
    assert [*seen, *splitter.close()] == lines
    assert splitter.cut == cut


def test_a_line_without_end_costs_no_memory() -> None:
    """Of ten megabytes without a line end nothing is held but the first hundred bytes."""
    splitter = LineSplitter(100)
    lines = []
    for _ in range(100):
        lines += splitter.feed(b"x" * 100_000)
        assert len(splitter._rest) <= 100
    assert lines == [b"x" * 100]
    assert splitter.feed(b"\nnext\n") == [b"next"]
    assert splitter.cut == 1
