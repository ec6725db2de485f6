"""A range as Markdown: what it says, and that what others said can't break it."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from collectors.samples import (
    Baseline,
    Endpoint,
    Frame,
    FrameKind,
    Mark,
    MarkKind,
    RequestKind,
    Stack,
    StackBatch,
    StackCount,
)
from collectors.text import sanitise
from tests.builders import histogram, load
from tests.tui.export.known_run import ABOUT, AFTER, BASELINE, NASTY, NOTHING, WHOLE, known_run
from tui.export.report.markdown import ENDPOINTS, markdown
from tui.export.report.markdown_figures import change_text
from tui.export.report.markdown_text import UNKNOWN, Heading, code, table
from tui.model.timeline import Timeline, TimeRange

GITHUB = MarkdownIt("gfm-like", {"html": True})
OURS = {"h2", "h3", "p", "strong", "code"} | {
    "table", "thead", "tbody", "tr", "th", "td"
}  # fmt: skip


class Page(HTMLParser):
    """The tags of a page, and its tables as texts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.tables: list[list[list[str]]] = []
        self.feed(GITHUB.render(text))
        self.close()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)
        match tag:
            case "table":
                self.tables.append([])
            case "tr":
                self.tables[-1].append([])
            case "td" | "th":
                self.tables[-1][-1].append("")

    def handle_data(self, data: str) -> None:
        if self.tables and self.tables[-1] and self.tables[-1][-1]:
            self.tables[-1][-1][-1] += data.rstrip("\n")


def written(line: Timeline, range_: TimeRange = WHOLE, baseline: Baseline | None = None) -> str:
    """Return the text."""
    return markdown(line, range_, ABOUT, baseline).decode()


def cells(text: str, title: str) -> dict[str, list[str]]:
    """Return the rows of a section's table by their first cell."""
    section = text.split(f"### {title}\n")[1].split("\n### ")[0]
    (found,) = Page(section).tables
    return {row[0]: row[1:] for row in found}


def test_the_figures_are_those_of_the_range() -> None:
    """With what is not known as a dash, never as 0."""
    text = written(known_run())
    figures = cells(text, "Figures")
    assert figures["requests"] == ["200"]
    assert figures["requests per second"] == ["10.0"]
    assert figures["failed share"] == ["10.0%"]
    assert figures["latency p95"] == ["201 ms"]
    assert figures["CPU cores of server"] == ["0.50"]
    assert figures["CPU cores of k6"] == [UNKNOWN]
    assert text.startswith("## Load test: `x.js`\n\n❌ **10.0% of the requests fail**\n\n")
    assert "| 2023-11-14 22:15:00 to 22:15:20 UTC |" in text
    assert "| flashpoint `0.1.0` · k6 `1.1.0` |" in text


def test_functions_endpoints_marks_and_losses() -> None:
    """Each in a table of its own."""
    text = written(known_run(), AFTER)
    functions = cells(text, "Hot functions")
    assert functions["work"] == ["server", "60.0%", "60.0%", "15.2 ms", "15.2 ms"]
    assert functions["main"] == ["server", "40.0%", "100%", "10.1 ms", "25.3 ms"]
    endpoints = cells(text, "Endpoints")
    assert endpoints["GET /ok"][:4] == ["200", "90", "9.00", "0"]
    assert endpoints[f"GET {NASTY}"][:2] == ["500", "10"]
    assert "### Marks" not in text
    assert cells(text, "Notes")["0:13"] == ["note", NASTY]
    assert cells(written(known_run()), "Marks")["0:01"] == ["start", "start"]
    assert cells(text, "Baselines")[BASELINE.name] == ["22:15:00 UTC", "0:01", "10s"]
    losses = cells(text, "Lost and dropped")
    assert losses["stack samples"] == ["250"]
    assert losses["dropped since the start: k6_withheld"] == ["2"]


def test_a_baseline_adds_columns_and_what_changed() -> None:
    """Before, after, change; only the functions that changed, with what is said of the others."""
    text = written(known_run(), AFTER, BASELINE)
    figures = cells(text, "Figures")
    assert figures[""] == [BASELINE.name, "this range", "change"]
    assert figures["requests"] == ["100", "100", "0%"]
    before, after, change = figures["sampled CPU time per request"]
    assert (before, after) == ("15.0 ms", "25.3 ms")
    assert change.startswith("+68")
    assert "1 of 2 functions changed" in text
    changed = cells(text, "What changed")
    assert "▲ main" not in changed
    assert changed["▲ work"][:4] == ["5.00 ms", "15.2 ms", "+10.2 ms", "×3.03"]
    same = written(known_run(), AFTER, replace(BASELINE, start=110.0, end=120.0))
    assert "0 of 2 functions changed" in same
    empty = written(known_run(), AFTER, replace(BASELINE, start=10.0, end=20.0))
    assert "can't be compared" in empty
    assert cells(empty, "Figures")["requests"] == [UNKNOWN, "100", UNKNOWN]


def test_nothing_known_is_told_as_nothing() -> None:
    """Of a session in which nothing happened."""
    text = markdown(Timeline(0.0), TimeRange(0.0, 1.0), NOTHING, None).decode()
    assert text.startswith(f"## Load test: {UNKNOWN}\n\nnot enough is known for a verdict\n")
    assert {row[0] for row in cells(text, "Figures").values() if row[0] != "this range"} == {
        UNKNOWN
    }
    assert not re.search(r"\b0\b(?!\.)", text.split("### Figures")[1])


def test_what_is_cut_is_said() -> None:
    """Of many endpoints ten are shown, the busiest."""
    line = Timeline(100.0)
    endpoints = tuple(
        Endpoint(RequestKind.HTTP, f"/{n}", "GET", "200", "s", "", n, 0, histogram([0.1] * n))
        for n in range(1, ENDPOINTS + 4)
    )
    line.append(load(101.0, 91, endpoints=endpoints))
    text = written(line, TimeRange(100.0, 101.0))
    assert "… and 3 more endpoints." in text
    assert len(cells(text, "Endpoints")) == 1 + ENDPOINTS
    assert "GET /1 " not in text


def test_changes_of_figures() -> None:
    """In percent of what was; what can't be told is not told."""
    assert change_text(100.0, 150.0) == "+50.0%"
    assert change_text(100.0, 50.0) == "−50.0%"
    assert change_text(0.0, 0.0) == "0%"
    assert change_text(0.0, 1.0) == "new"
    assert change_text(None, 1.0) == change_text(1.0, None) == ""


hostile = st.text(max_size=40) | st.text(
    st.sampled_from("|`\\<>[]()*_~$&#@!:/.wht= \n\r\t"), max_size=24
)


@given(hostile)
def test_a_text_from_outside_says_what_it_says(text: str) -> None:
    """In a cell as in a heading, it is read back as it was, and is nothing else."""
    lines = table((Heading("a"), Heading(code(text))), [(code(text), "b")])
    page = Page("\n".join(lines))
    wanted = sanitise(text) or UNKNOWN
    ((_, head), (cell, last)) = page.tables[0]
    assert (head, cell, last) == (wanted, wanted, "b")
    assert page.tags <= OURS


@given(st.lists(hostile, min_size=4, max_size=4))
def test_no_text_breaks_the_report(texts: list[str]) -> None:
    """Names, notes and baselines of any kind leave every table whole, and bring no tags."""
    one, two, three, four = texts
    line = Timeline(100.0)
    endpoint = Endpoint(RequestKind.HTTP, one, two, three, "s", "", 1, 0, histogram([0.1]))
    line.append(load(100.9, 1, endpoints=(endpoint,)))
    frames = {0: Frame(one, two, FrameKind.USER), 1: Frame(three, four, FrameKind.USER)}
    stacks = {0: Stack("s", "t", (0,)), 1: Stack("s", "t", (0, 1))}
    counts = {0: StackCount(50, 500_000_000), 1: StackCount(50, 500_000_000)}
    line.append(StackBatch(100.0, 100.9, counts, stacks, frames))
    line.append(Mark(100.5, MarkKind.NOTE, one))
    line.append(Mark(100.6, MarkKind.LOAD, two))
    baseline = Baseline(101.0, three, 100.0, 101.0)
    line.append(baseline)
    about = replace(ABOUT, script=one, target=two, machine=three, control=four, name=one)
    text = markdown(line, TimeRange(100.0, 101.0), about, baseline).decode()
    page = Page(text)
    assert page.tags <= OURS
    assert all(len({len(row) for row in rows}) == 1 for rows in page.tables)
    assert len(page.tables) == 8
    assert text.count("\n## ") + text.startswith("## ") == 1
