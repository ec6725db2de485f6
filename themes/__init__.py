"""How the screen looks: the layout in `monitor.tcss`, and one TOML palette a theme.

A palette is data: base colours and variables with meanings (`flame-kernel-0`, `trend-bad`), the
same set in every theme. What shows them is not known here.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

_PALETTES: Final = ("ember-dark.toml", "paper-light.toml")


@dataclass(frozen=True, slots=True)
class Palette:
    """One theme's colours, as `#rrggbb`."""

    name: str
    dark: bool
    colors: Mapping[str, str]
    """Base colours: primary, secondary, accent, warning, error, success, foreground, background,
    surface, panel."""
    variables: Mapping[str, str]
    """Colours by meaning."""


def load_themes() -> list[Palette]:
    """Read all palettes that come with the program; the first one is the default."""
    palettes = []
    for name in _PALETTES:
        content = tomllib.loads(files(__name__).joinpath(name).read_text("utf-8"))
        palettes.append(
            Palette(
                name=content["name"],
                dark=content["dark"],
                colors=content["colors"],
                variables=content["variables"],
            )
        )
    return palettes
