"""The report for people: whole, true to the model, and safe whatever the names in it are."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.samples import (
    Baseline,
    Frame,
    FrameKind,
    Mark,
    MarkKind,
    Stack,
    StackBatch,
    StackCount,
)
from collectors.text import sanitise
from tests.builders import endpoint, histogram, host, load
from tests.tui.export.known_run import (
    ABOUT,
    AFTER,
    BASELINE,
    BEFORE,
    NASTY,
    NOTHING,
    WHOLE,
    known_run,
)
from tests.tui.export.parsed_page import Node, Page
from tui.export.report.html import html_report
from tui.export.report.html_markup import Markup, data_block, element
from tui.export.series.measured import compare, measure
from tui.export.stacks.svg import flame_script
from tui.model.latency import quantile
from tui.model.timeline import Timeline, TimeRange


def parsed(
    line: Timeline | None = None,
    range_: TimeRange = WHOLE,
    baseline: Baseline | None = None,
) -> Node:
    """Return the report of a run, the known one if no other is given."""
    return Page(html_report(line or known_run(), range_, ABOUT, baseline)).root


def figures(node: Node) -> list[float | None]:
    """Return the exact numbers behind the figures in an element."""
    values = [data.attributes["value"] for data in node.all("data")]
    return [float(value) if value else None for value in values]


def test_a_report_is_one_whole_page() -> None:
    """Every part is there once, nothing comes from elsewhere, nothing is set off by an event."""
    root = parsed(range_=AFTER, baseline=BASELINE)
    assert html_report(known_run(), AFTER, ABOUT, BASELINE).startswith(b"<!DOCTYPE html>\n<html")
    ids = [node.attributes["id"] for node in root.walk() if "id" in node.attributes]
    assert len(ids) == len(set(ids))
    sections = [node.attributes["id"] for node in root.all("section")]
    assert sections == [
        *("changes", "trends", "endpoints", "stacks", "machine"),
        *("metrics", "marks", "baselines", "run"),
    ]
    charts = [node.attributes["id"] for node in root.all("figure", "chart")]
    assert charts == [
        *("chart-rate", "chart-failed", "chart-latency", "chart-vus"),
        *("chart-cpu", "chart-memory", "chart-disk", "chart-heatmap"),
    ]
    for node in root.walk():
        for name, value in node.attributes.items():
            assert not name.startswith("on")
            assert name not in ("src", "style", "srcdoc", "action")
            assert name != "href" or value == "data:,"


def test_its_policy_allows_what_is_in_it_and_nothing_else() -> None:
    """By the hashes of both scripts and of the style sheet."""
    root = parsed()
    (policy,) = [m.attributes["content"] for m in root.all("meta") if "http-equiv" in m.attributes]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))

    def hashed(text: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    scripts = [each for each in root.all("script") if "type" not in each.attributes]
    assert rules["default-src"] == "'none'"
    assert rules["script-src"].split() == [hashed(each.text) for each in scripts]
    assert rules["style-src"].split() == [hashed(each.text) for each in root.all("style")]
    assert rules["img-src"] == "data:"
    assert len(scripts) == 2
    assert scripts[0].text == flame_script()
    for each in (*scripts, *root.all("style")):
        # Nothing in them ends their element, in HTML or in the CDATA of a file of SVG.
        assert not any(end in each.text for end in ("</", "<!--", "]]>"))


def test_its_figures_are_those_of_the_model() -> None:
    """Exactly: the cards, the endpoints with their sum, the functions, the cells of the heatmap."""
    line = known_run()
    root, measured = parsed(line), measure(line, WHOLE)
    load_, tree = measured.load, measured.tree
    assert load_ is not None
    assert tree is not None
    cpu_us = measured.cpu_us_per_request
    assert cpu_us is not None
    percentiles = [quantile(load_.latency, q) for q in (0.5, 0.95, 0.99)]
    (cards,) = root.all("dl", "cards")
    assert figures(cards) == [
        load_.rps,
        *percentiles,
        load_.failed_ratio,
        cpu_us / 1e6,
        tree.samples,
    ]
    (total,) = root.part("endpoints").all("tfoot")
    assert figures(total) == [load_.requests, load_.rps, *percentiles, load_.failed]
    rows = root.part("endpoints").all("tr")[1:-1]
    assert sum(figures(row)[0] or 0 for row in rows) == load_.requests
    assert sum(figures(row)[-1] or 0 for row in rows) == load_.failed
    functions = root.part("stacks").all("tr")[1:]
    assert [row.all("td")[0].text for row in functions] == ["main", "work"]
    assert [figures(row) for row in functions] == [
        [
            measured.ratio(row),
            measured.us_per_request(row.self_period_ns),
            measured.ratio(row, is_total=True),
            measured.us_per_request(row.total_period_ns),
        ]
        for row in measured.functions
    ]
    cells = [node.text for node in root.part("chart-heatmap").all("title")]
    assert sum(int(text.rsplit(" · ", 1)[1]) for text in cells) == load_.latency.count
    assert len(cells) == 2 * 20


def test_what_changed_since_the_baseline_is_told_per_request() -> None:
    """`work` takes three times as long, `main` itself what it did; figures stand side by side."""
    changes = parsed(range_=AFTER, baseline=BASELINE).part("changes")
    assert BASELINE.name in changes.all("h2")[0].text
    before_after, functions = changes.all("table")
    requests = before_after.all("tr")[1]
    assert requests.all("td")[0].text == "requests/s"
    assert figures(requests) == [10.0, 10.0]
    rows = {row.all("td")[1].text: row for row in functions.all("tr")[1:]}
    work, main = (rows[name].all("td") for name in ("work", "main"))
    assert work[0].text == "▲ more"
    assert work[5].text.startswith("×3.0")
    assert main[0].text == "= unchanged"
    assert "3.0" not in main[5].text
    line = known_run()
    for change in compare(measure(line, BEFORE), measure(line, AFTER)):
        own = change.own
        assert figures(rows[change.frame.symbol]) == [own.before.us, own.after.us, own.delta_us]
    assert figures(rows["work"])[1:] == pytest.approx([15_000, 10_000], rel=0.03)
    assert "1 of 2 changed" in changes.text
    assert " to +" in work[6].text


def test_a_range_without_load_can_not_be_compared() -> None:
    """It says so, and shows the rest."""
    nothing = Baseline(0.0, "before all", 10.0, 20.0)
    changes = parsed(range_=AFTER, baseline=nothing).part("changes")
    assert "can't be compared" in changes.text
    assert len(changes.all("table")) == 1


def test_what_was_done_is_marked_labelled_and_listed() -> None:
    """As lines in each picture, as labels above them, as a table in full."""
    root = parsed()
    (strip,) = root.all("svg", "strip")
    assert strip.all("text")[0].text == "1 start"
    for picture in root.all("svg", "plot"):
        assert len(picture.all("path", "mark")) == 2
    rows = root.part("marks").all("tr")[1:]
    assert [row.all("td")[1].text for row in rows] == ["0:00", "0:12"]
    assert rows[1].all("td")[4].text == NASTY
    assert "k6_withheld" in root.part("run").text
    assert ABOUT.machine in root.part("run").text


def test_where_nothing_was_measured_lines_have_a_gap() -> None:
    """In every trend, and in the heatmap nothing is drawn."""
    line = Timeline(99.0)
    for second in (*range(100, 105), *range(110, 115)):
        line.append(load(second + 1.0, latency=histogram([0.01] * 10)))
        line.append(host(second + 1.0))
    root = parsed(line, TimeRange(100.0, 115.0))
    for chart in ("rate", "latency", "vus", "cpu"):
        paths = [p.attributes["d"] for p in root.part(f"chart-{chart}").all("path", "line")]
        assert {path.count("M") for path in paths if path} == {2}
    assert len(root.part("chart-heatmap").all("title")) == 10
    data = json.loads(root.part("trend-data").text)
    assert data["texts"]["rate-0"] == ["10.0"] * 5 + ["–"] * 5 + ["10.0"] * 5


@pytest.mark.parametrize(
    "range_", [WHOLE, TimeRange(5.0, 5.0), TimeRange(5.0, 4.0), TimeRange(-1.0, 1e12)]
)
def test_a_run_of_nothing_is_a_report_too(range_: TimeRange) -> None:
    """Without charts, tables of nothing, or errors; so is a file of stacks without a clock."""
    empty = html_report(Timeline(0.0), range_, NOTHING, None)
    assert not Page(empty).root.all("figure")
    line = Timeline(0.0)
    frames = {0: Frame("main", "", FrameKind.USER)}
    line.append(StackBatch(3.0, 3.0, {0: StackCount(7, 0)}, {0: Stack("", "", (0,))}, frames))
    root = Page(html_report(line, TimeRange(-1.0, 1e12), NOTHING, None)).root
    assert len(root.all("svg", "flame")) == 1
    assert not root.all("svg", "plot")
    (cards,) = root.all("dl", "cards")
    assert figures(cards) == [None, None, None, None, None, None, 7.0]


def test_equal_runs_have_equal_reports() -> None:
    """To the byte, in whatever order a process keeps its sets."""
    code = (
        "import sys; from tests.tui.export.known_run import *;"
        "from tui.export.report.html import html_report;"
        "sys.stdout.buffer.write(html_report(known_run(), AFTER, ABOUT, BASELINE))"
    )
    for seed in ("1", "2"):
        env = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, check=True, env=env
        )
        assert done.stdout == html_report(known_run(), AFTER, ABOUT, BASELINE)


names = st.text(max_size=40).map(sanitise)
hostile = st.sampled_from(
    [
        "</script><script>alert(1)</script>",
        "]]>",
        "<!--",
        '" onload="alert(1)',
        "' onload='alert(1)",
        "=cmd()",
        "&lt;b&gt;&amp;&quot",
        "\u2028\u2029",
        "\uffff\ufffe",
        "</title></style></svg><img src=x>",
    ]
)
texts = st.one_of(names, st.lists(st.one_of(hostile, names)).map("".join).map(sanitise))


def named_run(name: str) -> Timeline:
    """Return a run in which everything is called this."""
    line = Timeline(99.0)
    line.append(Mark(100.0, MarkKind.NOTE, name))
    own = endpoint(name, 10, status=name, latency=histogram([0.01] * 10))
    line.append(load(101.0, latency=histogram([0.01] * 10), endpoints=(own,)))
    frames = {0: Frame(name, name, FrameKind.USER)}
    stacks = {0: Stack(name, name, (0,))}
    line.append(StackBatch(100.0, 100.5, {0: StackCount(5, 50)}, stacks, frames))
    line.append(Baseline(101.0, name, 100.0, 101.0))
    return line


def shape(root: Node) -> list[tuple[str, tuple[str, ...]]]:
    """Return what elements there are, and which attributes they have."""
    return [(node.tag, tuple(node.attributes)) for node in root.walk()]


@settings(max_examples=60, deadline=None)
@given(texts)
def test_no_name_changes_what_a_page_is_made_of(name: str) -> None:
    """Names are in it as they are; tags, attributes, scripts and policy are always the same."""
    about = replace(ABOUT, script=name or "x", target=name or "x", name=name or "x")
    plain = replace(ABOUT, script="x", target="x", name="x")
    range_ = TimeRange(100.0, 101.0)
    line, usual = named_run(name or "x"), named_run("x")
    content = html_report(line, range_, about, line.baselines[name or "x"])
    root = Page(content).root
    expected = Page(html_report(usual, range_, plain, usual.baselines["x"])).root
    assert shape(root) == shape(expected)
    same = ("meta", "script", "style")
    assert [(n.attributes, n.text) for n in root.walk() if n.tag in same] == [
        (n.attributes, n.text) for n in expected.walk() if n.tag in same
    ]
    shown = (name or "x").translate({0xFFFE: 0xFFFD, 0xFFFF: 0xFFFD})
    assert root.all("h1")[0].text == shown
    assert root.part("endpoints").all("td")[0].text == f"GET {shown}".strip()
    (frame,) = [n for n in root.walk() if n.attributes.get("data-row") == "1"]
    assert frame.attributes["data-name"] == shown


@given(texts)
def test_texts_attributes_and_json_come_back_as_they_were(text: str) -> None:
    """Whatever they hold, nothing of them is markup; U+FFFE and U+FFFF can't be written."""
    shown = text.translate({0xFFFE: 0xFFFD, 0xFFFF: 0xFFFD})
    (node,) = Page(element("p", text, title=text)).root.children
    assert isinstance(node, Node)
    assert (node.text, node.attributes["title"], len(node.children)) == (shown, shown, bool(shown))
    block = data_block("d", {text: [text]})
    (script,) = Page(block).root.children
    assert isinstance(script, Node)
    assert json.loads(script.text) == {text: [text]}
    inside = block.removeprefix('<script type="application/json" id="d">').removesuffix("</script>")
    assert inside.isascii()
    assert not set(inside) & set("<>&")


def test_markup_is_not_escaped_twice() -> None:
    """What is put together as text is escaped again, rather than trusted."""
    assert element("b", element("i", "<")) == "<b><i>&lt;</i></b>"
    assert element("b", Markup("<i>") + "<") == "<b>&lt;i&gt;&lt;</b>"
    assert element("rect", class_="a", x=1.0, text_anchor=None) == '<rect class="a" x="1"></rect>'
