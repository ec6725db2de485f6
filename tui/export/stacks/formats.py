"""The formats that stacks can be written in, by name and by the ending of a file."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Final

from collectors.samples import StackCount
from tui.model.stacks import StackTable


class StackFormat(StrEnum):
    """A format of stacks."""

    FOLDED = "folded"
    SPEEDSCOPE = "speedscope"
    PPROF = "pprof"
    SVG = "svg"


ENDINGS: Final = (
    (".folded", StackFormat.FOLDED),
    (".txt", StackFormat.FOLDED),
    (".speedscope.json", StackFormat.SPEEDSCOPE),
    (".json", StackFormat.SPEEDSCOPE),
    (".pb.gz", StackFormat.PPROF),
    (".pprof", StackFormat.PPROF),
    (".svg", StackFormat.SVG),
)
BINARY: Final = frozenset({StackFormat.PPROF})
"""Formats that are no text."""


def format_of(path: Path) -> StackFormat | None:
    """Return the format that a file's name asks for; None where it does not."""
    name = path.name.lower()
    return next((found for ending, found in ENDINGS if name.endswith(ending)), None)


def write_stacks(
    stack_format: StackFormat,
    table: StackTable,
    counts: Mapping[int, StackCount],
    title: str,
    exporter: str,
    event: str | None = None,
) -> bytes:
    """Return stacks in a format.

    Args:
        stack_format: Which one.
        table: Knows the stacks.
        counts: Stack id → count.
        title: What they are of.
        exporter: Which program writes them, with its version.
        event: What periods count where that is not nanoseconds.
    """
    # Each is imported when it is asked for: together they take as long as a small file.
    match stack_format:
        case StackFormat.FOLDED:
            from tui.export.stacks.folded import folded_lines

            return "".join(folded_lines(table, counts)).encode()
        case StackFormat.SPEEDSCOPE:
            from tui.export.stacks.speedscope import speedscope_json

            return speedscope_json(table, counts, title, exporter, event)
        case StackFormat.PPROF:
            from tui.export.stacks.pprof import pprof_profile

            return pprof_profile(table, counts, event)
        case StackFormat.SVG:
            from tui.export.stacks.svg import flame_svg

            return "".join(flame_svg(table, counts, title, event)).encode()
