"""`flashpoint ls`: the recordings as a table, or as JSON a line each."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from collectors.recording.folder import folder_of
from collectors.recording.shelf import Entry, entries
from collectors.text import sanitise
from tui.views.format import cell_width, clock, fit, milliseconds, pad, rate

_TITLES: Final = ("when", "script", "target", "length", "peak/s", "p95", "size", "verdict")
_RIGHT: Final = frozenset({"length", "peak/s", "p95", "size"})
_WIDEST: Final = {"script": 24, "target": 32}
_STATES: Final = {"recording": "● recording", "ended unclean": "ended unclean", "ended": ""}


def list_recordings(*, as_json: bool) -> Iterator[str]:
    """Yield the lines of the list, the newest recording first."""
    folder = folder_of(os.environ)
    found = entries(folder)
    if as_json:
        yield from (_json(each) for each in found)
        return
    if not found:
        yield f"no recordings yet in {sanitise(str(folder))}"
        return
    yield from _table(found, shutil.get_terminal_size((160, 24)).columns)
    yield f"\nin {sanitise(str(folder))}; watch one with: flashpoint replay {found[0].name}"


def _table(found: Sequence[Entry], width: int) -> Iterator[str]:
    rows = [_TITLES, *map(_row, found)]
    widths = [
        min(max(cell_width(row[place]) for row in rows), _WIDEST.get(title, 200))
        for place, title in enumerate(_TITLES)
    ]
    for row in rows:
        cells = (
            pad(fit(cell, size), size, align="right" if title in _RIGHT else "left")
            for cell, size, title in zip(row, widths, _TITLES, strict=True)
        )
        yield fit("  ".join(cells).rstrip(), width)


def _row(entry: Entry) -> tuple[str, ...]:
    card = entry.card
    if entry.began_at is None:
        return (entry.name, "", "", "", "", "", _size(entry.size_bytes), entry.state)
    state = _STATES.get(entry.state, entry.state)
    mark = "✎ " if card.is_marked else ""
    return (
        f"{entry.began_at:%Y-%m-%d %H:%M:%S}",
        card.script or entry.name,
        card.target,
        clock(card.duration_s),
        rate(card.peak_rps),
        milliseconds(card.p95_ms / 1e3 if card.p95_ms is not None else None),
        _size(entry.size_bytes),
        mark + ", ".join(each for each in (state, card.verdict) if each),
    )


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:.1f} MB"


def _json(entry: Entry) -> str:
    card = entry.card
    return msgspec.json.encode(
        {
            "name": entry.name,
            # Bytes of a name that are no text can't be told in JSON.
            "path": os.fsencode(entry.path).decode(errors="replace"),
            "began_at": entry.began_at.isoformat() if entry.began_at is not None else None,
            "state": entry.state,
            "script": card.script,
            "target": card.target,
            "duration_s": card.duration_s,
            "requests": card.requests,
            "peak_rps": card.peak_rps,
            "p95_ms": card.p95_ms,
            "verdict": card.verdict,
            "is_marked": card.is_marked,
            "size_bytes": entry.size_bytes,
        }
    ).decode()
