"""The table that the fault tests print."""

from __future__ import annotations

from tests.faults.report import Row, table


def test_many_cases_of_one_kind_are_one_row_unless_one_failed() -> None:
    """Sums stay; what failed stands out."""
    rows = [Row(f"text: {n}", 2, 2, "none", "none") for n in range(6)]
    rows.insert(3, Row("text: bad", 2, 1, "some", "none"))
    rows.append(Row("other: x", 1, 1, "3 ms", "\u2264 5 ms"))
    lines = table(rows).splitlines()
    assert [line.split("  ")[0] for line in lines] == [
        *("case", "text (6 kinds)", "text: bad", "other: x")
    ]
    assert "12" in lines[1]
    assert lines[2].endswith("FAILED")
