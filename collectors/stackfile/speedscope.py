"""Decodes speedscope's own JSON, of its first profile's unit.

Format: https://www.speedscope.app/file-format-schema.json, sampled and evented profiles. Names may
tell kinds as those of folded stacks do.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import msgspec

from collectors.perf.frames import short_symbol
from collectors.samples import Frame
from collectors.source import SourceError
from collectors.stackfile.folded import folded_frame
from collectors.stackfile.tally import MAX_DEPTH, MAX_WEIGHT, Tally
from collectors.text import sanitise

SCHEMA: Final = b"https://www.speedscope.app/file-format-schema.json"
LATEST_SECOND: Final = 1 << 40
MAX_UNIT: Final = 40
MAX_SECONDS: Final = 1_000_000
"""Of all profiles together; what is longer is taken as a whole, and not cut into seconds."""
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


@dataclass(frozen=True, slots=True)
class Found:
    """What a file tells of its profiles."""

    unit: str
    """Of the weights."""
    notes: tuple[str, ...]
    """On what was left out."""
    has_times: bool
    """Whether all of them tell when."""


def decode_speedscope(data: bytes, tally: Tally) -> Found:
    """Add the profiles of a file to a tally.

    Raises:
        SourceError: it is not such a file.
    """
    try:
        file = msgspec.json.decode(data, type=SpeedscopeFile)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SourceError(
            f"the speedscope file can't be read: {sanitise(str(error), 200)}",
            "see speedscope.app/file-format-schema.json",
        ) from None
    frames = [tally.frame(_frame(each)) for each in file.shared.frames]
    unit = file.profiles[0].unit if file.profiles else "none"
    profiles = [profile for profile in file.profiles if profile.unit == unit]
    others = len(file.profiles) - len(profiles)
    has_times = _have_times(profiles, unit)
    for profile in profiles:
        _Reader(profile, frames, tally, has_times=has_times).read()
    shown = sanitise(unit, MAX_UNIT)
    notes = (f"{others} profiles in another unit than {shown} are left out",) if others else ()
    return Found(shown, notes, has_times)


def _have_times(profiles: list[Profile], unit: str) -> bool:
    """Tell whether profiles are all of events on a clock, and no longer than can be cut up."""
    if unit not in NANOSECONDS or any(profile.type != "evented" for profile in profiles):
        return False
    total = 0.0
    for profile in profiles:
        times = [event.at * NANOSECONDS[unit] / 1e9 for event in profile.events] or [0.0]
        if not 0 <= min(times) <= max(times) <= LATEST_SECOND:
            return False
        total += max(times) - min(times)
    return total <= MAX_SECONDS


def _frame(frame: SpeedscopeFrame) -> Frame:
    module = short_symbol((frame.file or "").rpartition("/")[2].encode())
    return folded_frame(frame.name.encode(), module)


class _Reader:
    """Reads one profile."""

    def __init__(
        self, profile: Profile, frames: list[int], tally: Tally, *, has_times: bool
    ) -> None:
        self._profile = profile
        self._frames = frames
        self._tally = tally
        self._thread = sanitise(profile.name, 60)
        self._scale = NANOSECONDS.get(profile.unit)
        self._has_times = has_times

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
            if at is None or event.at > at:
                if at is not None and opened:
                    self._span(opened[:MAX_DEPTH], at, event.at)
                at = event.at
            if event.type == "O":
                opened.append(event.frame)
            elif opened and opened[-1] == event.frame:
                opened.pop()
            else:
                self._tally.rejected["event_out_of_order"] += 1

    def _span(self, opened: list[int], start: float, end: float) -> None:
        """Add what was open from one event to the next, to each second its part."""
        if not self._has_times or self._scale is None:
            self._add(opened, end - start)
            return
        second, at = 1e9 / self._scale, start
        for number in range(int(start / second), int(end / second) + 1):
            until = min(end, (number + 1) * second)
            if until > at:
                self._add(opened, until - at, number)
                at = until

    def _add(self, sample: list[int], weight: float, second: int = 0) -> None:
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
            self._tally.add(stack, 1, round(weight * self._scale), second)
