"""Runs made up for tests of what is recorded: samples of every kind, tapes of them, files."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from collectors.course import Course, CourseUnit
from collectors.recording.about import Card, Header
from collectors.recording.codec import Arrival
from collectors.recording.reader import Chunk
from collectors.recording.recorder import Recorder
from collectors.runstate import RunEnd, RunState
from collectors.samples import (
    Baseline,
    Drop,
    Frame,
    FrameKind,
    LoadTarget,
    LogLine,
    Mark,
    MarkKind,
    Role,
    Sample,
    SourceState,
    SourceStatus,
    Stack,
    StackBatch,
    StackCount,
    StackMeasure,
)
from collectors.source import SourceError
from tests.builders import endpoint, histogram, host, load, usage
from tui.model.timeline import Timeline, TimeRange

BEGIN = 1_000.0
"""When a made-up run begins, on its clock."""
ALL = TimeRange(-1e6, 1e6)


def header(begin: float = BEGIN, script: str = "shop.js") -> Header:
    """Return the header of a made-up run."""
    return Header(begin, 1.7e9, script, "0.1.0", "Linux 6.1, 2 cores", 1, 1, "cpu-clock")


def state(at: float, phase: str = "running", *, started_at: float | None = BEGIN) -> RunState:
    """Return where a made-up run is."""
    return RunState(
        at, phase, "shop.js", "1.1.0", "server (pid 7)", "cpu-clock 99 Hz", "secret gate",
        started_at=started_at, ceiling=40.0,
    )  # fmt: skip


LEFT_OUT = 10_000
"""Id of the first of three functions that made-up stacks lack."""


def stacks(
    at: float, counts: Mapping[int, int], measure: StackMeasure = StackMeasure.ON_CPU
) -> StackBatch:
    """Return a batch of stacks by their ids; each stack has frames of its own and a shared one.

    Those of odd ids were cut: each lacks one function.
    """
    cut = Counter[int]()
    for each, samples in counts.items():
        if each % 2:
            cut[LEFT_OUT + each % 3] += samples
    return StackBatch(
        at,
        at,
        {each: StackCount(n, n * 10_000_000) for each, n in counts.items()},
        {each: Stack("server", f"worker {each % 2}", (0, each + 1)) for each in counts},
        {
            0: Frame("main", "server", FrameKind.USER),
            **{each + 1: Frame(f"f{each}", "server", FrameKind.USER) for each in counts},
            **{each: Frame(f"left out {each}", "server", FrameKind.USER) for each in cut},
        },
        measure=measure,
        cut={each: StackCount(n, n * 10_000_000) for each, n in cut.items()},
    )


def a_run(seconds: int, seed: int = 1, begin: float = BEGIN) -> list[Arrival]:
    """Return what arrives in a run, in order: samples of every kind, some stacks late."""
    chance = random.Random(seed)
    found = [Arrival(begin, state(begin, "starting", started_at=None))]
    found.append(Arrival(begin, Mark(begin, MarkKind.START, "start k6-1")))
    for second in range(1, seconds + 1):
        at = begin + second + chance.random() / 10
        found += [Arrival(at, each) for each in _second(chance, at, second)]
    last = found[-1].at + 0.5
    found.append(Arrival(last, RunEnd(last, "k6-1", begin, last, 0.0, 0, 0, requests=9)))
    found.append(Arrival(last, state(last, "closed")))
    return found


def _second(chance: random.Random, at: float, second: int) -> Iterator[Sample]:
    requests = chance.randrange(1, 30)
    latency = histogram([chance.lognormvariate(-3, 0.5) for _ in range(requests)])
    yield load(at, requests, latency=latency, endpoints=(endpoint("/", requests, latency=latency),))
    yield host(at + 0.01, busy_ratio=chance.random(), roles=(usage(Role.TARGET, chance.random()),))
    yield stacks(at - 0.3, {chance.randrange(40): chance.randrange(1, 9) for _ in range(5)})
    if chance.random() < 0.2:  # of a second that is over
        yield stacks(at - chance.uniform(1.5, 4), {chance.randrange(40): 3})
    if chance.random() < 0.3:
        yield stacks(at - 0.5, {chance.randrange(40): 2}, StackMeasure.OFF_CPU)
    yield from (each for each in _seldom(chance, at, second) if chance.random() < 0.15)


def _seldom(chance: random.Random, at: float, second: int) -> Iterator[Sample]:
    name = f"source {chance.randrange(3)}"
    yield SourceStatus(at, name, chance.choice(list(SourceState)), f"at {second}")
    yield LogLine(at, name, "info", f"line {second}")
    yield Drop(at, f"reason {chance.randrange(3)}", chance.randrange(1, 5))
    yield Mark(at, MarkKind.LOAD, f"to {second} VUs")
    yield LoadTarget(at, Course.constant(CourseUnit.VUS, float(second), at))
    yield Baseline(at, f"base {chance.randrange(3)}", at - 3, at)
    yield state(at)


@dataclass(slots=True)
class FakeTape:
    """A tape in memory, to which a test may add, and which may fail."""

    arrivals: list[Arrival] = field(default_factory=list)
    header: Header = field(default_factory=header)
    name: str = "shop.flashpoint"
    is_live: bool = False
    is_unclean: bool = False
    a_chunk: int = 10
    lost: dict[str, int] = field(default_factory=dict)
    breaks_at: int | None = None
    """The chunk at which the file goes away."""
    is_closed: bool = False

    def chunks(self, after: int = 0) -> Iterator[Chunk]:
        """Yield what there is, from the chunk after a number."""
        number = after
        while number * self.a_chunk < len(self.arrivals):
            if number + 1 == self.breaks_at:
                raise SourceError("the file went away", "look for it")
            first, number = number * self.a_chunk, number + 1
            yield Chunk(number, tuple(self.arrivals[first : first + self.a_chunk]))

    def rejected(self) -> Mapping[str, int]:
        """Return what a test says of it."""
        return dict(self.lost)

    def close(self) -> None:
        """Note that it was closed."""
        self.is_closed = True


def timeline_of(arrivals: Iterable[Arrival], begin: float = BEGIN) -> Timeline:
    """Return the timeline of what arrived, appended one after the other."""
    timeline = Timeline(begin)
    for each in arrivals:
        timeline.append(each.sample)
    return timeline


def contents(timeline: Timeline) -> dict[str, object]:
    """Return everything that a timeline tells, to be compared; stacks by the names of frames."""
    found: dict[str, object] = {
        name: list(getattr(timeline, name))
        for name in ("loads", "hosts", "marks", "targets", "states", "ends", "logs")
    }
    for measure in StackMeasure:
        counts = timeline.stacks_in(ALL, measure)
        found[measure] = {
            (each, timeline.stacks.frames_of(each)): count for each, count in counts.items()
        }
        found[f"{measure} cut"] = {
            (each, timeline.stacks.frame(each)): count
            for each, count in timeline.cut_in(ALL, measure).items()
        }
        found[f"{measure} by second"] = {
            second: (
                timeline.stacks_in(TimeRange(float(second), second + 1.0), measure),
                timeline.cut_in(TimeRange(float(second), second + 1.0), measure),
            )
            for second in range(int(BEGIN) - 10, int(BEGIN) + 700)
        }
        found[f"{measure} when"] = timeline.stacked(measure)
    return {
        **found,
        "origin": timeline.origin,
        "baselines": list(timeline.baselines.items()),
        "statuses": dict(timeline.statuses),
        "drops": timeline.drop_counts(),
        "lost": (timeline.samples_lost, timeline.lost_in(ALL)),
        "in a range": timeline.loads_in(TimeRange(BEGIN + 5, BEGIN + 9)),
        "hosts in a range": timeline.hosts_in(TimeRange(BEGIN + 5, BEGIN + 9)),
    }


def write_recording(
    path: Path, parts: Sequence[Sequence[Arrival]], card: Card | None = None
) -> None:
    """Record what arrived with the real recorder; each part is a chunk, or some."""
    now = BEGIN
    recorder = Recorder(path, header(), lambda: now, lambda _: None)
    for part in parts:
        for each in part:
            now = each.at
            recorder.add(each.sample)
        assert recorder.flush()
    if card is not None:
        recorder.describe(card)
    recorder.close()
