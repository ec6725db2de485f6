"""What changed between two ranges: identities, and the truth of servers that are made up."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from collectors.samples import Frame, FrameKind, Stack, StackBatch, StackCount
from tui.model.calldiff import TreeDiff, comparable, diff_functions, diff_trees
from tui.model.calltree import build_tree
from tui.model.costchange import CostChange, DiffSide
from tui.model.stacks import StackTable

PERIOD_NS = 10_101_010
# Intervals that hold in 95.5 % of all runs, as these do by summing up the distribution, fall below
# 93 % in one lot of 200 runs out of 25; the seeds below 200 are such a lot, with 184.
SEEDS = 1000


def frame(name: str) -> Frame:
    """Return a function of the server."""
    return Frame(name, "server", FrameKind.USER)


def side(counts: Mapping[str, int], requests: int, period_ns: int = PERIOD_NS) -> DiffSide:
    """Return a range in which stacks like `a;b;c` were seen so often."""
    table = StackTable()
    ids: dict[str, int] = {}
    stacks = {}
    for number, path in enumerate(counts):
        names = path.split(";")
        frames = tuple(ids.setdefault(name, len(ids)) for name in names)
        stacks[number] = Stack("server", "worker", frames)
    table.add(StackBatch(0.0, 0.0, {}, stacks, {n: frame(name) for name, n in ids.items()}))
    counted = {n: StackCount(c, c * period_ns) for n, c in enumerate(counts.values()) if c}
    return DiffSide(build_tree(table, counted), requests)


def changes_of(diff: TreeDiff, after: DiffSide) -> list[CostChange]:
    """Return the changes of all nodes that were compared."""
    found = (diff.change_of(node) for _, node in after.tree.walk())
    return [change for change in found if change is not None]


def test_equal_trees_differ_in_nothing() -> None:
    """No change, no difference, a chance of one."""
    counts = {"a;b": 100, "a;c": 50, "a": 3}
    one, same = side(counts, 1000), side(counts, 1000)
    tree = diff_trees(one, same)
    assert tree.vanished == ()
    for change in (*changes_of(tree, same), *(row.own for row in diff_functions(one, same))):
        assert (change.is_changed, change.delta_us, change.ratio) == (False, 0.0, 1.0)
        low, high = change.interval_us
        assert low < 0 < high


def test_costs_are_per_request() -> None:
    """100 samples of 10.1 ms over 1000 requests are 1010 µs a request, of 2000 half of that."""
    (row,) = diff_functions(side({"a": 100}, 1000), side({"a": 100}, 2000))
    assert row.own.before.us == pytest.approx(1010.1010)
    assert row.own.after.us == pytest.approx(505.0505)
    assert row.own.ratio == pytest.approx(0.5)
    assert row.own.is_changed
    low, high = row.own.interval_us
    assert low < -505.05 < high < 0
    low, high = row.own.ratio_interval
    assert low < 0.5 < high < 1


def test_without_periods_costs_are_samples() -> None:
    """As in folded stacks."""
    (row,) = diff_functions(side({"a": 10}, 10, 0), side({"a": 40}, 10, 0))
    assert (row.own.before.us, row.own.after.us) == (1.0, 4.0)


def test_what_came_and_what_went() -> None:
    """A function without a past has no ratio; one without a future is told with its path."""
    before, after = side({"a;old": 100}, 1000), side({"a;new": 100}, 1000)
    rows = {row.frame.symbol: row.own for row in diff_functions(before, after)}
    assert (rows["new"].ratio, rows["old"].ratio) == (None, 0.0)
    assert rows["new"].is_changed
    assert rows["old"].is_changed
    assert rows["old"].delta_us == -rows["new"].delta_us
    tree = diff_trees(before, after)
    ((path, change),) = tree.vanished
    assert path == (frame("a"), frame("old"))
    assert change.is_changed
    assert len(changes_of(tree, after)) == after.tree.nodes + 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("app::work::h0123456789abcdef", "app::work::hfedcba9876543210"),
        ("core[1f3a99b0c1d2e3f4]::fmt", "core[0000000000000001]::fmt"),
        ("<app[9a8b7c6d]::T as x[12345]::U>::f", "<app[11111]::T as x[22222]::U>::f"),
        ("app::f::h0123456789abcdef.llvm.17", "app::f::hfedcba9876543210.llvm.4242"),
    ],
)
def test_two_builds_have_their_names_in_common(one: str, other: str) -> None:
    """Hashes of Rust's symbols come and go with the build."""
    assert comparable(frame(one)) == comparable(frame(other))
    (row,) = diff_functions(side({one: 50}, 10), side({other: 50}, 10))
    assert (row.frame.symbol, row.own.delta_us) == (other, 0.0)
    tree = diff_trees(side({one: 50}, 10), side({other: 50}, 10))
    assert tree.vanished == ()


def test_instances_of_one_generic_are_one_in_a_diff() -> None:
    """They differ in their hashes only, and no build says which is which."""
    names = [f"f::h{n:016x}" for n in range(4)]
    after = side({names[2]: 60, names[3]: 30}, 10)
    tree = diff_trees(side({names[0]: 45, names[1]: 45}, 10), after)
    assert {change.delta_us for change in changes_of(tree, after)} == {0.0}
    assert len(changes_of(tree, after)) == 3


@pytest.mark.parametrize("word", ["f[3]", "std::array<int, 4>", "operator[]", "ab[abc]::h123"])
def test_other_brackets_stay(word: str) -> None:
    """Only what a compiler added goes."""
    assert comparable(frame(word)) == frame(word)


def test_what_has_few_samples_is_not_gone_into() -> None:
    """It can't have changed, and neither can what it calls."""
    before, after = side({"a": 50, "a;b": 9}, 10), side({"a": 50, "a;c;d": 9}, 10)
    diff = diff_trees(before, after)
    assert (diff.compared, diff.changed, diff.vanished) == (1, {}, ())


def test_few_samples_are_no_change() -> None:
    """Below ten nothing is tested, however great the difference."""
    (row,) = diff_functions(side({"a": 0}, 1000), side({"a": 9}, 1000))
    assert (row.own.is_changed, row.own.p_value) == (False, 1.0)


def test_lost_callers_are_in_a_functions_own_cost() -> None:
    """But in no total: who called it is not known."""
    table = StackTable()
    stacks = {0: Stack("s", "t", (0, 1)), 1: Stack("s", "t", (1,), caller_lost=True)}
    table.add(StackBatch(0.0, 0.0, {}, stacks, {0: frame("a"), 1: frame("b")}))
    tree = build_tree(table, {0: StackCount(5, 5_000_000), 1: StackCount(20, 20_000_000)})
    rows = {row.frame.symbol: row for row in diff_functions(*2 * (DiffSide(tree, 1000),))}
    assert (rows["b"].own.after.us, rows["b"].total.after.us) == (25.0, 5.0)


# A server that is made up

COSTS_US = {
    "serve": 2.0,
    "serve;parse": 6.0,
    "serve;parse;utf8": 3.0,
    "serve;route": 1.5,
    **{f"serve;route;handler{n}": 2.0 + n for n in range(8)},
    **{f"serve;route;handler{n};query": 4.0 + 2 * n for n in range(8)},
    "serve;route;handler3;query;lock": 12.0,
    "serve;render": 18.0,
    "serve;render;escape": 9.0,
    "serve;send": 15.0,
    "serve;send;tcp": 22.0,
}


@dataclass(frozen=True)
class Server:
    """A server of known cost, sampled like perf does it."""

    chance: random.Random
    frequency_hz: int = 99

    def sampled(self, rps: float, seconds: float, extra_us: Mapping[str, float]) -> DiffSide:
        """Return what is seen of it at a rate; each stack's samples are Poisson distributed."""
        requests = round(rps * seconds)
        counts = {
            path: self._poisson(requests * (us + extra_us.get(path, 0.0)) / 1e6 * self.frequency_hz)
            for path, us in COSTS_US.items()
        }
        return side(counts, requests, round(1e9 / self.frequency_hz))

    def _poisson(self, mean: float) -> int:
        # How many arrivals with exponential gaps come before the mean: exact at any size.
        count, passed = 0, self.chance.expovariate(1.0)
        while passed < mean:
            count += 1
            passed += self.chance.expovariate(1.0)
        return count


@pytest.mark.parametrize("frequency_hz", [99, 499])
def test_a_doubled_rate_is_no_change(frequency_hz: int) -> None:
    """While a request costs the same: in 95 % of all runs no frame is marked, wherever shown."""
    calm = 0
    for seed in range(SEEDS):
        server = Server(random.Random(seed), frequency_hz)
        before, after = server.sampled(1_000, 10, {}), server.sampled(2_000, 10, {})
        rows, tree = diff_functions(before, after), diff_trees(before, after)
        shown = [change for row in rows for change in (row.own, row.total)]
        shown += [*changes_of(tree, after), *(change for _, change in tree.vanished)]
        calm += not any(change.is_changed for change in shown)
    assert calm >= 0.95 * SEEDS


def test_thirty_microseconds_more_are_found() -> None:
    """That function is first, and its interval holds 30 µs in 93 % of all runs."""
    first = held = 0
    for seed in range(SEEDS):
        server = Server(random.Random(seed), 499)
        before = server.sampled(1_000, 10, {})
        after = server.sampled(2_000, 10, {"serve;render;escape": 30.0})
        found = diff_functions(before, after)[0]
        first += found.frame == frame("escape") and found.own.is_changed
        low, high = found.own.interval_us
        held += low <= 30.0 <= high
    assert first == SEEDS
    assert held >= 0.93 * SEEDS
