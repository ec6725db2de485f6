"""What one frame cost."""

import pytest

from collectors.samples import Frame, FrameKind, Stack, StackBatch, StackCount
from tui.model.calltree import CallTree, build_tree
from tui.model.stacks import StackTable
from tui.views.framecost import FrameDetail, detail, detail_line, detail_text

MAIN = Frame("main", "server", FrameKind.USER)
WORK = Frame("work", "server", FrameKind.USER)


def tree(period_ns: int) -> CallTree:
    """Five samples in main itself, fifteen in work below it."""
    made = {0: Stack("p", "t", (0,)), 1: Stack("p", "t", (0, 1))}
    counts = {0: StackCount(5, 5 * period_ns), 1: StackCount(15, 15 * period_ns)}
    table = StackTable()
    frames = {0: MAIN, 1: WORK}
    table.add(StackBatch(start=0.0, end=0.0, counts=counts, stacks=made, frames=frames))
    return build_tree(table, counts)


def test_cost_is_per_request() -> None:
    """CPU time per request is the summed periods over the requests."""
    found = detail(tree(10_000), (MAIN,), 2)
    assert found is not None
    assert (found.symbol, found.module) == ("main", "server")
    assert (found.total_ratio, found.self_ratio) == (1.0, 0.25)
    assert found.total_us_per_request == pytest.approx(20 * 10 / 2)
    assert found.self_us_per_request == pytest.approx(5 * 10 / 2)
    assert detail_text(found) == "total 100% 100 µs/request · self 25.0% 25.0 µs/request"


@pytest.mark.parametrize("requests", [None, 0])
def test_without_requests_there_is_no_cost(requests: int | None) -> None:
    """Where nothing was completed, only shares are told."""
    found = detail(tree(10_000), (MAIN, WORK), requests)
    assert found is not None
    assert found.total_us_per_request is None
    assert found.self_us_per_request is None
    assert detail_text(found) == "total 75.0% · self 75.0%"


def test_no_cost_without_periods() -> None:
    """Where a file has no periods, shares are of samples and a time is not invented."""
    found = detail(tree(0), (MAIN, WORK), 2)
    assert found is not None
    assert (found.total_ratio, found.total_us_per_request) == (0.75, None)


def test_vanished_frame_and_empty_tree() -> None:
    """A frame that is not there has no cost, an empty tree has shares of nothing."""
    assert detail(tree(1), (WORK,), 2) is None
    found = detail(build_tree(StackTable(), {}), (), 2)
    assert found is not None
    assert found.total_ratio == 0.0


def test_line_keeps_the_end_of_the_name() -> None:
    """The module goes first, then the beginning of the name; the width is kept."""
    frame = FrameDetail("server::handlers::search", "server", 0.1, 0.5, None, None)
    assert detail_line(frame, "request", 70) == (
        "server::handlers::search  server".ljust(46),
        "total 50.0% · self 10.0%",
    )
    assert detail_line(frame, "request", 44) == ("…:handlers::search  ", "total 50.0% · self 10.0%")
    assert detail_line(frame, "request", 20) == ("…ers::search  ", "total…")
    assert detail_line(frame, "request", 8) == ("…:search", "")


def test_the_interval_is_that_of_the_number_of_samples() -> None:
    """Of 20 samples, 12.2 to 30.9 by Garwood's table; it is said where there is room."""
    found = detail(tree(10_000), (MAIN,), 2)
    assert found is not None
    assert found.total_us_interval == pytest.approx((12.22 * 5, 30.89 * 5), abs=0.05)
    name, numbers = detail_line(found, "request", 90)
    assert numbers == "total 100% 100 µs/request (61.1 to 154 µs) · self 25.0% 25.0 µs/request"
    assert len(name) + len(numbers) == 90
    assert detail_line(found, "request", 70)[1] == detail_text(found)


def test_units_of_an_interval_are_said_twice_where_they_differ() -> None:
    """A bound above a thousand microseconds is in milliseconds."""
    found = FrameDetail("f", "", 0.1, 0.5, 100.0, 900.0, (700.0, 1200.0))
    assert "(700 µs to 1.20 ms)" in detail_text(found, with_interval=True)


def test_without_requests_it_is_cores() -> None:
    """CPU seconds a second; 15 samples of 10 ms in 2 s are 0.075. Requests say more."""
    alone = detail(tree(10_000_000), (MAIN, WORK), None, 2.0)
    assert alone is not None
    assert detail_text(alone) == "total 75.0% 0.075 cores · self 75.0%"
    both = detail(tree(10_000_000), (MAIN, WORK), 10, 2.0)
    assert both is not None
    assert "cores" not in detail_text(both)
    assert "15.0 ms/request" in detail_text(both)


def test_events_that_are_no_clock_are_numbers_of_them() -> None:
    """Never a time, even where requests and seconds are known; without periods only shares."""
    found = detail(tree(80_000_000), (MAIN, WORK), 2, 2.0, counted="cycles")
    assert found is not None
    assert (found.total_us_per_request, found.total_us_interval, found.total_cores) == (None,) * 3
    assert detail_text(found) == "total 75.0% 1.20G cycles · self 75.0% 1.20G"
    assert detail_text(found, with_interval=True) == detail_text(found)
    bare = detail(tree(0), (MAIN, WORK), None, counted="cycles")
    assert bare is not None
    assert detail_text(bare) == "total 75.0% · self 75.0%"
