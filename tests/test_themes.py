"""Themes are complete and legible."""

import re
from itertools import combinations
from math import dist

import pytest
from textual.app import App, ComposeResult
from textual.color import Color, rgb_to_lab
from textual.theme import BUILTIN_THEMES

from collectors.samples import FrameKind
from themes import Palette, load_themes
from tui.views.flamecells import HUES
from tui.widgets.flamegraph import FlameGraph
from tui.widgets.palette import DEFAULT_VARIABLES, to_textual_theme
from tui.widgets.trend import TrendChart

PALETTES = load_themes()


def luminance(color: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio as WCAG 2.2 defines it."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_one_dark_and_one_light() -> None:
    """There is a theme for either kind of room, the dark one first."""
    assert [palette.dark for palette in PALETTES] == [True, False]
    assert len({palette.name for palette in PALETTES}) == 2


def test_all_have_the_same_variables() -> None:
    """What one theme names, every theme names, as plain colours."""
    for palette in PALETTES:
        assert palette.variables.keys() == PALETTES[0].variables.keys()
        assert palette.colors.keys() == PALETTES[0].colors.keys()
        for color in [*palette.variables.values(), *palette.colors.values()]:
            assert re.fullmatch("#[0-9a-f]{6}", color)
            Color.parse(color)


def test_every_shade_has_a_colour() -> None:
    """There is a variable for every shade that the flamegraph uses."""
    needed = {f"flame-{kind}-{hue}" for kind in FrameKind for hue in range(HUES[kind])}
    assert needed <= DEFAULT_VARIABLES.keys()


@pytest.mark.parametrize("palette", PALETTES, ids=lambda palette: palette.name)
def test_labels_are_legible(palette: Palette) -> None:
    """Labels have a contrast of at least 4.5 on every colour of the flamegraph."""
    colors = palette.variables
    for name, color in colors.items():
        if name.startswith(("flame-", "diff-")) and not name.endswith("text"):
            text = colors.get(f"{name}-text", colors["flame-text"])
            assert contrast(color, text) >= 4.5, name


@pytest.mark.parametrize("palette", PALETTES, ids=lambda palette: palette.name)
def test_shades_keep_neighbours_apart(palette: Palette) -> None:
    """Cells of two shades of a kind have a visible edge between them without a line."""
    for kind, shades in HUES.items():
        colors = [palette.variables[f"flame-{kind}-{hue}"] for hue in range(shades)]
        for one, other in combinations(colors, 2):
            assert dist(rgb_to_lab(Color.parse(one)), rgb_to_lab(Color.parse(other))) >= 6, (
                kind,
                one,
                other,
            )


@pytest.mark.parametrize("palette", PALETTES, ids=lambda palette: palette.name)
def test_changes_are_told_apart_by_colour_blind_eyes(palette: Palette) -> None:
    """More is orange and less is blue, of another lightness, and both stand out of the rest."""
    more, less, same = (palette.variables[f"diff-{name}"] for name in ("more", "less", "same"))
    assert Color.parse(more).r > Color.parse(more).b + 100
    assert Color.parse(less).b > Color.parse(less).r + 100
    assert contrast(more, less) >= 1.5
    assert min(contrast(more, same), contrast(less, same)) >= 2.5
    # In tables they are the colours of words.
    background = palette.colors["background"]
    assert min(contrast(more, background), contrast(less, background)) >= 4.5


@pytest.mark.parametrize("palette", PALETTES, ids=lambda palette: palette.name)
def test_numbers_are_legible(palette: Palette) -> None:
    """Words in the colours of trends and states are legible on the background."""
    background = palette.colors["background"]
    for name, color in palette.variables.items():
        if name.startswith(("trend-", "status-")):
            assert contrast(color, background) >= 4.5, name


class _Gallery(App[None]):
    def get_theme_variable_defaults(self) -> dict[str, str]:
        return dict(DEFAULT_VARIABLES)

    def compose(self) -> ComposeResult:
        yield TrendChart()
        yield FlameGraph()


async def test_every_theme_loads() -> None:
    """Our themes and Textual's own ones have all that the widgets' styles ask for."""
    app = _Gallery()
    async with app.run_test() as pilot:
        for palette in PALETTES:
            app.register_theme(to_textual_theme(palette))
        for name in [*(palette.name for palette in PALETTES), *BUILTIN_THEMES]:
            app.theme = name
            await pilot.pause()
            assert app.current_theme.name == name
