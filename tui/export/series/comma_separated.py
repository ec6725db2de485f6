"""CSV: a table with one row for each second of a range, for spreadsheets and data frames.

Rows are cut at the whole seconds of the session's clock, as in `tui.export.series.seconds`; sums
of counts over all rows are exactly those of the range. `time` and `elapsed_s` (since the session's
start) are of a row's end. A cell is empty where nothing is known.

Format: RFC 4180, in UTF-8 without a byte-order mark.
"""

from __future__ import annotations

import csv
import io
import math
import re
from typing import Final

from collectors.samples import Baseline
from tui.export.about import About
from tui.export.series.moments import iso_utc, marks_text
from tui.export.series.seconds import COLUMNS, Value, seconds
from tui.model.load import kind_of
from tui.model.timeline import Timeline, TimeRange

HEADER: Final = ("time", "elapsed_s", "request_unit", *COLUMNS, "marks")

_DECIMALS: Final = 6
# Spreadsheets take a cell for a formula by its first character, the wide forms in East Asian
# settings too. Where they separate by semicolons, a text's semicolon begins another cell.
_FORMULA: Final = re.compile(r"(^|[;\t\r\n])(?=\s*[=+\-@＝＋－＠]|\s*?[\t\r])")


def series_csv(
    timeline: Timeline, range_: TimeRange, about: About, baseline: Baseline | None
) -> bytes:
    """Return the table of a range; units are in the names of the columns.

    Args:
        timeline: Where it is cut from.
        range_: Seconds on the session's clock.
        about: Knows what the clock said.
        baseline: Is not in it: its seconds are another table.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(HEADER)
    unit = kind_of(timeline.loads).value
    for second in seconds(timeline, range_):
        at = second.range.end
        writer.writerow(
            [
                iso_utc(about, at),
                _cell(round(at - timeline.origin, 3)),
                unit,
                *(_cell(read(second)) for read in COLUMNS.values()),
                plain_text(marks_text(second.marks)),
            ]
        )
    return out.getvalue().encode()


def plain_text(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula; what could be one follows a `'`.

    Source: OWASP, CSV Injection.
    """
    return _FORMULA.sub(r"\1'", text)


def _cell(value: Value) -> str:
    match value:
        case None:
            return ""
        case float():
            return repr(round(value, _DECIMALS)) if math.isfinite(value) else ""
        case int():
            return str(value)
        case str():
            return plain_text(value)
