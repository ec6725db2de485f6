from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.samples import Drop, SourceState, SourceStatus, StackBatch
from tests.builders import facts, texts
from tui.model.phase import Phase, RunFacts
from tui.model.timeline import Timeline
from tui.model.verdict import Severity, Verdict
from tui.views.format import cell_width
from tui.views.status import LineView, StatusView, build_status, draw_line, drops_text


def status(run: RunFacts, *, held: str = "") -> StatusView:
    """Build the lines of a run of which nothing else is known."""
    return build_status(Timeline(0.0), run, None, held=held)


def line(view: LineView) -> str:
    """Return the whole text of a line."""
    return "".join(text for text, _ in view.segments)


@pytest.mark.parametrize(
    ("run", "text"),
    [
        (
            facts(Phase.STARTING, elapsed_s=None, target=""),
            "◌ starting · – · 2/4 VUs · x.js · k6 1.1.0 as written",
        ),
        (
            facts(Phase.RUNNING),
            "● running · 1:23 · 2/4 VUs · x.js · → server (pid 1) · k6 1.1.0 as written",
        ),
        (
            facts(Phase.RUNNING, duration_s=120.0, note="warming up"),
            "● running · 1:23 of 2:00 · 2/4 VUs · x.js · → server (pid 1) · k6 1.1.0 as written"
            " · warming up",
        ),
        (
            facts(Phase.STOPPING, countdown_s=4.6, target=""),
            "◍ stopping · 1:23 · k6 is ending, forced in 5 s or by x · 2/4 VUs · x.js"
            " · k6 1.1.0 as written",
        ),
        (
            facts(Phase.STOPPING, countdown_s=-1.0, target=""),
            "◍ stopping · 1:23 · k6 is ending, forced in 0 s or by x · 2/4 VUs · x.js"
            " · k6 1.1.0 as written",
        ),
        (facts(Phase.STOPPED, target=""), "■ stopped · 1:23 · x.js · k6 1.1.0 as written"),
        (facts(Phase.CLOSED, target=""), "■ closed · 1:23 · x.js · k6 1.1.0 as written"),
    ],
)
def test_the_headline_says_what_runs(run: RunFacts, text: str) -> None:
    """Phase, time, load, script, server; each only where there is one."""
    assert line(status(run).headline) == text


def test_a_frozen_display_says_so_and_how_to_go_on() -> None:
    """Beside the time, so that it is not taken for live."""
    text = line(status(facts(target=""), held="❄ display frozen, space goes on").headline)
    assert text.startswith("● running · 1:23 · ❄ display frozen, space goes on · 2/4 VUs")


@pytest.mark.parametrize(
    ("phase", "style"),
    [
        (Phase.STARTING, "status-warn"),
        (Phase.RUNNING, "status-good"),
        (Phase.STOPPING, "status-warn"),
        (Phase.STOPPED, "status-idle"),
        (Phase.CLOSED, "status-idle"),
    ],
)
def test_each_phase_has_its_colour(phase: Phase, style: str) -> None:
    """And there is one for every phase."""
    assert status(facts(phase)).headline.segments[0][1] == style


@pytest.mark.parametrize(
    ("state", "message", "segment"),
    [
        (SourceState.STARTING, "", ("perf starting", "status-warn")),
        (SourceState.STARTING, "attaching", ("perf: attaching", "status-warn")),
        (SourceState.LIVE, "attached to 3 processes", ("perf ✓", "status-good")),
        (SourceState.DEGRADED, "no kernel", ("perf: no kernel", "status-warn")),
        (SourceState.FAILED, "[/] gone", ("perf: [/] gone", "status-bad")),
        (SourceState.ENDED, "", ("perf ended", "status-idle")),
    ],
)
def test_each_state_of_a_source_is_told(
    state: SourceState, message: str, segment: tuple[str, str]
) -> None:
    """A word where all is well, its message where not."""
    timeline = Timeline(0.0)
    timeline.append(SourceStatus(1.0, "perf", state, message, "a hint"))
    health = build_status(timeline, facts(), None).health
    assert health.segments[0] == segment


def test_the_health_line_is_in_a_fixed_order() -> None:
    """Sources, then what was lost and dropped, then the verdict."""
    timeline = Timeline(0.0)
    for source in ("host", "perf", "target", "k6"):
        timeline.append(SourceStatus(1.0, source, SourceState.LIVE, ""))
    timeline.append(Drop(1.0, "foreign_push", 12_345))
    timeline.append(StackBatch(1.0, 1.0, {}, lost=7, rejected={"no_header": 1}))
    verdict = Verdict(Severity.BAD, "k6 fills this machine")
    health = build_status(timeline, facts(), verdict).health
    said = "k6 ✓ · target ✓ · perf ✓ · host ✓ · lost 7 · dropped 12.3k · k6 fills this machine"
    assert line(health) == said
    assert health.segments[-1][1] == "status-bad"
    assert ("lost 7", "status-warn") in health.segments


def test_nothing_lost_is_said_quietly() -> None:
    """The counters are always there."""
    segments = status(facts()).health.segments
    assert segments == (
        ("lost 0", "status-dim"),
        (" · ", "status-dim"),
        ("dropped 0", "status-dim"),
    )


@pytest.mark.parametrize(
    ("width", "row"),
    [
        (40, " ■ stopped · 1:23 · x.js · k6 1.1.0 as …"),
        (10, " ■ stopped"),
        (9, " ■ stopp…"),
        (1, " "),
    ],
)
def test_a_line_is_cut_where_the_screen_ends(width: int, row: str) -> None:
    """With a sign that something is missing."""
    headline = status(facts(Phase.STOPPED, target="")).headline
    assert texts(draw_line(headline, width, 1)) == [row]
    assert draw_line(headline, width, 0) == []


@given(st.lists(st.text("ab 日…e\u0301", max_size=9), max_size=6), st.integers(1, 40))
def test_a_line_is_exactly_as_wide_as_asked(parts: list[str], width: int) -> None:
    """Wide and combining characters too."""
    (row,) = draw_line(LineView(tuple((part, "status-text") for part in parts)), width, 1)
    assert cell_width("".join(text for text, _ in row)) == width


def test_drops_are_named_by_reason() -> None:
    """Only what was really dropped, in order."""
    assert drops_text({"b": 2, "a": 1, "c": 0}) == "a 1, b 2"
    assert drops_text({}) == ""


def test_what_is_not_known_of_k6_is_not_said() -> None:
    """Results of another program come without its version, and nobody moved the load."""
    found = line(status(replace(facts(), k6_version="", control="")).headline)
    assert "k6" not in found
    assert "as written" not in found
    assert not found.endswith("·")
