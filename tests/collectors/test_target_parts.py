from __future__ import annotations

import os
import signal

import pytest

from collectors import pidfd
from collectors.process_tree import TICKS_PER_SECOND, read_stat
from collectors.samples import LogLine
from collectors.source import SourceError
from collectors.target import Target, show_ports
from collectors.target_log import MAX_LINES_PER_S, TargetLog
from collectors.target_ready import local_port_of, show_url
from collectors.target_start import show_exit
from collectors.target_successor import Likeness
from collectors.target_watch import ordinal

ME = Likeness("server", "server", (b"./server", b"--port", b"80"))


class Moment:
    """A clock that stands still."""

    def __init__(self) -> None:
        self.now = 10.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def lines() -> list[LogLine]:
    return []


@pytest.fixture
def clock() -> Moment:
    return Moment()


@pytest.fixture
def log(clock: Moment, lines: list[LogLine]) -> TargetLog:
    return TargetLog(clock, lines.append)


def test_a_log_line_is_whole_and_harmless(log: TargetLog, lines: list[LogLine]) -> None:
    """Lines come whole, also the last one without an end, and without control characters."""
    log.feed(b"star")
    log.feed(b"ted \x1b[31mred\r\n\n")
    log.feed(b"end")
    log.close()
    assert [line.text for line in lines] == ["started ␛[31mred", "", "end"]
    assert {line.source for line in lines} == {"target"}
    assert log.last == "end"


def test_a_flood_of_lines_is_cut_and_told(
    clock: Moment, log: TargetLog, lines: list[LogLine]
) -> None:
    """Over the limit of a second lines are counted instead, and the newest is still known."""
    log.feed(b"".join(b"%d\n" % i for i in range(1000)))
    log.feed(b"more\n")
    assert len(lines) == MAX_LINES_PER_S
    assert log.last == "more"
    clock.now += 1
    log.feed(b"quiet again\n")
    left_out = 1001 - MAX_LINES_PER_S
    assert lines[-2].text == f"({left_out} more lines, over {MAX_LINES_PER_S} in a second)"
    assert lines[-1].text == "quiet again"


def test_what_was_left_out_at_the_end_is_told(log: TargetLog, lines: list[LogLine]) -> None:
    """A stream that ends in a flood still says how much was left out."""
    log.feed(b"x\n" * (MAX_LINES_PER_S + 7))
    log.close()
    assert lines[-1].text.startswith("(7 more lines")


@pytest.mark.parametrize(
    ("returncode", "words"),
    [
        (0, "exited with status 0"),
        (101, "exited with status 101"),
        (-9, "was ended by SIGKILL"),
        (-99, "was ended by signal 99"),
        (None, "ended"),
    ],
)
def test_exits_in_words(returncode: int | None, words: str) -> None:
    """A status and a signal are told apart, signals by name."""
    assert show_exit(returncode) == words


def test_a_shown_url_has_no_secrets() -> None:
    """User, password, query and fragment of a URL are left out."""
    assert show_url("https://me:pw@host:8443/a?token=1#x") == "https://host:8443/a"


@pytest.mark.parametrize(
    ("url", "port"),
    [
        ("http://localhost:8080/health", 8080),
        ("http://127.0.0.1/", 80),
        ("https://[::1]/", 443),
        ("http://example.com:8080/", None),
    ],
)
def test_the_port_of_a_url_on_this_machine(url: str, port: int | None) -> None:
    """Only a URL that leads here has a port that could be taken."""
    assert local_port_of(url) == port


@pytest.mark.parametrize("url", ["ftp://x/", "localhost:8080", "http://x:99999/", "", "http://[/"])
def test_anything_but_an_http_url_is_refused(url: str) -> None:
    """A URL that can't be asked is an error at once, without its text."""
    with pytest.raises(SourceError, match="no HTTP URL"):
        local_port_of(url)


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (Likeness("server", "renamed", ()), True),
        (Likeness("", "server", ()), True),
        (Likeness("", "x", (b"./server", b"--port", b"80")), True),
        (Likeness("nginx", "nginx", (b"nginx",)), False),
        (Likeness("", "", ()), False),
    ],
)
def test_likeness_by_program_name_or_command(other: Likeness, same: bool) -> None:
    """One of the three is enough, and nothing is like what is not known."""
    assert ME.is_same_program(other) is same
    assert other.is_same_program(ME) is same
    assert not Likeness("", "", ()).is_same_program(Likeness("", "", ()))


def test_words_for_targets_and_numbers() -> None:
    """Ports, lives and the target itself read well."""
    target = Target(7, 1.5, "api", "api (2 arguments)", (443, 80), False, "pid")
    assert str(target) == "api (pid 7), ports 80, 443"
    assert show_ports((), ", ") == ""
    numbers = [1, 2, 3, 4, 11, 12, 13, 21, 22, 101, 111]
    assert " ".join(map(ordinal, numbers)) == (
        "1st 2nd 3rd 4th 11th 12th 13th 21st 22nd 101st 111th"
    )


async def test_only_the_very_process_is_signalled() -> None:
    """A pid with another start time is somebody else: it counts as ended and gets no signal."""
    stat = read_stat(os.getpid())
    assert stat is not None
    create_time = stat.start_ticks / TICKS_PER_SECOND
    assert pidfd.is_alive(os.getpid(), create_time)
    assert not pidfd.is_alive(os.getpid(), create_time - 1)
    pidfd.send(os.getpid(), create_time - 1, signal.SIGKILL)
    pidfd.send(2**22 + 1, 0.0, signal.SIGKILL)
    await pidfd.ended(os.getpid(), create_time - 1)
