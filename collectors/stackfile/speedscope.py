"""Decodes speedscope's own JSON, of its first profile's unit.

Format: https://www.speedscope.app/file-format-schema.json, sampled and evented profiles. Names may
tell kinds as those of folded stacks do.
"""

from __future__ import annotations

import math
from typing import Final

import msgspec

from collectors.perf.frames import short_symbol
from collectors.samples import Frame
from collectors.source import SourceError
from collectors.stackfile.folded import folded_frame
from collectors.stackfile.tally import MAX_DEPTH, MAX_WEIGHT, Tally
from collectors.text import sanitise

SCHEMA: Final = b"https://www.speedscope.app/file-format-schema.json"
NANOSECONDS: Final = {"nanoseconds": 1.0, "microseconds": 1e3, "milliseconds": 1e6, "seconds": 1e9}


class SpeedscopeFrame(msgspec.Struct):
    """A frame of the shared table."""

    name: str
    file: str | None = None
    line: float | None = None
    col: float | None = None


class Shared(msgspec.Struct):
    """What all profiles of a file share."""

    frames: list[SpeedscopeFrame]


class Event(msgspec.Struct):
    """A frame is opened or closed."""

    type: str
    frame: int
    at: float


class Profile(msgspec.Struct):
    """One profile, of either type."""

    type: str
    name: str = ""
    unit: str = "none"
    samples: list[list[int]] = []
    weights: list[float] = []
    events: list[Event] = []


class SpeedscopeFile(msgspec.Struct):
    """What of a file is read."""

    shared: Shared
    profiles: list[Profile]


def decode_speedscope(data: bytes, tally: Tally) -> tuple[str, list[str]]:
    """Add the profiles of a file to a tally.

    Returns:
        The unit of the weights, and notes on what was left out.

    Raises:
        SourceError: it is not such a file.
    """
    try:
        file = msgspec.json.decode(data, type=SpeedscopeFile)
    except (msgspec.DecodeError, RecursionError) as error:
        raise SourceError(
            f"the speedscope file can't be read: {sanitise(str(error), 200)}",
            "see speedscope.app/file-format-schema.json",
        ) from None
    frames = [tally.frame(_frame(each)) for each in file.shared.frames]
    unit = file.profiles[0].unit if file.profiles else "none"
    others = [profile for profile in file.profiles if profile.unit != unit]
    for profile in file.profiles:
        if profile.unit == unit:
            _Reader(profile, frames, tally).read()
    notes = [f"{len(others)} profiles in another unit than {unit} are left out"] if others else []
    return unit, notes


def _frame(frame: SpeedscopeFrame) -> Frame:
    module = short_symbol((frame.file or "").rpartition("/")[2].encode())
    return folded_frame(frame.name.encode(), module)


class _Reader:
    """Reads one profile."""

    def __init__(self, profile: Profile, frames: list[int], tally: Tally) -> None:
        self._profile = profile
        self._frames = frames
        self._tally = tally
        self._thread = sanitise(profile.name, 60)
        self._scale = NANOSECONDS.get(profile.unit)

    def read(self) -> None:
        profile = self._profile
        if profile.type == "sampled":
            for sample, weight in zip(profile.samples, profile.weights, strict=False):
                self._add(sample, weight)
            short = abs(len(profile.samples) - len(profile.weights))
            if short:
                self._tally.rejected["sample_without_weight"] += short
        elif profile.type == "evented":
            self._events()
        else:
            self._tally.rejected["profile_of_unknown_type"] += 1

    def _events(self) -> None:
        opened: list[int] = []
        at: float | None = None
        for event in self._profile.events:
            if at is not None and opened and event.at > at:
                self._add(opened[:MAX_DEPTH], event.at - at)
            at = event.at
            if event.type == "O":
                opened.append(event.frame)
            elif opened and opened[-1] == event.frame:
                opened.pop()
            else:
                self._tally.rejected["event_out_of_order"] += 1

    def _add(self, sample: list[int], weight: float) -> None:
        if not math.isfinite(weight) or not 0 <= weight * (self._scale or 1.0) < MAX_WEIGHT:
            self._tally.rejected["weight_unreadable"] += 1
            return
        if any(not 0 <= number < len(self._frames) for number in sample):
            self._tally.rejected["frame_unknown"] += 1
            return
        stack = self._tally.stack([self._frames[n] for n in sample], "", self._thread)
        if self._scale is None:
            self._tally.add(stack, round(weight), 0)
        else:
            self._tally.add(stack, 1, round(weight * self._scale))


def looks_like_speedscope(head: bytes) -> bool:
    """Tell whether a file begins like JSON."""
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")
