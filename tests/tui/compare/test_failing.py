"""What conditions say of comparisons whose figures are known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from collectors.samples import RequestKind
from tests.builders import batch, histogram, load
from tests.tui.compare.made_up_runs import Truth, made_up
from tests.tui.compare.test_comparison import known_comparison, nothing
from tests.tui.export.known_run import ABOUT, WHOLE, known_run
from tui.compare.comparison import Comparison, Side, compare
from tui.compare.failing import Verdict, fails
from tui.model.failif import parse_condition
from tui.model.timeline import Timeline, TimeRange

TRUTH = Truth(waves=0.0)
WORSE = replace(TRUTH, median_s=0.015, cpu_us=2_000.0, x_us=1_000.0, rps=270.0, failed_ratio=0.05)


def said(text: str, comparison: Comparison) -> Verdict:
    """Judge by a condition as it is written."""
    return fails(parse_condition(text), comparison)


@pytest.fixture(scope="module")
def worse() -> Comparison:
    """Return two runs of which the second one is worse in every way."""
    return compare(made_up(TRUTH, 1), made_up(WORSE, 2))


@pytest.fixture(scope="module")
def same() -> Comparison:
    """Return two runs that are the same but for chance."""
    return compare(made_up(TRUTH, 3), made_up(TRUTH, 4))


@pytest.mark.parametrize(
    "text",
    [
        "p95>+10%",
        "p95>+2ms",
        "mean>+10%",
        "cpu_per_request>+5%",
        "cpu_per_request>+20us",
        "sampled_cpu_per_request>+5%",
        "rps<-5%",
        "rps<-10",
        "errors>+0.5%",
        "errors>+0.5pp",
        "symbol:x>+10%",
        "symbol:x>+50us",
        "symbol:/^app::/>+10%",
        "requests<-5%",
    ],
)
def test_what_is_real_and_too_much_fails(text: str, worse: Comparison, same: Comparison) -> None:
    """What is but chance does not, nor what is allowed."""
    assert said(text, worse).is_failed
    assert not said(text, same).is_failed
    allowed = text.replace("+", "+9").replace("-", "-9")
    assert not said(allowed, worse).is_failed


@pytest.mark.parametrize(
    ("text", "is_failed"),
    [
        ("p99>1ms", True),
        ("p99>1s", False),
        ("errors>1%", True),
        ("errors>10%", False),
        ("rps<200", False),
        ("rps<300", True),
        ("memory>40MiB", True),
        ("memory>60MiB", False),
        ("dropped>0", False),
        ("generator_cpu>0.1", True),
        ("symbol:x>900us", True),
        ("symbol:x>2ms", False),
    ],
)
def test_limits_without_a_sign_are_of_the_run_after(
    text: str, is_failed: bool, worse: Comparison
) -> None:
    """Whatever was before."""
    assert said(text, worse).is_failed is is_failed


def test_the_line_says_what_was_measured_and_what_is_allowed() -> None:
    """With the interval, in the unit of the limit."""
    found = known_comparison()
    work = said("symbol:work > +10 %", found)
    # 50 samples, 150 of 9.9 s after; Clopper and Pearson's of 150 among 200 is 0.684 to 0.808.
    assert work == Verdict(True, "symbol:work +203.0 % (+118.7 to +326.2 %), allowed +10 %")
    assert said("errors>1%", found).text == "errors 10.0% (5.5% to 17.4%), allowed 1%"
    assert said("rps<-5%", found) == Verdict(False, "rps 0 % (0 to 0 %), allowed −5 %")
    assert said("memory>+5%", found).text == "memory 0 %, allowed +5 %"
    assert said("errors>+0.5%", found).text.endswith("allowed +0.5 pp")
    assert said("cpu_per_request>+20us", found).text == (
        "cpu_per_request 0 ms (0 to 0 ms), allowed +20.0 µs"
    )


def test_what_is_beyond_but_may_be_chance_passes_and_says_so() -> None:
    """Ten samples and fifteen are 50 % more, and no change."""
    before, after = (
        made_up(replace(TRUTH, seconds=6, x_us=each, cpu_us=1_000.0), 7) for each in (60.0, 90.0)
    )
    found = said("symbol:x>+10%", compare(before, after))
    assert not found.is_failed
    assert found.text.endswith("allowed +10 %: no more than chance")


def test_from_nothing_everything_is_new() -> None:
    """A function that cost nothing before fails if it is there for real."""
    before = made_up(replace(TRUTH, x_us=0.0), 1)
    found = compare(before, made_up(TRUTH, 2))
    assert said("symbol:x>+10%", found).is_failed
    assert said("symbol:x>+10%", found).text.startswith("symbol:x new (")
    back = compare(made_up(TRUTH, 2), before)
    assert not said("symbol:x>+10%", back).is_failed
    assert said("symbol:x<-10%", back).text.startswith("symbol:x −100.0 % (−100.0 to −9")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("p95>+10%", "p95 can't be told: it was not measured before"),
        ("cpu_per_request>+5%", "cpu_per_request can't be told: it was not measured before"),
        ("symbol:x>+10%", "symbol:x can't be told: no stacks were sampled before"),
    ],
)
def test_what_was_not_measured_fails(text: str, reason: str, same: Comparison) -> None:
    """And says why."""
    found = compare(nothing(), same.after.side)
    assert said(text, found) == Verdict(True, reason)
    back = compare(same.before.side, nothing())
    assert said(text, back) == Verdict(True, reason.replace("before", "after"))
    assert said("p99>1s", back) == Verdict(True, "p99 can't be told: it was not measured after")


def test_functions_that_nobody_saw_fail(same: Comparison) -> None:
    """A name that is almost one is asked for."""
    found = said("symbol:man>+10%", same)
    assert found.is_failed
    assert found.text == (
        "symbol:man can't be told: no function of that name was sampled, before or after; "
        "did you mean main?"
    )


def test_a_short_range_says_nothing_of_chance() -> None:
    """So its changes can't be told, but its figures can."""
    line = Timeline(0.0)
    for second in range(1, 4):
        line.append(load(float(second), 100, latency=histogram([0.01] * 100)))
    short = Side(line, TimeRange(0.0, 3.0), ABOUT, "short")
    found = compare(short, short)
    assert said("p95>+10%", found).text == (
        "p95 can't be told: a range is too short to tell how sure it is"
    )
    assert said("p95>+10%", found).is_failed
    assert not said("p95>1s", found).is_failed
    assert not said("requests<-5%", found).is_failed


def test_requests_of_two_kinds_are_not_compared() -> None:
    """What does not depend on them still is."""
    calls = Timeline(0.0)
    for second in range(1, 20):
        calls.append(load(float(second), 10, kind=RequestKind.GRPC, latency=histogram([1.0] * 10)))
    other = Side(calls, TimeRange(0.0, 20.0), ABOUT, "grpc")
    found = compare(Side(known_run(), WHOLE, ABOUT, "http"), other)
    for text in ("p95>+10%", "symbol:work>+10%", "rps<-5%"):
        assert said(text, found).is_failed
        assert "a request is not the same thing, request before and gRPC call after" in (
            said(text, found).text
        )
    assert not said("dropped>+1pp", found).is_failed
    assert not said("p95>2s", found).is_failed


def test_samples_without_time_are_compared_in_per_cent_only() -> None:
    """A limit in µs can't be held against them."""
    line = made_up(TRUTH, 1)
    timeline = Timeline(0.0)
    for each in line.timeline.loads:
        timeline.append(each)
    for second in range(100, 130):
        timeline.append(batch(float(second), 10, period_ns=0))
    side = Side(timeline, line.range, ABOUT, "untimed")
    found = compare(side, side)
    assert not said("symbol:main>+10%", found).is_failed
    assert said("symbol:main>+10us", found).text == (
        "symbol:main can't be told: the samples have no time; write a limit in %"
    )
    assert said("sampled_cpu_per_request>+5%", found).is_failed
