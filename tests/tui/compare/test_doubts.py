"""What is said against a comparison."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from collectors.samples import (
    Frame,
    FrameKind,
    Mark,
    MarkKind,
    RequestKind,
    Role,
    Stack,
    StackBatch,
    StackCount,
)
from tests.builders import batch, host, load, usage
from tests.tui.compare.made_up_runs import Truth, made_up
from tests.tui.compare.test_comparison import nothing
from tests.tui.export.known_run import ABOUT
from tui.compare.comparison import Side, compare
from tui.compare.doubts import Doubt, doubts
from tui.export.about import About
from tui.model.timeline import Timeline, TimeRange

TRUTH = Truth(failed_ratio=0.0)


def warm(seed: int, truth: Truth = TRUTH) -> Side:
    """Return a run without its first seconds."""
    side = made_up(truth, seed)
    return replace(side, range=TimeRange(side.range.start + 5, side.range.end))


def texts(before: Side, after: Side) -> list[str]:
    """Return all doubts, with names as they are."""
    return [doubt.said(str) for doubt in doubts(compare(before, after))]


def test_two_good_runs_have_none() -> None:
    """Whatever chance does, and whichever process the server was."""
    after = warm(2)
    other = replace(after, about=replace(ABOUT, target="server (pid 4711)", wall_offset_s=9.0))
    assert texts(warm(1), other) == []


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("script", "y.js", "The scripts differ: x.js and y.js."),
        ("target", "other (pid 1)", "The targets differ: server and other."),
        ("k6_version", "2.0.0", "The versions of k6 differ: 1.1.0 and 2.0.0."),
        ("control", "as written", "The ways to move the load differ: secret gate and as written."),
        ("profiler", "py-spy", "The profilers differ: cpu-clock 99 Hz and py-spy."),
        ("machine", "Linux 5", "The machines differ: Linux 6.1, 8 cores, 15.5 GB and Linux 5."),
        ("flashpoint_version", "2", "The versions of flashpoint differ: 0.1.0 and 2."),
        ("script", "", None),
    ],
)
def test_what_differs_is_named(field: str, text: str, said: str | None) -> None:
    """What is not known is not told apart."""
    after = warm(2)
    names = {each.name: getattr(ABOUT, each.name) for each in fields(ABOUT)}
    changed = replace(after, about=About(**{**names, field: text}))
    assert texts(warm(1), changed) == ([said] if said else [])


def test_names_are_quoted_as_the_output_wants_it() -> None:
    """Also those that look like a place for one."""
    doubt = Doubt("The scripts differ: {} and {}.", ("{0}.js", "b"))
    assert doubt.said(lambda text: f"<{text}>") == "The scripts differ: <{0}.js> and <b>."


def test_another_machine_is_another_run() -> None:
    """Also where nobody said what it is; functions without names are told of as well."""
    after = warm(2)
    cores = after.timeline.hosts[-1].cores * 2
    after.timeline.append(replace(after.timeline.hosts[-1], at=130.0, cores=cores))
    unknown = Frame("0x1f3a", "server", FrameKind.UNKNOWN)
    counts = {9: StackCount(9_000, 9_000_000)}
    after.timeline.append(
        StackBatch(120.0, 120.5, counts, {9: Stack("s", "t", (9,))}, {9: unknown})
    )
    found = texts(warm(1), after)
    assert found[0] == "The machines have 2 and 4 cores."
    assert found[1].endswith("% of the samples have no name for their function.")


def test_another_load_is_another_latency() -> None:
    """Where it is more than a tenth, and more than chance; other numbers of VUs as well."""
    (said,) = texts(warm(1), warm(2, replace(TRUTH, rps=600.0)))
    assert said == "The load differs, 300 and 600 a second: latency depends on it."
    after = warm(2)
    last = after.timeline.loads[-1]
    after.timeline.append(replace(last, at=last.at + 0.01, vus=9))
    assert "The numbers of VUs differ: 2 and 9 at the end." in texts(warm(1), after)


def test_what_both_have_is_said_once() -> None:
    """Warming up, failures, few samples."""
    side = made_up(TRUTH, 1)
    again = made_up(TRUTH, 2)
    cold = "the first 3 s of the load are in the range, when it warms up."
    assert texts(side, again) == [f"Both: {cold}"]
    assert texts(side, warm(2)) == [f"Before: {cold}"]
    assert texts(warm(1), again) == [f"After: {cold}"]
    bad = texts(warm(1), warm(2, Truth(failed_ratio=0.3)))
    assert [each.endswith("% of the requests fail.") for each in bad] == [True]
    assert bad[0].startswith("After: ")


def test_a_run_that_was_called_warm_is() -> None:
    """From the mark on; one of an earlier load does not count."""
    side = made_up(TRUTH, 1)
    side.timeline.append(Mark(101.0, MarkKind.WARM_UP_END, ""))
    begin = replace(side, range=TimeRange(101.0, 130.0))
    assert texts(begin, warm(2)) == []
    side.timeline.append(replace(side.timeline.loads[-1], at=131.0, instance="k6-2"))
    both = replace(side, range=TimeRange(101.0, 132.0))
    assert any("warms up" in each for each in texts(both, warm(2)))


def test_ranges_of_one_run_may_not_overlap() -> None:
    """Those that adjoin do not."""
    side = made_up(TRUTH, 1)
    early, late = (
        replace(side, range=TimeRange(*ends)) for ends in ((105.0, 117.0), (117.0, 130.0))
    )
    overlap = "The ranges overlap: what they have in common is on both sides."
    assert overlap not in texts(early, late)
    assert texts(early, replace(late, range=TimeRange(116.0, 130.0)))[0] == overlap


def test_nothing_is_said_to_be_nothing() -> None:
    """No requests, no stacks."""
    found = texts(warm(1), nothing())
    assert found == [
        "After: no requests in the range.",
        "After: no stacks in the range, so functions can't be compared.",
    ]


def test_what_is_too_little_is_told() -> None:
    """Short, few requests, few samples, many lost; and a machine that is full of k6."""
    line = Timeline(0.0)
    line.append(load(10.0, 10, kind=RequestKind.GRPC))
    for second in range(21, 25):
        line.append(load(float(second) + 0.9, 10, kind=RequestKind.GRPC))
        roles = (usage(Role.GENERATOR, 1.5),)
        line.append(host(second + 0.9, busy_ratio=1.0, roles=roles))
        line.append(replace(batch(float(second), 10), lost=5))
    few = Side(line, TimeRange(20.5, 26.0), ABOUT, "few")
    found = texts(warm(1), few)
    assert found[0] == "A request is not the same thing: request before, gRPC call after."
    assert "After: only 40 gRPC calls." in found
    assert "After: 4 pushes of k6 are too few to tell what varies between them." in found
    assert "After: only 40 samples of stacks." in found
    assert "After: 20 samples of stacks were lost, 40 were not." in found
    assert "After: k6 fills this machine: the rate is its limit, not the server's." in found
