"""Times of all formats lead to the same second."""

from __future__ import annotations

import pytest

from collectors.k6.resultfile.points import BadPoint
from collectors.k6.resultfile.seconds import MAX_KNOWN, SecondReader
from tests.collectors.k6.resultfile.writing import START, rfc3339


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-24T11:56:01.999999999Z",
        "2026-11-24T11:56:01Z",
        "2026-11-24T11:56:01.1Z",
        "2026-11-24T13:56:01.061223933+02:00",
        "2026-11-24T06:26:01-05:30",
        "1795521361",
        "1795521361999",
        "1795521361999999",
        "1795521361999999999",
    ],
)
def test_every_spelling_of_a_second(text: str) -> None:
    reader = SecondReader()
    assert [reader.read(text), reader.read(text)] == [START, START]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "-5",
        "1e9",
        "9" * 30,
        "²",
        "2026-13-24T11:56:01Z",
        "2026-11-24T11:56:60Z",
        "2026-11-24 11:56:01",
        "0001-01-01T00:00:00Z",
        "1969-12-31T23:59:59Z",
        "0001-01-01T00:00:00+23:59",
        "now",
    ],
)
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(BadPoint, match="time_unreadable"):
        SecondReader().read(text)


def test_a_long_run_is_read_to_its_end() -> None:
    """Seconds that are remembered are forgotten again."""
    reader = SecondReader()
    for second in range(2 * MAX_KNOWN):
        assert reader.read(rfc3339(second)) == START + second
