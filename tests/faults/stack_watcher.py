"""A process that is told of stacks of which no two are alike, as perf script would print them.

Usage: python -m tests.faults.stack_watcher STACKS DEPTH

Writes to standard output what came of them as a line of JSON, and lives on until its standard
input ends, so that it can be looked at from outside.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator
from typing import Any, Final

from collectors.perf.decode import PerfScriptDecoder
from collectors.perf.interner import OTHER_STACKS, Interner
from collectors.samples import StackBatch
from tui.model.timeline import Timeline, TimeRange

FUNCTIONS: Final = 5_000
A_SECOND: Final = 20_000
COMMON: Final = 10
"""So many of the outermost callers are of the few that all programs have."""


def blocks(stacks: int, depth: int) -> Iterator[bytes]:
    """Yield one sample of each stack."""
    rng = random.Random(stacks * depth)
    lines = [b"\t%16x function_%d_of_many (/srv/app)\n" % (n + 4096, n) for n in range(FUNCTIONS)]
    for number in range(stacks):
        second, place = divmod(number, A_SECOND)
        callers = rng.choices(lines[:3], k=min(COMMON, depth - 1))
        body = b"".join(rng.choices(lines, k=depth - 1 - len(callers)) + callers)
        leaf = b"\t%16x leaf_%d (/srv/app)\n" % (number + 4096, number % 1000)
        yield b" 10/11 %d.%09d: 10101010\n%s%s\n" % (100 + second, place, leaf, body)


class Told:
    """What became of them."""

    def __init__(self) -> None:
        self.timeline = Timeline(0.0)
        self.most_nodes = 0

    def take(self, batches: list[StackBatch]) -> None:
        """Take what the decoder returns."""
        for batch in batches:
            self.timeline.append(batch)

    def found(self, printed: int) -> dict[str, Any]:
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
            "samples": sum(count.samples for count in counts.values()),
            "period_ns": sum(count.period_ns for count in counts.values()),
            "pruned": pruned,
            "nodes": len(table.parents),
            "stacks": len(table),
            "drops": dict(timeline.drops),
        }


def main(stacks: int, depth: int) -> None:
    """Decode, tell, and stay."""
    told = Told()
    decoder = PerfScriptDecoder(Interner(), lambda _pid, _tid: ("app", "main"))
    for block in blocks(stacks, depth):
        told.take(decoder.feed(block))
    told.take(decoder.close())
    print(json.dumps(told.found(decoder.printed)), flush=True)  # noqa: T201 - what it is asked for
    sys.stdin.read()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
