"""The place of the trend of VUs on the screen."""

from __future__ import annotations

from dataclasses import replace

import pytest
from textual.app import App

from collectors.course import Course, CourseUnit
from collectors.samples import LoadTarget
from tests.builders import facts, load
from themes import load_themes
from tui.model.phase import RunFacts
from tui.model.timeline import Timeline
from tui.screens.monitor import MonitorScreen
from tui.views.keys import KeysView
from tui.views.monitor import build_monitor
from tui.views.window import Window
from tui.widgets.palette import to_textual_theme


class OneView(App[None]):
    """Shows the monitor of one moment."""

    CSS_PATH = "../../themes/monitor.tcss"

    def __init__(self, timeline: Timeline, run: RunFacts) -> None:
        super().__init__()
        self.monitor = MonitorScreen()
        self._view = build_monitor(timeline, run, Window(110.0))
        palette = load_themes()[0]
        self.register_theme(to_textual_theme(palette))
        self.theme = palette.name

    async def on_mount(self) -> None:
        await self.push_screen(self.monitor)
        self.monitor.show(self._view, KeysView(frozenset()))


def recorded(*, steered: bool) -> Timeline:
    """Return ten seconds of a run from 100 s on."""
    timeline = Timeline(100.0)
    if steered:
        timeline.append(LoadTarget(100.0, Course.constant(CourseUnit.VUS, 5.0, 100.0)))
    for at in range(101, 111):
        timeline.append(load(float(at)))
    return timeline


def heights(screen: MonitorScreen) -> list[int]:
    """Return the rows of the upper panes, the trends of the load and the flamegraph."""
    names = ("top", "rate", "latency", "errors", "vus", "endpoints", "flame")
    widgets = [screen.query_one(f"#{name}") for name in names]
    return [each.outer_size.height if each.display else 0 for each in widgets]


@pytest.mark.parametrize(
    ("size", "steered", "rows"),
    [
        ((160, 48), False, [20, 4, 4, 2, 0, 7, 25]),
        ((160, 48), True, [22, 4, 4, 2, 3, 6, 23]),
        ((200, 60), True, [22, 4, 4, 2, 3, 6, 35]),
        ((80, 24), True, [10, 2, 2, 2, 2, 0, 11]),
    ],
)
async def test_every_trend_has_its_rows(
    size: tuple[int, int], steered: bool, rows: list[int]
) -> None:
    """Header and curve; without an operator all is as it was."""
    app = OneView(recorded(steered=steered), facts())
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        assert heights(app.monitor) == rows


@pytest.mark.parametrize("size", [(160, 48), (80, 24)])
async def test_a_maximised_pane_has_the_whole_screen(size: tuple[int, int]) -> None:
    """With the fourth trend in it."""
    app = OneView(recorded(steered=True), facts())
    async with app.run_test(size=size) as pilot:
        app.monitor.go_to("load")
        app.monitor.maximise()
        await pilot.pause()
        found = heights(app.monitor)
        assert found[0] == size[1] - 3
        assert min(found[1], found[2], found[4]) >= 2


async def test_the_place_is_kept_until_the_load_begins() -> None:
    """Blank, but as large as it will be."""
    app = OneView(recorded(steered=False), replace(facts(), control="redis gate"))
    async with app.run_test(size=(160, 48)) as pilot:
        await pilot.pause()
        assert heights(app.monitor)[:5] == [22, 4, 4, 2, 3]
