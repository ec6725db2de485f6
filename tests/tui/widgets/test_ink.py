"""Colours of what is drawn: those of the theme, also when it changes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rich.color import Color
from rich.color_triplet import ColorTriplet
from textual.app import ComposeResult
from textual.pilot import Pilot

from themes import load_themes
from tui.themed import ThemedApp
from tui.widgets.flamecanvas import INKS as FLAME_INKS
from tui.widgets.functiontable import INKS as TABLE_INKS
from tui.widgets.ink import Ink, color_of, style_of
from tui.widgets.palette import to_textual_theme
from tui.widgets.rows import INKS as ROW_INKS
from tui.widgets.rows import Rows
from tui.widgets.trend import INKS as TREND_INKS

EMBER = load_themes()[0]


class Screen(ThemedApp):
    """One row of text in one ink."""

    CSS_PATH = "../../../themes/monitor.tcss"

    def compose(self) -> ComposeResult:
        yield Rows[str](lambda text, _width, _height: [[(text, "figure-good")]])

    @property
    def rows(self) -> Rows[str]:
        return self.query_one(Rows)

    def painted(self) -> tuple[str, Color | None, bool | None]:
        """Return text, colour and weight of what is on the screen at its upper left."""
        segment = next(iter(self.screen._compositor.render_strips()[0]))
        assert segment.style is not None
        return segment.text.strip(), segment.style.color, segment.style.bold


def rich(color: str) -> Color:
    return Color.from_triplet(ColorTriplet(*bytes.fromhex(color[1:])))


async def shown(pilot: Pilot[None]) -> tuple[str, Color | None, bool | None]:
    await pilot.pause()
    assert isinstance(pilot.app, Screen)
    return pilot.app.painted()


async def test_text_is_drawn_in_the_colour_that_its_key_means() -> None:
    """As the palette has it, and bold where that belongs to it."""
    async with (app := Screen("ember-dark")).run_test(size=(20, 3)) as pilot:
        app.rows.view = "12 ms"
        assert await shown(pilot) == ("12 ms", rich(EMBER.variables["trend-good"]), True)


async def test_another_theme_is_seen_at_once() -> None:
    """Even one that differs in nothing but the colours of what is drawn."""
    other = "#123456"
    almost = replace(EMBER, name="almost", variables={**EMBER.variables, "trend-good": other})
    async with (app := Screen("ember-dark")).run_test(size=(20, 3)) as pilot:
        app.register_theme(to_textual_theme(almost))
        app.rows.view = "12 ms"
        await shown(pilot)
        app.theme = "almost"
        assert await shown(pilot) == ("12 ms", rich(other), True)


async def test_grounds_cover_the_widget_and_colours_show_through() -> None:
    """A colour that is half transparent is mixed with what is below it."""
    half = replace(EMBER, name="half", variables={**EMBER.variables, "range-band": "#ffffff80"})
    async with (app := Screen("ember-dark")).run_test(size=(20, 3)):
        app.register_theme(to_textual_theme(half))
        app.theme = "half"
        _, below = app.rows.background_colors
        style = style_of(app.rows, Ink("trend-good", "range-band"))
        assert style.bgcolor == (below + color_of(app.rows, "range-band")).rich_color
        assert style.bgcolor not in (below.rich_color, rich("#ffffff"))
        assert style_of(app.rows, Ink()).bgcolor == below.rich_color


@pytest.mark.parametrize("theme", ["ember-dark", "paper-light", "textual-ansi", "dracula"])
async def test_all_inks_can_be_had_in_all_themes(theme: str) -> None:
    """In those that come with Textual, too."""
    async with (app := Screen(theme)).run_test(size=(20, 3)):
        for inks in (ROW_INKS, TREND_INKS, TABLE_INKS, FLAME_INKS):
            for ink in inks.values():
                assert style_of(app.rows, ink).bgcolor is not None
