from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.perf.decode import (
    MAX_BLOCK_BYTES,
    MAX_DEPTH,
    PerfScriptDecoder,
    SampleHeader,
    parse_header,
)
from collectors.perf.interner import Interner
from collectors.samples import Frame, FrameKind, Stack, StackBatch, StackCount
from collectors.text import sanitise

DATA = Path(__file__).parents[2] / "data"
CAPTURES = sorted(DATA.glob("perf_*.txt"))
RUST = (DATA / "perf_rust.txt").read_bytes()
LOST = (DATA / "perf_lost.txt").read_bytes()

SAMPLE = (
    b"   10/11     100.500000000:   10101010 \n"
    b"\t            1145 leaf (/srv/app/app)\n"
    b"\t            119d main (/srv/app/app)\n"
    b"\n"
)


def names(pid: int, tid: int) -> tuple[str, str]:
    return f"process {pid}", f"thread {tid}"


def decoder(interner: Interner | None = None) -> PerfScriptDecoder:
    return PerfScriptDecoder(interner or Interner(), names)


def sample(at: str = "100.500000000", period: int = 1, lines: bytes = b"\t  1 f (/a)\n") -> bytes:
    return b" 10/11  %s:  %d \n" % (at.encode(), period) + lines + b"\n"


def decode(text: bytes, step: int | None = None) -> list[StackBatch]:
    subject = decoder()
    step = step or len(text) or 1
    batches = []
    for start in range(0, len(text), step):
        batches += subject.feed(text[start : start + step])
    return batches + subject.close()


def totals(batches: list[StackBatch]) -> tuple[object, ...]:
    """What batches hold together, however they are cut."""
    counts: Counter[int] = Counter()
    periods: Counter[int] = Counter()
    stacks: dict[int, Stack] = {}
    frames: dict[int, Frame] = {}
    rejected: Counter[str] = Counter()
    for batch in batches:
        stacks.update(batch.stacks)
        frames.update(batch.frames)
        rejected.update(batch.rejected)
        for stack, count in batch.counts.items():
            counts[stack] += count.samples
            periods[stack] += count.period_ns
    return counts, periods, stacks, frames, rejected, sum(batch.lost for batch in batches)


def only_stack(batches: list[StackBatch]) -> list[str]:
    """The symbols of the only stack there is, the outermost first."""
    frames = {number: frame for batch in batches for number, frame in batch.frames.items()}
    (stack,) = [stack for batch in batches for stack in batch.stacks.values()]
    return [frames[frame].symbol for frame in stack.frames]


def test_header_is_read() -> None:
    """Process, thread, time and period are told."""
    line = b"11435/11438  1993.214188821:   10101010 "
    assert parse_header(line) == SampleHeader(11435, 11438, 1993.214188821, 10101010)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"app 1/1 1.000000: 5: ",
        b" 1/1 1,000000000: 5 ",
        b" 1/1 -1.000000000: 5 ",
        b" 1/1 1.000000000: -5 ",
        b" 1/1 nan: 5 ",
        b" 99999999999/1 1.000000000: 5 ",
        b" 1/1 1.000000000: 5 cycles",
        "1/1 ١.000000000: 5".encode(),
    ],
)
def test_other_headers_are_refused(line: bytes) -> None:
    """Only what perf prints for the fields asked for is a header."""
    assert parse_header(line) is None


def test_sample_becomes_a_batch() -> None:
    """A batch holds the time, count, period, names and frames of its sample."""
    (batch,) = decode(SAMPLE)
    ((number, stack),) = batch.stacks.items()
    assert (batch.start, batch.end) == (100.5, 100.5)
    assert batch.counts == {number: StackCount(1, 10101010)}
    assert (stack.process, stack.thread, stack.caller_lost) == ("process 10", "thread 11", False)
    assert [batch.frames[frame] for frame in stack.frames] == [
        Frame("main", "app", FrameKind.USER),
        Frame("leaf", "app", FrameKind.USER),
    ]


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.stem)
def test_every_sample_of_a_capture_is_taken(path: Path) -> None:
    """Real output is read completely."""
    text = path.read_bytes()
    counts, _, stacks, _, rejected, _ = totals(decode(text))
    assert isinstance(counts, Counter)
    headers = sum(parse_header(line) is not None for line in text.split(b"\n"))
    assert counts.total() == headers
    assert not rejected
    assert stacks


@pytest.mark.parametrize("text", [LOST[-1400:], RUST[:2400]], ids=["lost", "rust"])
def test_chunk_boundaries_do_not_matter(text: bytes) -> None:
    """Split in two at every byte, the text gives the same."""
    whole = totals(decode(text))
    for cut in range(1, len(text)):
        subject = decoder()
        batches = subject.feed(text[:cut]) + subject.feed(text[cut:]) + subject.close()
        assert totals(batches) == whole, cut


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.stem)
def test_single_bytes_give_the_same(path: Path) -> None:
    """Fed byte by byte, a capture gives the same as at once."""
    text = path.read_bytes()[:6000]
    assert totals(decode(text, 1)) == totals(decode(text))


def test_flushing_at_any_time_loses_nothing() -> None:
    """Totals don't depend on when batches are asked for."""
    subject = decoder()
    batches: list[StackBatch] = []
    for start in range(0, len(RUST), 777):
        batches += subject.feed(RUST[start : start + 777]) + subject.flush()
    assert totals(batches + subject.close()) == totals(decode(RUST))


def test_batches_end_at_the_second() -> None:
    """A batch stays within one second, and feeding returns those that are over."""
    subject = decoder()
    text = sample("7.900000000") + sample("8.100000000") + sample("8.200000000")
    (over,) = subject.feed(text)
    assert (over.start, over.end) == (7.9, 7.9)
    (rest,) = subject.flush()
    assert (rest.start, rest.end) == (8.1, 8.2)
    assert subject.flush() == []


def test_late_sample_keeps_its_own_second() -> None:
    """A sample of an earlier second gets a batch there, even after that one was returned."""
    batches = decode(sample("8.000000000") + sample("9.000000000") + sample("8.500000000"))
    seconds = [
        (int(batch.start), sum(c.samples for c in batch.counts.values())) for batch in batches
    ]
    assert seconds == [(8, 2), (9, 1)]


def test_periods_are_summed() -> None:
    """Samples of one stack add up, each with its own period."""
    (batch,) = decode(sample(period=5) + sample(period=10101010))
    assert list(batch.counts.values()) == [StackCount(2, 10101015)]


def test_stack_of_no_frames_counts() -> None:
    """A sample where perf gave no stack is still a sample."""
    (batch,) = decode(sample(lines=b""))
    assert [stack.frames for stack in batch.stacks.values()] == [()]


def test_definitions_come_once_and_not_late() -> None:
    """Every stack and frame comes with or before the first batch that counts it, only once."""
    interner = Interner()
    known: set[int] = set()
    for _ in range(2):
        subject = decoder(interner)
        batches: list[StackBatch] = []
        for start in range(0, len(RUST), 1000):
            batches += subject.feed(RUST[start : start + 1000]) + subject.flush()
        for batch in batches + subject.close():
            assert not known & set(batch.stacks)
            known |= set(batch.stacks)
            assert set(batch.counts) <= known


def test_ids_go_on_in_the_next_decoder() -> None:
    """A decoder made after a restart of perf gives known stacks their old ids."""
    interner = Interner()
    first = decoder(interner)
    (before,) = first.feed(SAMPLE) + first.close()
    second = decoder(interner)
    (after,) = second.feed(SAMPLE) + second.close()
    assert before.counts == after.counts
    assert (after.stacks, after.frames) == ({}, {})


def test_names_are_part_of_a_stack() -> None:
    """The same frames in two threads of different names are two stacks."""
    (batch,) = decode(sample() + sample().replace(b"10/11", b"10/12"))
    assert {stack.thread for stack in batch.stacks.values()} == {"thread 11", "thread 12"}
    assert len(batch.frames) == 1


def test_lost_records_are_counted_once() -> None:
    """Lines of lost samples add up, and a sum at the end adds only what it has beyond them."""
    subject = decoder()
    batches = subject.feed(LOST) + subject.flush()
    expected = 410 + 176 + 14538 + 14563
    assert totals(batches)[5] == expected
    subject.note_lost_total(expected)
    assert subject.flush() == []
    subject.note_lost_total(expected + 7)
    (batch,) = subject.close()
    assert (batch.lost, batch.counts) == (7, {})


def test_lost_total_as_a_line() -> None:
    """A sum printed as a line contains the records before it."""
    line = b" 1/1 5.000000000: PERF_RECORD_LOST%s lost %d\n"
    (batch,) = decode(line % (b"", 10) + line % (b"_SAMPLES", 12) + b"\n")
    assert batch.lost == 12


def test_foreign_process_is_rejected() -> None:
    """Samples of a process that `names` refuses are counted, not taken."""
    subject = PerfScriptDecoder(Interner(), lambda pid, tid: None if pid == 1 else names(pid, tid))
    (batch,) = subject.feed(SAMPLE + sample().replace(b"10/11", b"1/1")) + subject.close()
    assert batch.rejected == {"foreign_process": 1}
    assert sum(count.samples for count in batch.counts.values()) == 1


def test_unbelievable_times_are_rejected() -> None:
    """Samples from before the start or from the future are counted, not taken."""
    subject = PerfScriptDecoder(Interner(), names, started_at=100.0)
    text = sample("99.000000000") + sample("9999.000000000") + sample("100.200000000")
    text += b" 1/1 9999.000000000: PERF_RECORD_LOST lost 10\n\n"
    (batch,) = subject.feed(text, until=101.0) + subject.close()
    assert batch.rejected == {"time_out_of_range": 3}
    assert (int(batch.start), batch.lost) == (100, 0)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"no header at all\n\t 1 f (/a)\n\n", "header_unreadable"),
        (b" 1/1 5.000000000: PERF_RECORD_LOST lost many\n\n", "header_unreadable"),
        (b" 1/1 100.500000000: 5 \n\t 1 f\n\n", "frame_unreadable"),
        (b" 1/1 100.500000000: 5 \n\t 1 f (/a)\nno frame\n\n", "frame_unreadable"),
        (b" 1/1 100.500000000: 5 \n\t 1 f (/a)\n 1/1 1.0: 5 \n\t 1 f (/a)\n\n", "frame_unreadable"),
        (b"x" * (MAX_BLOCK_BYTES + 1) + b"\n\n", "block_too_long"),
    ],
)
def test_bad_block_costs_only_itself(bad: bytes, reason: str) -> None:
    """What can't be read is counted by reason, and the next block is read again."""
    for step in (len(bad), 65536):
        subject = PerfScriptDecoder(Interner(), names, started_at=100.0)
        text = SAMPLE + bad + SAMPLE
        batches: list[StackBatch] = []
        for start in range(0, len(text), step):
            batches += subject.feed(text[start : start + step])
        counts, _, _, _, rejected, _ = totals(batches + subject.close())
        assert isinstance(counts, Counter)
        assert counts.total() == 2
        assert rejected == {reason: 1}


def test_blank_lines_are_nothing() -> None:
    """Further blank lines change nothing."""
    assert totals(decode(b"\n\n\n" + SAMPLE + b"\n\n\n\n\n" + SAMPLE)) == totals(decode(SAMPLE * 2))
    assert decode(b"\n" * 1000) == []
    assert decode(b"") == []


def test_cut_end_is_read() -> None:
    """The last block counts even without its blank line."""
    assert totals(decode(SAMPLE[:-1])) == totals(decode(SAMPLE))


def test_endless_line_is_not_kept() -> None:
    """Text without any blank line takes no more memory than one block."""
    subject = PerfScriptDecoder(Interner(), names, started_at=100.0)
    for _ in range(64):
        subject.feed(b"x" * 65536)
    assert len(subject._rest) <= 1
    (batch,) = subject.feed(b"\n\n" + SAMPLE) + subject.close()
    assert batch.rejected == {"block_too_long": 1}
    assert sum(count.samples for count in batch.counts.values()) == 1


def test_deep_stack_loses_its_middle() -> None:
    """Of 2 000 frames the leaf and root ends stay, with a mark between."""
    lines = b"".join(b"\t  1 f%d (/a)\n" % number for number in range(2000))
    symbols = only_stack(decode(sample(lines=lines)))
    assert len(symbols) == MAX_DEPTH
    assert symbols[0] == "f1999"
    assert symbols[-1] == "f0"
    assert symbols.count("(stack cut)") == 1
    half = MAX_DEPTH // 2
    assert symbols[half - 1] == "(stack cut)"
    assert symbols[half:] == [f"f{number}" for number in reversed(range(half))]


@pytest.mark.parametrize("depth", [MAX_DEPTH - 1, MAX_DEPTH, MAX_DEPTH + 1])
def test_depth_limit_is_exact(depth: int) -> None:
    """Stacks up to the limit stay whole, deeper ones have the limit's depth."""
    lines = b"".join(b"\t  1 f%d (/a)\n" % number for number in range(depth))
    symbols = only_stack(decode(sample(lines=lines)))
    assert len(symbols) == min(depth, MAX_DEPTH)
    assert ("(stack cut)" in symbols) == (depth > MAX_DEPTH)


def test_huge_symbols_stay_distinct() -> None:
    """Symbols of 100 KB are cut, and two that differ only at their end stay two."""
    huge = b"x" * 100_000
    (batch,) = decode(
        sample(lines=b"\t 1 %sa (/a)\n" % huge) + sample(lines=b"\t 1 %sb (/a)\n" % huge)
    )
    symbols = {frame.symbol for frame in batch.frames.values()}
    assert len(symbols) == 2
    assert all(len(symbol.encode()) <= 512 for symbol in symbols)


def test_full_caches_change_nothing() -> None:
    """A decoder that keeps forgetting raw text gives the same as one that never does."""
    forgetful = PerfScriptDecoder(Interner(), names, cache_bytes=2000)
    assert totals(forgetful.feed(RUST) + forgetful.close()) == totals(decode(RUST))
    assert forgetful._cached_bytes <= 2000 + max(map(len, RUST.split(b"\n\n"))) + 10_000


def test_stacks_over_the_limit_are_one() -> None:
    """Beyond the limit samples are counted into one stack; none is lost."""
    subject = decoder(Interner(max_stacks=5))
    text = b"".join(sample(lines=b"\t 1 f%d (/a)\n" % number) for number in range(50))
    counts, _, stacks, frames, _, _ = totals(subject.feed(text) + subject.close())
    assert isinstance(counts, Counter)
    assert isinstance(stacks, dict)
    assert isinstance(frames, dict)
    assert counts.total() == 50
    (other,) = [
        number
        for number, stack in stacks.items()
        if [frames[frame].symbol for frame in stack.frames] == ["(other stacks)"]
    ]
    assert counts[other] == 45


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=600), st.integers(1, 100))
def test_any_bytes_are_survived(text: bytes, step: int) -> None:
    """Noise never raises, and a sample after it is found again."""
    subject = decoder()
    for start in range(0, len(text), step):
        subject.feed(text[start : start + step])
    subject.flush()
    subject.feed(b"\n\n" + SAMPLE)
    assert sum(c.samples for batch in subject.close() for c in batch.counts.values()) >= 1


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, len(LOST) - 1), st.integers(0, 3), st.binary(max_size=12)),
        min_size=1,
        max_size=8,
    )
)
def test_mutations_are_survived(mutations: list[tuple[int, int, bytes]]) -> None:
    """Damaged real text never raises and never yields more samples than headers."""
    text = LOST
    for position, removed, added in mutations:
        text = text[:position] + added + text[position + removed :]
    counts, _, stacks, frames, _, lost = totals(decode(text, 100))
    assert isinstance(counts, Counter)
    assert isinstance(stacks, dict)
    assert isinstance(frames, dict)
    assert isinstance(lost, int)
    assert counts.total() <= text.count(b"/")
    assert set(counts) == set(stacks)
    assert {frame for stack in stacks.values() for frame in stack.frames} <= set(frames)
    assert all(sanitise(frame.symbol) == frame.symbol for frame in frames.values())
