from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.perf.interner import Interner
from collectors.perf.offcpu_decode import OffCpuDecoder
from collectors.samples import StackBatch, StackCount, StackMeasure

# perf 6.1 with the command lines of offcpu_command.py, on the program of test_offcpu.py; a part of
# what it printed, with the folder of the program shortened.
SWITCHES = (Path(__file__).parents[2] / "data/offcpu_switches.txt").read_bytes()

S = 1_000_000_000
MS = 1_000_000


def names(pid: int, tid: int) -> tuple[str, str] | None:
    return None if pid == 1 else (f"process {pid}", f"thread {tid}")


def decoder(
    is_there: Callable[[int, int], bool] = lambda _pid, _tid: True, pulse_pid: int | None = None
) -> OffCpuDecoder:
    return OffCpuDecoder(Interner(), names, is_there, pulse_pid=pulse_pid)


def moment(at_ns: int) -> bytes:
    return b"%d.%09d" % divmod(at_ns, S)


def out(at_ns: int, function: str = "f", *, tid: int = 11, pid: int = 10, why: str = "") -> bytes:
    """What perf prints when a thread leaves its core."""
    stack = b"%d/%d  %s:  1 \n\t  1 %s (/a)\n\n" % (pid, tid, moment(at_ns), function.encode())
    return stack + b"%d/%d  %s: PERF_RECORD_SWITCH OUT %s\n" % (
        *(pid, tid, moment(at_ns)),
        why.encode(),
    )


def back(at_ns: int, *, tid: int = 11, pid: int = 10) -> bytes:
    """What perf prints when a thread is on a core again."""
    return b"%d/%d  %s: PERF_RECORD_SWITCH IN         \n" % (pid, tid, moment(at_ns))


def beat(at_ns: int) -> bytes:
    """What the pulse is told of with."""
    return out(at_ns, "poll", pid=99, tid=99) + back(at_ns, pid=99, tid=99)


def by_second(batches: Iterable[StackBatch]) -> dict[int, StackCount]:
    """All waits of each second."""
    found: dict[int, StackCount] = {}
    for batch in batches:
        assert batch.measure is StackMeasure.OFF_CPU
        assert int(batch.start) == int(batch.end)
        assert batch.start <= batch.end
        for count in batch.counts.values():
            old = found.get(int(batch.start), StackCount(0, 0))
            found[int(batch.start)] = StackCount(
                old.samples + count.samples, old.period_ns + count.period_ns
            )
    return found


def decode(text: bytes, subject: OffCpuDecoder | None = None) -> list[StackBatch]:
    subject = subject or decoder()
    return subject.feed(text) + subject.close()


def total(batches: Iterable[StackBatch]) -> StackCount:
    counts = by_second(batches).values()
    return StackCount(sum(c.samples for c in counts), sum(c.period_ns for c in counts))


def test_a_wait_lasts_from_the_way_out_to_the_way_back() -> None:
    """It counts once, with its time, under the stack of the way out."""
    (batch,) = decode(out(5 * S) + back(5 * S + 20 * MS))
    assert list(batch.counts.values()) == [StackCount(1, 20 * MS)]
    (stack,) = batch.stacks.values()
    assert (stack.process, stack.thread) == ("process 10", "thread 11")
    assert [frame.symbol for frame in batch.frames.values()] == ["f"]


def test_a_preemption_is_no_wait() -> None:
    """Whoever could have gone on did not wait for anything."""
    text = out(5 * S, why="preempt") + back(6 * S)
    assert total(decode(text)) == StackCount(0, 0)


def test_waits_of_threads_do_not_mix() -> None:
    """The way back ends the wait of its own thread."""
    text = out(5 * S, "a") + out(5 * S + 1, "b", tid=12)
    text += back(5 * S + 3, tid=12) + back(5 * S + 9)
    (batch,) = decode(text)
    assert sorted(count.period_ns for count in batch.counts.values()) == [2, 9]


def test_a_wait_is_cut_at_the_seconds() -> None:
    """Each second has its time; it counts as one in the second in which it ends."""
    text = out(10 * S + 300 * MS) + back(12 * S + 700 * MS)
    assert by_second(decode(text)) == {
        10: StackCount(0, 700 * MS),
        11: StackCount(0, 1000 * MS),
        12: StackCount(1, 700 * MS),
    }


def test_a_wait_that_goes_on_counts_up_to_the_newest_record() -> None:
    """Whoever switches tells how far time is, and no moment is counted twice."""
    subject = decoder(pulse_pid=99)
    text = out(10 * S + 500 * MS) + beat(11 * S) + beat(12 * S + 250 * MS)
    batches = subject.feed(text + out(12 * S + 250 * MS, pid=99, tid=99))
    batches += subject.flush() + subject.flush()
    assert by_second(batches) == {
        10: StackCount(0, 500 * MS),
        11: StackCount(0, 1000 * MS),
        12: StackCount(0, 250 * MS),
    }
    batches += subject.feed(back(12 * S + 300 * MS)) + subject.close()
    assert total(batches) == StackCount(1, 1800 * MS)


def test_the_pulse_itself_is_not_the_target() -> None:
    """Its stacks and waits are in no batch."""
    batches = decode(beat(5 * S) + beat(6 * S) + beat(7 * S), decoder(pulse_pid=99))
    assert not any(batch.counts or batch.stacks or batch.rejected for batch in batches)


def test_a_thread_that_has_ended_does_not_wait() -> None:
    """Its last way out has no way back; it is asked for once, and forgotten."""
    asked: list[tuple[int, int]] = []

    def is_there(pid: int, tid: int) -> bool:
        asked.append((pid, tid))
        return tid != 12

    subject = decoder(is_there)
    subject.feed(out(5 * S) + out(5 * S, tid=12) + out(6 * S, tid=13, why="preempt"))
    batches = subject.flush() + subject.flush()
    assert total(batches) == StackCount(0, S)
    assert asked == [(10, 11), (10, 12)]


def test_half_a_wait_is_none() -> None:
    """A way back without a way out, a way out without a stack, two ways out without a back."""
    without_stack = out(6 * S).partition(b"\n\n")[2]
    text = back(5 * S) + without_stack + back(7 * S)
    assert total(decode(text)) == StackCount(0, 0)
    text = out(5 * S, "lost") + out(6 * S, "kept") + back(6 * S + 1)
    (batch,) = decode(text)
    assert list(batch.counts.values()) == [StackCount(1, 1)]


def test_losses_are_told() -> None:
    """Records of them stand between those of switches."""
    text = out(5 * S) + b"10/11  5.100000000: PERF_RECORD_LOST lost 7\n" + back(5 * S + 5)
    (batch,) = decode(text)
    assert (batch.lost, total([batch])) == (7, StackCount(1, 5))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (out(5 * S, pid=1), "foreign_process"),
        (b"10/11  5.0000000: PERF_RECORD_SWITCH ASIDE\n", "header_unreadable"),
        (b"10/11  5.000000000: PERF_RECORD_SWITCH IN x\n", "header_unreadable"),
        (b"10/11  999.000000000: PERF_RECORD_SWITCH IN\n", "time_out_of_range"),
        (
            b"10/11  5.000000000:  1 \n\t  1 f (/a)\n"
            b"10/12  5.000000000: PERF_RECORD_SWITCH IN\n\t  1 g (/a)\n\n",
            "frame_unreadable",
        ),
    ],
    ids=["foreign", "unknown switch", "more on the line", "future", "switch inside a stack"],
)
def test_what_perf_does_not_print_is_rejected(text: bytes, reason: str) -> None:
    """It is counted, and is no wait."""
    subject = decoder()
    # A line is read when the sample after it has come.
    batches = subject.feed(text + out(6 * S, why="preempt"), until=100.0) + subject.close()
    rejected = Counter[str]()
    for batch in batches:
        rejected.update(batch.rejected)
    assert rejected == {reason: 1}
    assert total(batches) == StackCount(0, 0)


def test_what_was_before_the_start_is_rejected() -> None:
    """A record cannot be older than the recording."""
    subject = OffCpuDecoder(Interner(), names, lambda _pid, _tid: True, started_at=9.0)
    (batch,) = subject.feed(back(8 * S)) + subject.close()
    assert batch.rejected == {"time_out_of_range": 1}


def waits_in(text: bytes) -> list[int]:
    """Nanoseconds from each way out that was no preemption to the way back, where there is one."""
    left: dict[bytes, int] = {}
    waits = []
    for tid, seconds, fraction, what in re.findall(
        rb"^\d+/(\d+) +(\d+)\.(\d{9}): PERF_RECORD_SWITCH (IN|OUT preempt|OUT)", text, re.MULTILINE
    ):
        at = int(seconds) * S + int(fraction)
        if what == b"OUT":
            left[tid] = at
        elif what == b"IN" and tid in left:
            waits.append(at - left.pop(tid))
    return waits


def test_a_capture_is_read_whole() -> None:
    """Nothing of what perf prints is rejected, and the waits are those of its lines."""
    subject = decoder(lambda _pid, _tid: False)
    batches = decode(SWITCHES, subject)
    assert not any(batch.rejected for batch in batches)
    waits, found = waits_in(SWITCHES), total(batches)
    assert found.samples == len(waits) > 10
    # Times are floating point numbers: a ten-millionth of a second is lost at most.
    assert found.period_ns == pytest.approx(sum(waits), abs=100)
    assert subject.switches == SWITCHES.count(b"PERF_RECORD_SWITCH")
    assert subject.printed == len(re.findall(rb": +1 $", SWITCHES, re.MULTILINE))
    symbols = {frame.symbol for batch in batches for frame in batch.frames.values()}
    assert {"doze_half", "whole"} <= symbols


def test_chunk_boundaries_do_not_matter() -> None:
    """Split in two anywhere, and flushed there, the text gives the same."""
    whole = total(decode(SWITCHES[:4000]))
    for cut in range(1, 4000, 7):
        subject = decoder()
        batches = subject.feed(SWITCHES[:cut]) + subject.flush()
        assert total(batches + subject.feed(SWITCHES[cut:4000]) + subject.close()) == whole, cut


spans = st.tuples(st.integers(1, 3 * S), st.integers(1, 3 * S), st.booleans())


@given(
    threads=st.lists(st.lists(spans, max_size=8), max_size=4),
    flush_after=st.sets(st.integers(0, 60)),
)
def test_no_moment_is_lost_or_counted_twice(
    threads: list[list[tuple[int, int, bool]]], flush_after: set[int]
) -> None:
    """Whenever it is asked, each second has exactly what the threads waited in it."""
    events: list[tuple[int, bytes]] = []
    expected: Counter[int] = Counter()
    for tid, thread in enumerate(threads, 1):
        now = 100 * S
        for computes_ns, away_ns, is_preempted in thread:
            began, now = now + computes_ns, now + computes_ns + away_ns
            events.append((began, out(began, tid=tid, why="preempt" if is_preempted else "")))
            events.append((now, back(now, tid=tid)))
            for second in range(began // S, now // S + 1):
                if not is_preempted:
                    start, end = max(began, second * S), min(now, (second + 1) * S)
                    expected[second] += end - start
    subject = decoder()
    batches: list[StackBatch] = []
    for number, (_, text) in enumerate(sorted(events, key=lambda event: event[0])):
        batches += subject.feed(text)
        if number in flush_after:
            batches += subject.flush()
    found = by_second(batches + subject.close())
    assert sum(c.samples for c in found.values()) == sum(
        not is_preempted for thread in threads for _, _, is_preempted in thread
    )
    waited = {second: count.period_ns for second, count in found.items() if count.period_ns}
    pieces = 4 * (len(events) + len(flush_after))
    assert waited.keys() == (+expected).keys()
    assert all(abs(waited[second] - expected[second]) <= pieces for second in waited)
