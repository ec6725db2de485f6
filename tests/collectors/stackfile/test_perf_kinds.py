"""Headers that are known again by what stands around their numbers."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from collectors.stackfile.perf_header import parse_header
from collectors.stackfile.perf_kinds import HeaderKinds, Reading
from collectors.stackfile.tally import weight

OWNERS = st.sampled_from(
    ["w 1", "w   12/13 [003]", "python3.11 7", "a b 1.5x 2", "", "my srv 2:x 3"]
)
TIMES = st.sampled_from(
    ["1.500000:", "12.000001:", "999999.123456789:", "1.5:", "1.x5:", "1.5", ""]
)
PERIODS = st.one_of(st.integers(0, 10**19).map(str), st.sampled_from(["7", "1_0", "+5", "0x7", ""]))
WIDTHS = st.sampled_from([0, 1, 9, 10, 11, 12, 15, 16, 17, 18])
TAILS = st.sampled_from(
    [
        *(
            " cpu-clock: ",
            " cycles:P: ",
            " cycles: ",
            " ",
            "",
            "  ",
            " 1151 work (/srv/w)",
            " x y: ",
        ),
        *(" cycles:             1151 work (/srv/w)", " deadbeefdeadbeef: "),
        " PERF_RECORD_LOST lost 3",
    ]
)
LINES = st.builds(
    lambda owner, time, period, width, tail: f"{owner} {time} {period:>{width}}{tail}".encode(),
    OWNERS,
    TIMES,
    PERIODS,
    WIDTHS,
    TAILS,
)


def told(reading: Reading) -> tuple[object, ...]:
    """Return what a reading says of its line."""
    kind, second, each = reading
    header = kind.header
    return header.event, header.owner, header.frame, header.is_marked, kind.is_sample, second, each


def fresh(line: bytes) -> Reading:
    """Read a line as if it were the first one."""
    return HeaderKinds(lambda _: None).read(line)


def known(kinds: HeaderKinds, line: bytes) -> Reading | None:
    """Read a line in place, with something around it."""
    return kinds.known(b"x.y:\n" + line + b"\n\t1.5: z\n", 5, 5 + len(line))


@given(st.lists(LINES, min_size=1, max_size=12))
@example([b"w 1 1.500000:         17 cycles: ", b"w 1 1.500000:         1_0 cycles: "])
@example([b"w 1 1.500000:    2004008 ", b"w 1 1.500000: 2004008 "])
def test_a_line_says_the_same_whatever_was_read_before(lines: list[bytes]) -> None:
    """Its period is the one that a header alone is read to have."""
    kinds = HeaderKinds(lambda _: None)
    for line in lines:
        found = known(kinds, line)
        alone = fresh(line)
        assert found is None or told(found) == told(alone)
        assert told(kinds.read(line)) == told(alone)
        assert alone[2] == weight(1, parse_header(line).period or 0)


@pytest.mark.parametrize(
    "header",
    ["w 1 {}:    {:7} cycles:P: ", "python3.11 1/2 [003] {}: {:10} cycles: ", "w 1 {}: {:10} "],
)
def test_only_the_first_of_a_kind_is_read_word_by_word(header: str) -> None:
    """Though each has a time and a period of its own."""
    kinds = HeaderKinds(lambda _: None)
    first, _, _ = kinds.read(header.format("7.000001", 1).encode())
    for n in range(2, 2_000):
        line = header.format(f"7.{n:06}", n * 999).encode()
        reading = known(kinds, line)
        assert reading is not None
        assert reading == (first, 7, weight(1, n * 999))


def test_what_is_kept_is_announced() -> None:
    """And forgotten when it is too much."""
    announced: list[int] = []
    kinds = HeaderKinds(announced.append)
    line = b"w 1 7.000001:         17 cycles: "
    kinds.read(line)
    kinds.read(line)
    assert len(announced) == 1
    assert known(kinds, line) is not None
    kinds.clear()
    assert known(kinds, line) is None
