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
