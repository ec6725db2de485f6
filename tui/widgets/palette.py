"""Palettes as Textual themes, and defaults that let Textual's own themes work too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from textual.theme import Theme

from themes import Palette, load_themes

DEFAULT_VARIABLES: Final[Mapping[str, str]] = dict(load_themes()[0].variables)
"""For `App.get_theme_variable_defaults`: without them, the widgets' styles do not load."""


def to_textual_theme(palette: Palette) -> Theme:
    """Make the theme that Textual registers."""
    return Theme(
        name=palette.name,
        dark=palette.dark,
        variables=dict(palette.variables),
        primary=palette.colors["primary"],
        secondary=palette.colors["secondary"],
        accent=palette.colors["accent"],
        warning=palette.colors["warning"],
        error=palette.colors["error"],
        success=palette.colors["success"],
        foreground=palette.colors["foreground"],
        background=palette.colors["background"],
        surface=palette.colors["surface"],
        panel=palette.colors["panel"],
    )
