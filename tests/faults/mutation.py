"""Makes broken inputs of good ones, the same ones for the same seed, and times who reads them."""

from __future__ import annotations

import contextlib
import gc
import random
import re
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final

from tests.faults.conftest import Report

MAX_INPUT_BYTES: Final = 256 << 10
MAX_SECONDS: Final = 0.1
"""Of CPU time, for one input: what takes longer hangs on a larger one."""
MAX_RATIO: Final = 3.5
"""To ordinary reading, where the processor is slower than that: others may share its caches."""
SEED: Final = 20_240_608

_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?")
_NUMBERS: Final = (
    *(b"0", b"-1", b"-0", b"1e999", b"-1e999", b"1e-999", b"NaN", b"Infinity", b"0x10"),
    *(b"%d" % (2**power + off) for power in (31, 32, 53, 63, 64) for off in (-1, 0, 1)),
    *(b"9" * 19, b"9" * 400, b"9" * 5_000, b"1" + b"0" * 308, b"0." + b"0" * 400 + b"1", b"007"),
    *("٣".encode(), "²".encode(), b"1_000", b"+1", b"1,5", b".5", b"5."),
)
_BYTES: Final = (
    *(b"\0", b"\n", b"\r\n", b"\n\n", b"\r", b"\t", b" ", b'"', b"'", b",", b":", b";", b"="),
    *(b"\x1b[2J", b"\x9b", b"\xff", b"\xc3\x28", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\x7f"),
    *("\u202e".encode(), "\u2028".encode(), "\U000e0041".encode(), "…".encode()),
    *(b"{", b"}", b"[", b"]", b"(", b")", b"\\", b"\\u0000", b"\\ud800", b"null", b"true"),
)
_ORDINARY: Final = b" ".join(b"%d" % (number * number % 99_991) for number in range(45_000))
_NESTS: Final = ((b"[", b"]"), (b'{"a":', b"}"), (b"(", b")"), (b"\x91", b""), (b"\x81\xa0", b""))


class Mutations:
    """Broken inputs.

    Args:
        corpus: Good ones.
        seed: Of the random numbers.
        words: What stands in such inputs, to be put where it does not belong.
    """

    def __init__(
        self, corpus: Sequence[bytes], seed: int = SEED, words: Sequence[bytes] = ()
    ) -> None:
        self._corpus = corpus
        self._seed = seed
        self._words = (*_BYTES, *words)

    def __call__(self, number: int) -> bytes:
        """Return one of them."""
        rng = random.Random(self._seed + number)
        data = rng.choice(self._corpus)
        for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
            data = rng.choice(_CHANGES)(self, data, rng)
        return data[:MAX_INPUT_BYTES]

    def _flip(self, data: bytes, rng: random.Random) -> bytes:
        changed = bytearray(data)
        for _ in range(rng.choice((1, 1, 2, 16)) if data else 0):
            changed[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        return bytes(changed)

    def _truncate(self, data: bytes, rng: random.Random) -> bytes:
        place = rng.randint(0, len(data))
        return data[:place] if rng.random() < 0.7 else data[place:]

    def _drop(self, data: bytes, rng: random.Random) -> bytes:
        start, end = _span(data, rng)
        return data[:start] + data[end:]

    def _double(self, data: bytes, rng: random.Random) -> bytes:
        start, end = _span(data, rng)
        return data[:end] + data[start:end] * rng.choice((1, 2, 40)) + data[end:]

    def _splice(self, data: bytes, rng: random.Random) -> bytes:
        other = rng.choice(self._corpus)
        start, end = _span(other, rng)
        place = rng.randint(0, len(data))
        return data[:place] + other[start:end] + data[place + rng.choice((0, end - start)) :]

    def _insert(self, data: bytes, rng: random.Random) -> bytes:
        place = rng.randint(0, len(data))
        return data[:place] + rng.choice(self._words) * rng.choice((1, 1, 3, 500)) + data[place:]

    def _number(self, data: bytes, rng: random.Random) -> bytes:
        found = list(_NUMBER.finditer(data, rng.randint(0, len(data)), len(data)))[:40]
        if not found:
            return data
        match = rng.choice(found)
        return data[: match.start()] + rng.choice(_NUMBERS) + data[match.end() :]

    def _nest(self, data: bytes, rng: random.Random) -> bytes:
        place, depth = rng.randint(0, len(data)), rng.choice((3, 200, 5_000))
        opened, closed = rng.choice(_NESTS)
        return data[:place] + opened * depth + closed * depth + data[place:]

    def _swap_lines(self, data: bytes, rng: random.Random) -> bytes:
        lines = data.split(b"\n")
        one, other = rng.randrange(len(lines)), rng.randrange(len(lines))
        lines[one], lines[other] = lines[other], lines[one]
        return rng.choice((b"\n", b"\n", b"\r\n")).join(lines)


_CHANGES: Final[tuple[Callable[[Mutations, bytes, random.Random], bytes], ...]] = (
    Mutations._flip,
    Mutations._truncate,
    Mutations._drop,
    Mutations._double,
    Mutations._splice,
    Mutations._insert,
    Mutations._number,
    Mutations._nest,
    Mutations._swap_lines,
)


def _span(data: bytes, rng: random.Random) -> tuple[int, int]:
    start = rng.randint(0, len(data))
    return start, min(len(data), start + rng.choice((1, 4, 30, 300, 4_000)))


def chunks(data: bytes, number: int) -> Iterator[bytes]:
    """Cut an input where its number says, so that every cut can be had again."""
    rng = random.Random(number)
    place = 0
    while place < len(data):
        end = place + rng.choice((1, 7, 100, 4096, len(data)))
        yield data[place:end]
        place = end


@contextlib.contextmanager
def what_is_there_left_alone() -> Iterator[None]:
    """Keep the garbage collector off all that the tests before have left: it is none of a reader's.

    It would be looked through now and then, and that counted to whoever is just read.
    """
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def hangs(read: Callable[[], object]) -> bool:
    """Tell whether that something took too long is its own doing: it does so three times more."""
    return all(
        _cpu_s(read) > max(MAX_SECONDS, MAX_RATIO * _cpu_s(_read_ordinarily)) for _ in range(3)
    )


def _cpu_s(work: Callable[[], object]) -> float:
    start = time.thread_time()
    work()
    return time.thread_time() - start


def _read_ordinarily() -> None:
    """Count the words of a quarter of a megabyte: some 27 ms where nobody is in the way."""
    counts: dict[bytes, int] = {}
    for word in _ORDINARY.split():
        counts[word] = counts.get(word, 0) + int(word)
    sorted(counts)


def survive(
    report: Report,
    case: str,
    tries: int,
    make: Callable[[int], bytes],
    read: Callable[[bytes, int], None],
) -> None:
    """Let a reader read so many broken inputs; what it raises fails the test, with the number.

    Args:
        report: Notes the row.
        case: What is read.
        tries: How many.
        make: Makes an input by its number.
        read: Reads an input, and checks what has to be true of what it finds; told the number.
    """
    slowest_s, slowest = 0.0, 0
    with what_is_there_left_alone():
        for number in range(tries):
            data = make(number)
            start = time.thread_time()
            try:
                read(data, number)
            except Exception as error:
                error.add_note(f"{case}: input {number} of seed {SEED}: {data[:200]!r} …")
                raise
            took = time.thread_time() - start
            if took > slowest_s:
                slowest_s, slowest = took, number
            if took > MAX_SECONDS:
                told = f"{case}: input {number} of seed {SEED} took {took:.2f} s"
                assert not hangs(partial(read, data, number)), told
    report(
        f"broken inputs: {case}",
        tries=tries,
        passed=tries,
        figure=f"slowest {slowest_s * 1e3:.0f} ms (input {slowest})",
        target=f"nothing raised, ≤ {MAX_SECONDS * 1e3:.0f} ms or {MAX_RATIO:g} ordinary readings",
    )
