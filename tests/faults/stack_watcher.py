"""A process that is told of stacks of which hardly two are alike, as perf script would print them.

Usage: python -m tests.faults.stack_watcher KIND STACKS DEPTH

KIND is one of `KINDS`. Writes to standard output what came of them as a line of JSON, and lives on
until its standard input ends, so that it can be looked at from outside.
"""

from __future__ import annotations

import json
import random
import sys
from bisect import bisect
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import accumulate
from typing import Any, Final

from collectors.perf.decode import PerfScriptDecoder
from collectors.perf.interner import OTHER_STACKS, Interner
from collectors.samples import StackBatch, StackCount
from tui.model.stacks import StackTable
from tui.model.timeline import Timeline, TimeRange

FUNCTIONS: Final = 5_000
A_SECOND: Final = 20_000
COMMON: Final = 10
"""So many of the outermost callers are of the few that all programs have."""


MAX_FRAMES_APART: Final = 100
"""So many functions are compared with what is true, by self and by total."""


def alike(stacks: int, depth: int) -> Iterator[list[int]]:
    """Yield stacks of callers that are all as frequent, below some that all programs have."""
    rng = random.Random(stacks * depth)
    for number in range(stacks):
        callers = rng.choices(range(3), k=min(COMMON, depth - 1))
        rest = rng.choices(range(FUNCTIONS), k=depth - 1 - len(callers))
        yield [*callers, *rest, FUNCTIONS + number % 1000]


def descent(stacks: int, depth: int) -> Iterator[list[int]]:
    """Yield stacks of a program in which each function calls a few, the first most often (Zipf)."""
    rng = random.Random(depth)
    calls = [rng.choices(range(2000), k=8) for _ in range(2000)]
    weights = list(accumulate(1 / (place + 1) ** 1.3 for place in range(8)))
    for _ in range(stacks):
        function, path = 0, [0]
        for _ in range(rng.randint(depth // 2, depth) - 1):
            function = calls[function][bisect(weights, rng.random() * weights[-1])]
            path.append(function)
        yield path


def leaves(stacks: int, depth: int) -> Iterator[list[int]]:
    """Yield stacks of any callers that end in one of a few functions, such as memcpy."""
    rng = random.Random(depth)
    common = rng.choices(range(5000, 5008), weights=[20, 15, 10, 8, 7, 5, 3, 2], k=stacks)
    for leaf in common:
        is_rare = rng.random() < 0.3
        path = [0, *rng.choices(range(3000), k=depth - 2)]
        yield [*path, rng.randrange(6000, 26_000) if is_rare else leaf]


def late(stacks: int, depth: int) -> Iterator[list[int]]:
    """Yield such stacks, and from a third on many below a function that was not there before.

    One more stack comes again and again from then on.
    """
    rng = random.Random(depth)
    again = [0, 1, *range(3000, 3000 + depth - 3), 5009]
    for number, path in enumerate(leaves(stacks, depth)):
        chance = rng.random() if number * 3 > stacks else 1.0
        if chance < 0.3:
            yield [0, 1, 5008, *path[3:]]
        elif chance < 0.4:
            yield again
        else:
            yield path


KINDS: Final[Mapping[str, Callable[[int, int], Iterator[list[int]]]]] = {
    "alike": alike,
    "descent": descent,
    "leaves": leaves,
    "late": late,
}


class Truth:
    """What was told, by function."""

    def __init__(self) -> None:
        self.samples = 0
        self._own: Counter[str] = Counter()
        self._total: Counter[str] = Counter()
        self._lines: dict[int, bytes] = {}

    def blocks(self, paths: Iterator[list[int]]) -> Iterator[bytes]:
        """Yield one sample of each stack."""
        own: Counter[int] = Counter()
        total: Counter[int] = Counter()
        for path in paths:
            own[path[-1]] += 1
            total.update(set(path))
            second, place = divmod(self.samples, A_SECOND)
            self.samples += 1
            body = b"".join(map(self._line, reversed(path)))
            yield b" 10/11 %d.%09d: 10101010\n%s\n" % (100 + second, place, body)
        self._own.update({f"function_{n}_of_many": count for n, count in own.items()})
        self._total.update({f"function_{n}_of_many": count for n, count in total.items()})

    def _line(self, function: int) -> bytes:
        line = self._lines.get(function)
        if line is None:
            line = b"\t%16x function_%d_of_many (/srv/app)\n" % (function + 4096, function)
            self._lines[function] = line
        return line

    def errors(
        self, table: StackTable, counts: Mapping[int, StackCount], cut: Mapping[int, StackCount]
    ) -> dict[str, float]:
        """Return by how much stacks are off for the functions that are most of it, and where.

        `self` and `total` are in percentage points of all samples, the worst of each. A function
        counts once a stack, as in the table of functions.
        """
        own: Counter[str] = Counter()
        total: Counter[str] = Counter()
        for stack, count in counts.items():
            symbols = [frame.symbol for frame in table.frames_of(stack)]
            own[symbols[-1]] += count.samples
            for symbol in set(symbols):
                total[symbol] += count.samples
        for frame, count in cut.items():
            total[table.frame(frame).symbol] += count.samples
        return {
            "self": self._worst(self._own, own),
            "total": self._worst(self._total, total),
            "late": self._off(self._total, total, "function_5008_of_many"),
            "again": self._off(self._own, own, "function_5009_of_many"),
        }

    def _worst(self, true: Counter[str], shown: Mapping[str, int]) -> float:
        most = [symbol for symbol, _ in true.most_common(MAX_FRAMES_APART)]
        return max(self._off(true, shown, symbol) for symbol in most)

    def _off(self, true: Counter[str], shown: Mapping[str, int], symbol: str) -> float:
        return 100 * abs(true[symbol] - shown.get(symbol, 0)) / self.samples


class Told:
    """What became of them."""

    def __init__(self) -> None:
        self.timeline = Timeline(0.0)
        self.most_nodes = 0

    def take(self, batches: list[StackBatch]) -> None:
        """Take what the decoder returns."""
        for batch in batches:
            self.timeline.append(batch)

    def found(self, printed: int, truth: Truth) -> dict[str, Any]:
        """Return the figures."""
        timeline = self.timeline
        counts = timeline.stacks_in(TimeRange(0.0, 1e9))
        table = timeline.stacks
        pruned = sum(
            count.samples
            for stack, count in counts.items()
            if OTHER_STACKS in table.frames_of(stack)
        )
        return {
            "printed": printed,
            "errors": truth.errors(table, counts, timeline.cut_in(TimeRange(0.0, 1e9))),
            "samples": sum(count.samples for count in counts.values()),
            "period_ns": sum(count.period_ns for count in counts.values()),
            "pruned": pruned,
            "nodes": len(table.parents),
            "stacks": len(table),
            "drops": dict(timeline.drops),
        }


def main(kind: str, stacks: int, depth: int) -> None:
    """Decode, tell, and stay."""
    told, truth = Told(), Truth()
    decoder = PerfScriptDecoder(Interner(), lambda _pid, _tid: ("app", "main"))
    for block in truth.blocks(KINDS[kind](stacks, depth)):
        told.take(decoder.feed(block))
    told.take(decoder.close())
    found = told.found(decoder.printed, truth)
    print(json.dumps(found), flush=True)  # noqa: T201 - what it is asked for
    sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
