"""A process that keeps the history of a run in which all of many endpoints change each second.

Usage: python -m tests.faults.history_keeper ENDPOINTS PUSHES

Writes to standard output what it kept as a line of JSON, and lives on until its standard input
ends, so that it can be looked at from outside.
"""

from __future__ import annotations

import gc
import json
import random
import sys
import time
from typing import Any, Final

from tests.long_runs import wide_push
from tui.model.load import endpoint_totals, kind_of, summarise
from tui.model.thinning import HISTORY_BYTES
from tui.model.timeline import Timeline

SETTLE_AFTER: Final = 10
"""Pushes, after which the garbage collector need not look at them again: as the receiver does."""


def keep(endpoints: int, pushes: int) -> dict[str, Any]:
    """Keep pushes of k6; tell what there is of them in the end."""
    chance = random.Random(endpoints)
    names = [f"http://127.0.0.1:9911/item/{number:07d}" for number in range(endpoints)]
    timeline, late, most = Timeline(0.0, HISTORY_BYTES), list[float](), 0
    for second in range(1, pushes + 1):
        push = wide_push(float(second), chance, names)
        start = time.thread_time()
        timeline.append(push)
        late.append(time.thread_time() - start)
        is_more = True
        while is_more:  # as a session does between two samples
            start = time.thread_time()
            is_more = timeline.thin()
            late.append(time.thread_time() - start)
        most = max(most, timeline.held_bytes)
        if not second % SETTLE_AFTER:
            gc.collect(1)
            gc.freeze()
    kind = kind_of(timeline.loads)
    load, totals = summarise(timeline.loads, kind), endpoint_totals(timeline.loads, kind)
    return {
        "requests": load.requests,
        "observed": load.latency.count,
        "of_endpoints": sorted({each.requests for each in totals}),
        "endpoints": len(totals),
        "held_mib": most / (1 << 20),
        "late": sorted(late)[-10 * pushes :],
    }


def main(endpoints: int, pushes: int) -> None:
    """Keep, tell, and stay."""
    print(json.dumps(keep(endpoints, pushes)), flush=True)  # noqa: T201 - what it is asked for
    sys.stdin.read()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
