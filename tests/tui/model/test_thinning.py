"""A history near its budget becomes coarser, never wrong."""

from __future__ import annotations

import random
from dataclasses import astuple
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.samples import Baseline, LoadSample, Mark, MarkKind, RequestKind, Role, StackMeasure
from tests.long_runs import long_run
from tests.tapes import ALL, BEGIN, contents, stacks
from tui.model.facts import card_of
from tui.model.load import custom_metrics, endpoint_totals, newest_checks, summarise
from tui.model.perrequest import matched_requests, stack_seconds
from tui.model.timeline import Timeline, TimeRange
from tui.model.usage import summarise_host, summarise_role

SECONDS = 700
BUDGET_BYTES = 1_000_000
"""So little that there are steps of ten minutes."""
moments = st.floats(BEGIN - 20, BEGIN + SECONDS + 20) | st.integers(
    int(BEGIN) - 20, int(BEGIN) + SECONDS + 20
).map(float)
ranges = st.tuples(moments, moments).map(lambda ends: TimeRange(*sorted(ends)))


def both(seed: int, seconds: int = SECONDS) -> tuple[Timeline, Timeline]:
    """Return a run that is kept as it came, and the same one within the budget."""
    timelines = Timeline(BEGIN), Timeline(BEGIN, BUDGET_BYTES)
    for sample in long_run(seconds, seed):
        for timeline in timelines:
            timeline.append(sample)
    return timelines


RUNS = [both(seed) for seed in range(3)]
runs = st.sampled_from(RUNS)


def counts_of(timeline: Timeline, window: TimeRange) -> dict[str, object]:
    """Return everything of a range that is a whole number."""
    loads = timeline.loads_in(window)
    found: dict[str, object] = {"lost": timeline.lost_in(window)}
    for measure in StackMeasure:
        found[measure] = timeline.stacks_in(window, measure), timeline.cut_in(window, measure)
    for kind in (RequestKind.HTTP, RequestKind.ITERATION):
        load = summarise(loads, kind)
        found[kind] = [
            getattr(load, name)
            for name in ("requests", "failed", "iterations", "dropped_iterations", "bytes_sent",
                         "bytes_received", "vus", "vus_max")
        ]  # fmt: skip
        found[f"{kind} latency"] = dict(load.latency.buckets), load.latency.count
    found["endpoints"] = [
        (each.name, each.status, each.requests, each.failed, dict(each.latency.buckets))
        for each in endpoint_totals(loads, RequestKind.HTTP)
    ]
    found["checks"] = newest_checks(loads)
    found["metrics"] = {
        name: (metric.value, dict(metric.trend.buckets))
        for name, metric in custom_metrics(loads).items()
    }
    return found


def machine_of(timeline: Timeline, window: TimeRange) -> list[object]:
    """Return what the machine used in a range: sums and means, and the most."""
    hosts = timeline.hosts_in(window)
    roles = [astuple(summarise_role(hosts, role)) for role in Role]
    return [value for part in (astuple(summarise_host(hosts)), *roles) for value in part]


@pytest.mark.parametrize("run", RUNS)
def test_old_history_is_in_steps(run: tuple[Timeline, Timeline]) -> None:
    """The oldest in the longest ones; the newest is as it came, and all within the budget."""
    full, thin = run
    until = thin.in_detail_since()
    assert until is not None
    assert full.in_detail_since() is None
    assert thin.held_bytes <= BUDGET_BYTES < full.held_bytes
    assert len(thin.loads) < len(full.loads) / 4
    since = TimeRange(until, BEGIN + SECONDS + 9)
    assert thin.loads_in(since) == full.loads_in(since) != []
    assert thin.hosts_in(since) == full.hosts_in(since) != []
    lengths = [thin.step_s(at) for at in (BEGIN + 70, until - 5, until)]
    assert lengths == sorted(lengths, reverse=True)
    assert (lengths[1], lengths[2]) == (10.0, 0.0)


@given(runs, ranges)
@settings(deadline=None)
def test_counts_are_those_of_the_counted_range(
    run: tuple[Timeline, Timeline], window: TimeRange
) -> None:
    """Exactly: what a range has in steps is what its counted range has in detail."""
    full, thin = run
    counted = thin.counted(window)
    assert counts_of(thin, window) == counts_of(full, counted)
    assert machine_of(thin, window) == pytest.approx(machine_of(full, counted), nan_ok=True)
    assert sum(each.interval_s for each in thin.loads_in(window)) == pytest.approx(
        sum(each.interval_s for each in full.loads_in(counted))
    )


@given(runs, st.tuples(moments, moments, moments).map(sorted))
@settings(deadline=None)
def test_adjoining_ranges_adjoin(run: tuple[Timeline, Timeline], cut: list[float]) -> None:
    """window(a, b) + window(b, c) = window(a, c), of everything, wherever the edges are."""
    _, thin = run
    first, second, whole = (TimeRange(cut[i], cut[j]) for i, j in ((0, 1), (1, 2), (0, 2)))
    assert [*thin.loads_in(first), *thin.loads_in(second)] == thin.loads_in(whole)
    assert [*thin.hosts_in(first), *thin.hosts_in(second)] == thin.hosts_in(whole)
    assert thin.lost_in(first) + thin.lost_in(second) == thin.lost_in(whole)
    for measure in StackMeasure:
        periods = [
            sum(count.period_ns for count in thin.stacks_in(each, measure).values())
            for each in (first, second, whole)
        ]
        assert periods[0] + periods[1] == periods[2]
        cut = [
            sum(count.period_ns for count in thin.cut_in(each, measure).values())
            for each in (first, second, whole)
        ]
        assert cut[0] + cut[1] == cut[2]
    assert thin.counted(first).end == thin.counted(second).start
    assert thin.counted(first).duration_s + thin.counted(second).duration_s == pytest.approx(
        thin.counted(whole).duration_s
    )


@given(runs, ranges)
@settings(deadline=None)
def test_edges_in_a_step_are_its_beginning(
    run: tuple[Timeline, Timeline], window: TimeRange
) -> None:
    """A widened range has whole steps, and an edge of one, told a little less exactly, is it."""
    _, thin = run
    counted, wide = thin.counted(window), thin.widened(window)
    assert counted.start <= window.start
    assert counted.end <= window.end <= wide.end
    assert wide.start == counted.start
    assert thin.counted(wide) == thin.counted(counted) or wide.end > counted.end
    assert thin.counted(counted) == counted
    assert thin.counted(wide) == wide
    by_length = TimeRange(wide.end - wide.duration_s, wide.end)
    assert thin.counted(by_length).start == pytest.approx(wide.start, abs=1e-9)


@given(runs, ranges)
@settings(deadline=None)
def test_cpu_and_requests_are_of_one_time(
    run: tuple[Timeline, Timeline], window: TimeRange
) -> None:
    """What is divided by requests is of the time of the requests, in steps as in detail."""
    full, thin = run
    counted = thin.counted(window)
    assert stack_seconds(thin, window) == stack_seconds(full, counted)
    loads = [
        summarise(timeline.loads_in(each), RequestKind.HTTP)
        for timeline, each in ((thin, window), (full, counted))
    ]
    # The mean rate of a range differs by its last digits at most.
    mine = matched_requests(thin, window, loads[0]) or 0
    assert mine == pytest.approx(matched_requests(full, counted, loads[1]) or 0, abs=1)


@pytest.mark.parametrize("run", RUNS)
def test_neighbours_in_steps_are_counted_in_steps(run: tuple[Timeline, Timeline]) -> None:
    """The range of each load sample has its stacks, and together they have all of them."""
    _, thin = run
    found = [thin.range_of([sample]) for sample in thin.loads]
    for sample, range_ in zip(thin.loads, found, strict=True):
        assert sample in thin.loads_in(range_)
    first, last = thin.loads[0], thin.loads[-1]
    whole = thin.range_of(thin.loads)
    assert (whole.start, whole.end) == (found[0].start, last.at)
    assert first.at - first.interval_s >= whole.start
    for before, after in pairwise(found):
        assert after.start == pytest.approx(before.end) or after == before


@given(st.integers(0, 2), st.integers(60, 160), st.integers(1, 80))
@settings(deadline=None, max_examples=25)
def test_copies_are_not_touched(seed: int, copied_after: int, later: int) -> None:
    """What is merged in one is as it was in the other, whichever of both goes on."""
    samples = list(long_run(400, seed))
    for goes_on in (0, 1):
        original = Timeline(BEGIN, BUDGET_BYTES // 4)
        for sample in samples[: copied_after * 3]:
            original.append(sample)
        pair = original, original.copy()
        before = contents(original)
        assert contents(pair[1]) == before
        for sample in samples[copied_after * 3 : (copied_after + later) * 3]:
            pair[goes_on].append(sample)
        assert contents(pair[1 - goes_on]) == before
        alone = Timeline(BEGIN)
        for sample in samples[: (copied_after + later) * 3]:
            alone.append(sample)
        assert counts_of(pair[goes_on], ALL) == counts_of(alone, ALL)


def test_what_was_taken_over_is_gone_on_with() -> None:
    """Another history in the middle of a merge: nothing of the old one is put into it."""
    samples = list(long_run(200))
    timeline, other = Timeline(BEGIN, BUDGET_BYTES // 4), Timeline(BEGIN)
    for place, sample in enumerate(samples):
        timeline.append(sample)
        other.append(sample)
        if place % 50 == 0:
            timeline.become(other)
    assert counts_of(timeline, ALL) == counts_of(other, ALL)


def test_late_stacks_count_in_their_step() -> None:
    """However late they are: in the range in which the requests of their second are."""
    full, thin = both(5)
    for at in (BEGIN + 1.5, BEGIN + 33.0, BEGIN + 450.9):
        for timeline in (full, thin):
            timeline.append(stacks(at, {7: 1_000}))
        window = thin.widened(TimeRange(at, at + 0.001))
        assert thin.stacks_in(window) == full.stacks_in(window)


def test_ranges_that_are_kept_stay_exact() -> None:
    """Baselines and the begins of loads are borders, whatever steps they would be in."""
    full, thin = Timeline(BEGIN), Timeline(BEGIN, BUDGET_BYTES)
    kept = TimeRange(BEGIN + 103.0, BEGIN + 117.0)
    warm_at = BEGIN + 33.25
    for sample in long_run(SECONDS):
        for timeline in (full, thin):
            timeline.append(sample)
            if isinstance(sample, LoadSample) and int(sample.at - BEGIN) == 120:
                timeline.append(Baseline(sample.at, "b", kept.start, kept.end))
            if isinstance(sample, LoadSample) and int(sample.at - BEGIN) == 34:
                timeline.append(Mark(warm_at, MarkKind.WARM_UP_END, "warm"))
    assert thin.counted(kept) == kept
    assert counts_of(thin, kept) == counts_of(full, kept)
    second = [next(s for s in each.loads if s.instance == "k6-2") for each in (full, thin)]
    begins = [each.at - each.interval_s for each in second]
    assert begins[0] == pytest.approx(begins[1])
    since = TimeRange(begins[1], BEGIN + SECONDS + 1)
    assert counts_of(thin, since) == counts_of(full, TimeRange(begins[0], since.end))
    # A push that began while it was warming up is not in a step with one that did not.
    warm = [
        sum(s.iterations for s in each.loads if s.at - s.interval_s >= warm_at)
        for each in (full, thin)
    ]
    assert warm[0] == warm[1]


@pytest.mark.parametrize("ago_s", [5.0, 21.0, 48.5, 130.0])
def test_what_a_range_is_counted_as_stays(ago_s: float) -> None:
    """From when it is kept as a baseline on, also where it is in a step, or in one being merged."""
    timeline, counted = Timeline(BEGIN, BUDGET_BYTES // 2), dict[TimeRange, dict[str, object]]()
    for second, sample in enumerate(long_run(SECONDS)):
        timeline.append(sample)
        if second % 97 == 0 and second > 500:
            end = round(sample.at if isinstance(sample, LoadSample) else BEGIN + second / 4) - ago_s
            timeline.append(Baseline(end + ago_s, f"b {second}", end - 7.0, end))
            kept = timeline.counted(TimeRange(end - 7.0, end))
            counted[kept] = counts_of(timeline, kept)
    assert len(counted) > 5
    for kept, counts in counted.items():
        assert timeline.counted(kept) == kept
        found = counts_of(timeline, kept)
        # Stacks come late, also to what is kept.
        for name in set(counts) - {"lost", *StackMeasure}:
            assert found[name] == counts[name]


def test_below_the_budget_nothing_is_changed() -> None:
    """And without one nothing ever is."""
    plain, roomy = Timeline(BEGIN), Timeline(BEGIN, 64 << 20)
    for sample in long_run(150):
        plain.append(sample)
        roomy.append(sample)
    assert contents(plain) == contents(roomy)
    assert all(one is other for one, other in zip(plain.loads, roomy.loads, strict=True))
    assert roomy.in_detail_since() is None
    assert roomy.step_s(BEGIN) == 0.0


@pytest.mark.parametrize("run", RUNS)
def test_peaks_are_remembered(run: tuple[Timeline, Timeline]) -> None:
    """The busiest push of a run is told of, also when it is in a step."""
    cards = [card_of(each, "s", "t", BEGIN + SECONDS) for each in run]
    assert cards[0].peak_rps == cards[1].peak_rps
    assert cards[0].requests == cards[1].requests
    assert cards[0].p95_ms == pytest.approx(cards[1].p95_ms)


def test_an_idle_server_is_thinned_too() -> None:
    """Without any load there is a machine and there are stacks, for hours."""
    chance = random.Random(1)
    timeline = Timeline(BEGIN, 100_000)
    for second in range(3_000):
        counts = {chance.randrange(40): 1 for _ in range(5)}
        timeline.append(stacks(BEGIN + second + 0.5, counts))
    assert timeline.held_bytes <= 100_000
    assert timeline.step_s(BEGIN) >= 60.0
