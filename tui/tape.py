"""What a replay plays: a recording, or a file of another program as if it were one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from operator import itemgetter
from pathlib import Path
from typing import Protocol

from collectors.k6.resultfile.reader import is_k6_result, read_k6_result
from collectors.recording.about import Header
from collectors.recording.codec import Arrival
from collectors.recording.reader import Chunk, Recording
from collectors.recording.sniff import is_recording
from collectors.samples import Sample, SourceState, SourceStatus
from collectors.stackfile.reader import read_profile
from collectors.text import sanitise
from tui.export.about import About
from tui.model.timeline import Timeline

_ARRIVALS_A_CHUNK = 50


class Tape(Protocol):
    """Samples in the order of their arrival, and what they are of."""

    name: str
    header: Header

    @property
    def is_live(self) -> bool:
        """Whether more may come."""

    @property
    def is_unclean(self) -> bool:
        """Whether its writer ended without closing it."""

    def chunks(self, after: int = 0) -> Iterator[Chunk]:
        """Yield what there is, from the chunk after a number."""

    def rejected(self) -> Mapping[str, int]:
        """Return what of it could not be read so far, by reason."""

    def close(self) -> None:
        """Let the file go."""


@dataclass(slots=True)
class ImportedTape:
    """A file of another program."""

    name: str
    header: Header
    samples: Sequence[tuple[float, Sample]]
    """When each comes, on the clock of the file."""

    @property
    def is_live(self) -> bool:
        """Nothing more comes."""
        return False

    @property
    def is_unclean(self) -> bool:
        """How it was ended is not known."""
        return False

    def chunks(self, after: int = 0) -> Iterator[Chunk]:
        """Yield what there is, from the chunk after a number."""
        for number, first in enumerate(range(0, len(self.samples), _ARRIVALS_A_CHUNK), 1):
            if number > after:
                some = self.samples[first : first + _ARRIVALS_A_CHUNK]
                yield Chunk(number, tuple(Arrival(at, sample) for at, sample in some))

    def rejected(self) -> Mapping[str, int]:
        """Return nothing: the notes of its reader are on the timeline."""
        return {}

    def close(self) -> None:
        """Nothing is open."""


def open_tape(path: Path) -> Tape:
    """Open a recording, a result file of k6, or a file of stacks.

    Raises:
        SourceError: it can't be read, or is none of them.
    """
    if is_recording(path):
        return Recording(path)
    name = sanitise(path.name, 120)
    samples: list[tuple[float, Sample]]
    if is_k6_result(path):
        result = read_k6_result(path)
        samples = [(each.at, each) for each in result.samples]
        start, notes, kind = result.samples[0].at - 1.0, result.notes, result.format
    else:
        profile = read_profile(path)
        samples = [(each.end, each) for each in profile.batches]
        start, notes, kind = float(int(profile.batches[0].start)), profile.notes, profile.format
    text = f"{name} is imported from {kind}: there is nothing else of the run"
    told = [SourceStatus(start, "file", SourceState.ENDED, text)]
    told += [
        SourceStatus(start, f"note {number}", SourceState.DEGRADED, note)
        for number, note in enumerate(notes, 1)
    ]
    header = Header(
        started_at=start,
        wall_offset_s=0.0,
        script=name,
        flashpoint_version=version("flashpoint"),
        machine="",
        writer_pid=0,
        writer_start_ticks=0,
    )
    samples.sort(key=itemgetter(0))
    return ImportedTape(name, header, [*((start, each) for each in told), *samples])


def whole(tape: Tape) -> Timeline:
    """Return the timeline of everything on a tape."""
    timeline = Timeline(tape.header.started_at)
    for chunk in tape.chunks():
        for arrival in chunk.arrivals:
            timeline.append(arrival.sample)
    return timeline


def about_of(tape_name: str, header: Header, timeline: Timeline) -> About:
    """Return what exports tell of a run, as far as its timeline has come."""
    state = timeline.states[-1] if timeline.states else None
    return About(
        script=(state.script if state is not None else "") or header.script,
        target=state.target if state is not None else "",
        control=state.control if state is not None else "",
        profiler=state.profiler if state is not None else "",
        k6_version=state.k6_version if state is not None else "",
        flashpoint_version=header.flashpoint_version,
        machine=header.machine or "",
        wall_offset_s=header.wall_offset_s,
        name=tape_name,
    )
