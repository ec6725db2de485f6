"""A comparison as plain text: what it says, and that nothing breaks its lines."""

from __future__ import annotations

from dataclasses import replace

import pytest

from collectors.samples import Frame, FrameKind, Stack, StackBatch, StackCount
from collectors.text import sanitise
from tests.tui.compare.made_up_runs import Truth, made_up
from tests.tui.compare.test_comparison import known_comparison, nothing
from tests.tui.export.known_run import NASTY, NOTHING
from tui.compare.comparison import Comparison, compare
from tui.compare.failing import Verdict, fails
from tui.compare.plain import comparison_text
from tui.compare.sketch import sketch
from tui.model.failif import parse_condition
from tui.model.overlay import OverlayRow
from tui.views.format import cell_width

WIDE = "試験" * 60


def hostile() -> Comparison:
    """Return a comparison of which every text is someone else's."""
    sides = []
    for seed, text in enumerate((NASTY, WIDE)):
        side = made_up(Truth(), seed)
        frames = {number: Frame(f"{text}{number}", text, FrameKind.USER) for number in (7, 8, 9)}
        stacks = {number: Stack("s", "t", (number,)) for number in frames}
        counts = {number: StackCount(40, 4_000_000_000) for number in frames}
        side.timeline.append(StackBatch(110.0, 110.5, counts, stacks, frames))
        about = replace(
            side.about,
            script=text,
            target=text,
            control=text,
            profiler=text,
            k6_version=text,
            flashpoint_version=text,
            machine=text,
        )
        sides.append(replace(side, about=about, name=text))
    return compare(*sides)


def rows(text: str) -> dict[str, list[str]]:
    """Return what stands behind each beginning of a line, in words of two blanks between them."""
    found = {}
    for line in text.splitlines():
        name, *cells = [part.strip() for part in line.split("  ") if part.strip()] or [""]
        found[name] = cells
    return found


def test_it_says_what_was_measured() -> None:
    """With the sign of what changed and what did not."""
    found = rows(comparison_text(known_comparison(), 100))
    assert found["run"] == ["main", "branch"]
    assert found["script"] == ["x.js", "y.js"]
    assert found["when"] == ["2023-11-14 22:15:00 UTC", "2023-11-14 22:15:10 UTC"]
    assert found["duration"] == ["10s", "10s"]
    assert found["! The scripts differ: x.js and y.js."] == []
    assert found["= requests/s"] == ["10.0", "10.0", "0 %", "0 to 0 %"]
    assert found["= failed"][:3] == ["10.0%", "10.0%", "0 pp"]
    assert found["▲ sampled CPU per request"][:3] == ["15.0 ms", "25.3 ms", "+68.4 %"]
    assert found["▲ work"][:3] == ["5.00 ms", "15.2 ms", "×3.03"]
    assert found["= main"][:3] == ["10.0 ms", "10.1 ms", "×1.01"]
    assert "1 of 2 functions changed in self time per request" in comparison_text(
        known_comparison(), 100
    )


@pytest.mark.parametrize("width", [80, 100, 160])
def test_no_line_is_longer_than_the_terminal(width: int) -> None:
    """Nor ends in blanks; whatever names there are."""
    found = hostile()
    verdicts = [
        Verdict(True, f"symbol:{NASTY} {WIDE} +3 % (+1 to +5 %), allowed +1 %"),
        fails(parse_condition("p95>+10%"), found),
    ]
    for comparison in (found, known_comparison()):
        text = comparison_text(comparison, width, verdicts)
        for line in text.splitlines():
            assert cell_width(line) <= width, line
            assert line == line.rstrip()
            assert sanitise(line) == line
        assert text.endswith("\n")
        assert not text.endswith("\n\n")


def test_columns_stand_below_each_other() -> None:
    """Also where names are of wide characters."""
    lines = comparison_text(hostile(), 80).splitlines()
    head = next(line for line in lines if line.startswith("  function"))
    place = cell_width(head[: head.index("before") + len("before")])
    start = lines.index(head) + 1
    for line in lines[start : start + 5]:
        used = ""
        while cell_width(used) < place:
            used += line[len(used)]
        assert cell_width(used) == place
        assert line[len(used)] == " "


def test_conditions_come_last() -> None:
    """Where one looks first."""
    verdicts = [Verdict(True, "p95 is bad"), Verdict(False, "rps is well")]
    text = comparison_text(known_comparison(), 80, verdicts)
    assert text.endswith("\n\nFAIL p95 is bad\npass rps is well\n")


def test_nothing_is_said_of_nothing() -> None:
    """But that it is nothing."""
    empty = replace(nothing(), about=NOTHING)
    text = comparison_text(compare(empty, empty), 80)
    assert "No figure was measured, neither before nor after." in text
    assert "Functions can't be compared: no requests or no samples on one side." in text
    assert "▀" not in text


def test_many_functions_are_cut() -> None:
    """And counted; those that changed come first."""
    sides = []
    for seed in (1, 2):
        side = made_up(Truth(), seed)
        frames = {n: Frame(f"f{n:02}", "server", FrameKind.USER) for n in range(10, 60)}
        stacks = {n: Stack("s", "t", (n,)) for n in frames}
        changed = {n: 10 + 400 * (seed == 2 and n < 40) for n in frames}
        counts = {n: StackCount(c, c * 10_000_000) for n, c in changed.items()}
        side.timeline.append(StackBatch(110.0, 110.5, counts, stacks, frames))
        sides.append(side)
    text = comparison_text(compare(*sides), 100)
    assert text.count("▲ f") == 20
    assert text.count("= ") > 4
    assert "and 27 more functions, 10 of them changed\n" in text


def test_a_sketch_tells_sides_by_shape() -> None:
    """The upper half before, the lower half after; what is there at all is seen."""
    lines = sketch(
        [
            OverlayRow(0.5, 1.0, 0.5, 0.25),
            OverlayRow(1.0, 2.0, 0.25, 0.5),
            OverlayRow(2.0, 4.0, 0.0, 0.0001),
            OverlayRow(4.0, 8.0, 0.0, 0.0),
            OverlayRow(8.0, 16.0, 0.25, 0.25),
        ],
        43,
    )
    assert lines == [
        "  up to                      before  after",
        "1.00 ms ██████████▀▀▀▀▀▀▀▀▀▀  50.0%  25.0%",
        "2.00 ms ██████████▄▄▄▄▄▄▄▄▄▄  25.0%  50.0%",
        "4.00 ms ▄                        0%  0.01%",
        "8.00 ms                          0%     0%",
        "16.0 ms ██████████            25.0%  25.0%",
    ]
    assert sketch([], 80) == []


def test_a_side_may_be_empty() -> None:
    """Its half of the picture is, too."""
    text = comparison_text(compare(nothing(), made_up(Truth(), 1)), 80)
    assert "▄▄▄▄" in text
    assert "█" not in text.split("█ both")[1]
