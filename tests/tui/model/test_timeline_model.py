from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.samples import (
    Drop,
    Frame,
    FrameKind,
    HostSample,
    RequestKind,
    Role,
    Stack,
    StackBatch,
    StackCount,
)
from tests.builders import histogram, host, load, usage
from tui.model.load import endpoint_totals, kind_of, summarise
from tui.model.perrequest import matched_requests, stack_seconds
from tui.model.series import Buckets, grouped, newest, rates
from tui.model.timeline import Timeline, TimeRange
from tui.model.usage import summarise_host, summarise_role
from tui.model.verdict import Severity, judge


def batch(at: float, samples: int, period_ns: int = 10_000_000) -> StackBatch:
    """Return a batch of one stack."""
    counts = {0: StackCount(samples, samples * period_ns)}
    frames = {0: Frame("main", "server", FrameKind.USER)}
    return StackBatch(at, at, counts, {0: Stack("s", "t", (0,))}, frames)


cuts = st.tuples(*[st.floats(100, 160)] * 3).map(sorted)


@given(cuts, st.lists(st.floats(100, 160), max_size=30).map(sorted))
def test_adjoining_ranges_count_everything_once(cut: list[float], times: list[float]) -> None:
    """window(a, b) + window(b, c) = window(a, c), for load, machine and stacks."""
    timeline = Timeline(100.0)
    for at in times:
        timeline.append(load(at))
        timeline.append(host(at))
        timeline.append(batch(at, 3))
    first, second, both = (TimeRange(cut[i], cut[j]) for i, j in ((0, 1), (1, 2), (0, 2)))
    assert [*timeline.loads_in(first), *timeline.loads_in(second)] == timeline.loads_in(both)
    assert [*timeline.hosts_in(first), *timeline.hosts_in(second)] == timeline.hosts_in(both)

    def samples(window: TimeRange) -> int:
        return sum(count.samples for count in timeline.stacks_in(window).values())

    assert samples(first) + samples(second) == samples(both)


def test_drops_and_losses_add_up() -> None:
    """By reason, from every source."""
    timeline = Timeline(0.0)
    timeline.append(Drop(1.0, "foreign_push", 2))
    timeline.append(StackBatch(1.0, 1.0, {}, lost=3, rejected={"foreign_push": 1}))
    assert timeline.drop_counts() == {"foreign_push": 3}
    assert timeline.samples_lost == 3


def test_a_load_range_sums_deltas() -> None:
    """Rates divide by the time that was measured, ratios by what was counted."""
    samples = [load(1.0, 10, failed=1), load(3.0, 30, interval_s=2.0, failed=3)]
    summed = summarise(samples, RequestKind.HTTP)
    assert (summed.requests, summed.failed, summed.covered_s) == (40, 4, 3.0)
    assert summed.rps == pytest.approx(40 / 3)
    assert summed.failed_ratio == pytest.approx(0.1)
    assert summarise([], RequestKind.HTTP).rps is None
    assert endpoint_totals(samples, RequestKind.HTTP) == []


def test_the_first_kind_that_occurs_is_the_request() -> None:
    """HTTP before gRPC before iterations, whichever comes first in time."""
    grpc, iteration = RequestKind.GRPC, RequestKind.ITERATION
    assert kind_of([load(1, kind=iteration), load(2, kind=grpc)]) is grpc
    assert kind_of([load(1, kind=grpc), load(2)]) is RequestKind.HTTP
    assert kind_of([]) is RequestKind.HTTP


def test_rates_are_spread_by_overlap() -> None:
    """An interval across two buckets counts in both; where nothing was measured is a gap."""
    buckets = Buckets.ending_at(14.0, 4, 1.0)
    assert (buckets.first, buckets.range) == (10, TimeRange(10.0, 14.0))
    samples = [load(11.5, 10), load(13.0, 30, interval_s=1.0)]

    def per_second(sample: object) -> float:
        assert hasattr(sample, "iterations")
        return float(sample.iterations)

    assert rates(samples, buckets, per_second) == (10.0, 10.0, 30.0, None)
    assert newest((1.0, 2.0, None)) == 2.0
    assert newest((1.0, None, None, None)) is None


@given(st.lists(st.floats(0.2, 3.0), min_size=1, max_size=20), st.floats(0.3, 5.0))
def test_spreading_conserves_the_amount(intervals: list[float], width_s: float) -> None:
    """Where intervals fill the buckets, rate × width summed is what happened."""
    at, samples = 50.0, []
    for interval_s in intervals:
        at += interval_s
        samples.append(load(at, 10, interval_s=interval_s))
    buckets = Buckets.ending_at(at, 100, width_s)
    per_bucket = rates(samples, buckets, lambda s: s.iterations / s.interval_s)
    shares = rates(samples, buckets, lambda s: 1.0)
    assert [value is None for value in per_bucket] == [value is None for value in shares]
    assert all(value is None or 3.3 <= value <= 50.1 for value in per_bucket)


def test_a_bucket_shows_what_ended_in_it() -> None:
    """Or what covers it, where nothing ended."""
    buckets = Buckets.ending_at(13.0, 3, 1.0)
    one, long = load(10.9), load(13.0, interval_s=2.1)
    assert grouped([one, long], buckets) == [[one], [long], [long]]


def test_requests_are_matched_to_the_seconds_of_the_stacks() -> None:
    """Stacks of two and a half seconds at 100 requests a second are those of 250 requests."""
    timeline = Timeline(100.0)
    for second in (101, 102, 103):
        timeline.append(batch(second + 0.0, 50))
    timeline.append(batch(103.5, 50))
    for second in (101, 102, 103):
        timeline.append(load(float(second), 100))
    window = TimeRange(100.5, 103.6)
    summed = summarise(timeline.loads_in(window), RequestKind.HTTP)
    assert stack_seconds(timeline, window) == pytest.approx(2.5)
    assert matched_requests(timeline, window, summed) == 250


def machine(*shares: tuple[Role, float], busy_ratio: float) -> list[HostSample]:
    """Return a second of the machine with shares of CPU."""
    roles = tuple(usage(role, seconds) for role, seconds in shares)
    return [host(1.0, busy_ratio=busy_ratio, roles=roles)]


def test_usage_is_summed_by_role() -> None:
    """CPU seconds add up, memory is the newest and the greatest."""
    samples = machine((Role.TARGET, 0.5), busy_ratio=0.75) + machine(busy_ratio=0.25)
    role = summarise_role(samples, Role.TARGET)
    assert (role.cpu_seconds, role.cpu_cores_mean, role.rss_bytes_max) == (0.5, 0.5, 1_000)
    assert summarise_role(samples, Role.MONITOR).cpu_cores_mean is None
    assert summarise_host(samples).cpu_seconds == pytest.approx(2.0)


def test_the_verdict_names_the_limit() -> None:
    """Failing requests first, then who fills the machine."""
    good, bad = (summarise([load(1.0, 100, failed=n)], RequestKind.HTTP) for n in (0, 50))
    calm, full = machine(busy_ratio=0.3), machine((Role.TARGET, 1.5), busy_ratio=1.0)
    greedy = machine((Role.GENERATOR, 1.5), busy_ratio=1.0)
    said = [judge(good, calm), judge(bad, calm), judge(good, full), judge(good, greedy)]
    assert [each.severity for each in said if each is not None] == [
        *(Severity.GOOD, Severity.BAD, Severity.WARN, Severity.BAD)
    ]
    assert judge(good, []) is None


def test_percentiles_of_a_range_are_of_its_merged_histogram() -> None:
    """Ten fast and ten slow requests: the median lies at the border, not at the mean."""
    samples = [load(1, latency=histogram([0.001] * 10)), load(2, latency=histogram([1.0] * 10))]
    assert summarise(samples, RequestKind.HTTP).latency.count == 20
