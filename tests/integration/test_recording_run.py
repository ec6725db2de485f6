"""A recording tells of a real run what was told while it was live: equal, not nearly so."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from dataclasses import fields
from typing import Any

import pytest

from collectors.recording.reader import Recording
from collectors.samples import Baseline, Role, StackMeasure
from tests.integration.program import needs_perf
from tests.integration.recorded import BASELINE, NOTE, RecordedRun
from tui.export.series.measured import Measured, compare, measure
from tui.model.calltree import CallTree
from tui.model.facts import facts_at
from tui.model.latency import quantile
from tui.model.lens import Lens, Picture
from tui.model.rangespec import everything
from tui.model.timeline import Timeline, TimeRange
from tui.replay import Replay
from tui.views.monitor import build_monitor
from tui.views.window import Window

pytestmark = [pytest.mark.integration, pytest.mark.timeout(150), needs_perf]

QUANTILES = (0.5, 0.9, 0.95, 0.99)


class Steady:
    """A clock that stands still."""

    def __call__(self) -> float:
        return 0.0


@pytest.fixture
async def replay(recorded_run: RecordedRun) -> AsyncIterator[Replay]:
    """The recording, read whole, at its end."""
    replay = Replay(Recording(recorded_run.recording), clock=Steady())
    async with asyncio.timeout(10):
        await replay.read()
    replay.play_or_pause()
    replay.go_to_end()
    yield replay
    replay.close()


def some_ranges(timeline: Timeline, count: int = 50) -> Iterator[TimeRange]:
    """Ranges of the run, of any length, the whole one first."""
    whole, chance = everything(timeline), random.Random(8)
    yield whole
    for _ in range(count - 1):
        start, end = sorted(chance.uniform(whole.start - 1, whole.end + 1) for _ in range(2))
        yield TimeRange(start, end)


def nodes_of(tree: CallTree | None) -> list[object]:
    """Every node of a tree, with what it counts, in order."""
    if tree is None:
        return []
    return [
        (path, node.frame, node.self_samples, node.total_samples, node.self_period_ns,
         node.total_period_ns)
        for path, node in walked(tree)
    ]  # fmt: skip


def walked(tree: CallTree) -> Iterator[tuple[Any, Any]]:
    """Yield each node after its callers, with how deep it is."""
    rest: list[tuple[int, Any]] = [(0, tree.root)]
    while rest:
        depth, node = rest.pop()
        yield depth, node
        rest.extend((depth + 1, child) for child in reversed(node.children))


def told(found: Measured) -> dict[str, object]:
    """Everything that is known of a range, its call tree node by node."""
    plain: dict[str, object] = {
        each.name: getattr(found, each.name) for each in fields(found) if each.name != "tree"
    }
    latency = found.load.latency if found.load is not None else None
    tree = found.tree
    return {
        **plain,
        "quantiles": [quantile(latency, q) for q in QUANTILES] if latency is not None else None,
        "quantiles of endpoints": [
            [quantile(each.latency, q) for q in QUANTILES] for each in found.endpoints
        ],
        "nodes": nodes_of(tree),
        "quality": (tree.unknown_samples, tree.caller_lost_samples) if tree is not None else None,
    }


def test_every_range_of_the_recording_is_that_of_the_live_run(
    recorded_run: RecordedRun, replay: Replay
) -> None:
    """Percentiles, counts, endpoints, machine, verdict, functions, every node of the call tree."""
    live = recorded_run.timeline
    seen = 0
    for range_ in some_ranges(live):
        expected, found = measure(live, range_), measure(replay.timeline, range_)
        assert told(found) == told(expected)
        if found.load is not None and found.tree is not None and found.host is not None:
            seen += 1
    assert seen > 25
    whole = measure(live, everything(live))
    assert whole.load is not None
    assert whole.load.requests > 200
    assert whole.tree is not None
    assert whole.tree.nodes > 20
    assert Role.TARGET in whole.roles


def test_the_comparison_with_a_baseline_is_that_of_the_live_run(
    recorded_run: RecordedRun, replay: Replay
) -> None:
    """Per request, function by function, with its intervals."""
    live = recorded_run.timeline
    baseline = live.baselines[BASELINE]
    assert replay.timeline.baselines == live.baselines
    before = TimeRange(baseline.start, baseline.end)
    seen = 0
    for range_ in some_ranges(live):
        expected, found = (
            compare(measure(each, before), measure(each, range_))
            for each in (live, replay.timeline)
        )
        assert list(found) == list(expected)
        seen += bool(found)
    assert seen > 25


@pytest.mark.parametrize("picture", [Picture.GRAPH, Picture.TABLE])
def test_the_screen_shows_what_it_showed_live(
    picture: Picture, recorded_run: RecordedRun, replay: Replay
) -> None:
    """Load, machine and stacks of the same windows, compared with a baseline and not."""
    live = recorded_run.timeline
    for place, range_ in enumerate(some_ranges(live, 20)):
        window = Window(range_.end, range_.duration_s, trends_end=everything(live).end)
        lens = Lens(picture=picture, compared_with=BASELINE if place % 2 else "")
        expected, found = (
            build_monitor(each, facts_at(each, range_.end), window, lens)
            for each in (live, replay.timeline)
        )
        assert found.load == expected.load
        assert found.host == expected.host
        assert found.flame == expected.flame


def test_what_was_said_and_done_is_in_it(recorded_run: RecordedRun, replay: Replay) -> None:
    """Marks, notes, targets, states, logs, what k6 told at its end."""
    live, found = recorded_run.timeline, replay.timeline
    for name in ("marks", "targets", "states", "ends", "logs", "statuses", "drops", "loads",
                 "hosts", "samples_lost"):  # fmt: skip
        assert getattr(found, name) == getattr(live, name), name
    assert NOTE in [each.text for each in found.marks]
    assert found.ends[0].requests == sum(each.traffic[0].requests for each in found.loads) + (
        found.ends[0].withheld
    )
    assert found.states[-1].phase == "closed"
    assert found.states[-1].script == "demo"
    for measure_ in StackMeasure:
        assert found.stacked(measure_) == live.stacked(measure_)


def test_any_moment_shows_no_more_than_was_known_then(
    recorded_run: RecordedRun, replay: Replay
) -> None:
    """Going back and forth, against a timeline that was fed up to there."""
    recording = Recording(recorded_run.recording)
    arrivals = [each for chunk in recording.chunks() for each in chunk.arrivals]
    recording.close()
    chance = random.Random(3)
    for _ in range(20):
        at = chance.uniform(arrivals[0].at, arrivals[-1].at)
        replay.go_to(at)
        alone = Timeline(replay.timeline.origin)
        for each in arrivals:
            if each.at <= at:
                alone.append(each.sample)
        whole = TimeRange(alone.origin - 1, at)
        assert told(measure(replay.timeline, whole)) == told(measure(alone, whole))
        assert replay.timeline.marks == alone.marks


def test_a_baseline_of_the_run_is_the_range_that_was_looked_at(replay: Replay) -> None:
    """So that it can be named on the command line."""
    found = replay.timeline.baselines
    assert isinstance(found[BASELINE], Baseline)
    assert "run 1" in found
