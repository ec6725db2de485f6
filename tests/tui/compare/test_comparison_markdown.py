"""A comparison as Markdown: what GitHub makes of it, and that names can't break it."""

from __future__ import annotations

from tests.tui.compare.made_up_runs import Truth, made_up
from tests.tui.compare.test_comparison import known_comparison, nothing
from tests.tui.compare.test_comparison_text import hostile
from tests.tui.export.known_run import NASTY
from tests.tui.export.test_markdown_report import Page
from tui.compare.comparison import compare
from tui.compare.failing import Verdict
from tui.compare.markdown import comparison_markdown

OURS = {"h2", "h3", "p", "code", "pre", "ul", "li"} | {
    "table", "thead", "tbody", "tr", "th", "td"
}  # fmt: skip


def test_it_says_what_was_measured() -> None:
    """In tables of runs, of figures and of functions."""
    text = comparison_markdown(known_comparison(), [Verdict(True, "p95 is bad")])
    assert text.startswith("## `main` and `branch` compared\n\n- ❌ `p95 is bad`\n\n- ⚠️ ")
    assert "- ⚠️ The scripts differ: `x.js` and `y.js`.\n" in text
    runs, figures, functions = Page(text).tables
    assert runs[0] == ["", "before", "after"]
    assert ["script", "x.js", "y.js"] in runs
    assert ["when", "2023-11-14 22:15:00 UTC", "2023-11-14 22:15:10 UTC"] in runs
    by_name = {row[0]: row[1:] for row in figures}
    assert by_name["= requests/s"] == ["10.0", "10.0", "0 %", "0 to 0 %"]
    assert by_name["▲ sampled CPU per request"][:3] == ["15.0 ms", "25.3 ms", "+68.4 %"]
    assert [row[0] for row in functions[1:]] == ["▲ work"]
    assert "```text\n▀ before  ▄ after  █ both\n" in text


def test_no_name_is_read_as_markdown() -> None:
    """Whatever they hold, there are our own tags only, and each row has its cells."""
    verdicts = [Verdict(False, f"symbol:{NASTY} +3 %, allowed +5 %")]
    page = Page(comparison_markdown(hostile(), verdicts))
    assert page.tags <= OURS
    for table in page.tables:
        assert len({len(row) for row in table}) == 1
    assert any(NASTY in cell for row in page.tables[0] for cell in row)


def test_nothing_is_said_of_nothing() -> None:
    """But that it is nothing; no change is told in one sentence."""
    text = comparison_markdown(compare(nothing(), nothing()))
    assert "No figure was measured, neither before nor after." in text
    assert "Functions can't be compared: no requests or no samples on one side." in text
    assert "```" not in text
    side = made_up(Truth(), 1)
    same = comparison_markdown(compare(side, side))
    assert "\n0 of 2 functions changed what they cost per request themselves" in same
