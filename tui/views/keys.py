"""The line of key hints: as many whole ones as fit, the most wanted first."""

from __future__ import annotations

from dataclasses import dataclass

from tui.commands import COMMANDS, LIVE, key_name
from tui.views.format import cell_width
from tui.views.trend import Segment


@dataclass(frozen=True, slots=True)
class KeysView:
    """Which commands do nothing now; their hints are dimmed."""

    disabled: frozenset[str]
    only: frozenset[str] = LIVE
    """Commands that there are at all."""


def draw_keys(view: KeysView, width: int, height: int) -> list[list[Segment]]:
    """Draw one row of hints, in the order of the command table."""
    there = [each for each in COMMANDS if each.id in view.only]
    wanted = sorted((each for each in there if each.weight), key=lambda each: -each.weight)
    shown: set[str] = set()
    used = 0
    for each in wanted:
        size = cell_width(f" {key_name(each.keys[0])} {each.title} ")
        if used + size <= width:
            shown.add(each.id)
            used += size
    row: list[Segment] = []
    for each in there:
        if each.id in shown:
            off = each.id in view.disabled
            row.append((f" {key_name(each.keys[0])}", "keys-off" if off else "keys-key"))
            row.append((f" {each.title} ", "keys-off" if off else "keys-title"))
    row.append((" " * (width - used), "keys-title"))
    return [row][:height]
