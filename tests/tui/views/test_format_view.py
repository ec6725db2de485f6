"""Numbers as they stand on the screen."""

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.views import format as f

CASES: list[tuple[Callable[[float | None], str], float | None, str]] = [
    (f.rate, 0, "0"),
    (f.rate, 0.5, "0.50"),
    (f.rate, 9.999, "10.0"),
    (f.rate, 302.14, "302"),
    (f.rate, 999.6, "1.00k"),
    (f.rate, 3021.4, "3.02k"),
    (f.rate, 1e7, "10.0M"),
    (f.rate, -3021.4, "-3.02k"),
    (f.rate, math.nan, "–"),
    (f.rate, None, "–"),
    (f.milliseconds, 0, "0 ms"),
    (f.milliseconds, 3e-8, "30.0 ns"),
    (f.milliseconds, 0.000437, "437 µs"),
    (f.milliseconds, 0.0009996, "1.00 ms"),
    (f.milliseconds, 0.01234, "12.3 ms"),
    (f.milliseconds, 0.9996, "1.00 s"),
    (f.milliseconds, 12.34, "12.3 s"),
    (f.milliseconds, 3600, "3600 s"),
    (f.milliseconds, None, "–"),
    (f.percent, 0, "0%"),
    (f.percent, 0.00001, "<0.01%"),
    (f.percent, 0.0012, "0.12%"),
    (f.percent, 0.1234, "12.3%"),
    (f.percent, 0.99999, "99.9%"),
    (f.percent, 1, "100%"),
    (f.percent, 2.34, "234%"),
    (f.percent, math.inf, "–"),
    (f.bytes_, 512, "512 B"),
    (f.bytes_, 1000, "1.0 KiB"),
    (f.bytes_, 1.25 * 1024**2, "1.2 MiB"),
    (f.bytes_, 300 * 1024**3, "300 GiB"),
    (f.bytes_rate, 1536, "1.5 KiB/s"),
    (f.bytes_rate, None, "–"),
    (f.clock, 83.2, "1:23"),
    (f.clock, 3723, "1:02:03"),
    (f.clock, 0.9, "0:00"),
    (f.clock, -5, "-0:05"),
    (f.clock, None, "–"),
    (f.cpu_cores, 1.234, "1.23"),
    (f.cpu_cores, 128, "128"),
    (f.cpu_cores, None, "–"),
]


@pytest.mark.parametrize(("write", "value", "text"), CASES)
def test_numbers(write: Callable[[float | None], str], value: float | None, text: str) -> None:
    """Three significant digits, the unit that suits, a dash for what is not known."""
    assert write(value) == text


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0"), (9_999, "9999"), (12_345, "12.3k"), (None, "–")]
)
def test_counts(number: int | None, text: str) -> None:
    """Counts are exact as long as they are short."""
    assert f.count(number) == text


@pytest.mark.parametrize("unit", list(f.Unit))
def test_every_unit_has_a_writer(unit: f.Unit) -> None:
    """A series of any unit can be written, its gaps too."""
    assert f.quantity(1.0, unit)
    assert f.quantity(None, unit) == "–"


@given(st.floats(0, 1e15))
def test_numbers_stay_narrow(value: float) -> None:
    """No rate takes more than five columns and no size more than eight."""
    assert len(f.rate(value)) <= 5
    assert len(f.bytes_(value)) <= 8


def test_fit_cuts_by_columns() -> None:
    """A cut text says so and never takes more columns than there are."""
    assert f.fit("tcp_sendmsg", 20) == "tcp_sendmsg"
    assert f.fit("tcp_sendmsg", 6) == "tcp_s…"
    assert f.fit("tcp_sendmsg", 6, keep="end") == "…ndmsg"
    assert f.fit("日本語", 5) == "日本…"
    assert f.fit("日本語", 4) == "日…"
    assert f.fit("日本語", 4, keep="end") == "…語"
    assert f.fit("abc", 1) == "…"
    assert f.fit("abc", 0) == ""
    assert f.cell_width("e\u0301日") == 3


def test_pad_fills_up() -> None:
    """A padded text takes exactly the columns it was given."""
    assert f.pad("日", 4) == "日  "
    assert f.pad("12", 4, align="right") == "  12"
    assert f.pad("abcdef", 4) == "abc…"


@given(st.text(max_size=30), st.integers(0, 20), st.sampled_from(["start", "end"]))
def test_fit_never_overflows(text: str, width: int, keep: str) -> None:
    """Whatever the text is, its cut takes at most the width."""
    cut = f.fit(text, width, keep="end" if keep == "end" else "start")
    assert f.cell_width(cut) <= width
