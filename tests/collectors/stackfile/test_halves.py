"""A long text read by two processes: the same as by one, whatever happens."""

from __future__ import annotations

import os
import random
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from collectors.stackfile import halves
from collectors.stackfile.perf_text import PerfTextDecoder
from collectors.stackfile.reader import ImportedProfile, read_profile
from tests.collectors.stackfile.folding import ONE, written

Reader = Callable[[bytes], ImportedProfile]
LONG = ONE.encode() * 2_000


@pytest.fixture
def in_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reader:
    """Reads a text in one process."""

    def read(text: bytes) -> ImportedProfile:
        monkeypatch.setattr(halves, "LEAST_BYTES", 1 << 40)
        return read_profile(written(tmp_path, text))

    return read


@pytest.fixture
def in_two(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forks: list[halves.SecondHalf | None]
) -> Reader:
    """Reads a text in two processes, if there is a place to cut it."""

    def read(text: bytes) -> ImportedProfile:
        monkeypatch.setattr(halves, "LEAST_BYTES", 0)
        return read_profile(written(tmp_path, text))

    return read


@pytest.fixture
def forks(monkeypatch: pytest.MonkeyPatch) -> list[halves.SecondHalf | None]:
    """What came of each try to read in two."""
    made: list[halves.SecondHalf | None] = []

    def begin(fd: int, first_event: str, limit: int) -> halves.SecondHalf | None:
        made.append(halves.read_second_half(fd, first_event, limit))
        return made[-1]

    monkeypatch.setattr("collectors.stackfile.reader.read_second_half", begin)
    # However many cores and threads there are where the tests run.
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    monkeypatch.setattr(halves, "MOST_THREADS", 1_000)
    return made


def random_text(chance: random.Random) -> bytes:
    """Return samples of some threads, events, periods and depths, with damage between them."""
    events = chance.choice([["cycles:P"], ["cycles:P", "page-faults"], [""], ["", "cycles:P"]])
    parts = []
    for n in range(chance.randrange(200, 3_000)):
        at = 6_636 + n // 100
        who = f"{chance.choice(['w', 'python3.11', 'a b'])} {chance.randrange(3)}"
        period = chance.choice([200_040, chance.randrange(1, 10**7)])
        event = chance.choice(events)
        parts.append(f"{who} {at}.{n % 100:02}0000: {period:10} {event + ': ' if event else ''}\n")
        depth = chance.choice([0, 1, 2, 3, 5, 300])
        first = chance.randrange(4)
        parts += [f"\t {4096 + first + k:16x} f{first + k}+0x1 (/srv/w)\n" for k in range(depth)]
        parts.append("\n")
        if chance.random() < 0.02:
            lost = f"w 1 {at}.5: PERF_RECORD_LOST lost 3\n"
            parts.append(chance.choice(["\n", "broken\n\n", "\t\n\n", lost, "# x\n", "\t 1234 g"]))
    return "".join(parts).encode()


@pytest.mark.parametrize("seed", range(40))
def test_two_processes_find_what_one_does(
    seed: int, in_one: Reader, in_two: Reader, forks: list[halves.SecondHalf | None]
) -> None:
    """Ids, order of events, notes, what was rejected and lost; also of damaged and cut texts."""
    chance = random.Random(seed)
    text = random_text(chance)
    text = text[: len(text) - chance.choice([0, 0, 1, 9])]
    one, two = in_one(text), in_two(text)
    assert forks[-1] is not None
    assert two == one
    assert [list(batch.frames.items()) for batch in two.batches] == [
        list(batch.frames.items()) for batch in one.batches
    ]
    assert list(two.rejected) == list(one.rejected)


def test_the_first_event_may_come_late(in_one: Reader, in_two: Reader) -> None:
    """Who reads the second half can't know which event counts where none was named before."""
    nameless = LONG.replace(b"cpu-clock:", b"          ")
    text = nameless + LONG + LONG.replace(b"cpu-clock", b"cycles")
    assert in_two(text) == in_one(text)
    (left_out, taken) = in_one(text).notes
    assert left_out.endswith("left out: cycles (4000 samples)")
    assert taken == "4000 samples name no event, and are taken for cpu-clock"


@pytest.mark.parametrize("way", ["exit", "kill", "exception", "silence", "ignored"])
def test_a_process_that_fails_is_made_up_for(
    way: str,
    in_one: Reader,
    in_two: Reader,
    forks: list[halves.SecondHalf | None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The whole text is read by one process then."""

    def fail(*_: object) -> None:
        match way:
            case "exit":
                os._exit(3)
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "silence":
                os._exit(0)
            case _:
                raise MemoryError

    expected = in_one(LONG)
    before = signal.getsignal(signal.SIGCHLD)
    if way == "ignored":
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    else:
        monkeypatch.setattr(PerfTextDecoder, "counted", fail)
    try:
        assert in_two(LONG) == expected
    finally:
        signal.signal(signal.SIGCHLD, before)
    assert forks[-1] is not None
    with pytest.raises(ChildProcessError):
        os.waitpid(forks[-1].pid, os.WNOHANG)


def test_an_error_leaves_no_process_behind(
    in_two: Reader, forks: list[halves.SecondHalf | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever interrupts the reading ends both."""
    fed = PerfTextDecoder.feed
    parent = os.getpid()

    def interrupted(self: PerfTextDecoder, chunk: bytes) -> None:
        if os.getpid() == parent and forks:
            raise KeyboardInterrupt
        fed(self, chunk)

    monkeypatch.setattr(PerfTextDecoder, "feed", interrupted)
    with pytest.raises(KeyboardInterrupt):
        in_two(LONG * 4)
    assert forks[-1] is not None
    with pytest.raises(ChildProcessError):
        os.waitpid(forks[-1].pid, os.WNOHANG)


def test_what_is_read_by_one_process(
    in_one: Reader,
    in_two: Reader,
    forks: list[halves.SecondHalf | None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where there are other threads, one core, or nowhere to cut; small files anyway."""
    in_one(LONG)
    in_two(b"w 1 1.5: 7 cycles:  1151 work (/srv/w)\n" * 9_000)
    assert forks == [None, None]
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    in_two(LONG)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    monkeypatch.setattr(halves, "MOST_THREADS", 1)
    end = threading.Event()
    thread = threading.Thread(target=end.wait)
    thread.start()
    in_two(LONG)
    end.set()
    thread.join()
    assert forks == [None] * 4
