"""Collects what the fault tests found and prints it as one table at the end."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Protocol

import pytest

from tests.faults.report import Row, table
from tests.faults.turns import turn

FULL: Final = "FLASHPOINT_FAULTS"
"""Of the environment: `full` for the counts of `make verify`, else the short form of CI."""
_ROW: Final = "fault"
"""Under this name a test's report carries its rows, also from another process."""


class Report(Protocol):
    """Notes the outcome of one case, and fails the test where a try did not pass."""

    def __call__(self, case: str, *, tries: int, passed: int, figure: str, target: str) -> None:
        """Note it."""


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Report:
    """Give a test a row of the table."""

    def note(case: str, *, tries: int, passed: int, figure: str, target: str) -> None:
        row = Row(case, tries, passed, figure, target)
        request.node.user_properties.append((_ROW, dataclasses.asdict(row)))
        assert row.is_good, f"{case}: {passed} of {tries} passed, {figure}; target: {target}"

    return note


@pytest.fixture(scope="session")
def is_full() -> bool:
    """Whether the full counts are asked for."""
    return os.environ.get(FULL) == "full"


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Let what measures how soon something is seen run alone; its time limit begins then."""
    if not hasattr(item.config, "workerinput"):  # one process only
        return (yield)
    folder = Path(item.config.option.basetemp).parent
    with turn(folder, is_alone=item.get_closest_marker("alone") is not None):
        return (yield)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table, its rows in the order of the files."""
    reports = [
        each
        for outcome in ("passed", "failed")
        for each in terminalreporter.stats.get(outcome, ())
        if isinstance(each, pytest.TestReport) and each.when == "call"
    ]
    reports.sort(key=lambda each: each.nodeid.partition("[")[0])
    rows = [
        Row(**value)
        for each in reports
        for name, value in each.user_properties
        if name == _ROW and isinstance(value, dict)
    ]
    if rows:
        terminalreporter.section("faults")
        terminalreporter.write_line(table(rows))
