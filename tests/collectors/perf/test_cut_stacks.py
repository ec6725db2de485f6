"""Stacks for which there is no room: with what they lack, the total of each function is exact."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.perf.decode import MAX_DEPTH, PerfScriptDecoder
from collectors.perf.interner import OTHER_STACKS, Interner
from collectors.perf.offcpu_decode import OffCpuDecoder
from collectors.samples import Frame, Stack, StackBatch

Sums: TypeAlias = Mapping[str, tuple[int, int]]
"""Symbol → samples and their period."""

functions = st.integers(0, 9).map(str)
paths = st.lists(functions, min_size=1, max_size=7)
deep_paths = st.builds(
    lambda above, times, repeated, below: above + times * repeated + below,
    *(paths, st.integers(30, 120), paths, paths),
)
samples = st.lists(st.tuples(st.integers(100, 103), paths | deep_paths), min_size=1, max_size=60)


def small() -> Interner:
    """Return an interner that has to cut nearly every stack."""
    return Interner(max_stacks=80, max_nodes=60)


def names(pid: int, tid: int) -> tuple[str, str]:
    return f"process {pid}", f"thread {tid}"


def text(second: int, path: Sequence[str], period_ns: int = 10, module: str = "/a") -> bytes:
    """Return what perf prints of a sample of a stack, its outermost caller first."""
    lines = "".join(f"\t 1 {symbol} ({module})\n" for symbol in reversed(path))
    return f"10/11  {second}.500000000:  {period_ns} \n{lines}\n".encode()


def decode(subject: PerfScriptDecoder, content: bytes) -> list[StackBatch]:
    return subject.feed(content) + subject.close()


def totals(batches: Iterable[StackBatch]) -> Mapping[int, Sums]:
    """Return the total of each function by second: of the stacks that have it, and of the cut."""
    stacks: dict[int, Stack] = {}
    frames: dict[int, Frame] = {}
    found: dict[int, dict[str, tuple[int, int]]] = {}
    for batch in batches:
        stacks |= batch.stacks
        frames |= batch.frames
        sums = found.setdefault(int(batch.start), {})
        counted = [(stacks[stack].frames, count) for stack, count in batch.counts.items()]
        counted += [((frame,), count) for frame, count in batch.cut.items()]
        for path, count in counted:
            for frame in set(path):
                samples, period_ns = sums.get(frames[frame].symbol, (0, 0))
                sums[frames[frame].symbol] = samples + count.samples, period_ns + count.period_ns
    return found


def without_marks(sums: Sums) -> Sums:
    """Leave out the frames that stand for others."""
    return {symbol: sum_ for symbol, sum_ in sums.items() if not symbol.startswith("(")}


@settings(max_examples=60, deadline=None)
@given(samples)
def test_totals_are_those_of_the_samples(told: list[tuple[int, list[str]]]) -> None:
    """Of every function in every second, by samples and by period; recursion counts once."""
    subject = PerfScriptDecoder(small(), names)
    content = b"".join(text(second, path, 10 + len(path)) for second, path in told)
    samples, periods = Counter[tuple[int, str]](), Counter[tuple[int, str]]()
    for second, path in told:
        for symbol in set(path):
            samples[second, symbol] += 1
            periods[second, symbol] += 10 + len(path)
    found = {
        (second, symbol): sum_
        for second, sums in totals(decode(subject, content)).items()
        for symbol, sum_ in without_marks(sums).items()
    }
    assert found == {key: (samples[key], periods[key]) for key in samples}


@settings(max_examples=40, deadline=None)
@given(st.lists(paths, min_size=1, max_size=40))
def test_totals_of_waits_are_exact_too(told: list[list[str]]) -> None:
    """Also of one that is counted in two seconds."""
    subject = OffCpuDecoder(small(), names, lambda _pid, _tid: True)
    content = b"".join(
        text(second, path)
        + b"10/11 %d.500000000: PERF_RECORD_SWITCH OUT\n" % second
        + b"10/11 %d.250000000: PERF_RECORD_SWITCH IN\n" % (second + 1)
        for second, path in enumerate(told)
    )
    waits = Counter(symbol for path in told for symbol in set(path))
    found, periods = Counter[str](), Counter[str]()
    for sums in totals(decode(subject, content)).values():
        for symbol, (samples, period_ns) in without_marks(sums).items():
            found[symbol] += samples
            periods[symbol] += period_ns
    assert found == waits
    assert periods == {symbol: number * 750_000_000 for symbol, number in waits.items()}


def full(interner: Interner) -> tuple[PerfScriptDecoder, list[StackBatch]]:
    """Return a decoder whose room is taken by stacks below `main`, and what it has told."""
    subject = PerfScriptDecoder(interner, names)
    told = subject.feed(b"".join(text(100, ["main", f"a{n}", f"b{n}"]) for n in range(60)))
    return subject, told + subject.flush()


def test_a_stack_that_is_cut_tells_what_it_lacks() -> None:
    """What it has kept is not told twice; a function that calls itself is told once."""
    subject, before = full(small())
    (batch,) = decode(subject, text(101, ["main", "x", "y", "x", "main", "z"], 7))
    batches = [*before, batch]
    frames = {number: frame.symbol for each in batches for number, frame in each.frames.items()}
    stacks = {number: stack for each in batches for number, stack in each.stacks.items()}
    (cut,) = batch.counts
    assert [frames[frame] for frame in stacks[cut].frames] == ["main", OTHER_STACKS.symbol]
    told = {frames[number]: count for number, count in batch.cut.items()}
    assert told == {"x": (1, 7), "y": (1, 7), "z": (1, 7)}


def test_where_there_is_room_nothing_is_told() -> None:
    """Stacks that are whole lack nothing, however often they come."""
    content = b"".join(text(100, ["main", f"a{n % 9}", "b", "b"]) for n in range(200))
    assert [batch.cut for batch in decode(PerfScriptDecoder(Interner(), names), content)] == [{}]


def test_what_is_below_the_greatest_depth_is_told() -> None:
    """Each time that the stack is seen, though it is known; not what is above and below, too."""
    subject = PerfScriptDecoder(Interner(), names)
    path = ["main", *(f"f{n % 300}" for n in range(MAX_DEPTH * 2)), "f150", "leaf"]
    batches = subject.feed(3 * text(100, path) + text(101, path))
    sums = {second: without_marks(each) for second, each in totals(batches).items()}
    assert sums == {100: dict.fromkeys(path, (3, 30))}
    (batch,) = batches
    symbols = {batch.frames[number].symbol for number in batch.cut}
    assert symbols
    (stack,) = batch.stacks.values()
    assert not symbols & {batch.frames[frame].symbol for frame in stack.frames}


@pytest.mark.parametrize("depth", [3, MAX_DEPTH * 2])
def test_functions_of_lost_callers_are_told_nowhere(depth: int) -> None:
    """They are in no function's total where the stack is whole, either."""
    subject, _ = full(small())
    path = ["__send", *(f"f{n}" for n in range(depth))]
    (batch,) = decode(subject, text(101, path, module="/lib/libc.so.6"))
    assert batch.cut == {}
    assert sum(count.samples for count in batch.counts.values()) == 1
